"""The journal of one run: an append-only SQLite file, written once and read by anybody at any time."""

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade.adapters.store import projections
from qbtrade.adapters.store.emergency import EmergencyFile, rescued, sync
from qbtrade.adapters.store.rows import (
    COLUMNS,
    INSERT,
    ROW,
    SCHEMA,
    SCHEMA_VERSION,
    decode,
    encode,
    keys,
    laid_down,
)
from qbtrade.domain.message import Event, EventType
from qbtrade.errors import FileError, JournalError

_BLOCK: Final = 32  # rows per statement: two thirds of the time per row
_INSERT_BLOCK: Final = INSERT + ", ".join([ROW] * _BLOCK)
_WITH_RESCUED: Final = """
CREATE TEMP VIEW event AS
SELECT seq, ts, type, symbol, order_id, body FROM main.event UNION ALL SELECT * FROM rescued
"""


class SqliteJournal:
    """Appends to a new file that only its owner may read. Implements ports.JournalStore."""

    def __init__(self, path: Path, *, is_live: bool = False) -> None:
        """Create the file. is_live: fold the events into tables, too, and take room for `rescue`.

        Raises: JournalError when it exists or cannot be written.
        """
        self._path, self._is_live = path, is_live
        self._durable = False
        self._rows = self._last_rescued = 0
        self._head = b""
        self._emergency: EmergencyFile | None = None
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise JournalError(
                "cannot create journal {path}: {cause}", path=path, cause=error.strerror or error
            ) from error
        self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            self._create()
            self._emergency = EmergencyFile(path) if is_live else None
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            path.unlink(missing_ok=True)
            raise self._unwritable(error) from error

    def _create(self) -> None:
        self._connection.execute("PRAGMA page_size = 16384")
        self._connection.executescript(f"BEGIN;{SCHEMA}{projections.SCHEMA if self._is_live else ''}COMMIT;")
        (mode,) = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":  # as on a network drive: whoever reads beside us would wait, and a kill would leave less
            raise sqlite3.OperationalError("this drive lets SQLite keep no write-ahead log")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        """Write in order, all or none, and with them what follows from them. durable: on disk before it returns.

        Raises: JournalError.
        """
        events = tuple(events)
        cells, head = laid_down(events, self._head)
        if events:
            try:
                self._write(cells, events if self._is_live else (), durable=durable)
            except sqlite3.Error as error:
                self._undo()
                raise self._unwritable(error) from error
            self._rows, self._head = self._rows + len(events), head

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        """Write rows that `append` refused into the emergency file; see JournalStore. Raises: JournalError."""
        if self._emergency is None:
            raise JournalError("journal {path} has no emergency file", path=self._path)
        lines = [(number, encode(event)) for number, event in rows]
        if self._last_rescued <= self._rows:  # the first since the log was written: it is whole before what follows it
            with suppress(OSError):  # a line that is rescued is worth more than those before it
                sync(self._path.with_name(f"{self._path.name}-wal"))
        try:
            self._emergency.write(lines, vital=vital)
        except OSError as error:
            raise JournalError(
                "cannot write {path}: {cause}", path=self._emergency.path, cause=error.strerror or error
            ) from error
        self._last_rescued = max((self._last_rescued, *(number for number, _ in lines)))

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it. Harmless when closed.

        The emergency file goes, too, unless it holds what the journal lacks.
        """
        self._connection.close()
        emergency, self._emergency = self._emergency, None
        if emergency is not None:
            emergency.close() if self._last_rescued > self._rows else emergency.remove()

    def _write(self, cells: list[int | str | bytes], folded: tuple[Event, ...], *, durable: bool) -> None:
        execute, executemany = self._connection.execute, self._connection.executemany
        if durable is not self._durable:
            execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")
            self._durable = durable
        execute("BEGIN")
        block = _BLOCK * COLUMNS
        blocks_end = len(cells) - len(cells) % block
        executemany(_INSERT_BLOCK, (cells[at : at + block] for at in range(0, blocks_end, block)))
        executemany(INSERT + ROW, (cells[at : at + COLUMNS] for at in range(blocks_end, len(cells), COLUMNS)))
        projections.project(self._connection, self._rows + 1, folded)
        execute("COMMIT")

    def _undo(self) -> None:
        with suppress(sqlite3.Error):  # gone already when the error itself rolled back
            self._connection.execute("ROLLBACK")

    def _unwritable(self, error: Exception) -> JournalError:
        return JournalError(
            "cannot write journal {path}: {cause}", path=self._path, cause=error,
            hint="Free space or mend the folder; nothing of this write was kept",
        )  # fmt: skip


def read_events(
    path: Path,
    types: Collection[EventType] | None = None,
    symbol: str | None = None,
    start: int | None = None,
    end: int | None = None,
    order_id: str | None = None,
) -> Iterator[Event]:
    """Stream events in order of writing, also while a session writes them; leaves no trace on disk.

    Rows that were rescued into the emergency file follow those of the journal.

    symbol: also events that only name an order of that symbol. start, end: UTC ns, half open.
    Raises: FileError for a missing or foreign file, JournalError for a damaged one.
    """
    clauses: list[str] = []
    values: list[Any] = []

    def narrow(clause: str, *args: object) -> None:
        clauses.append(clause)
        values.extend(args)

    if types is not None:
        narrow(f"type IN ({', '.join('?' * len(types))})", *(event_type.value for event_type in types))
    if symbol is not None:
        narrow(
            "(symbol = ? OR order_id IN (SELECT order_id FROM event WHERE symbol = ? AND order_id <> ''))",
            symbol,
            symbol,
        )
    if start is not None:
        narrow("ts >= ?", start)
    if end is not None:
        narrow("ts < ?", end)
    if order_id is not None:
        narrow("order_id = ?", order_id)
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    return _select(path, f"{where} ORDER BY seq", values)


def last_event(path: Path) -> Event | None:
    """What was written last; None in a journal without events. Raises: as read_events."""
    return next(_select(path, " ORDER BY seq DESC LIMIT 1", ()), None)


def _select(path: Path, tail: str, values: Iterable[Any]) -> Iterator[Event]:
    with closing(open_journal(path)) as connection:
        try:
            _join_rescued(connection, path)
            for seq, body in connection.execute("SELECT seq, body FROM event" + tail, tuple(values)):  # noqa: S608 (our own text)
                yield _decoded(path, seq, body)
        except sqlite3.DatabaseError as error:
            raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error


def _join_rescued(connection: sqlite3.Connection, path: Path) -> None:
    """Let queries see what only the emergency file holds, behind the journal's own rows."""
    try:
        lines = list(rescued(path))
    except OSError as error:
        raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error
    if not lines:
        return
    connection.execute("BEGIN")  # a session that goes on writing adds no row twice
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("CREATE TEMP TABLE rescued (seq INTEGER PRIMARY KEY, ts, type, symbol, order_id, body)")
    for seq, body in lines:
        if seq > last:
            event = _decoded(path, seq, body)
            row = (seq, *keys(event), body.decode())
            connection.execute("INSERT OR IGNORE INTO rescued VALUES (?, ?, ?, ?, ?, ?)", row)
    connection.execute(_WITH_RESCUED)


def _decoded(path: Path, seq: int, body: str | bytes) -> Event:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise JournalError("journal {path}, row {seq}: {cause}", path=path, seq=seq, cause=error) from error


def open_journal(path: Path) -> sqlite3.Connection:
    """To read it, also while it is written. Raises: FileError for a missing or foreign file."""
    if not path.is_file():
        raise FileError("no journal {path}", path=path)
    connection = sqlite3.connect(_uri(path), uri=True)
    try:
        (version,) = connection.execute("SELECT schema_version FROM meta").fetchone()
    except (sqlite3.Error, TypeError) as error:
        connection.close()
        raise FileError("{path} is not a journal: {cause}", path=path, cause=error) from error
    if version > SCHEMA_VERSION:
        connection.close()
        raise FileError(
            "{path} was written by a newer qb: schema {found}, this one reads up to {known}", path=path, found=version,
            known=SCHEMA_VERSION, hint="Update qb",
        )  # fmt: skip
    return connection


def _uri(path: Path) -> str:
    """Read-only; without a write-ahead log nobody writes, and SQLite need not put its files beside the journal."""
    log = path.with_name(f"{path.name}-wal")
    settled = not log.exists() or log.stat().st_size == 0
    return f"{path.resolve().as_uri()}?mode=ro{'&immutable=1' if settled else ''}"

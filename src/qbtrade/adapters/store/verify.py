"""Whether a journal is what a session wrote: SQLite's own check, the chain of its rows, and what was rescued."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from qbtrade.adapters.store import projections
from qbtrade.adapters.store.emergency import rescued
from qbtrade.adapters.store.rows import CHAINED_SINCE, decode, genesis, keys, link
from qbtrade.adapters.store.sqlite import open_journal
from qbtrade.domain.events import SessionEnded
from qbtrade.domain.message import Event
from qbtrade.errors import FileError, JournalError


class Sound(msgspec.Struct, frozen=True):
    """What a sound journal holds. rescued: rows of the emergency file that the table lacks.

    is_chained: rows name a changed one; older journals cannot. is_folded: there are tables, and they are what the
    events make of them; only live sessions keep some. is_ended: the session wrote its last row. last_hash:
    of the table, hexadecimal, "" without a chain.
    """

    rows: int
    rescued: int
    is_chained: bool
    is_folded: bool
    is_ended: bool
    last_hash: str


class _Row(NamedTuple):
    seq: int
    ts: int
    type: bytes
    symbol: bytes
    order_id: bytes
    body: bytes
    hash: bytes


def verify(path: Path, *, told: str = "") -> Sound:
    """Look at every row. told: a hash of its last row that somebody kept, and that must be one of the chain.

    Raises: FileError, which names the first bad row.
    """
    problem = next(iter(integrity(path)), "")
    if problem:
        raise FileError("journal {path} is damaged: {problem}", path=path, problem=problem)
    with closing(open_journal(path)) as connection:
        connection.execute("BEGIN")  # a session may go on writing meanwhile
        connection.text_factory = bytes
        try:
            return _looked_through(connection, path, told)
        except sqlite3.DatabaseError as error:
            raise FileError("journal {path} is damaged: {problem}", path=path, problem=error) from error


def integrity(path: Path) -> tuple[str, ...]:
    """What SQLite finds wrong with the file; empty when it is sound. Raises: FileError when it is no journal at all."""
    with closing(open_journal(path)) as connection:
        try:
            found = tuple(str(text) for (text,) in connection.execute("PRAGMA integrity_check"))
        except sqlite3.DatabaseError as error:
            return (str(error),)
    return () if found == ("ok",) else found


def head(path: Path) -> str:
    """The hash of the last row, hexadecimal; "" without one. Raises: FileError."""
    with closing(open_journal(path)) as connection:
        if not _is_chained(connection):
            return ""
        found = connection.execute("SELECT hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return found[0].hex() if found else ""


def _is_chained(connection: sqlite3.Connection) -> bool:
    (version,) = connection.execute("SELECT schema_version FROM meta").fetchone()
    return bool(version >= CHAINED_SINCE)


def _looked_through(connection: sqlite3.Connection, path: Path, told: str) -> Sound:
    is_chained = _is_chained(connection)
    last, count, is_told, before = None, 0, not told, b""
    for row, event in _rows(connection, path, is_chained=is_chained):
        if is_chained:
            before = link(before or genesis(event), row.body)
            if row.hash != before:
                raise _bad(path, row.seq, "it was changed, moved or put in, or rows before it are gone")
            is_told = is_told or before.hex() == told
        last, count = event, count + 1
    if is_chained and not is_told:
        raise FileError(
            "journal {path} is not the one that its report was made of: no row has the hash {told}",
            hint="Rows at its end are gone, or all of it was written anew", path=path, told=told,
        )  # fmt: skip
    more = _rescued(connection, path, count)
    return Sound(count, more, is_chained, _is_folded(connection, path), isinstance(last, SessionEnded), before.hex())


def _is_folded(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there are tables; what they say follows from the events."""
    (found,) = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'intent'").fetchone()
    if not found:
        return False
    connection.text_factory = str
    rows = connection.execute("SELECT body FROM event ORDER BY seq")
    differing = projections.differing(connection, (decode(body) for (body,) in rows))
    if differing:
        raise FileError(
            "journal {path}: the table row {row} is not what the events make of it", path=path, row=differing,
            hint="Trust the events; qb reads no table",
        )  # fmt: skip
    return True


def _rows(connection: sqlite3.Connection, path: Path, *, is_chained: bool) -> Iterator[tuple[_Row, Event]]:
    """Every row with its event, oldest first, none left out."""
    hashes = "hash" if is_chained else "x''"
    cursor = connection.execute(f"SELECT seq, ts, type, symbol, order_id, body, {hashes} FROM event ORDER BY seq")  # noqa: S608 (our own text)
    for number, row in enumerate(map(_Row._make, cursor), 1):
        if row.seq != number:
            raise _bad(path, min(number, row.seq), "it is missing" if row.seq > number else "it was put in")
        event = _event(path, row.seq, row.body)
        found = row.ts, row.type.decode(), row.symbol.decode(), row.order_id.decode()
        if found != keys(event):
            raise _bad(path, row.seq, "its columns do not say what its event says")
        yield row, event


def _rescued(connection: sqlite3.Connection, path: Path, count: int) -> int:
    """How many rows only the emergency file holds; each must be whole, and equal to what the table holds of it."""
    seen = dict[int, Any]()
    try:
        for number, body in rescued(path):
            _event(path, number, body)
            if number <= count:
                (seen[number],) = connection.execute("SELECT body FROM event WHERE seq = ?", (number,)).fetchone()
            if seen.setdefault(number, body) != body:
                raise _bad(path, number, "the emergency file holds another one")
    except (OSError, JournalError) as error:
        problem = error.message if isinstance(error, JournalError) else error
        raise FileError("journal {path} is damaged: {problem}", path=path, problem=problem) from error
    return sum(number > count for number in seen)


def _event(path: Path, number: int, body: bytes) -> Event:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise _bad(path, number, str(error)) from error


def _bad(path: Path, number: int, problem: str) -> FileError:
    return FileError(
        "journal {path}, row {number}: {problem}", path=path, number=number, problem=problem,
        hint="Keep the file as it is, and trust neither this row nor what follows",
    )  # fmt: skip

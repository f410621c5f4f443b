"""From the journal into PostgreSQL: in order, in batches, each row exactly once.

How far the journal was read stands in PostgreSQL, and moves in the transaction that writes the rows. So it does not
matter where a transaction is cut off, whether its answer is lost, or whether another server takes over that lacks the
last ones: what is there says what is missing.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from psycopg import sql

from qbtrade.adapters.store.outbox import Letter, letters
from qbtrade.adapters.store.postgres.connection import Connection, connect, explained
from qbtrade.adapters.store.postgres.copying import copy_rows, copy_statement, micros
from qbtrade.adapters.store.postgres.migrations import require
from qbtrade.adapters.store.postgres.projection import BECOMES, COLUMNS, Cells, moment
from qbtrade.adapters.store.rows import genesis
from qbtrade.domain.events import SessionEnded
from qbtrade.domain.message import Event

BATCH: Final = 10_000
"""Rows of the journal in one transaction, at most."""
PIECE: Final = 1_000
"""Rows that are read at a time."""
LATEST: Final = 2**63 - 1

_COPY: Final = {table: copy_statement(sql.Identifier("qb", table), columns) for table, columns in COLUMNS.items()}
_FIND: Final = "SELECT seq, head FROM qb.cursors WHERE run_id = %s FOR UPDATE"
_BEGIN: Final = "INSERT INTO qb.cursors (run_id, seq, head) VALUES (%s, 0, '') ON CONFLICT DO NOTHING"
_MOVE: Final = "UPDATE qb.cursors SET seq = %s, head = %s, written_at = clock_timestamp() WHERE run_id = %s"
_END: Final = "UPDATE qb.sessions SET ended_ts = %s, ended_at = %s, outcome = %s, reason = %s WHERE run_id = %s"
_READ: Final[frozenset[type[Event]]] = frozenset({*BECOMES, SessionEnded})

Read = Callable[[Path, int, int, Collection[type[Event]]], Sequence[Letter]]


class Cursor(NamedTuple):
    """How far a journal was read: the number of the last row, and its hash."""

    seq: int
    head: bytes


class Batch(NamedTuple):
    """Rows of the journal, made ready. last: where it ends. passed: how many; tables: their cells."""

    last: Cursor
    passed: int
    first_at: datetime
    last_at: datetime
    tables: dict[str, list[Cells]]
    end: SessionEnded | None


class PostgresSink:
    """Passes one journal on. read: gives its rows behind a number. seq: how far it is known to be."""

    def __init__(self, url: str, journal: Path, read: Read = letters) -> None:
        self._url, self._journal, self._read = url, journal, read
        self._run_id = journal.stem
        self._connection: Connection | None = None
        self.seq = 0

    def drain(self, most: int = BATCH) -> int:
        """Pass on the next rows in one transaction. Gives how many rows of the journal that were.

        Raises: ConfigError without a connection, DatabaseError, FileError, JournalError. Then nothing, or all of it,
        was written, and the next call finds out which.
        """
        connection = self._connected()
        try:
            with explained(connection), connection.transaction():
                passed, seq = self._pass_on(connection, most)
        except BaseException:
            self.close()
            raise
        self.seq = seq
        return passed

    def cursor(self) -> Cursor:
        """How far it is. Raises: as `drain`."""
        connection = self._connected()
        with explained(connection), connection.transaction():
            return self._locked(connection)

    def close(self) -> None:
        """Let go of the connection. Harmless when there is none."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is gone already, and nothing of it is needed
                connection.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._url)
            try:
                with explained(self._connection):
                    require(self._connection)
            except BaseException:
                self.close()
                raise
        return self._connection

    def _pass_on(self, connection: Connection, most: int) -> tuple[int, int]:
        """How many rows, and the number of the last one."""
        cursor = self._locked(connection)
        batch = self._batch(cursor, most)
        if batch is None:
            return 0, cursor.seq
        connection.execute("SELECT qb.prepare(%s, %s)", [batch.first_at, batch.last_at])
        for table, cells in batch.tables.items():
            if cells:
                copy_rows(connection, _COPY[table], COLUMNS[table].values(), cells)
        if batch.end:
            end = batch.end
            connection.execute(_END, [end.ts, moment(end.ts), end.outcome.value, end.reason, self._run_id])
        connection.execute(_MOVE, [batch.last.seq, batch.last.head, self._run_id])
        return batch.passed, batch.last.seq

    def _locked(self, connection: Connection) -> Cursor:
        """Where it stands; nobody else moves it in this transaction."""
        row = connection.execute(_FIND, [self._run_id]).fetchone()
        if row is None:
            connection.execute(_BEGIN, [self._run_id])
            row = connection.execute(_FIND, [self._run_id]).fetchone()
        seq, head = row or (0, b"")
        return Cursor(seq, bytes(head))

    def _batch(self, cursor: Cursor, most: int) -> Batch | None:
        """Read in pieces: what was read is let go while it is still in the processor's cache, which halves the time."""
        tables: dict[str, list[Cells]] = {table: [] for table in COLUMNS}
        last, first_at, last_at, passed = cursor, LATEST, 0, 0
        end: SessionEnded | None = None
        while passed < most and (found := self._read(self._journal, last.seq, min(PIECE, most - passed), _READ)):
            last = Cursor(found[-1][0], self._take(tables, last.head or genesis(found[0][3]), found))
            ended = [event for _seq, _ts, _body, event in found if isinstance(event, SessionEnded)]
            end = ended[0] if ended else end
            times = [ts for _seq, ts, _body, _event in found]
            first_at, last_at, passed = min(first_at, *times), max(last_at, *times), passed + len(found)
            if len(found) < PIECE:
                break
        return Batch(last, passed, moment(first_at), moment(last_at), tables, end) if passed else None

    def _take(self, tables: dict[str, list[Cells]], head: bytes, found: Sequence[Letter]) -> bytes:
        """Lay the rows down as cells. Gives the hash of the last one."""
        run_id = self._run_id
        for seq, ts, body, event in found:
            head = sha256(head + body).digest()  # `link`, which is too dear to be called for every row
            if event is not None:
                for table, cells in BECOMES.get(event.__class__, ()):
                    tables[table].append(cells((run_id, seq, ts, micros(ts)), event))
        return head

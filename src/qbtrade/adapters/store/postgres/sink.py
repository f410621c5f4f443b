"""From the journal into PostgreSQL: in order, in batches, each row exactly once.

How far the journal was read stands in PostgreSQL, and moves in the transaction that writes the rows. So it does not
matter where a transaction is cut off, whether its answer is lost, or whether another server takes over that lacks the
last ones: what is there says what is missing.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from psycopg import sql

from qbtrade.adapters.store.outbox import Letter, letters
from qbtrade.adapters.store.postgres.connection import Connection, connect, explained
from qbtrade.adapters.store.postgres.copying import copy_statement, copying, micros
from qbtrade.adapters.store.postgres.migrations import require
from qbtrade.adapters.store.postgres.projection import BECOMES, COLUMNS, Cells, moment
from qbtrade.adapters.store.rows import genesis
from qbtrade.domain.events import SessionEnded
from qbtrade.domain.message import Event

BATCH: Final = 10_000
"""Rows of the journal in one transaction, at most."""
PIECE: Final = 1_000
"""Rows that are read at a time: they are let go while they are in the processor's cache, which halves the time."""
SERIES: Final = "equity"
"""The table that stands in partitions."""
NO_ROOM: Final = (2**63 - 1, 0)
"""Of no time, UTC ns, room was made by this connection."""

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


class Batch:
    """Rows of one journal, laid down as cells. last: where they end; passed: how many; end: of the session."""

    def __init__(self, run_id: str, cursor: Cursor) -> None:
        self.last, self.passed = cursor, 0
        self.tables: dict[str, list[Cells]] = {table: [] for table in COLUMNS}
        self.end: SessionEnded | None = None
        self._run_id = run_id

    def take(self, found: Sequence[Letter]) -> None:
        """Lay rows down that follow the last ones."""
        run_id, tables = self._run_id, self.tables
        head = self.last.head or genesis(found[0][3])
        for seq, ts, body, event in found:
            head = sha256(head + body).digest()  # `link`, which is too dear to be called for every row
            if event is not None:
                for table, cells in BECOMES.get(event.__class__, ()):
                    tables[table].append(cells((run_id, seq, ts, micros(ts)), event))
                if isinstance(event, SessionEnded):
                    self.end = event
        self.last, self.passed = Cursor(found[-1][0], head), self.passed + len(found)

    def fullest(self) -> str:
        """The table for which most rows wait."""
        return max(self.tables, key=lambda table: len(self.tables[table]))

    def taken(self, table: str) -> list[Cells]:
        """What waits for a table, and then waits no more."""
        cells, self.tables[table] = self.tables[table], []
        return cells


class PostgresSink:
    """Passes one journal on. read: gives its rows behind a number. seq: how far it is known to be."""

    def __init__(self, url: str, journal: Path, read: Read = letters) -> None:
        self._url, self._journal, self._read = url, journal, read
        self._run_id = journal.stem
        self._connection: Connection | None = None
        self._room = NO_ROOM
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
        connection, self._connection, self._room = self._connection, None, NO_ROOM
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
        batch = Batch(self._run_id, self._locked(connection))
        is_more = self._read_into(batch, most)
        while is_more:
            with self._under_way(connection, batch, batch.fullest()):
                is_more = self._read_into(batch, most)
        for table in COLUMNS:
            with self._under_way(connection, batch, table):
                pass
        if batch.end:
            end = batch.end
            connection.execute(_END, [end.ts, moment(end.ts), end.outcome.value, end.reason, self._run_id])
        if batch.passed:
            connection.execute(_MOVE, [batch.last.seq, batch.last.head, self._run_id])
        return batch.passed, batch.last.seq

    @contextmanager
    def _under_way(self, connection: Connection, batch: Batch, table: str) -> Iterator[None]:
        """Hand a table's rows over; the server takes them while the block does something else."""
        cells = batch.taken(table)
        if not cells:
            yield
            return
        if table == SERIES:
            self._make_room(connection, cells)
        with copying(connection, _COPY[table], COLUMNS[table].values()) as write:
            for row in cells:
                write(row)
            yield

    def _make_room(self, connection: Connection, cells: Sequence[Cells]) -> None:
        times = [row[2] for row in cells]
        first, last = min(*times, self._room[0]), max(*times, self._room[1])
        if (first, last) != self._room:
            connection.execute("SELECT qb.prepare(%s, %s)", [moment(first), moment(last)])
            self._room = first, last

    def _locked(self, connection: Connection) -> Cursor:
        """Where it stands; nobody else moves it in this transaction."""
        row = connection.execute(_FIND, [self._run_id]).fetchone()
        if row is None:
            connection.execute(_BEGIN, [self._run_id])
            row = connection.execute(_FIND, [self._run_id]).fetchone()
        seq, head = row or (0, b"")
        return Cursor(seq, bytes(head))

    def _read_into(self, batch: Batch, most: int) -> bool:
        """Read a piece. Gives whether there may be more of it."""
        wanted = min(PIECE, most - batch.passed)
        found = self._read(self._journal, batch.last.seq, wanted, _READ)
        if found:
            batch.take(found)
        return len(found) == PIECE and batch.passed < most

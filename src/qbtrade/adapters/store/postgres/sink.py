"""From the journal into PostgreSQL: in order, in batches, each row exactly once.

How far the journal was read stands in PostgreSQL, and moves in the transaction that writes the rows. So it does not
matter where a transaction is cut off, whether its answer is lost, or whether another server takes over that lacks the
last ones: what is there says what is missing.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from psycopg import sql

from qbtrade.adapters.store.outbox import Letter, pieces
from qbtrade.adapters.store.postgres.connection import Connection, connect, explained
from qbtrade.adapters.store.postgres.copying import Y2K, UnderWay, copy_packed, copy_statement, packed
from qbtrade.adapters.store.postgres.migrations import require
from qbtrade.adapters.store.postgres.projection import BECOMES, COLUMNS, Cells, moment
from qbtrade.adapters.store.rows import genesis
from qbtrade.domain.events import SessionEnded
from qbtrade.domain.message import Event
from qbtrade.kernel.clock import sleep

BATCH: Final = 50_000
"""Rows of the journal in one transaction, at most."""
PIECE: Final = 1_000
"""Rows that are read at a time."""
GENTLE_PIECE: Final = 100
REST: Final = 0.0005
"""Seconds of rest after such a piece: the engines wait for the interpreter as long as one takes, 0.3 ms."""
PARCEL: Final = 5_000
"""Rows that are sent together, while the next ones are read."""
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

Read = Callable[[Path, int, int, int, Collection[type[Event]]], Iterable[Sequence[Letter]]]


class Cursor(NamedTuple):
    """How far a journal was read: the number of the last row, and its hash."""

    seq: int
    head: bytes


class Parcel:
    """Rows that go to the server together, packed. times: UTC ns of those for which there has to be room."""

    def __init__(self) -> None:
        self.passed = 0
        self.parts: dict[str, list[bytes]] = {table: [] for table in COLUMNS}
        self.times: list[int] = []


class Batch:
    """Rows of one journal. last: where they end; passed: how many; parcel: those that wait; end: of the session."""

    def __init__(self, run_id: str, cursor: Cursor) -> None:
        self.last, self.passed = cursor, 0
        self.parcel = Parcel()
        self.end: SessionEnded | None = None
        self._run_id = run_id

    def take(self, connection: Connection, found: Sequence[Letter]) -> None:
        """Lay rows down that follow the last ones, and pack them at once: as objects they would fill the caches."""
        tables: dict[str, list[Cells]] = {table: [] for table in COLUMNS}
        run_id, head = self._run_id, self.last.head or genesis(found[0][3])
        for seq, ts, body, event in found:
            head = sha256(head + body).digest()  # `link`, which is too dear to be called for every row
            if event is not None:
                for table, cells in BECOMES.get(event.__class__, ()):
                    tables[table].append(cells((run_id, seq, ts, ts // 1000 - Y2K), event))
                if isinstance(event, SessionEnded):
                    self.end = event
        self.last, self.passed = Cursor(found[-1][0], head), self.passed + len(found)
        self.parcel.passed += len(found)
        self.parcel.times += (row[2] for row in tables[SERIES])
        for table, rows in tables.items():
            if rows:
                self.parcel.parts[table].append(packed(connection, COLUMNS[table].values(), rows))

    def taken(self) -> Parcel:
        """What is ready to go."""
        parcel, self.parcel = self.parcel, Parcel()
        return parcel


class PostgresSink:
    """Passes one journal on. read: gives its rows behind a number. seq: how far it is known to be.

    is_gentle: leave the interpreter to others after each little piece, as beside a session.
    """

    def __init__(self, url: str, journal: Path, read: Read = pieces, *, is_gentle: bool = False) -> None:
        self._url, self._journal, self._read = url, journal, read
        self._run_id, self._piece = journal.stem, GENTLE_PIECE if is_gentle else PIECE
        self._rest = REST if is_gentle else 0.0
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
        under_way: UnderWay | None = None
        for found in self._read(self._journal, batch.last.seq, most, self._piece, _READ):
            if batch.parcel.passed >= PARCEL:
                if under_way:
                    under_way.wait()
                under_way = UnderWay(partial(self._copy, connection, batch.taken()))
            batch.take(connection, found)
            if self._rest and len(found) == self._piece:
                sleep(self._rest)
        if under_way:
            under_way.wait()
        self._copy(connection, batch.taken())
        if batch.end:
            end = batch.end
            connection.execute(_END, [end.ts, moment(end.ts), end.outcome.value, end.reason, self._run_id])
        if batch.passed:
            connection.execute(_MOVE, [batch.last.seq, batch.last.head, self._run_id])
        return batch.passed, batch.last.seq

    def _copy(self, connection: Connection, parcel: Parcel) -> None:
        """The server takes it while the next one is made ready."""
        if parcel.times:
            self._make_room(connection, parcel.times)
        for table, parts in parcel.parts.items():
            if parts:
                copy_packed(connection, _COPY[table], parts)

    def _make_room(self, connection: Connection, times: Sequence[int]) -> None:
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

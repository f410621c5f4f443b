"""From the journal into PostgreSQL: in order, in batches, each row exactly once.

How far the journal was read stands in PostgreSQL, and moves in the transaction that writes the rows. So it does not
matter where a transaction is cut off, whether its answer is lost, or whether another server takes over that lacks the
last ones: what is there says what is missing.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from psycopg import sql

from qbtrade.adapters.store.outbox import Letter, letters
from qbtrade.adapters.store.postgres.connection import Connection, connect, explained
from qbtrade.adapters.store.postgres.projection import COLUMNS, Cells, moment, rows
from qbtrade.adapters.store.rows import genesis, link
from qbtrade.domain.events import SessionEnded

BATCH: Final = 5000
"""Rows of the journal in one transaction, at most."""

_COPY: Final = {
    table: sql.SQL("COPY qb.{} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns.split(", ")))
    )
    for table, columns in COLUMNS.items()
}
_FIND: Final = "SELECT seq, head FROM qb.cursors WHERE run_id = %s FOR UPDATE"
_BEGIN: Final = "INSERT INTO qb.cursors (run_id, seq, head) VALUES (%s, 0, '') ON CONFLICT DO NOTHING"
_MOVE: Final = "UPDATE qb.cursors SET seq = %s, head = %s, written_at = clock_timestamp() WHERE run_id = %s"
_END: Final = "UPDATE qb.sessions SET ended_ts = %s, ended_at = %s, outcome = %s, reason = %s WHERE run_id = %s"

Read = Callable[[Path, int, int], Sequence[Letter]]


class Cursor(NamedTuple):
    """How far a journal was read: the number of the last row, and its hash."""

    seq: int
    head: bytes


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
        connection = self._connection = self._connection or connect(self._url)
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
        connection = self._connection = self._connection or connect(self._url)
        with explained(connection), connection.transaction():
            return self._locked(connection)

    def close(self) -> None:
        """Let go of the connection. Harmless when there is none."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is gone already, and nothing of it is needed
                connection.close()

    def _pass_on(self, connection: Connection, most: int) -> tuple[int, int]:
        """How many rows, and the number of the last one."""
        cursor = self._locked(connection)
        found = self._read(self._journal, cursor.seq, most)
        if not found:
            return 0, cursor.seq
        times = [letter.event.ts for letter in found]
        connection.execute("SELECT qb.prepare(%s, %s)", [moment(min(times)), moment(max(times))])
        self._copy(connection, found)
        head = cursor.head or genesis(found[0].event)
        for letter in found:
            head = link(head, letter.body)
        connection.execute(_MOVE, [found[-1].seq, head, self._run_id])
        return len(found), found[-1].seq

    def _locked(self, connection: Connection) -> Cursor:
        """Where it stands; nobody else moves it in this transaction."""
        row = connection.execute(_FIND, [self._run_id]).fetchone()
        if row is None:
            connection.execute(_BEGIN, [self._run_id])
            row = connection.execute(_FIND, [self._run_id]).fetchone()
        seq, head = row or (0, b"")
        return Cursor(seq, bytes(head))

    def _copy(self, connection: Connection, found: Sequence[Letter]) -> None:
        tables: defaultdict[str, list[Cells]] = defaultdict(list)
        for letter in found:
            for table, cells in rows(self._run_id, letter.seq, letter.event):
                tables[table].append(cells)
        for table, statement in _COPY.items():
            if tables[table]:
                with connection.cursor() as cursor, cursor.copy(statement) as copy:
                    for cells in tables[table]:
                        copy.write_row(cells)
        for letter in found:
            if isinstance(letter.event, SessionEnded):
                end = letter.event
                values = [end.ts, moment(end.ts), end.outcome.value, end.reason, self._run_id]
                connection.execute(_END, values)

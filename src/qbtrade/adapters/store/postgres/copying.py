"""Rows into a table by binary COPY, the quickest way that PostgreSQL has."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Copy, sql
from psycopg.abc import Buffer
from psycopg.copy import Writer

from qbtrade.adapters.store.postgres.connection import Connection

TEXT: Final = "text"
INTEGER: Final = "int8"
FLAG: Final = "bool"
JSON: Final = "bytea"
"""Of a jsonb column: on the wire it is a text behind one byte, see `json_cell`."""
TEXTS: Final = "text[]"
MOMENT: Final = "int8"
"""Of a timestamptz column: on the wire it is a count of microseconds, see `micros`, and nothing says its type."""
_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL: Final = b"\xff\xff"
"""What stands before and behind the rows of a binary COPY."""
Y2K: Final = 946_684_800 * 10**6
"""What `micros` takes off, for those who cannot spare a call for each row."""


def micros(ts: int) -> int:
    """A time in UTC ns as a timestamptz stands on the wire: microseconds since 2000, cut down."""
    return ts // 1000 - Y2K


def json_cell(text: bytes) -> bytes:
    """JSON as a jsonb stands on the wire: behind the number of its format."""
    return b"\x01" + text


def copy_statement(table: sql.Identifier, columns: Iterable[str]) -> sql.Composed:
    """What takes rows of these columns."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(table, names)


class _Kept(Writer):
    """Keeps what a COPY would send."""

    def __init__(self) -> None:
        self.pages: list[Buffer] = []

    def write(self, data: Buffer) -> None:
        self.pages.append(data)


def packed(connection: Connection, types: Iterable[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as they stand on the wire; nothing is sent. types: of the columns there."""
    kept = _Kept()
    with connection.cursor() as cursor, Copy(cursor, binary=True, writer=kept) as copy:
        copy.set_types(list(types))
        write = copy.write_row
        for row in rows:
            write(row)
    return b"".join(kept.pages)[len(_HEAD) : -len(_TAIL)]


def copy_packed(connection: Connection, statement: sql.Composed, parts: Iterable[bytes]) -> None:
    """Hand over what was packed. Most of the time the server is at work, and the interpreter free."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(b"".join((_HEAD, *parts, _TAIL)))


@contextmanager
def copying(
    connection: Connection, statement: sql.Composed, types: Iterable[str]
) -> Iterator[Callable[[Sequence[Any]], None]]:
    """What takes one row; the server works at those that it was given. types: of the columns on the wire."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(types))
        yield copy.write_row


def copy_rows(
    connection: Connection, statement: sql.Composed, types: Iterable[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Hand rows over."""
    with copying(connection, statement, types) as write:
        for row in rows:
            write(row)


class UnderWay:
    """Work on a thread of its own, which does not keep the program from ending."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work, self._error = work, list[BaseException]()
        self._thread = threading.Thread(target=self._run, name="postgres-copy", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until it is done. Raises: what the work raised."""
        self._thread.join()
        if self._error:
            raise self._error[0]

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
            self._error.append(error)

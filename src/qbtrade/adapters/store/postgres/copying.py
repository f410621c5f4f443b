"""Rows into a table by binary COPY, the quickest way that PostgreSQL has."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from psycopg import sql

from qbtrade.adapters.store.postgres.connection import Connection

TEXT: Final = "text"
INTEGER: Final = "int8"
FLAG: Final = "bool"
JSON: Final = "bytea"
"""Of a jsonb column: on the wire it is a text behind one byte, see `json_cell`."""
TEXTS: Final = "text[]"
MOMENT: Final = "int8"
"""Of a timestamptz column: on the wire it is a count of microseconds, see `micros`, and nothing says its type."""
_Y2K: Final = 946_684_800 * 10**6


def micros(ts: int) -> int:
    """A time in UTC ns as a timestamptz stands on the wire: microseconds since 2000, cut down."""
    return ts // 1000 - _Y2K


def json_cell(text: bytes) -> bytes:
    """JSON as a jsonb stands on the wire: behind the number of its format."""
    return b"\x01" + text


def copy_statement(table: sql.Identifier, columns: Iterable[str]) -> sql.Composed:
    """What takes rows of these columns."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(table, names)


@contextmanager
def copying(
    connection: Connection, statement: sql.Composed, types: Iterable[str]
) -> Iterator[Callable[[Sequence[Any]], None]]:
    """What takes one row. The server works at what it was given while the block goes on with something else.

    types: of the columns on the wire.
    """
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

"""Rows and checksums of one run, as its journal says and as the database says: are they the same?"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from qbtrade.adapters.store.outbox import letters
from qbtrade.adapters.store.postgres.connection import connected
from qbtrade.adapters.store.postgres.copying import micros
from qbtrade.adapters.store.postgres.migrations import require
from qbtrade.adapters.store.postgres.projection import BECOMES, COLUMNS

Sums = dict[str, tuple[int, str]]
"""Of each table how many rows the run has there, and the checksum of all their cells."""
ALL: Final = 10**9
Y2K: Final = datetime(2000, 1, 1, tzinfo=UTC)


def journal_sums(journal: Path) -> Sums:
    """What the tables should have. Raises: FileError, JournalError."""
    tables: dict[str, list[Any]] = {table: [] for table in COLUMNS}
    for seq, ts, _body, event in letters(journal, 0, ALL):
        for table, cells in BECOMES.get(event.__class__, ()) if event else ():
            tables[table].append(cells((journal.stem, seq, ts, micros(ts)), event))
    return {table: _sum(found) for table, found in tables.items()}


def database_sums(url: str, journal: Path) -> Sums:
    """What they have of that journal's run. Raises: ConfigError, DatabaseError, FileError."""
    with connected(url) as connection:
        require(connection)
        return {
            table: _sum(connection.execute(_rows(table, columns), [journal.stem]).fetchall())
            for table, columns in COLUMNS.items()
        }


def _rows(table: str, columns: Iterable[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("SELECT {} FROM qb.{} WHERE run_id = %s").format(names, sql.Identifier(table))


def _sum(found: Iterable[Any]) -> tuple[int, str]:
    plain = sorted(json.dumps([_plain(cell) for cell in cells], sort_keys=True) for cells in found)
    return len(plain), sha256("\n".join(plain).encode()).hexdigest()


def _plain(cell: Any) -> Any:
    """As it stands on the wire, which carries JSON as text and times as numbers."""
    if isinstance(cell, bytes):
        return json.loads(cell.removeprefix(b"\x01"))
    return (cell - Y2K) // timedelta(microseconds=1) if isinstance(cell, datetime) else cell

"""Compares rows that are to be stored with those that are: nothing shall be there twice or be lost unsaid."""

from datetime import date
from typing import TYPE_CHECKING

import msgspec

from qbtrade.adapters.market_store.files import Described, ask, scan
from qbtrade.adapters.market_store.layout import About, Basis, Sheet
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import FileError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Beside(msgspec.Struct, frozen=True):
    """What a file has where rows are to go.

    same: days of them that it has already. differing: rows that it has otherwise, on so many `days_differing`, from
    `first` on. mixes: its prices and the new ones are not of the same basis. problem: why it cannot be read.
    """

    same: int = 0
    differing: int = 0
    days_differing: int = 0
    first: date | None = None
    basis: Basis = Basis.UNKNOWN
    source: str = ""
    mixes: bool = False
    problem: str = ""


def hold(connection: "DuckDBPyConnection", name: str, sql: str, path: str) -> None:
    """Keep rows for this process, in memory as far as they fit. path: where they come from. Raises: FileError."""
    import duckdb

    try:
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS {sql}")
    except duckdb.Error as error:
        raise FileError("cannot read {path}: {cause}", path=path, cause=str(error).splitlines()[0]) from error


def beside(connection: "DuckDBPyConnection", described: Described, rows: str, basis: Basis) -> Beside:
    """Compare rows with what a file has of the same days."""
    sheet, about = described.sheet, described.about
    if described.problem:
        return Beside(problem=described.problem, differing=1, days_differing=1)
    if about.basis is not basis and sheet.day is None:
        return Beside(differing=1, basis=about.basis, mixes=True)
    try:
        return _compared(connection, sheet, rows, about)
    except FileError as error:
        return Beside(problem=error.message, differing=1, days_differing=1)


def _compared(connection: "DuckDBPyConnection", sheet: Sheet, rows: str, about: About) -> Beside:
    columns = ", ".join(sheet.columns)
    new, old = f"SELECT {columns} FROM ({rows})", f"SELECT {columns} FROM {scan(sheet)}"
    if sheet.day is not None:
        sql = f"SELECT count(*) FROM (({new} EXCEPT ALL {old}) UNION ALL ({old} EXCEPT ALL {new}))"
        ((count,),) = ask(connection, sheet, sql)
        is_other = count > 0
        return Beside(int(not is_other), count, int(is_other), sheet.day, about.basis, about.source)
    same = ask(connection, sheet, f"SELECT count(*) FROM (({new}) INTERSECT ({old}))")[0][0]
    differing = f"SELECT count(*), min(ts) FROM (({new}) EXCEPT ({old})) WHERE ts IN (SELECT ts FROM ({old}))"
    count, first = ask(connection, sheet, differing)[0]
    return Beside(same, count, count, kst_date(first) if count else None, about.basis, about.source)


def joined(sheet: Sheet, rows: str) -> str:
    """Rows, with those of the file whose time they lack."""
    if not sheet.path.exists():
        return rows
    columns = ", ".join(sheet.columns)
    old = f"SELECT 0 AS n, {columns} FROM {scan(sheet)} WHERE ts NOT IN (SELECT ts FROM ({rows}))"
    return f"SELECT n, {columns} FROM ({rows}) UNION ALL ({old})"


def last_day(connection: "DuckDBPyConnection", rows: str) -> date:
    """The day of the last of these rows."""
    ((last,),) = connection.execute(f"SELECT max(ts) FROM ({rows})").fetchall()
    return kst_date(last)

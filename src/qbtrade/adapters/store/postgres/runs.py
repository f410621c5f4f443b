"""What many sessions did, read from PostgreSQL: the same events as in their journals."""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec
from psycopg.rows import dict_row

from qbtrade.adapters.store.postgres import migrations
from qbtrade.adapters.store.postgres.connection import Connection, connected
from qbtrade.adapters.store.runs import Run
from qbtrade.domain.events import (
    BookCorrected,
    Check,
    EquityMarked,
    Held,
    OrderDenied,
    PositionChanged,
    SessionStarted,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import Purpose, Side

Row = tuple[str, int, Event]
"""Run, number, event."""

_TOUCHED: Final = """
SELECT * FROM qb.sessions
WHERE ts < %(end)s AND (ended_ts IS NULL OR ended_ts >= %(start)s)
ORDER BY run_id COLLATE "C"
"""
_OF_THOSE: Final = """
FROM qb.{table} WHERE run_id = ANY(%s) ORDER BY run_id COLLATE "C", seq
"""
_FILLS: Final = (
    "SELECT run_id, seq, ts, symbol, position, cost, realized, commission, tax, cash, order_id, side, price, qty,"
    " purpose" + _OF_THOSE.format(table="fills")
)
_DENIALS: Final = "SELECT run_id, seq, ts, order_id, symbol, reason, checks" + _OF_THOSE.format(table="denials")
_EQUITY: Final = "SELECT run_id, seq, ts, equity, cash, unrealized" + _OF_THOSE.format(table="equity")
_CORRECTIONS: Final = (
    "SELECT run_id, seq, ts, what, symbol, ours, theirs, qty, cost, foreign_qty, cash, aside, realized"
    + _OF_THOSE.format(table="corrections")
)


def cursors(url: str) -> dict[str, int]:
    """How far the journal of each run was read. Raises: ConfigError, DatabaseError, FileError for a newer schema."""
    with connected(url) as connection:
        migrations.require(connection)
        return dict(connection.execute("SELECT run_id, seq FROM qb.cursors").fetchall())


def from_database(url: str, start: int, end: int) -> Iterator[Run]:
    """The runs that touch [start, end), UTC ns of market time, oldest first, seen at one moment.

    Raises: as `cursors`.
    """
    with connected(url) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        migrations.require(connection)
        with connection.cursor(row_factory=dict_row) as cursor:
            sessions = cursor.execute(_TOUCHED, {"start": start, "end": end}).fetchall()
        told = groupby(_events(connection, [session["run_id"] for session in sessions]), itemgetter(0))
        ahead = next(told, None)
        for session in sessions:
            events: list[Event] = []
            if ahead and ahead[0] == session["run_id"]:
                events = [event for _run, _seq, event in ahead[1]]
                ahead = next(told, None)
            yield Run(_started(session), session["worth"], session["ended_ts"] is not None, events)


def _events(connection: Connection, runs: list[str]) -> Iterator[Row]:
    """Of all runs, by run and number. Four cursors, so that no table has to fit into memory."""
    tables = (
        _rows(connection, "fills", _FILLS, runs), _rows(connection, "denials", _DENIALS, runs),
        _rows(connection, "equity", _EQUITY, runs), _rows(connection, "corrections", _CORRECTIONS, runs),
    )  # fmt: skip
    return merge(*tables, key=itemgetter(0, 1))


def _rows(connection: Connection, name: str, query: str, runs: list[str]) -> Iterator[Row]:
    with connection.cursor(name=f"qb_{name}", binary=True) as cursor:
        cursor.itersize = 10_000
        for run_id, seq, *cells in cursor.execute(query, [runs]):
            yield run_id, seq, _EVENT[name](*cells)


def _filled(*cells: Any) -> PositionChanged:
    ts, symbol, position, cost, realized, commission, tax, cash, order_id, side, price, qty, purpose = cells
    return PositionChanged(
        ts, symbol, position, cost, realized, commission, tax, cash, order_id, Side(side), price, qty, Purpose(purpose)
    )


def _denied(ts: int, order_id: str, symbol: str, reason: str, checks: list[Any]) -> OrderDenied:
    return OrderDenied(ts, order_id, symbol, reason, msgspec.convert(checks, tuple[Check, ...]))


def _corrected(*cells: Any) -> BookCorrected:
    ts, what, symbol, ours, theirs, qty, cost, foreign, cash, aside, realized = cells
    return BookCorrected(ts, what, symbol, ours, theirs, (), qty, cost, foreign, cash, aside, realized)


_EVENT: Final[dict[str, Any]] = {
    "fills": _filled, "denials": _denied, "equity": EquityMarked, "corrections": _corrected,
}  # fmt: skip


def _started(row: dict[str, Any]) -> SessionStarted:
    """As far as the database keeps it."""
    return SessionStarted(
        ts=row["ts"], session_id=row["session_id"], run_id=row["run_id"], version=row["version"], mode=row["mode"],
        symbols=tuple(row["symbols"]), strategy=row["strategy"], parameters=row["parameters"], seed=row["seed"],
        source=row["source"], interval=row["interval_ns"], cash=row["cash"], limits=row["limits"],
        assumptions=row["assumptions"], account=row["account"], held=msgspec.convert(row["held"], dict[str, Held]),
    )  # fmt: skip

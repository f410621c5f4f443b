"""One market-data file, audited: which of its rows can be played, and the feeds that play them in constant memory."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from qbtrade.adapters.sim.audit import LATE, Problem, Sessions, Ticks, problems
from qbtrade.adapters.sim.feeds import Bars, MixedTrades, PlainTrades
from qbtrade.adapters.sim.rows import Rows, Selection
from qbtrade.adapters.sim.table import IS_SYMBOL, PRICES, Table, read, sql_literal
from qbtrade.domain.calendar import DAY, MINUTE, Calendar
from qbtrade.domain.market import Trade
from qbtrade.errors import FileError, RowError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH: Final = 2048
_IS_LATE: Final = f"(ts >= closes AND ts < closes + {LATE})"
_OFFSET: Final = 9 * 60 * MINUTE  # of KST
_NUMBER: Final = f"(ts + {_OFFSET}) // {DAY}"


class Extent(msgspec.Struct, frozen=True):
    """What is kept of one symbol. first, last: ts of its first and last row. off_grid: prices off the tick grid."""

    symbol: str
    rows: int
    first: int
    last: int
    off_grid: int


class Recording:
    """One file, checked as a whole when it is made. said: the symbol of a file that has no such column.

    is_daily: its bars are days. gap: ns, the shortest time between two bars of one symbol, 0 when there are none.
    Raises: FileError; RowError at the first bad row, unless those are skipped.
    """

    def __init__(
        self,
        connection: "DuckDBPyConnection",
        name: str,
        table: Table,
        said: str,
        selection: Selection,
        calendar: Calendar,
        ticks: Ticks,
    ) -> None:
        self._connection, self._name, self._table = connection, name, table
        self.path, self.kind = table.path, table.kind
        if self._first(f"SELECT 1 FROM ({table.typed(said)}) LIMIT 1") is None:
            raise FileError("{path} has no rows", hint="Give a file with market data", path=self.path)
        self._run(f"CREATE VIEW {name}_typed AS FROM ({table.typed(said)}) WHERE {selection.condition()}")
        found = self._find_sessions()
        self.is_daily = self.kind == "bars" and all(is_midnight for _, _, is_midnight in found)
        self._symbols = tuple(dict.fromkeys(symbol for symbol, _, _ in found))
        sessions = Sessions(self.kind, calendar, ticks, is_daily=self.is_daily)
        self._join(sessions, found)
        rows = Rows(name, self.kind, is_alone=len(self._symbols) <= 1)
        self._is_sorted, strays, self.gap = self._find_order(rows, is_strict=not selection.skip_bad_rows)
        self._kept = rows.kept if strays else rows.good
        self.extents, is_late = self._measure(sessions)
        self.bad_rows = self._count("true") - sum(extent.rows for extent in self.extents)
        self._is_plain = not (is_late or self.bad_rows) and rows.is_alone

    def feeds(self, interval: int) -> list[Iterable[Trade]]:
        """One feed for the whole file, or one for each symbol where their rows stand in no common order of time."""
        symbols = [""] if self._is_sorted else [extent.symbol for extent in self.extents]
        if self.kind == "bars":
            return [Bars(self._connection, self._bars(interval, symbol), self._symbols) for symbol in symbols]
        if self._is_plain:
            sql = f"SELECT ts, CAST(price AS BIGINT), CAST(qty AS BIGINT) FROM {self._name}_typed"  # noqa: S608
            return [PlainTrades(self._connection, sql, self._symbols)]
        return [MixedTrades(self._connection, self._trades(symbol), self._symbols) for symbol in symbols]

    def _run(self, sql: str) -> "DuckDBPyConnection":
        return read(self._connection, self.path, sql)

    def _first(self, sql: str) -> Any:
        return self._run(sql).fetchone()

    def _count(self, condition: str) -> int:
        return int(self._first(f"SELECT count(*) FROM {self._name} WHERE {condition}")[0])  # noqa: S608

    def _find_sessions(self) -> list[tuple[str, int, bool]]:
        return self._run(
            f"SELECT symbol, {_NUMBER} AS day, bool_and((ts + {_OFFSET}) % {DAY} = 0) FROM {self._name}_typed"  # noqa: S608
            f" WHERE ts IS NOT NULL AND {IS_SYMBOL} GROUP BY ALL ORDER BY ALL"
        ).fetchall()

    def _join(self, sessions: Sessions, found: Sequence[tuple[str, int, bool]]) -> None:
        name, codes = self._name, {symbol: code for code, symbol in enumerate(self._symbols)}
        self._run(
            f"CREATE TABLE {name}_sessions (symbol VARCHAR, day BIGINT, code INTEGER, grid INTEGER, earliest BIGINT,"
            " latest BIGINT, opens BIGINT, ends BIGINT, closes BIGINT, closed VARCHAR)"
        )
        rows = [sessions.row(symbol, codes[symbol], number) for symbol, number, _ in found]
        for part in (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)):
            values = ", ".join(f"({', '.join(map(sql_literal, msgspec.structs.astuple(row)))})" for row in part)
            self._run(f"INSERT INTO {name}_sessions VALUES {values}")  # noqa: S608 - literals are quoted
        whens = " ".join(f"WHEN {each.condition} THEN {index}" for index, each in enumerate(problems(self.kind)))
        self._run(
            f"CREATE VIEW {name} AS SELECT t.*, s.* EXCLUDE (symbol, day), CASE {whens} END AS problem"
            f" FROM {name}_typed t LEFT JOIN {name}_sessions s ON t.symbol = s.symbol AND {_NUMBER} = s.day"
        )

    def _find_order(self, rows: Rows, *, is_strict: bool) -> tuple[bool, int, int]:
        """Whether one feed can play all symbols, how many rows are strays, and the shortest time between two bars."""
        is_sorted = rows.is_alone or not self._first(
            f"SELECT 1 FROM ({rows.ordered(by_symbol=False)}) WHERE stray LIMIT 1"  # noqa: S608
        )
        strays, gap = 0, None
        if self.kind == "bars" or rows.is_alone or not is_sorted:
            strays, gap = self._first(
                f"SELECT count(*) FILTER (stray), min(ts - before) FILTER (NOT stray) FROM ({rows.ordered()})"  # noqa: S608
            )
        if is_strict:
            self._refuse_first(rows, strays)
        return is_sorted and (rows.is_alone or not strays), strays, gap or 0

    def _refuse_first(self, rows: Rows, strays: int) -> None:
        """Raise RowError for the first bad row, if there is one."""
        wrong = self._first(f"SELECT n, problem, closed FROM {self._name} WHERE problem IS NOT NULL LIMIT 1")  # noqa: S608
        stray = self._first(f"SELECT min(n) FROM ({rows.ordered()}) WHERE stray")[0] if strays else None  # noqa: S608
        if stray and (wrong is None or stray < wrong[0]):
            self._refuse(stray, Problem("ts", "", "{value} does not come after the time in the rows above"), "")
        if wrong:
            self._refuse(wrong[0], problems(self.kind)[wrong[1]], wrong[2])

    def _refuse(self, n: int, problem: Problem, closed: str) -> None:
        value = self._table.value(self._connection, n, problem.column)
        words = "the value is missing" if value is None else problem.words.format(value=value, closed=closed)
        raise RowError(str(self.path), self._table.line(n), self._table.column(problem.column), words)

    def _measure(self, sessions: Sessions) -> tuple[tuple[Extent, ...], bool]:
        off_grid = " + ".join(sessions.off_grid(column) for column in PRICES[self.kind])
        first, last = ("opens", "ends") if self.is_daily else ("ts", "ts")
        rows = self._run(
            f"SELECT symbol, count(*), min({first}), max({last}), sum({off_grid}), bool_or({_IS_LATE})"  # noqa: S608
            f" FROM ({self._kept()}) GROUP BY symbol ORDER BY symbol"
        ).fetchall()
        return tuple(Extent(*row[:-1]) for row in rows), any(row[-1] for row in rows)

    def _trades(self, symbol: str) -> str:
        return (
            f"SELECT CASE WHEN {_IS_LATE} THEN closes - 1 ELSE ts END, code,"  # noqa: S608 - our own view
            f" CAST(price AS BIGINT), CAST(qty AS BIGINT), {_IS_LATE} FROM ({self._kept(symbol)})"
        )

    def _bars(self, interval: int, symbol: str) -> str:
        start = "opens" if self.is_daily else "least(ts, CASE WHEN ts <= closes THEN closes - 1 ELSE ts END)"
        edge = f"CASE WHEN start < ends THEN ends WHEN start < closes THEN closes ELSE start + {interval} END"
        return (
            f"SELECT start, greatest(start + 1, least(start + {interval}, {edge})), code, CAST(open AS BIGINT),"  # noqa: S608
            " CAST(high AS BIGINT), CAST(low AS BIGINT), CAST(close AS BIGINT), CAST(qty AS BIGINT)"
            f" FROM (SELECT *, {start} AS start FROM ({self._kept(symbol)}))"
        )

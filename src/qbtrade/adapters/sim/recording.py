"""One market-data file, audited: which of its rows can be played, and the feeds that play them in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from qbtrade.adapters.sim.audit import Problem, problems
from qbtrade.adapters.sim.feeds import Bars, MixedTrades, PlainTrades
from qbtrade.adapters.sim.rows import DAY_NUMBER, Rows, Selection
from qbtrade.adapters.sim.sessions import LATE, OFFSET, Sessions, Ticks
from qbtrade.adapters.sim.table import IS_SYMBOL, PRICES, Table, read
from qbtrade.domain.calendar import DAY, Calendar
from qbtrade.domain.market import Trade
from qbtrade.errors import FileError, RowError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EPOCH: Final = date(1970, 1, 1)
_LINES: Final = 10_000
_IS_LATE: Final = f"(ts >= closes AND ts < closes + {LATE})"
_STRAY: Final = Problem("ts", "is_stray", "{value} does not come after the time in the rows above")


class Extent(msgspec.Struct, frozen=True):
    """What is kept of one symbol.

    first, last: ts of its first and last row; of daily bars, of their sessions. first_price: KRW, of the first row.
    off_grid: prices off the tick grid.
    """

    symbol: str
    rows: int
    first: int
    last: int
    first_price: int
    off_grid: int


class _Count(msgspec.Struct, frozen=True):
    """The rows of one symbol, or of none. first_bad, first_stray: their n, or None."""

    symbol: str | None
    rows: int
    kept: int
    strays: int
    first_bad: int | None
    first_stray: int | None
    gap: int | None
    late: int
    first: int | None
    last: int | None
    first_price: int | None
    off_grid: int | None


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
        *,
        selection: Selection,
        calendar: Calendar,
        ticks: Ticks,
    ) -> None:
        self._connection, self._name, self._table = connection, name, table
        self.path, self.kind, self._calendar = table.path, table.kind, calendar
        if self._run(f"SELECT 1 FROM ({table.typed(said)}) LIMIT 1").fetchone() is None:
            raise FileError("{path} has no rows", hint="Give a file with market data", path=self.path)
        # asking for n makes DuckDB count the rows one after the other, and so keep their order whatever else it plans
        self._run(f"CREATE VIEW {name}_typed AS FROM ({table.typed(said)}) WHERE n > 0 AND {selection.condition()}")
        self._sessions = self._find_sessions(calendar)
        self._rows = Rows(name, self.kind, is_alone=len(self._symbols) <= 1)
        self._run(f"CREATE VIEW {name} AS {self._rows.judged(self._sessions)}")
        counts = self._count(ticks)
        if not selection.skip_bad_rows:
            self._refuse_first(counts)
        self.gap = min((count.gap for count in counts if count.gap), default=0) if self.kind == "bars" else 0
        self.bad_rows = sum(count.rows - count.kept for count in counts)
        self._has_strays = any(count.strays for count in counts)
        has_auctions = table.is_recording or any(count.late for count in counts)
        self._is_plain = self._rows.is_alone and not self.bad_rows and not has_auctions
        self.extents = tuple(
            Extent(count.symbol, count.kept, count.first, count.last, count.first_price, count.off_grid or 0)
            for count in counts
            if count.symbol and count.first and count.last and count.first_price
        )

    def feeds(self, interval: int) -> list[Iterable[Trade]]:
        """One feed for the whole file, or one for each symbol where their rows stand in no common order of time."""
        symbols = [""] if self._is_sorted else [extent.symbol for extent in self.extents]
        if self.kind == "bars":
            return [Bars(self._connection, self._bars(interval, symbol), self._symbols) for symbol in symbols]
        if self._is_plain:
            sql = f"SELECT ts, CAST(price AS BIGINT), CAST(qty AS BIGINT) FROM {self._name}_typed"
            return [PlainTrades(self._connection, sql, self._symbols)]
        return [MixedTrades(self._connection, self._trades(symbol), self._symbols) for symbol in symbols]

    def lines(self, symbol: str) -> Iterator[bytes]:
        """The trades of one symbol that are played, as lines of text, many at a time."""
        names = "ts, CAST(price AS BIGINT), CAST(qty AS BIGINT), auction"
        rows = self._rows.kept(symbol, has_strays=self._has_strays)
        cursor = self._connection.cursor()
        cursor.execute(f"SELECT concat_ws(',', {names}) FROM ({rows})")
        while found := cursor.fetchmany(_LINES):
            yield "".join(f"{line}\n" for (line,) in found).encode()

    def kept_rows(self) -> str:
        """SQL of the rows that can be played: n, ts, symbol, day (since 1970 in KST), numbers, as the file has them."""
        names = (*PRICES[self.kind], "qty")
        numbers = ", ".join(f"CAST({name} AS BIGINT) AS {name}" for name in names)
        return f"SELECT n, ts, symbol, day, {numbers} FROM ({self._rows.kept(has_strays=self._has_strays)})"

    def _run(self, sql: str) -> "DuckDBPyConnection":
        return read(self._connection, self.path, sql)

    def _find_sessions(self, calendar: Calendar) -> Sessions:
        found: list[tuple[str, int, bool]] = self._run(
            f"SELECT symbol, {DAY_NUMBER}, bool_and((ts + {OFFSET}) % {DAY} = 0) FROM {self._name}_typed"
            f" WHERE ts IS NOT NULL AND {IS_SYMBOL} GROUP BY ALL"
        ).fetchall()
        self._symbols = sorted({symbol for symbol, _, _ in found})
        self.is_daily = self.kind == "bars" and all(is_midnight for _, _, is_midnight in found)
        days = sorted({day for _, day, _ in found})
        return Sessions(self.kind, calendar, self._symbols, days, is_daily=self.is_daily)

    def _count(self, ticks: Ticks) -> list[_Count]:
        """Look at every row, and at the rows of each symbol by themselves where they may disagree with the whole."""
        off_grid = self._sessions.off_grid(PRICES[self.kind], ticks)
        counts = self._count_rows(off_grid, by_symbol=False)
        self._is_sorted = self._rows.is_alone or not any(count.strays for count in counts)
        if self._rows.is_alone or (self._is_sorted and self.kind == "trades"):
            return counts
        counts = self._count_rows(off_grid, by_symbol=True)
        self._is_sorted = self._is_sorted and not any(count.strays for count in counts)
        return counts

    def _count_rows(self, off_grid: str, *, by_symbol: bool) -> list[_Count]:
        first, last = ("opens", "ends") if self.is_daily else ("ts", "ts")
        rows = self._run(
            f"SELECT CASE WHEN is_known THEN symbol END, count(*), count(*) FILTER (is_kept),"
            " count(*) FILTER (is_stray), min(n) FILTER (problem IS NOT NULL), min(n) FILTER (is_stray),"
            f" min(ts - before) FILTER (is_kept), count(*) FILTER (is_kept AND {_IS_LATE}),"
            f" min({first}) FILTER (is_kept), max({last}) FILTER (is_kept),"
            f" CAST(arg_min({PRICES[self.kind][0]}, n) FILTER (is_kept) AS BIGINT),"
            f" CAST(sum({off_grid}) FILTER (is_kept) AS BIGINT)"
            f" FROM ({self._rows.ordered(by_symbol=by_symbol)}) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        return [_Count(*row) for row in rows]

    def _refuse_first(self, counts: Sequence[_Count]) -> None:
        """Raise RowError for the first row that cannot be played, if there is one."""
        bad = min((count.first_bad for count in counts if count.first_bad), default=0)
        stray = min((count.first_stray for count in counts if count.first_stray), default=0)
        if stray and (not bad or stray < bad):
            self._refuse(stray, _STRAY)
        if bad:
            row: Any = self._run(f"SELECT problem, day FROM {self._name} WHERE n = {bad}").fetchone()
            self._refuse(bad, problems(self.kind)[row[0]], row[1])

    def _refuse(self, n: int, problem: Problem, day: int = 0) -> None:
        value = self._table.value(self._connection, n, problem.column)
        words = problem.words.format(value=value, closed=self._sessions.why_closed(day or 0))
        words = "the value is missing" if value is None else words
        line, column, calendar = self._table.line(n), self._table.column(problem.column), self._calendar
        if day and not calendar.first <= EPOCH + timedelta(days=day) <= calendar.last:
            hint = "qb's calendar covers {first} to {last}: leave the rest out with --from and --to"
            raise RowError(str(self.path), line, column, words, hint=hint, first=calendar.first, last=calendar.last)
        raise RowError(str(self.path), line, column, words)

    def _trades(self, symbol: str) -> str:
        return (
            f"SELECT CASE WHEN {_IS_LATE} THEN closes - 1 ELSE ts END, symbol, CAST(price AS BIGINT),"
            f" CAST(qty AS BIGINT), {_IS_LATE} OR auction FROM ({self._rows.kept(symbol, has_strays=self._has_strays)})"
        )

    def _bars(self, interval: int, symbol: str) -> str:
        start = "opens" if self.is_daily else "CASE WHEN ts = closes THEN closes - 1 ELSE ts END"
        edge = f"CASE WHEN start < ends THEN ends WHEN start < closes THEN closes ELSE start + {interval} END"
        return (
            f"SELECT start, least(start + {interval}, {edge}), symbol, CAST(open AS BIGINT), CAST(high AS BIGINT),"
            " CAST(low AS BIGINT), CAST(close AS BIGINT), CAST(qty AS BIGINT)"
            f" FROM (SELECT *, {start} AS start FROM ({self._rows.kept(symbol, has_strays=self._has_strays)}))"
        )

"""One market-data file, audited: which rows can be played, and the feeds that play them in constant memory."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import msgspec

from qbtrade.adapters.sim import audit, bar_path
from qbtrade.adapters.sim.table import PRICES, Table, read
from qbtrade.domain.calendar import DAY, MINUTE, Calendar, kst_date
from qbtrade.domain.instrument import TickTable
from qbtrade.domain.market import Trade
from qbtrade.errors import FileError, RowError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH: Final = 2048
_KST: Final = 9 * 60 * MINUTE
_DAY_NUMBER: Final = f"(ts + {_KST}) // {DAY}"
_PRECEDING: Final = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


class Selection(msgspec.Struct, frozen=True):
    """Which rows are wanted. symbols: empty for all. start, end: UTC ns, half open, 0 for no bound."""

    symbols: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    skip_bad_rows: bool = False

    def condition(self) -> str:
        """SQL that keeps the wanted rows, and those of which nobody can tell."""
        parts = ["true"]
        if self.symbols:
            wanted = ", ".join(f"'{symbol}'" for symbol in self.symbols)
            parts.append(f"(symbol IN ({wanted}) OR symbol IS NULL OR NOT regexp_full_match(symbol, '{audit.SYMBOL}'))")
        if self.start:
            parts.append(f"(ts >= {self.start} OR ts IS NULL)")
        if self.end:
            parts.append(f"(ts < {self.end} OR ts IS NULL)")
        return " AND ".join(parts)


class Extent(msgspec.Struct, frozen=True):
    """What is kept of one symbol. first, last: UTC ns of its first and last row. off_grid: prices off the tick grid."""

    symbol: str
    rows: int
    first: int
    last: int
    off_grid: int


class Recording:
    """One file, checked as a whole when it is made.

    interval: ns of a bar, 0 for trades or while it cannot be told. said: the symbol of a file without such a column.
    Raises: FileError; RowError at the first bad row unless those are skipped.
    """

    def __init__(
        self,
        connection: "DuckDBPyConnection",
        number: int,
        table: Table,
        said: str,
        selection: Selection,
        calendar: Calendar,
        ticks: Callable[[str, date], TickTable],
    ) -> None:
        self._connection, self._table, self._name = connection, table, f"recording{number}"
        self.path, self.kind, self.skip_bad_rows = table.path, table.kind, selection.skip_bad_rows
        if self._one(f"SELECT 1 FROM ({table.typed(said)}) LIMIT 1") is None:
            raise FileError("{path} has no rows", hint="Give a file with market data", path=self.path)
        self._run(f"CREATE VIEW {self._name}_typed AS FROM ({table.typed(said)}) WHERE {selection.condition()}")
        self._sessions = self._find_sessions(calendar, ticks)
        self._problems = audit.problems(self.kind)
        self.bad_rows = self._check_rows()
        self._is_sorted = self._find_order()
        self.interval, self._strays = self._check_order()
        self.bad_rows += self._strays
        self.extents = self._find_extents()

    def _run(self, sql: str) -> "DuckDBPyConnection":
        return read(self._connection, self.path, sql)

    def _one(self, sql: str) -> Any:
        return self._run(sql).fetchone()

    def _find_sessions(self, calendar: Calendar, ticks: Callable[[str, date], TickTable]) -> Any:
        found = self._run(
            f"SELECT symbol, {_NUMBER} AS day, bool_and((ts + {_KST}) % {DAY} = 0) FROM {self._name}_typed"
            f" WHERE ts IS NOT NULL AND regexp_full_match(symbol, '{audit.SYMBOL}') GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        self.is_daily = self.kind == "bars" and all(is_midnight for _, _, is_midnight in found)

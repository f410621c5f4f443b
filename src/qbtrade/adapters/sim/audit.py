"""What makes a row of market data unusable, as SQL conditions and in words."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

import msgspec

from qbtrade.adapters.sim.table import IS_SYMBOL, PRICES, Kind
from qbtrade.domain.calendar import MINUTE, Calendar, TradingDay
from qbtrade.domain.instrument import TickTable
from qbtrade.errors import ConfigError

HIGHEST_PRICE: Final = 10**9
HIGHEST_QTY: Final = 10**12
LATE: Final = MINUTE
"""How long after the close a print may still be the closing auction's, ns."""
Ticks = Callable[[str, date], TickTable]
"""Tick sizes of a symbol on a day."""

_EVER: Final = 2**62
_EPOCH: Final = date(1970, 1, 1)


class Problem(msgspec.Struct, frozen=True):
    """One way to be wrong. condition: SQL over a typed row and its session; words: with {value}, what stands there."""

    column: str
    condition: str
    words: str


def problems(kind: Kind) -> tuple[Problem, ...]:
    """Everything that a row by itself can get wrong, in the order in which it is told."""
    return tuple(_problems(kind))


def _problems(kind: Kind) -> Iterator[Problem]:
    yield Problem("extra", "extra IS NOT NULL", "the row has more values than the header has columns: {value}")
    yield Problem("ts", "ts IS NULL", "{value} is not a time")
    yield Problem("symbol", f"NOT {IS_SYMBOL}", "{value} is not a symbol")
    yield Problem("ts", "closed IS NOT NULL", "{value} is not in a session: {closed}")
    yield Problem("ts", "ts < earliest OR ts > latest", "{value} is outside the hours of its session")
    for column in PRICES[kind]:
        yield from _number(column, "won", HIGHEST_PRICE)
        yield Problem(column, f"{column} <= 0", "{value} is not a positive price")
    yield from _number("qty", "shares", HIGHEST_QTY)
    yield Problem("qty", "qty < 0", "{value} is negative")
    if kind == "bars":
        yield Problem("high", "high < greatest(open, low, close)", "{value} is below the open, low or close")
        yield Problem("low", "low > least(open, close)", "{value} is above the open or close")


def _number(column: str, unit: str, highest: int) -> Iterator[Problem]:
    yield Problem(column, f"{column} IS NULL OR NOT isfinite({column})", "{value} is not a number")
    yield Problem(column, f"{column} <> floor({column})", f"{{value}} is not whole {unit}")
    yield Problem(column, f"{column} > {highest}", f"{{value}} is beyond {highest:,}")


class SessionRow(msgspec.Struct, frozen=True):
    """When rows of one symbol may stand on one day, and where they are played; times in UTC ns.

    code: number of the symbol. grid: number of its tick table. closed: why there is no session, or None.
    """

    symbol: str
    day: int
    code: int
    grid: int
    earliest: int
    latest: int
    opens: int
    ends: int
    closes: int
    closed: str | None


class Sessions:
    """The sessions that a file's rows fall into. day: always in days since 1970, KST.

    Trades may stand from the opening auction to the end of the last phase, and up to a minute after the close, because
    the closing auction ends late by up to half a minute. Bars begin between open and close; daily bars stand anywhere.
    """

    def __init__(self, kind: Kind, calendar: Calendar, ticks: Ticks, *, is_daily: bool) -> None:
        self._kind, self._calendar, self._ticks, self._is_daily = kind, calendar, ticks, is_daily
        self._days: dict[int, TradingDay | str] = {}
        self._grids: dict[TickTable, int] = {}

    def row(self, symbol: str, code: int, number: int) -> SessionRow:
        """The session of a symbol on a day."""
        day = self._day(number)
        if isinstance(day, str):
            return SessionRow(symbol, number, code, -1, 0, 0, 0, 0, 0, day)
        grid = self._grids.setdefault(self._ticks(symbol, day.day), len(self._grids))
        earliest, latest = (0, _EVER) if self._is_daily else self._hours(day)
        return SessionRow(symbol, number, code, grid, earliest, latest, day.open, day.continuous_end, day.close, None)

    def off_grid(self, column: str) -> str:
        """SQL that counts 1 for a price off the grid of its session, else 0."""
        whens = " ".join(f"WHEN {grid} THEN {_tick(table, column)}" for table, grid in self._grids.items())
        return f"CAST({column} % CASE grid {whens} END <> 0 AS INTEGER)" if whens else "0"

    def _hours(self, day: TradingDay) -> tuple[int, int]:
        last = max(day.close, day.spans[-1].end - 1)
        return (day.open, last) if self._kind == "bars" else (day.spans[0].start, max(last, day.close + LATE - 1))

    def _day(self, number: int) -> TradingDay | str:
        if number not in self._days:
            try:
                self._days[number] = self._calendar.trading_day(_EPOCH + timedelta(days=number))
            except (ConfigError, OverflowError) as error:
                self._days[number] = str(error.message if isinstance(error, ConfigError) else error)
        return self._days[number]


def _tick(table: TickTable, column: str) -> str:
    lower, *higher = table.steps
    whens = " ".join(f"WHEN {column} >= {price} THEN {tick}" for price, tick in reversed(higher))
    return f"CASE {whens} ELSE {lower[1]} END" if higher else str(lower[1])

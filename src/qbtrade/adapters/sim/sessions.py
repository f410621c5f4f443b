"""The sessions that the rows of one file fall into, as SQL over the number of their day: days since 1970 in KST."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby, product
from operator import itemgetter
from typing import Final

import msgspec

from qbtrade.adapters.sim.table import Kind, sql_literal
from qbtrade.domain.calendar import DAY, MINUTE, Calendar, TradingDay
from qbtrade.domain.instrument import TickTable
from qbtrade.errors import ConfigError

Ticks = Callable[[str, date], TickTable]
"""Tick sizes of a symbol on a day."""
LATE: Final = MINUTE
"""How long after the close a print may still be the closing auction's, ns."""
OFFSET: Final = 9 * 60 * MINUTE
"""KST is so far ahead of UTC, ns."""

_EPOCH: Final = date(1970, 1, 1)


class Hours(msgspec.Struct, frozen=True):
    """Of one day, ns after its KST midnight. earliest, latest: of its rows; opens, ends: of its continuous phase."""

    earliest: int = 0
    latest: int = DAY
    opens: int = 0
    ends: int = DAY
    closes: int = DAY


_CLOSED: Final = Hours()


class Sessions:
    """The days of a file. symbols: in it. days: number of each, ascending.

    Trades may stand from the opening auction to the end of the last phase, and up to a minute after the close, because
    the closing auction ends late by up to half a minute. Bars begin between open and close; daily bars at midnight.
    """

    def __init__(
        self, kind: Kind, calendar: Calendar, symbols: Sequence[str], days: Sequence[int], *, is_daily: bool
    ) -> None:
        self._kind, self._calendar, self._symbols, self._is_daily = kind, calendar, symbols, is_daily
        self._hours = [(day, self._hours_of(day)) for day in days]

    def columns(self) -> str:
        """SQL of is_known, is_closed and of the Hours as UTC ns, over the columns symbol and day."""
        closed = _stepwise((day, str(not hours).lower()) for day, hours in self._hours)
        columns = [f"{is_one_of('symbol', self._symbols)} AS is_known", f"{closed} AS is_closed"]
        for name in Hours.__struct_fields__:
            after = _stepwise((day, str(getattr(hours or _CLOSED, name))) for day, hours in self._hours)
            columns.append(f"day * {DAY} - {OFFSET} + {after} AS {name}")
        return ", ".join(columns)

    def why_closed(self, day: int) -> str:
        """Why there is no session that day."""
        trading_day = self._trading_day(day)
        return trading_day if isinstance(trading_day, str) else ""

    def off_grid(self, columns: Iterable[str], ticks: Ticks) -> str:
        """SQL that counts the prices of a row that lie off the tick grid of its day."""
        open_days = [day for day, hours in self._hours if hours]
        groups: dict[tuple[TickTable, ...], list[str]] = {}
        for symbol in self._symbols:
            groups.setdefault(tuple(ticks(symbol, _date(day)) for day in open_days), []).append(symbol)
        counts = ["0"]
        for (tables, symbols), column in product(groups.items(), columns):
            tick = _stepwise((day, _tick(table, column)) for day, table in zip(open_days, tables, strict=True))
            mine = "true" if len(groups) == 1 else is_one_of("symbol", symbols)
            counts.append(f"CAST({mine} AND {column} % {tick} <> 0 AS INTEGER)")
        return " + ".join(counts)

    def _hours_of(self, number: int) -> Hours | None:
        day = self._trading_day(number)
        if isinstance(day, str):
            return None
        last = max(day.close, day.spans[-1].end - 1)
        if self._kind == "bars":
            earliest, latest = day.open, last
        else:
            earliest, latest = day.spans[0].start, max(last, day.close + LATE - 1)
        midnight = number * DAY - OFFSET
        if self._is_daily:
            earliest = latest = midnight
        return Hours(*(ts - midnight for ts in (earliest, latest, day.open, day.continuous_end, day.close)))

    def _trading_day(self, day: int) -> TradingDay | str:
        try:
            return self._calendar.trading_day(_date(day))
        except ConfigError as error:
            return error.message


def is_one_of(column: str, values: Sequence[str]) -> str:
    """SQL that is true where the column has one of the values, else false."""
    if not values:
        return "false"
    return f"coalesce({column} IN ({', '.join(map(sql_literal, values))}), false)"


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _stepwise(values: Iterable[tuple[int, str]]) -> str:
    """SQL of a value that changes at some days."""
    runs = [(value, next(days)[0]) for value, days in groupby(values, key=itemgetter(1))]
    if not runs:
        return "NULL"
    (first, _), *later = runs
    whens = " ".join(f"WHEN day >= {day} THEN {value}" for value, day in reversed(later))
    return f"(CASE {whens} ELSE {first} END)" if later else first


def _tick(table: TickTable, column: str) -> str:
    (_, lowest), *higher = table.steps
    whens = " ".join(f"WHEN {column} >= {price} THEN {tick}" for price, tick in reversed(higher))
    return f"(CASE {whens} ELSE {lowest} END)" if higher else str(lowest)

"""Looks at the rows of one symbol and day by themselves: times, order, numbers, ticks."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import msgspec

from qbtrade.app.data.finding import Finding, Row, Series, amiss, noted
from qbtrade.domain.calendar import DAY, MINUTE, TradingDay, kst_date
from qbtrade.domain.instrument import TickTable
from qbtrade.domain.rules import Rules
from qbtrade.errors import ConfigError

HALF_TICKS: Final = date(2025, 3, 4)
"""From then on orders at the middle of the book trade at half a tick, in whole won. Source: KRX (day unverified)."""
LATE: Final = MINUTE
"""How long after the close a print may still be the closing auction's, ns."""


class Day(msgspec.Struct):
    """What is left of a day that was looked at. first, last, high, low: KRW.

    slots: one bit for each interval from the open on that has a row. ended: UTC ns of its last row.
    off: prices off the tick grid; off_ts, off_price: the first of them.
    """

    session: TradingDay
    rows: int = 0
    first: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    volume: int = 0
    ended: int = 0
    slots: int = 0
    off: int = 0
    off_ts: int = 0
    off_price: int = 0

    @property
    def day(self) -> date:
        """Its date."""
        return self.session.day


class Tally:
    """Counts rows of the same fault, and remembers where it began."""

    def __init__(self) -> None:
        self.first: dict[str, int] = {}
        self.count: dict[str, int] = {}

    def add(self, code: str, ts: int) -> None:
        """One more."""
        self.first.setdefault(code, ts)
        self.count[code] = self.count.get(code, 0) + 1


def slot_length(series: Series) -> int:
    """How long one bit of `Day.slots` is, ns."""
    return series.interval or MINUTE


def look_at(series: Series, day: date, rows: Iterable[Row], rules: Rules) -> tuple[Day | None, list[Finding]]:
    """What is left of the day for comparing days, and what its rows have got wrong. None without a session."""
    try:
        session = rules.calendar.trading_day(day)
    except ConfigError as error:
        count, why = sum(1 for _ in rows), error.message
        if not rules.calendar.first <= day <= rules.calendar.last:
            return None, [noted(f"{count} rows cannot be checked: {why}", "no-calendar", series, day, count=count)]
        return None, [amiss(f"{count} rows on a day without a session: {why}", "holiday", series, day, count=count)]
    ticks = rules.ticks(series.instrument, day) if series.instrument else None
    look = _Look(series, session, ticks)
    for row in rows:
        look.take(row)
    return (look.found if look.found.rows else None), list(look.findings())


class _Look:
    """Takes the rows of one day."""

    def __init__(self, series: Series, session: TradingDay, ticks: TickTable | None) -> None:
        self._series, self._session, self._ticks = series, session, ticks
        self._earliest, self._latest = _hours(series, session)
        self._half = session.day >= HALF_TICKS
        self._grid: dict[int, bool] = {}
        self._before = 0
        self._tally = Tally()
        self.found = Day(session)

    def take(self, row: Row) -> None:
        fault = self._fault(row)
        if fault:
            self._tally.add(fault, row.ts)
            return
        self._before = row.ts
        found = self.found
        if not found.rows:
            found.first, found.low = row.open, row.low
        found.rows += 1
        found.high, found.low = max(found.high, row.high), min(found.low, row.low)
        found.last, found.ended = row.close, row.ts
        found.volume += row.volume
        found.slots |= 1 << max(row.ts - self._session.open, 0) // slot_length(self._series)
        if self._ticks is not None and row.volume:  # without a trade it is the base price, which may lie anywhere
            self._look_at_prices(row)

    def _fault(self, row: Row) -> str:
        series = self._series
        if kst_date(row.ts) != self._session.day:
            return "foreign"
        if row.low <= 0 or row.volume < 0 or row.high < max(row.open, row.close) or row.low > min(row.open, row.close):
            return "impossible"
        if not self._earliest <= row.ts <= self._latest:
            return "hours"
        if self._is_misplaced(row.ts):
            return "misplaced"
        if row.ts < self._before:
            return "disorder"
        return "duplicate" if series.interval and row.ts == self._before else ""

    def _is_misplaced(self, ts: int) -> bool:
        interval, session = self._series.interval, self._session
        return 0 < interval < DAY and ts != session.close and (ts - session.open) % interval > 0

    def _look_at_prices(self, row: Row) -> None:
        for price in row[1:5] if self._series.interval else row[1:2]:
            if price not in self._grid:
                self._grid[price] = self._is_on_grid(price)
            if not self._grid[price]:
                found = self.found
                if not found.off:
                    found.off_ts, found.off_price = row.ts, price
                found.off += 1

    def _is_on_grid(self, price: int) -> bool:
        size = self._ticks.size(price) if self._ticks else 1
        rest = price % size
        return not rest or (self._half and rest in {size // 2, (size + 1) // 2})

    def findings(self) -> Iterator[Finding]:
        for code, count in self._tally.count.items():
            yield amiss(
                problem_of(code, count), code, self._series, self._session.day, ts=self._tally.first[code], count=count
            )


def problem_of(code: str, count: int) -> str:
    """What rows of a code have got wrong."""
    return {
        "foreign": f"{count} rows of another day",
        "impossible": f"{count} rows with prices or volumes that cannot be",
        "hours": f"{count} rows outside the hours of the session",
        "misplaced": f"{count} rows off the grid of their interval",
        "disorder": f"{count} rows behind later ones",
        "duplicate": f"{count} rows with a time that was there before",
    }[code]


def _hours(series: Series, session: TradingDay) -> tuple[int, int]:
    """When rows may begin, first and last, UTC ns."""
    last = max(session.close, session.spans[-1].end - 1)
    if series.is_daily:
        midnight = session.open - (session.open + 9 * 60 * MINUTE) % DAY
        return midnight, midnight
    return (session.open, last) if series.interval else (session.spans[0].start, max(last, session.close + LATE - 1))

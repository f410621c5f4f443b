"""Looks at a series as a whole: days that are missing, jumps between days, limits, adjusted or raw."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from qbtrade.adapters.market_store.layout import Basis
from qbtrade.app.data.day import Day, look_at
from qbtrade.app.data.finding import Finding, Row, Series, amiss, noted
from qbtrade.app.data.holes import Checked, holes
from qbtrade.domain.calendar import Calendar
from qbtrade.domain.instrument import Instrument, Kind, PriceBand
from qbtrade.domain.rules import Rules

WINDOW: Final = 10
"""Days among which half must lie off the grid, before they count as adjusted."""
ROUNDED: Final = 3
ROUGH: Final = 500
"""How far rounding and the base price of a day without rights may have moved a limit: 3 won and a 500th."""
WHOLE: Final = 10**9
LEVERAGE: Final = 2
"""Some ETFs and ETNs move twice as far as their index, and so do their limits."""
NEAR: Final = 0.05
HALTED: Final = 10
"""Trading days for which a corporate action usually halts a stock, at most."""


def check_series(
    series: Series,
    days: Iterable[tuple[date, Iterable[Row]]],
    rules: Rules,
    *,
    until: int,
    quiet: Collection[date] = (),
    running: Collection[date] = (),
) -> Checked:
    """Everything that can be said of one series, by day. days: in order. until: UTC ns; nothing is missing after it.

    quiet: days on which the symbol is known not to have traded. running: days of which the rest is still to come.
    """
    kept: list[Day] = []
    findings: list[Finding] = []
    for day, rows in days:
        looked, found = look_at(series, day, rows, rules)
        findings += found
        if looked is not None:
            kept.append(looked)
    bound = _adjusted_until(kept)
    findings += _grid(series, kept, bound)
    findings += _missing(series, [day.day for day in kept], rules.calendar, quiet)
    adjusted = series.basis is Basis.ADJUSTED
    for before, after in pairwise(kept):
        is_adjusted = adjusted or (bound is not None and before.day <= bound)
        findings += _moved(series, before, after, rules, is_adjusted=is_adjusted)
    if not series.is_daily:
        findings += holes(series, kept, until, running)
    return Checked(series, kept, sorted(findings, key=lambda each: (each.day, each.time, each.code)))


def _adjusted_until(days: Sequence[Day]) -> date | None:
    """The last day up to which prices seem to be adjusted: half of the latest days lie off the grid."""
    bound = None
    for number, day in enumerate(days):
        window = days[max(number - WINDOW + 1, 0) : number + 1]
        if day.off and len(window) > 1 and 2 * sum(1 for each in window if each.off) >= max(len(window), WINDOW // 2):
            bound = day.day
    return bound


def _grid(series: Series, days: Sequence[Day], bound: date | None) -> Iterator[Finding]:
    if series.basis is Basis.ADJUSTED:
        return
    if bound is not None:
        count = sum(day.off for day in days if day.day <= bound)
        text = f"{count} prices off the tick grid: adjusted for corporate actions after {bound}"
        tell = amiss if series.basis is Basis.RAW else noted
        yield tell(text, "adjusted", series, bound, count=count)
    for day in days:
        if day.off and (bound is None or day.day > bound):
            count, price = day.off, day.off_price
            text = f"{count} prices off the tick grid, the first {price}"
            yield amiss(text, "off-grid", series, day.day, ts=day.off_ts, count=count)


def _missing(series: Series, days: Sequence[date], calendar: Calendar, quiet: Collection[date]) -> Iterator[Finding]:
    tell = amiss if series.interval else noted
    for before, after in pairwise(days):
        between = [day for day in _between(calendar, before, after) if day not in quiet]
        if between:
            count, last = len(between), between[-1]
            text = f"{count} trading days are missing, up to {last}"
            yield tell(text, "missing-days", series, between[0], count=count)


def _between(calendar: Calendar, before: date, after: date) -> Iterator[date]:
    day = calendar.next_day(before)
    while day < after:
        yield day
        day = calendar.next_day(day)


def _moved(series: Series, before: Day, after: Day, rules: Rules, *, is_adjusted: bool) -> Iterator[Finding]:
    """What the day's prices say beside the close before."""
    if series.instrument is None:
        return
    lost = sum(1 for _ in _between(rules.calendar, before.day, after.day))
    band = _band(series.instrument, before, after, rules, is_adjusted=is_adjusted, lost=lost)
    base, price = before.last, after.first
    if not band.contains(price):
        move = move_of(base, price)
        text = f"opens at {price} after {base}, {move}: a corporate action, or rows of something else"
        yield amiss(text, "jump", series, after.day)
    elif not (band.contains(after.high) and band.contains(after.low)):
        price = after.low if band.contains(after.high) else after.high
        text = f"a price of {price} is beyond the limits of the day, {band.lower} to {band.upper}"
        yield amiss(text, "off-band", series, after.day)


def _band(instrument: Instrument, before: Day, after: Day, rules: Rules, *, is_adjusted: bool, lost: int) -> PriceBand:
    """Where the day's prices may lie. lost: trading days between the two, each of which may have moved as far."""
    base, width = before.last, rules.band_row(instrument, after.day).ppb
    if instrument.kind is not Kind.STOCK:
        width *= LEVERAGE
    elif not is_adjusted and not lost and before.ended >= _closing(before):
        return rules.band(instrument, after.day, base)
    if lost <= HALTED:
        lost = min(lost, 1)  # who is missing for days was halted rather than traded to its limits
    if before.ended < _closing(before):
        lost += 1  # the closing auction is not among the rows: the close is not known
    lower = upper = base
    for _ in range(lost + 1):
        lower, upper = lower * (WHOLE - width) // WHOLE, upper * (WHOLE + width) // WHOLE
    rounded = ROUNDED + base // ROUGH
    return PriceBand(base, lower - rounded, upper + rounded)


def _closing(day: Day) -> int:
    """From when on a row may carry the price of the closing auction; a daily bar stands at midnight and has it."""
    return day.session.continuous_end if day.ended >= day.session.open else 0


def move_of(base: int, price: int) -> str:
    """How far it went, in words."""
    whole = _ratio(base, price)
    if not whole:
        return f"{(price / base - 1) * 100:+.0f} %"
    return f"{whole} times it" if price > base else f"1/{whole} of it"


def _ratio(base: int, price: int) -> int:
    """Of a split or a consolidation: how many times one is the other, 0 when it is no whole number."""
    ratio = max(price / base, base / price)
    whole = round(ratio)
    return whole if whole > 1 and abs(ratio - whole) <= NEAR * whole else 0

"""Finds stretches of a day in which a symbol that usually trades has no row."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from math import log
from typing import Final

import msgspec
from msgspec.structs import replace

from qbtrade.app.data.day import Day, slot_length
from qbtrade.app.data.finding import Finding, Series, amiss
from qbtrade.domain.calendar import KST, MINUTE, NS

CHANCE: Final = log(1e-9)
"""A stretch is a hole when quiet trading would hardly ever make it."""
SUREST: Final = 0.99
"""Nobody is surer than this that an interval has a row; volatility interruptions stop every stock for two minutes."""
ENOUGH_DAYS: Final = 5
"""From so many days on each time of day is judged by itself."""
STANDSTILL: Final = (15 * MINUTE, 35 * MINUTE)
"""A circuit breaker stops a market for 20 minutes, and an auction of 10 follows. Source: KRX, circuit breakers."""


def holes(series: Series, days: Sequence[Day], until: int, running: Collection[date] = ()) -> Iterator[Finding]:
    """Stretches without rows between open and close of each day. until: UTC ns; nothing is missing after it.

    running: days of which the rest is still to come.
    """
    length = slot_length(series)
    usual = _usual(days, length)
    for day in days:
        end = day.ended if day.day in running else until
        span = min(day.session.continuous_end, end) - day.session.open
        for first, count in _stretches(day.slots, min(span // length, len(usual))):
            if sum(log(1 - usual[slot]) for slot in range(first, first + count)) <= CHANCE:
                began = day.session.open + first * length
                till = began + count * length
                minutes = count * length // MINUTE
                text = f"nothing for {minutes} minutes: trading was halted, or rows are missing"
                yield amiss(text, "hole", series, day.day, ts=began, till=till, count=count)


def _usual(days: Sequence[Day], length: int) -> list[float]:
    """How likely a row is in each interval of the continuous session."""
    size = max(((day.session.continuous_end - day.session.open) // length for day in days), default=0)
    have = [sum(day.slots >> slot & 1 for day in days) / len(days) for slot in range(size)]
    while have and not have[-1]:
        have.pop()  # a source that ends its days early
    if not have:
        return []
    whole = sum(have) / len(have)
    return [min(share if len(days) >= ENOUGH_DAYS else whole, SUREST) for share in have]


def _stretches(slots: int, size: int) -> Iterator[tuple[int, int]]:
    """Beginning and length of each run of missing bits."""
    first = -1
    for slot in range(size):
        if slots >> slot & 1:
            if first >= 0:
                yield first, slot - first
            first = -1
        elif first < 0:
            first = slot
    if first >= 0:
        yield first, size - first


class Checked(msgspec.Struct):
    """A series that was looked at."""

    series: Series
    days: Sequence[Day]
    findings: list[Finding]


def together(all_checked: Sequence[Checked]) -> list[Finding]:
    """All findings; a standstill that all symbols of a market share is no fault of the data.

    Only bars: what one recorder misses, it misses of all symbols.
    """
    days = {(id(each), day.day.isoformat()): day for each in all_checked for day in each.days}
    found: list[Finding] = []
    for each in all_checked:
        others = [other for other in all_checked if other is not each and _is_beside(other.series, each.series)]
        for finding in each.findings:
            beside = [days[id(other), finding.day] for other in others if (id(other), finding.day) in days]
            found.append(_explained(finding, each.series, beside) if finding.code == "hole" else finding)
    return found


def _is_beside(other: Series, series: Series) -> bool:
    if other.instrument is None or series.instrument is None or not series.interval:
        return False
    return other.kind == series.kind and other.instrument.market == series.instrument.market


def _explained(hole: Finding, series: Series, beside: Sequence[Day]) -> Finding:
    minutes = hole.count * slot_length(series) // MINUTE
    if not beside or not STANDSTILL[0] <= minutes * MINUTE <= STANDSTILL[1]:
        return hole
    opened = datetime.fromtimestamp(beside[0].session.open // NS, KST).time().isoformat()
    first = (_seconds(hole.time) - _seconds(opened)) * NS // slot_length(series)
    inner = (1 << max(hole.count - 2, 1)) - 1 << first + 1  # each stock trades a last and a first time by itself
    if any(day.slots & inner for day in beside):
        return hole
    text = f"nothing for {minutes} minutes, as with all of its market: a circuit breaker"
    return replace(hole, text=text, is_wrong=False)


def _seconds(clock: str) -> int:
    hours, minutes, seconds = map(int, clock.split(":"))
    return (hours * 60 + minutes) * 60 + seconds

"""Minute bars of KIS, page by page: how to ask so that nothing is missed and nothing is asked twice."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Final, Protocol, TypeVar

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.environment import Environment
from qbtrade.domain.calendar import KST, NS, kst_date
from qbtrade.domain.market import Bar

T = TypeVar("T")
EVENING: Final = time(20)
"""Past the last minute of any day."""


class Fetch(Protocol):
    """Asks KIS and waits. Raises: BrokerError without an answer."""

    def __call__(self, call: Call[T], /) -> T:
        """The answer."""
        ...


def today_minutes(
    fetch: Fetch, environment: Environment, symbol: str, now: int, opened: int
) -> Iterator[tuple[Bar, ...]]:
    """Minutes up to now, the newest batch first, each oldest first; the running one included. now, opened: UTC ns."""
    until, today = _clock(now), kst_date(now)
    while found := fetch(calls.minute_bars(environment, symbol, until)):
        yield found
        oldest = found[0].start
        if kst_date(oldest) != today or _clock(oldest) >= until or oldest <= opened:
            return
        until = _clock(oldest)


def day_minutes(
    fetch: Fetch, environment: Environment, symbol: str, day: date, opened: int
) -> Iterator[tuple[Bar, ...]]:
    """Minutes of a past day, the newest batch first, each oldest first; only where `past_minutes`. opened: UTC ns."""
    until = EVENING
    while found := fetch(calls.past_minute_bars(environment, symbol, day, until)):
        found = tuple(bar for bar in found if kst_date(bar.start) == day)
        if not found or _clock(found[0].start) >= until:
            return
        yield found
        if found[0].start <= opened:
            return
        until = _clock(found[0].start)


def _clock(ts: int) -> time:
    return datetime.fromtimestamp(ts // NS, KST).time()

"""Bars of the past from KIS, for a strategy that has to see some before its first decision."""

from collections.abc import Iterator
from typing import Final

from qbtrade.adapters.kis.gaps import folded
from qbtrade.app.data.minutes import day_minutes, today_minutes
from qbtrade.app.live.wire import Wire
from qbtrade.domain.calendar import MINUTE, Calendar, kst_date
from qbtrade.domain.market import Bar

MOST_DAYS: Final = 10


def past_bars(wire: Wire, calendar: Calendar, symbol: str, *, interval: int, count: int) -> tuple[Bar, ...]:
    """The newest `count` closed bars of `interval` ns, oldest first, as far as the environment keeps them.

    None for an interval that is not made of whole minutes, for KIS keeps nothing shorter.

    Raises: BrokerError, KeyboardInterrupt.
    """
    if not count or interval % MINUTE:
        return ()
    now = wire.clock.now()
    wanted = (count + 1) * interval // MINUTE  # the oldest bar shall be whole, too
    minutes: list[Bar] = []
    for found in _batches(wire, calendar, symbol, now):
        earlier = [bar for bar in found if bar.ts <= now and (not minutes or bar.start < minutes[0].start)]
        minutes = earlier + minutes
        if len(minutes) >= wanted:
            break
    bars = [bar for bar in folded(minutes, interval, lambda ts: calendar.trading_day(kst_date(ts))) if bar.ts <= now]
    return tuple(bars[-count:])


def _batches(wire: Wire, calendar: Calendar, symbol: str, now: int) -> Iterator[tuple[Bar, ...]]:
    """Minute bars, the newest batch first."""
    environment, today = wire.environment, kst_date(now)
    yield from today_minutes(wire.fetch, environment, symbol, now, calendar.trading_day(today).open)
    if environment.capabilities.past_minutes:
        day = today
        for _ in range(MOST_DAYS):
            day = calendar.previous_day(day)
            yield from day_minutes(wire.fetch, environment, symbol, day, calendar.trading_day(day).open)

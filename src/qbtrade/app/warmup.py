"""Bars of the past, for a strategy that has to see some before its first decision."""

from collections import deque
from typing import Final

import msgspec

from qbtrade.app.source import Source
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.market import Bar, Trade
from qbtrade.domain.rules import Rules
from qbtrade.engines.market_data import SPIKE, MarketData
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.kernel.loop import SimLoop, StopRequest, merge

SPARE_DAYS: Final = 5
"""Recorded data has holes, so that more days are read than full ones would take."""


class Past(msgspec.Struct, frozen=True):
    """bars: the newest of each symbol, oldest first. bases: last price of each symbol, KRW."""

    bars: tuple[Bar, ...] = ()
    bases: dict[str, int] = {}


def past_of(source: Source, rules: Rules, warm_up: int) -> Past:
    """The newest `warm_up` bars of each symbol from before the source begins, where it has any."""
    calendar, day = rules.calendar, kst_date(source.first)
    session = calendar.trading_day(day)
    days = -(-warm_up * source.interval // (session.close - session.open)) + SPARE_DAYS
    since = day
    for _ in range(days):
        if since <= calendar.first:
            break
        since = calendar.previous_day(since)
    history = source.history(since)
    if history is None:
        return Past()
    return _fold(history, rules, warm_up)


def _fold(history: Source, rules: Rules, warm_up: int) -> Past:
    """Run the data through market data alone."""
    bus, clock = Bus(), SimClock()
    spike = 0 if history.made_of_bars else SPIKE
    market = MarketData(bus, clock, rules, history.instruments, interval=history.interval, spike=spike)
    kept: dict[str, deque[Bar]] = {i.symbol: deque(maxlen=max(warm_up, 1)) for i in history.instruments}
    bus.subscribe(Trade, market.on_trade)
    bus.subscribe(Bar, lambda bar: kept[bar.symbol].append(bar))
    SimLoop(bus, clock, StopRequest()).run(merge(history.feeds()))
    market.close_bars()
    bars = sorted((bar for each in kept.values() for bar in each), key=lambda bar: (bar.ts, bar.symbol))
    return Past(tuple(bars), market.last_prices())

"""Bars of the past, for a strategy that has to see some before its first decision."""

from collections import deque
from typing import Final

from qbtrade.app.source import Source
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.market import Bar, Trade
from qbtrade.domain.rules import Rules
from qbtrade.engines.market_data import SPIKE, MarketData
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.kernel.loop import SimLoop, StopRequest, merge

SPARE_DAYS: Final = 14
"""Weekends, holidays and holes in recorded data take more days of the calendar than full sessions would."""


def past_of(source: Source, rules: Rules, warm_up: int) -> tuple[Bar, ...]:
    """The newest `warm_up` bars of each symbol, oldest first, from before the source begins, where it has any."""
    session = rules.calendar.trading_day(kst_date(source.first))
    full_days = -(-warm_up * source.interval // (session.close - session.open))
    history = source.history(2 * full_days + SPARE_DAYS) if warm_up else None
    return () if history is None else _fold(history, rules, warm_up)


def _fold(history: Source, rules: Rules, warm_up: int) -> tuple[Bar, ...]:
    """Run the data through market data alone."""
    bus, clock = Bus(), SimClock()
    spike = 0 if history.made_of_bars else SPIKE
    market = MarketData(bus, clock, rules, history.instruments, interval=history.interval, spike=spike)
    kept: dict[str, deque[Bar]] = {i.symbol: deque(maxlen=max(warm_up, 1)) for i in history.instruments}
    bus.subscribe(Trade, market.on_trade)
    bus.subscribe(Bar, lambda bar: kept[bar.symbol].append(bar))
    SimLoop(bus, clock, StopRequest()).run(merge(history.feeds()))
    market.close_bars()
    return tuple(sorted((bar for each in kept.values() for bar in each), key=lambda bar: (bar.ts, bar.symbol)))

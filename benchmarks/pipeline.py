"""The whole pipeline, from market data to journal, on trades that are already in memory."""

import gc
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qbtrade.adapters.sim.bar_path import prints
from qbtrade.adapters.sim.generator import MockMarket
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.plan import Limits, SimulationPlan, VenuePlan
from qbtrade.app.rules import load_rules
from qbtrade.app.source import mock_days
from qbtrade.app.strategies import load_strategy
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.calendar import MINUTE
from qbtrade.domain.events import OrderFilled
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock, Stopwatch
from qbtrade.kernel.loop import SimLoop, StopRequest, merge

RULES = load_rules()
MARK_EVERY = 30_000_000_000
CASH = 10**12
ROOMY = Limits(
    max_budget=CASH, daily_loss=CASH, stop_loss=0, position_share=10**9, cash_share=0, max_entries=10**9,
    max_order_qty=1,
    collar=300_000_000, orders_per_minute=10**9, stale_after=10**15, duplicate_window=0,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What one run through the engines took. items: trades or bars."""

    items: int
    seconds: float
    fills: int
    events: int

    @property
    def rate(self) -> float:
        """Items per second."""
        return self.items / self.seconds


def symbols(number: int) -> tuple[str, ...]:
    """Made-up symbols."""
    return tuple(f"{100_000 + n * 10}" for n in range(number))


def made_trades(number: int, *, instruments: int = 1, per_day: int = 20_000, seed: int = 1) -> list[Event]:
    """Trades of the made market, of several symbols merged by time."""
    days = mock_days(RULES.calendar, "2024-01-02", max(number // instruments // per_day, 1))
    feeds = [
        MockMarket(
            symbol, days, ticks=per_day, price=75_000, volatility=15_000_000, scenario="calm",
            tick_table=partial(RULES.ticks, Instrument(symbol, Market.KOSPI, Kind.STOCK)), seed=seed,
        )
        for symbol in symbols(instruments)
    ]  # fmt: skip
    return list(merge(feeds))


def run(events: Sequence[Event], strategy: str, params: dict[str, str], *, instruments: int = 1, interval: int = MINUTE,
        made_of_bars: bool = False, items: int = 0) -> Run:  # fmt: skip
    """Play the events through all engines with the journal on."""
    names = symbols(instruments)
    clock = SimClock(events[0].ts - 1)
    bus = Bus()
    setup = Setup(
        rules=RULES, instruments=tuple(Instrument(s, Market.KOSPI, Kind.STOCK) for s in names), interval=interval,
        cash=CASH,
        limits=risk_limits(SimulationPlan(limits=ROOMY), 140_527), durable=False, order_kind=OrderKind.MARKET,
        made_of_bars=made_of_bars, mark_every=max(MARK_EVERY, interval if made_of_bars else 0),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteJournal(Path(folder) / "bench.sqlite3")
        venue = VenuePlan(latency=0, slippage=0, volume_share=10**9)
        engines = Engines(bus, clock, setup, store, sim_broker(venue, 0, sketched=made_of_bars))
        engines.host_strategy(load_strategy(strategy, params).build(engines.host, names), 0)
        engines.hours.start()
        fills = [0]

        def count(_: OrderFilled) -> None:
            fills[0] += 1

        bus.subscribe(OrderFilled, count)
        gc.collect()
        gc.freeze()
        watch = Stopwatch()
        SimLoop(bus, clock, StopRequest()).run(events)
        engines.journal.flush()
        seconds = watch.seconds()
        store.close()
        gc.unfreeze()
    return Run(items or len(events), seconds, fills[0], bus.delivered)


def bare_loop(events: Sequence[Event]) -> float:
    """Calibration: a fused loop with two running means and a crossing test, no objects, no engines.

    Items per second.
    """
    fast, slow, above, flips, total = 0, 0, False, 0, 0
    watch = Stopwatch()
    for event in events:
        if isinstance(event, Trade):
            price = event.price
            fast += (price * 1024 - fast) // 50
            slow += (price * 1024 - slow) // 200
            if (fast > slow) is not above:
                above = not above
                flips += 1
            total += event.qty
    return len(events) / watch.seconds()


def bars_as_trades(number: int) -> list[Event]:
    """One-minute bars as the replay plays them, of a price that swings so that a short crossing fires often."""
    days = mock_days(RULES.calendar, "2022-01-03", -(-number // 380))
    name, events = symbols(1)[0], list[Event]()
    for at in range(number):
        day, minute = days[at // 380], at % 380
        start = day.open + minute * MINUTE
        price = 75_000 + 100 * (abs(at % 22 - 11) * 2 + at % 5)
        row = (start, start + MINUTE, name, price, price + 200, price - 300, price + 100, 400)
        events.extend(prints(row))
    return events

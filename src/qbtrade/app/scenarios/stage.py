"""A small stage for scenarios: the real engines and the simulated exchange on one symbol and one day."""

from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.plan import Limits, SimulationPlan, VenuePlan
from qbtrade.app.rules import load_rules
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.calendar import MINUTE, NS
from qbtrade.domain.events import SubmitOrder
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import Order, OrderRequest, Side
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.kernel.loop import SimLoop, StopRequest

SYMBOL: Final = "005930"
DAY: Final = date(2026, 11, 2)
PRICE: Final = 75_000
CASH: Final = 10_000_000
ROOMY: Final = Limits(
    max_budget=CASH, position_share=10**9, cash_share=0, max_entries=10**6, orders_per_minute=10**6,
    collar=300_000_000, stale_after=10**15, duplicate_window=0,
)  # fmt: skip
"""Limits that are not in the way."""
EXACT: Final = VenuePlan(latency=0, slippage=0, volume_share=10**9)
"""An exchange without delay or slippage, where a whole print may be ours."""


class Checks:
    """Collects figures and the first expectation that does not hold."""

    def __init__(self) -> None:
        self.figures: dict[str, int | float | str] = {}
        self.broken = ""

    def expect(self, what: str, seen: object, wanted: object) -> None:
        """Note a difference between what was seen and what was wanted."""
        if seen != wanted:
            self.fail(f"{what}: {seen!r} instead of {wanted!r}")

    def fail(self, why: str) -> None:
        """Note that something does not hold; the first one stays."""
        self.broken = self.broken or why


class Stage:
    """One symbol, one day, all engines. `seen` holds every event that the named types published."""

    def __init__(
        self, folder: Path, *, limits: Limits = ROOMY, venue: VenuePlan = EXACT, interval: int = MINUTE, seed: int = 0,
        listen: tuple[type[Event], ...] = (),
    ) -> None:  # fmt: skip
        rules = load_rules()
        instrument = rules.instrument(SYMBOL)
        if instrument is None:
            raise LookupError(SYMBOL)
        self.day = rules.calendar.trading_day(DAY)
        self.bus, self.clock = Bus(), SimClock(self.day.spans[0].start)
        self.loop = SimLoop(self.bus, self.clock, StopRequest())
        self.store = SqliteJournal(folder / "stage.sqlite3")
        plan = SimulationPlan(limits=limits)
        setup = Setup(
            rules=rules, instruments=(instrument,), interval=interval, cash=CASH, bases={SYMBOL: PRICE}, durable=False,
            limits=risk_limits(plan, rules.commission_ppb(instrument)),
        )  # fmt: skip
        self.engines = Engines(self.bus, self.clock, setup, self.store, sim_broker(venue, seed))
        self.seen: list[Event] = []
        self.bus.subscribe_all(listen, self.seen.append)
        self.engines.hours.start()
        self._orders = 0

    def print(self, price: int, qty: int = 100, *, second: float) -> None:
        """Let the venue print a trade so many seconds after the open."""
        self.loop.run([Trade(self.day.open + int(second * NS), SYMBOL, price, qty)])

    def order(self, side: Side, qty: int, price: int, **more: object) -> Order:
        """Ask for an order now; what becomes of it is on the order."""
        self._orders += 1
        request = OrderRequest(f"T{self._orders}", SYMBOL, side, qty, price, reference=price, signal="scenario")
        self.bus.publish(SubmitOrder(self.clock.now(), msgspec.structs.replace(request, **more)))
        self.loop.advance(self.clock.now())
        order = self.engines.orders.get(request.order_id)
        if order is None:
            raise LookupError(request.order_id)
        return order

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.advance(self.clock.now() + int(seconds * NS))

    def close(self) -> None:
        """Write down what is left and let go of the journal."""
        self.engines.journal.flush()
        self.store.close()

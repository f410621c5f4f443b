"""The risk gate with everything around it faked, and limits so loose that a test binds only what it names."""

from msgspec.structs import replace

from qbtrade.domain.events import (
    Check,
    EquityMarked,
    FeedLost,
    FeedRestored,
    OrderApproved,
    OrderDenied,
    PhaseChanged,
    StrategyFailed,
    SubmitOrder,
    SymbolHalted,
    SymbolResumed,
    type_of,
)
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest
from qbtrade.engines.risk import RiskGate
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import SAMSUNG, SECOND, a_trade, at
from tests.fakes import FakeMarket, FakeOrders, FakePositions

HYNIX = "000660"
VERDICTS = (OrderApproved, OrderDenied)
LOOSE = RiskLimits(
    max_budget=10**12,
    daily_loss=10**12,
    stop_loss=30_000_000,
    position_share=10**9,
    cash_share=0,
    max_entries=10**6,
    max_order_qty=10**6,
    collar=10**9,
    orders_per_minute=10**6,
    stale_after=60 * SECOND,
    duplicate_window=0,
    commission_ppb=0,
)


class Bench:
    """Hands orders to the gate at 10:00 with a last trade of 75,000 won, and keeps everything that was published."""

    def __init__(
        self, *, cash: int = 1_000_000_000, symbols: tuple[str, ...] = (SAMSUNG, HYNIX), **limits: int
    ) -> None:
        self.bus, self.clock = Bus(), SimClock(at("10:00"))
        self.market, self.orders = FakeMarket(self.bus), FakeOrders()
        self.positions = FakePositions(self.bus, self.orders, cash)
        self.seen: list[Event] = []
        self.gate = RiskGate(
            self.bus, self.clock, self.market, self.positions, self.orders,
            limits=replace(LOOSE, **limits), symbols=symbols,
        )  # fmt: skip
        for symbol in symbols:
            self.market.show(a_trade(symbol=symbol))
        self._subscribe()

    def _subscribe(self) -> None:
        bus, gate, orders = self.bus, self.gate, self.orders
        bus.subscribe_all(type_of.values(), self.seen.append)
        bus.subscribe(SubmitOrder, orders.on_submit)
        bus.subscribe(OrderApproved, orders.on_approved)
        bus.subscribe(OrderDenied, orders.on_denied)
        bus.subscribe(SubmitOrder, gate.on_submit)
        bus.subscribe(EquityMarked, gate.on_equity)
        bus.subscribe(PhaseChanged, gate.on_phase)
        bus.subscribe(StrategyFailed, gate.on_strategy_failed)
        bus.subscribe(SymbolHalted, gate.on_halted)
        bus.subscribe(SymbolResumed, gate.on_resumed)
        bus.subscribe(FeedLost, gate.on_feed_lost)
        bus.subscribe(FeedRestored, gate.on_feed_restored)

    def publish(self, event: Event) -> list[Event]:
        """Play one event; what was published because of it."""
        before = len(self.seen) + 1
        self.bus.publish(event)
        return self.seen[before:]

    def submit(self, order: OrderRequest) -> OrderApproved | OrderDenied:
        """The one verdict on an order."""
        verdicts = [e for e in self.publish(SubmitOrder(self.clock.now(), order)) if isinstance(e, VERDICTS)]
        (verdict,) = verdicts
        return verdict

    def check(self, order: OrderRequest, rule: str) -> tuple[int, int, int, str, bool] | None:
        """The numbers of one rule's check; it alone may break, and then it is the reason."""
        verdict = self.submit(order)
        broken = [check.rule for check in verdict.checks if not check.passed]
        assert broken in ([], [rule])
        assert isinstance(verdict, OrderDenied) == bool(broken)
        assert not broken or (isinstance(verdict, OrderDenied) and verdict.reason == rule)
        return next((numbers(check) for check in verdict.checks if check.rule == rule), None)


def numbers(check: Check) -> tuple[int, int, int, str, bool]:
    """A check without its name."""
    return check.limit, check.value, check.distance, check.unit, check.passed

"""Protection beside the real order engine, on a venue played by the test."""

from itertools import count

from msgspec.structs import replace

from qbtrade.domain import events as ev
from qbtrade.domain.calendar import Phase
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, Purpose
from qbtrade.engines.orders import Orders
from qbtrade.engines.protection import Protection
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import SAMSUNG, SECOND, a_trade, an_order, at
from tests.engines.bench import HYNIX, LOOSE
from tests.fakes import FakeBroker, FakeMarket, FakePositions

TEN = at("10:00")


class Desk:
    """Protection beside the real order engine; every order is approved, and the test plays venue."""

    def __init__(self, *, stop_loss: int = 30_000_000, collar: int = 30_000_000) -> None:
        self.bus, self.clock, self.broker = Bus(), SimClock(TEN), FakeBroker()
        self.market = FakeMarket(self.bus)
        self.orders = Orders(self.bus, self.clock, self.market, self.broker)
        self.positions = FakePositions(self.bus, self.orders, 10**9)
        self.approves = True
        numbers = count(1)
        self.protection = Protection(
            self.bus, self.clock, self.market, self.positions, self.orders,
            limits=replace(LOOSE, stop_loss=stop_loss, collar=collar), symbols=(SAMSUNG, HYNIX),
            next_order_id=lambda: f"P{next(numbers)}",
        )  # fmt: skip
        self.seen: list[Event] = []
        self.bus.subscribe_all(ev.type_of.values(), self.seen.append)
        self._join_orders()
        self._join_protection()
        self.trade(75_000)

    def _join_orders(self) -> None:
        bus, orders = self.bus, self.orders
        bus.subscribe(ev.SubmitOrder, orders.on_submit)
        bus.subscribe(ev.SubmitOrder, self._judge)
        bus.subscribe(ev.OrderDenied, orders.on_denied)
        bus.subscribe(ev.OrderApproved, orders.on_approved)
        bus.subscribe(ev.OrderSending, orders.on_sending)
        bus.subscribe(ev.CancelOrder, orders.on_cancel)
        bus.subscribe(ev.OrderCanceling, orders.on_canceling)
        bus.subscribe(ev.OrderAccepted, orders.on_accepted)
        bus.subscribe(ev.OrderRejected, orders.on_rejected)
        bus.subscribe(ev.OrderNotSent, orders.on_not_sent)
        bus.subscribe(ev.OrderUnconfirmed, orders.on_unconfirmed)
        bus.subscribe(ev.OrderAbandoned, orders.on_abandoned)
        bus.subscribe(ev.OrderFilled, orders.on_filled)
        bus.subscribe(ev.OrderFilled, self.positions.on_filled)
        bus.subscribe(ev.OrderCanceled, orders.on_canceled)
        bus.subscribe(ev.CancelRejected, orders.on_cancel_rejected)
        bus.subscribe(ev.OrderExpired, orders.on_expired)

    def _join_protection(self) -> None:
        bus, protection = self.bus, self.protection
        bus.subscribe(ev.PositionChanged, protection.on_position)
        bus.subscribe(ev.PriceTouched, protection.on_touched)
        bus.subscribe(ev.PhaseChanged, protection.on_phase)
        bus.subscribe(ev.SymbolResumed, protection.on_resumed)
        bus.subscribe_all((ev.OrderCanceled, ev.OrderExpired, ev.OrderAbandoned), protection.on_ended)
        bus.subscribe_all((ev.OrderDenied, ev.OrderRejected, ev.OrderNotSent), protection.on_refused)
        bus.subscribe(ev.CancelRejected, protection.on_cancel_rejected)

    def _judge(self, event: ev.SubmitOrder) -> None:
        order = event.order
        verdict = (
            ev.OrderApproved(event.ts, order, ())
            if self.approves
            else ev.OrderDenied(event.ts, order.order_id, order.symbol, "test", ())
        )
        self.bus.publish(verdict)

    # what the test does

    def trade(self, price: int, symbol: str = SAMSUNG) -> None:
        self.market.show(a_trade(price, ts=self.clock.now(), symbol=symbol))

    def wait(self, seconds: float) -> None:
        self.clock.advance(self.clock.now() + int(seconds * SECOND))

    def place(self, order: OrderRequest) -> None:
        """Have an order working."""
        self.bus.publish(ev.SubmitOrder(self.clock.now(), order))
        self.accept(order.order_id)

    def accept(self, order_id: str) -> None:
        self.bus.publish(ev.OrderAccepted(self.clock.now(), order_id, f"B-{order_id}"))

    def fill(self, order_id: str, price: int, qty: int) -> None:
        order = self.orders.get(order_id)
        assert order is not None
        request = order.request
        self.bus.publish(ev.OrderFilled(self.clock.now(), order_id, request.symbol, request.side, price, qty))

    def cancel(self, order_id: str) -> None:
        """Confirm a cancel."""
        order = self.orders.get(order_id)
        assert order is not None
        self.bus.publish(ev.OrderCanceled(self.clock.now(), order_id, order.remaining, "asked"))

    def reject(self, order_id: str) -> None:
        self.bus.publish(ev.OrderRejected(self.clock.now(), order_id, "X", "no"))

    def buy(self, qty: int, price: int, symbol: str = SAMSUNG) -> None:
        order_id = f"E{len(self.seen)}"
        self.place(an_order(order_id, qty=qty, price=price, symbol=symbol))
        self.fill(order_id, price, qty)

    def phase(self, phase: Phase, day: str = "2026-11-20") -> None:
        self.market.now_in = phase
        self.bus.publish(ev.PhaseChanged(self.clock.now(), phase, day))

    def halt(self) -> None:
        self.market.halts[SAMSUNG] = "vi"
        self.bus.publish(ev.SymbolHalted(self.clock.now(), SAMSUNG, "vi", ""))

    def resume(self) -> None:
        self.market.halts.clear()
        self.bus.publish(ev.SymbolResumed(self.clock.now(), SAMSUNG, "vi-over"))

    # what the test sees

    def sells(self) -> list[tuple[str, int, int]]:
        """Protective sells that reached the broker: (order id, shares, price)."""
        return [(o.order_id, o.qty, o.price) for o in self.broker.submitted if o.purpose is Purpose.PROTECT]

    def alerts(self) -> list[str]:
        return [event.code for event in self.seen if isinstance(event, ev.Alert)]


def a_triggered_desk(qty: int = 10) -> Desk:
    """10 shares at 75,000 won, a trade at the stop level of 72,750, and the first protective sell working."""
    desk = Desk()
    desk.buy(qty, 75_000)
    desk.trade(72_700)
    desk.accept("P1")
    return desk

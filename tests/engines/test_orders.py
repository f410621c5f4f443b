"""An order goes through its life by events, and leaves once."""

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import IllegalMoveError, OrderKind, OrderStatus, Side
from qbtrade.engines.orders import Orders
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import SAMSUNG, SECOND, an_order
from tests.fakes import FakeMarket

S = OrderStatus


class Desk:
    """The order engine with a broker that only writes down what it was told."""

    def __init__(self) -> None:
        self.bus, self.clock = Bus(), SimClock()
        self.told = list[str]()
        self.published = list[Event]()
        self.orders = Orders(self.bus, self.clock, FakeMarket(self.bus), self)
        heard = (ev.SubmitOrder, ev.OrderApproved, ev.OrderSending, ev.CancelOrder, ev.OrderCanceling, ev.Alert)
        self.bus.subscribe_all(heard, self.published.append)
        self.bus.subscribe(ev.SubmitOrder, self.orders.on_submit)
        self.bus.subscribe(ev.OrderApproved, self.orders.on_approved)
        self.bus.subscribe(ev.OrderSending, self.orders.on_sending)
        self.bus.subscribe(ev.CancelOrder, self.orders.on_cancel)
        self.bus.subscribe(ev.OrderCanceling, self.orders.on_canceling)

    def submit(self, order: object) -> None:
        self.told.append(f"submit {getattr(order, 'order_id', '')}")

    def cancel(self, order_id: str) -> None:
        self.told.append(f"cancel {order_id}")

    def last_number(self) -> str:
        return "B0"

    def approve(self, **more: object) -> None:
        order = an_order(**more)  # type: ignore[arg-type]
        self.bus.publish(ev.SubmitOrder(1, order))
        self.bus.publish(ev.OrderApproved(1, order, ()))

    def accept(self, **more: object) -> None:
        self.approve(**more)
        self.orders.on_accepted(ev.OrderAccepted(2, "Q1", "B1"))

    def status(self, order_id: str = "Q1") -> OrderStatus:
        order = self.orders.get(order_id)
        assert order is not None
        return order.status


def test_the_intent_is_announced_before_the_broker_hears_of_it() -> None:
    desk = Desk()
    heard = list[str]()
    desk.bus.subscribe(ev.OrderSending, lambda _: heard.extend(desk.told))
    desk.approve()
    assert [type(e) for e in desk.published] == [ev.SubmitOrder, ev.OrderApproved, ev.OrderSending]
    assert desk.told == ["submit Q1"]
    assert desk.status() is S.SENDING


def test_an_order_id_is_never_used_twice() -> None:
    desk = Desk()
    desk.approve()
    with pytest.raises(ValueError, match="used before"):
        desk.bus.publish(ev.SubmitOrder(1, an_order()))
    assert desk.told == ["submit Q1"]


def test_a_denied_order_never_reaches_the_broker() -> None:
    desk = Desk()
    desk.bus.publish(ev.SubmitOrder(1, an_order()))
    desk.orders.on_denied(ev.OrderDenied(1, "Q1", SAMSUNG, "budget", ()))
    assert (desk.status(), desk.told, desk.orders.open_symbols()) == (S.DENIED, [], ())


def test_open_orders_count_at_their_limits_until_they_end() -> None:
    desk = Desk()
    desk.accept(qty=3, price=75_000)
    assert desk.orders.buying() == 225_000
    desk.orders.on_filled(ev.OrderFilled(3, "Q1", SAMSUNG, Side.BUY, 74_900, 1))
    assert (desk.orders.buying(), desk.status()) == (150_000, S.PARTLY_FILLED)
    desk.orders.on_filled(ev.OrderFilled(3, "Q1", SAMSUNG, Side.BUY, 74_900, 2))
    assert (desk.orders.buying(), desk.status(), desk.orders.open_orders(SAMSUNG)) == (0, S.FILLED, ())


def test_a_market_buy_counts_at_the_upper_price_limit() -> None:
    desk = Desk()
    desk.accept(qty=1, price=0, kind=OrderKind.MARKET)
    assert desk.orders.buying() == 97_500


def test_shares_in_open_sells_are_counted() -> None:
    desk = Desk()
    desk.accept(side=Side.SELL, qty=4)
    assert (desk.orders.selling(SAMSUNG), desk.orders.buying()) == (4, 0)


def test_a_cancel_waits_for_the_acceptance() -> None:
    desk = Desk()
    desk.approve()
    desk.bus.publish(ev.CancelOrder(1, "Q1", "test"))
    assert desk.told == ["submit Q1"]
    desk.orders.on_accepted(ev.OrderAccepted(2, "Q1", "B1"))
    assert desk.told == ["submit Q1", "cancel Q1"]
    assert desk.status() is S.CANCELING


def test_a_second_cancel_and_one_for_an_ended_or_unknown_order_are_ignored() -> None:
    desk = Desk()
    desk.accept()
    for order_id in ("Q1", "Q1", "nobody"):
        desk.bus.publish(ev.CancelOrder(3, order_id, "test"))
    desk.orders.on_canceled(ev.OrderCanceled(4, "Q1", 1, "requested"))
    desk.bus.publish(ev.CancelOrder(5, "Q1", "test"))
    assert desk.told == ["submit Q1", "cancel Q1"]
    assert desk.status() is S.CANCELED


def test_a_lifetime_cancels_what_remains() -> None:
    desk = Desk()
    desk.accept(lifetime=10 * SECOND)
    desk.clock.advance(2 + 10 * SECOND - 1)
    assert desk.told == ["submit Q1"]
    desk.clock.advance(2 + 10 * SECOND)
    assert desk.told == ["submit Q1", "cancel Q1"]


def test_a_lifetime_that_runs_out_after_the_end_does_nothing() -> None:
    desk = Desk()
    desk.accept(lifetime=SECOND)
    desk.orders.on_filled(ev.OrderFilled(3, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    desk.clock.advance(10 * SECOND)
    assert desk.told == ["submit Q1"]


def test_a_refused_cancel_leaves_the_order_as_it_was() -> None:
    desk = Desk()
    desk.accept(qty=2)
    desk.bus.publish(ev.CancelOrder(3, "Q1", "test"))
    desk.orders.on_cancel_rejected(ev.CancelRejected(4, "Q1", "too-late"))
    assert desk.status() is S.WORKING
    desk.orders.on_filled(ev.OrderFilled(3, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    desk.clock.advance(2 * SECOND)
    assert desk.status() is S.CANCELING
    desk.orders.on_cancel_rejected(ev.CancelRejected(6, "Q1", "too-late"))
    assert desk.status() is S.PARTLY_FILLED
    desk.orders.on_filled(ev.OrderFilled(7, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    desk.orders.on_cancel_rejected(ev.CancelRejected(8, "Q1", "not-working"))
    assert desk.status() is S.FILLED


def test_a_cancel_that_fails_is_asked_for_again_with_growing_pauses_until_the_order_ends() -> None:
    desk = Desk()
    desk.accept(qty=2)
    desk.bus.publish(ev.CancelOrder(3, "Q1", "lifetime"))
    asked = list[int]()
    for _ in range(6):
        desk.orders.on_cancel_rejected(ev.CancelRejected(desk.clock.now(), "Q1", "no answer"))
        before = desk.told.count("cancel Q1")
        while desk.told.count("cancel Q1") == before:
            desk.clock.fire()
        asked.append(desk.clock.now() // SECOND)
    assert asked == [2, 6, 14, 30, 60, 90]
    alarms = [event.code for event in desk.published if isinstance(event, ev.Alert)]
    assert alarms == ["cancel-fails"]
    desk.orders.on_canceled(ev.OrderCanceled(desk.clock.now(), "Q1", 2, "asked"))
    told = list(desk.told)
    desk.clock.advance(desk.clock.now() + 600 * SECOND)
    assert desk.told == told


def test_a_cancel_that_waits_for_its_next_try_is_not_asked_for_sooner() -> None:
    desk = Desk()
    desk.accept()
    desk.bus.publish(ev.CancelOrder(3, "Q1", "session-stopped"))
    desk.orders.on_cancel_rejected(ev.CancelRejected(4, "Q1", "no answer"))
    desk.bus.publish(ev.CancelOrder(5, "Q1", "session-stopped"))
    assert desk.told.count("cancel Q1") == 1
    desk.clock.advance(3 * SECOND)
    assert desk.told.count("cancel Q1") == 2


def test_the_next_try_of_a_cancel_is_dropped_when_the_order_ends() -> None:
    desk = Desk()
    desk.accept()
    desk.bus.publish(ev.CancelOrder(3, "Q1", "test"))
    desk.orders.on_cancel_rejected(ev.CancelRejected(4, "Q1", "too-late"))
    desk.orders.on_filled(ev.OrderFilled(5, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    desk.clock.advance(60 * SECOND)
    assert desk.told == ["submit Q1", "cancel Q1"]


def test_a_fill_may_arrive_after_the_order_expired() -> None:
    desk = Desk()
    desk.accept(qty=2)
    desk.orders.on_expired(ev.OrderExpired(9, "Q1", 2))
    desk.orders.on_filled(ev.OrderFilled(10, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    assert (desk.status(), desk.orders.open_orders(SAMSUNG)) == (S.EXPIRED, ())
    desk.orders.on_filled(ev.OrderFilled(10, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    assert desk.status() is S.FILLED


def test_a_fill_may_outrun_the_acceptance() -> None:
    desk = Desk()
    desk.approve(qty=2)
    desk.orders.on_filled(ev.OrderFilled(2, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    desk.orders.on_accepted(ev.OrderAccepted(3, "Q1", "B1"))
    order = desk.orders.get("Q1")
    assert order is not None
    assert (order.status, order.broker_order_id) == (S.PARTLY_FILLED, "B1")


def test_a_fill_may_arrive_after_the_cancel() -> None:
    desk = Desk()
    desk.accept(qty=2)
    desk.bus.publish(ev.CancelOrder(3, "Q1", "test"))
    desk.orders.on_canceled(ev.OrderCanceled(4, "Q1", 2, "requested"))
    desk.orders.on_filled(ev.OrderFilled(5, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    order = desk.orders.get("Q1")
    assert order is not None
    assert (order.status, order.filled_qty) == (S.CANCELED, 1)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (ev.OrderRejected(2, "Q1", "code", "words"), S.REJECTED),
        (ev.OrderNotSent(2, "Q1", "no route"), S.NOT_SENT),
    ],
)
def test_a_refusal_ends_the_order(event: ev.OrderRejected | ev.OrderNotSent, status: OrderStatus) -> None:
    desk = Desk()
    desk.approve()
    if isinstance(event, ev.OrderRejected):
        desk.orders.on_rejected(event)
    else:
        desk.orders.on_not_sent(event)
    assert (desk.status(), desk.orders.open_symbols()) == (status, ())


def test_an_unconfirmed_order_counts_until_evidence_and_may_turn_up_late() -> None:
    desk = Desk()
    desk.approve()
    desk.orders.on_unconfirmed(ev.OrderUnconfirmed(2, "Q1", "timeout"))
    assert (desk.status(), desk.orders.buying()) == (S.UNCONFIRMED, 75_000)
    desk.orders.on_abandoned(ev.OrderAbandoned(3, "Q1", "not in the books"))
    assert (desk.status(), desk.orders.open_orders(SAMSUNG)) == (S.ABANDONED, ())
    assert desk.orders.buying() == 75_000
    assert [order.request.order_id for order in desk.orders.abandoned(SAMSUNG)] == ["Q1"]
    desk.orders.on_accepted(ev.OrderAccepted(4, "Q1", "B1"))
    assert (desk.orders.buying(), desk.orders.abandoned(SAMSUNG)) == (75_000, ())


def test_an_abandoned_order_that_turns_up_is_canceled() -> None:
    desk = Desk()
    desk.approve()
    desk.orders.on_unconfirmed(ev.OrderUnconfirmed(2, "Q1", "timeout"))
    desk.orders.on_abandoned(ev.OrderAbandoned(3, "Q1", "not in the books"))
    assert desk.told == ["submit Q1"]
    desk.orders.on_accepted(ev.OrderAccepted(4, "Q1", "B1"))
    assert (desk.told, desk.status()) == (["submit Q1", "cancel Q1"], S.CANCELING)


def test_an_abandoned_order_that_fills_is_open_again() -> None:
    desk = Desk()
    desk.approve(qty=2)
    desk.orders.on_unconfirmed(ev.OrderUnconfirmed(2, "Q1", "timeout"))
    desk.orders.on_abandoned(ev.OrderAbandoned(3, "Q1", "not in the books"))
    desk.orders.on_filled(ev.OrderFilled(4, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    assert (desk.status(), desk.orders.buying()) == (S.CANCELING, 75_000)


def test_an_unconfirmed_order_that_shows_by_a_fill_is_canceled_as_was_asked() -> None:
    desk = Desk()
    desk.approve(qty=2)
    desk.orders.on_unconfirmed(ev.OrderUnconfirmed(2, "Q1", "timeout"))
    desk.bus.publish(ev.CancelOrder(3, "Q1", "daily-loss"))
    desk.orders.on_filled(ev.OrderFilled(4, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    assert desk.told == ["submit Q1", "cancel Q1"]


def test_a_day_order_expires() -> None:
    desk = Desk()
    desk.accept()
    desk.orders.on_expired(ev.OrderExpired(9, "Q1", 1))
    assert desk.status() is S.EXPIRED


def test_a_venue_that_breaks_the_table_is_a_fault() -> None:
    desk = Desk()
    desk.accept()
    desk.orders.on_filled(ev.OrderFilled(3, "Q1", SAMSUNG, Side.BUY, 75_000, 1))
    with pytest.raises(IllegalMoveError):
        desk.orders.on_filled(ev.OrderFilled(4, "Q1", SAMSUNG, Side.BUY, 75_000, 1))

"""The life of our orders: intents, answers, cancels. The only place that hands anything to a broker."""

from typing import Final

from qbtrade.domain.calendar import NS
from qbtrade.domain.events import (
    Alert,
    CancelOrder,
    CancelRejected,
    Level,
    OrderAbandoned,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderCanceling,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotSent,
    OrderRejected,
    OrderResolved,
    OrderSending,
    OrderUnconfirmed,
    SubmitOrder,
)
from qbtrade.domain.order import Order, OrderKind, OrderStatus, Side
from qbtrade.ports import Broker, Clock, MarketView, Publisher, TimerHandle

S = OrderStatus
UNKNOWN = frozenset({S.UNCONFIRMED, S.ABANDONED})
BEFORE_ACCEPTANCE = frozenset({S.NEW, S.APPROVED, S.SENDING, S.UNCONFIRMED})
PAUSES: Final = (2 * NS, 4 * NS, 8 * NS, 16 * NS, 30 * NS)
"""Before a cancel that came to nothing is asked for again; the last one from then on."""
ALARM_AFTER: Final = 3
"""Cancels of one order that came to nothing, before a person is told."""


class _Wish:
    """A cancel that is wanted until its order has ended. asked: how often; pause: until it may be asked for again."""

    __slots__ = ("asked", "pause", "reason")

    def __init__(self, reason: str) -> None:
        self.reason, self.asked = reason, 0
        self.pause: TimerHandle | None = None


class Orders:
    """Keeps every order of the session and moves it by events.

    Order of effects: OrderApproved publishes OrderSending; the journal hears OrderSending first, then this engine
    hands the request to the broker. So the intent is on disk before a byte leaves.
    """

    def __init__(self, bus: Publisher, clock: Clock, market: MarketView, broker: Broker) -> None:
        self._bus, self._clock, self._market, self._broker = bus, clock, market, broker
        self._orders: dict[str, Order] = {}
        self._open: dict[str, list[Order]] = {}
        self._abandoned: dict[str, list[Order]] = {}
        self._wishes: dict[str, _Wish] = {}

    # OrderView

    def get(self, order_id: str) -> Order | None:
        """One order of this session."""
        return self._orders.get(order_id)

    def open_orders(self, symbol: str) -> tuple[Order, ...]:
        """Every order of the symbol that may still fill, oldest first."""
        return tuple(self._open.get(symbol, ()))

    def open_symbols(self) -> tuple[str, ...]:
        """Symbols with an order that may still fill, sorted."""
        return tuple(sorted(symbol for symbol, orders in self._open.items() if orders))

    def abandoned(self, symbol: str) -> tuple[Order, ...]:
        """Every order of the symbol that was given up for lost and did not turn up, oldest first."""
        return tuple(self._abandoned.get(symbol, ()))

    def buying(self) -> int:
        """KRW that all open buys may still cost at their limits, and those that may turn up."""
        return sum(
            order.remaining * self._limit(order)
            for kept in (self._open, self._abandoned)
            for orders in kept.values()
            for order in orders
            if order.request.side is Side.BUY
        )

    def selling(self, symbol: str) -> int:
        """Shares of the symbol in open sells."""
        return sum(order.remaining for order in self._open.get(symbol, ()) if order.request.side is Side.SELL)

    def _limit(self, order: Order) -> int:
        """The highest price that this buy may pay: a market buy is margined at the upper price limit."""
        request = order.request
        if request.kind is OrderKind.LIMIT:
            return request.price
        band = self._market.band(request.symbol)
        return band.upper if band else request.reference * 13 // 10

    # commands and verdicts

    def on_submit(self, event: SubmitOrder) -> None:
        """Register the wish, so that the next one is judged with this one counted."""
        request = event.order
        if request.order_id in self._orders:
            raise ValueError(f"order id {request.order_id} was used before")
        order = Order(request, event.ts)
        self._orders[request.order_id] = order
        self._open.setdefault(request.symbol, []).append(order)

    def on_denied(self, event: OrderDenied) -> None:
        """It never existed for the venue."""
        self._end(event.order_id, S.DENIED)

    def on_approved(self, event: OrderApproved) -> None:
        """Announce the intent."""
        self._orders[event.order.order_id].move(S.APPROVED)
        self._bus.publish(OrderSending(event.ts, event.order, self._broker.last_number()))

    def on_sending(self, event: OrderSending) -> None:
        """Hand it over, once."""
        self._orders[event.order.order_id].move(S.SENDING)
        self._broker.submit(event.order)

    def on_cancel(self, event: CancelOrder) -> None:
        """Ask the broker to cancel, at once or when the order was accepted, and again until the order has ended."""
        order = self._orders.get(event.order_id)
        if order is None or not order.is_open:
            return
        wish = self._wishes.setdefault(event.order_id, _Wish(event.reason))
        if order.status in BEFORE_ACCEPTANCE or order.status is S.CANCELING or wish.pause is not None:
            return
        wish.asked += 1
        order.move(S.CANCELING)
        self._bus.publish(OrderCanceling(event.ts, event.order_id, event.reason))

    def on_canceling(self, event: OrderCanceling) -> None:
        """Hand the cancel over, after the journal has it."""
        self._broker.cancel(event.order_id)

    def adopt(self, event: SubmitOrder) -> None:
        """Take in an order that an earlier session may have sent: it is never handed over again."""
        self.on_submit(event)
        order = self._orders[event.order.order_id]
        order.move(S.APPROVED)
        order.move(S.SENDING)

    # answers

    def on_accepted(self, event: OrderAccepted) -> None:
        """It works at the venue from here; a lifetime starts to run."""
        order = self._orders[event.order_id]
        order.broker_order_id = event.broker_order_id
        if order.status in {S.SENDING, S.UNCONFIRMED, S.ABANDONED}:  # else a fill outran the answer
            self._revive(order)
            order.move(S.WORKING)
        self._begin(event.ts, order)

    def _begin(self, ts: int, order: Order) -> None:
        """It is known to exist: what was asked of it can be done, and its lifetime runs."""
        self._want_cancel_now(ts, order)
        lifetime, order_id = order.request.lifetime, order.request.order_id
        if lifetime and order.is_open:
            self._clock.call_at(ts + lifetime, lambda due: self._lifetime_over(due, order_id))

    def _want_cancel_now(self, ts: int, order: Order) -> None:
        wish = self._wishes.get(order.request.order_id)
        if wish is not None and order.is_open:
            self._bus.publish(CancelOrder(ts, order.request.order_id, wish.reason))

    def _lifetime_over(self, due: int, order_id: str) -> None:
        order = self._orders[order_id]
        if order.is_open:
            self._bus.publish(CancelOrder(due, order_id, "lifetime"))

    def on_rejected(self, event: OrderRejected) -> None:
        """The venue does not want it."""
        self._end(event.order_id, S.REJECTED)

    def on_not_sent(self, event: OrderNotSent) -> None:
        """Nothing left this machine."""
        self._end(event.order_id, S.NOT_SENT)

    def on_unconfirmed(self, event: OrderUnconfirmed) -> None:
        """The answer is unknown; it counts in every limit until evidence comes."""
        self._orders[event.order_id].move(S.UNCONFIRMED)

    def on_abandoned(self, event: OrderAbandoned) -> None:
        """Evidence says that it does not exist. It counts until the session ends; if it turns up, it is canceled."""
        self._end(event.order_id, S.ABANDONED)
        order = self._orders[event.order_id]
        self._abandoned.setdefault(order.request.symbol, []).append(order)
        self._wishes[event.order_id] = _Wish("given-up")

    def on_resolved(self, event: OrderResolved) -> None:
        """A person says that it does not exist: its symbol and side are free again, and it counts no more."""
        order = self._orders.get(event.order_id)
        if order is not None and not event.number:
            self._forget(order)

    def on_filled(self, event: OrderFilled) -> None:
        """Book the execution on the order."""
        order = self._orders[event.order_id]
        was_unknown = order.status in UNKNOWN
        self._revive(order)
        order.fill(event.price, event.qty)
        if not order.is_open:
            self._drop(order)
        elif was_unknown:
            self._begin(event.ts, order)

    def on_canceled(self, event: OrderCanceled) -> None:
        """What remained is gone."""
        self._end(event.order_id, S.CANCELED)

    def on_cancel_rejected(self, event: CancelRejected) -> None:
        """The order stands as it was, unless it ended meanwhile; what was wanted is asked for again after a pause."""
        order = self._orders[event.order_id]
        if order.status is S.CANCELING:
            order.move(S.PARTLY_FILLED if order.filled_qty else S.WORKING)
        wish = self._wishes.get(event.order_id)
        if wish is None or wish.pause is not None or not order.is_open:
            return
        due = self._clock.now() + PAUSES[min(wish.asked, len(PAUSES)) - 1]
        wish.pause = self._clock.call_at(due, lambda due: self._cancel_again(due, order, wish))
        if wish.asked == ALARM_AFTER:
            number = order.broker_order_id or event.order_id
            text = f"order {number} could not be canceled {wish.asked} times ({event.reason}); qb goes on asking"
            action = "cancel it at the broker yourself if it should not fill"
            self._bus.publish(Alert(event.ts, Level.CRITICAL, "cancel-fails", text, action))

    def _cancel_again(self, due: int, order: Order, wish: _Wish) -> None:
        wish.pause = None
        self._want_cancel_now(due, order)

    def on_expired(self, event: OrderExpired) -> None:
        """The day is over for it."""
        self._end(event.order_id, S.EXPIRED)

    # book-keeping

    def _end(self, order_id: str, status: OrderStatus) -> None:
        order = self._orders[order_id]
        order.move(status)
        self._drop(order)

    def _drop(self, order: Order) -> None:
        orders = self._open[order.request.symbol]
        if order in orders:
            orders.remove(order)
        wish = self._wishes.pop(order.request.order_id, None)
        if wish is not None and wish.pause is not None:
            wish.pause.cancel()

    def _revive(self, order: Order) -> None:
        """An order that was given up for lost and turns up is open again."""
        if order.status is S.ABANDONED:
            self._forget(order)
            self._open[order.request.symbol].append(order)

    def _forget(self, order: Order) -> None:
        lost = self._abandoned.get(order.request.symbol, [])
        if order in lost:
            lost.remove(order)

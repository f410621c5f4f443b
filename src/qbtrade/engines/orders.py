"""The life of our orders: intents, answers, cancels. The only place that hands anything to a broker."""

from qbtrade.domain.events import (
    CancelOrder,
    CancelRejected,
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
    OrderSending,
    OrderUnconfirmed,
    SubmitOrder,
)
from qbtrade.domain.order import Order, OrderKind, OrderStatus, Side
from qbtrade.ports import Broker, Clock, MarketView, Publisher

S = OrderStatus
UNKNOWN = frozenset({S.UNCONFIRMED, S.ABANDONED})
BEFORE_ACCEPTANCE = frozenset({S.NEW, S.APPROVED, S.SENDING, S.UNCONFIRMED})


class Orders:
    """Keeps every order of the session and moves it by events.

    Order of effects: OrderApproved publishes OrderSending; the journal hears OrderSending first, then this engine
    hands the request to the broker. So the intent is on disk before a byte leaves.
    """

    def __init__(self, bus: Publisher, clock: Clock, market: MarketView, broker: Broker) -> None:
        self._bus, self._clock, self._market, self._broker = bus, clock, market, broker
        self._orders: dict[str, Order] = {}
        self._open: dict[str, list[Order]] = {}
        self._cancel_wanted: dict[str, str] = {}

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

    def buying(self) -> int:
        """KRW that all open buys may still cost at their limits."""
        return sum(
            order.remaining * self._limit(order)
            for orders in self._open.values()
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
        self._bus.publish(OrderSending(event.ts, event.order))

    def on_sending(self, event: OrderSending) -> None:
        """Hand it over, once."""
        self._orders[event.order.order_id].move(S.SENDING)
        self._broker.submit(event.order)

    def on_cancel(self, event: CancelOrder) -> None:
        """Ask the broker to cancel, at once or as soon as the order has been accepted."""
        order = self._orders.get(event.order_id)
        if order is None or not order.is_open or order.status is S.CANCELING:
            return
        if order.status in BEFORE_ACCEPTANCE:
            self._cancel_wanted[event.order_id] = event.reason
            return
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
        order.accepted_at = event.ts
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
        reason = self._cancel_wanted.pop(order.request.order_id, "")
        if reason and order.is_open:
            self._bus.publish(CancelOrder(ts, order.request.order_id, reason))

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
        """Evidence says that it does not exist."""
        self._end(event.order_id, S.ABANDONED)

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
        """The order stands as it was, unless it ended meanwhile."""
        order = self._orders[event.order_id]
        if order.status is S.CANCELING:
            order.move(S.PARTLY_FILLED if order.filled_qty else S.WORKING)

    def on_expired(self, event: OrderExpired) -> None:
        """The day is over for it."""
        self._end(event.order_id, S.EXPIRED)

    # book-keeping

    def _end(self, order_id: str, status: OrderStatus) -> None:
        order = self._orders[order_id]
        order.move(status)
        self._cancel_wanted.pop(order_id, None)
        self._drop(order)

    def _drop(self, order: Order) -> None:
        orders = self._open[order.request.symbol]
        if order in orders:
            orders.remove(order)

    def _revive(self, order: Order) -> None:
        """An order that was given up for lost and turns up is open again."""
        orders = self._open[order.request.symbol]
        if order.status is S.ABANDONED and order not in orders:
            orders.append(order)

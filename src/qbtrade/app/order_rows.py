"""Orders, fills and denials of a session, as rows of its report."""

from functools import partial
from typing import Any, Final

from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import (
    CancelRejected,
    Check,
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
    PositionChanged,
    SubmitOrder,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import KEPT_BY_FILLS, NEXT, OrderRequest, OrderStatus, Side
from qbtrade.kernel.bus import Bus

Row = dict[str, Any]

_S = OrderStatus
_LEADS_TO: Final[dict[type[Event], OrderStatus]] = {
    OrderApproved: _S.APPROVED,
    OrderDenied: _S.DENIED,
    OrderSending: _S.SENDING,
    OrderAccepted: _S.WORKING,
    OrderRejected: _S.REJECTED,
    OrderNotSent: _S.NOT_SENT,
    OrderUnconfirmed: _S.UNCONFIRMED,
    OrderAbandoned: _S.ABANDONED,
    OrderCanceling: _S.CANCELING,
    CancelRejected: _S.WORKING,
    OrderCanceled: _S.CANCELED,
    OrderExpired: _S.EXPIRED,
}

_WITH_ORDER: Final = (OrderApproved, OrderSending)


class OrderRows:
    """Follows every order of a session through its events."""

    def __init__(self, bus: Bus) -> None:
        self.orders: dict[str, Row] = {}
        self.fills: list[Row] = []
        self.denials: list[Row] = []
        bus.subscribe(SubmitOrder, self._on_submit)
        bus.subscribe(OrderDenied, self._on_denied)
        bus.subscribe(OrderFilled, self._on_filled)
        bus.subscribe(PositionChanged, self._on_booked)
        for event_type, status in _LEADS_TO.items():
            bus.subscribe(event_type, partial(self._on_step, status))

    def slippage(self, order_id: str, price: int, qty: int) -> int:
        """KRW lost against the last trade when the order was made; negative when won."""
        order = self.orders.get(order_id)
        if order is None or not order["reference"]:
            return 0
        lost: int = (price - order["reference"]) * qty
        return lost if order["side"] == Side.BUY else -lost

    def _on_submit(self, event: SubmitOrder) -> None:
        self.orders[event.order.order_id] = _order_row(event.ts, event.order)

    def _on_step(self, status: OrderStatus, event: Any) -> None:
        order = self.orders.get(event.order.order_id if isinstance(event, _WITH_ORDER) else event.order_id)
        if order is not None and status in NEXT[OrderStatus(order["status"])]:
            partly = status is _S.WORKING and order["filled_qty"]  # a refused cancel
            order["status"] = (_S.PARTLY_FILLED if partly else status).value
            order["reason"] = getattr(event, "reason", "")

    def _on_filled(self, event: OrderFilled) -> None:
        order = self.orders.get(event.order_id)
        if order is not None:
            order["filled_qty"] += event.qty
            order["filled_amount"] += event.price * event.qty
            order["slippage"] += self.slippage(event.order_id, event.price, event.qty)
            if order["filled_qty"] == order["qty"]:
                order.update(status=_S.FILLED.value, reason="")
            elif order["status"] not in KEPT_BY_FILLS:
                order["status"] = _S.PARTLY_FILLED.value

    def _on_booked(self, event: PositionChanged) -> None:
        order = self.orders.get(event.order_id)
        if order is not None:
            order["commission"] += event.commission
            order["tax"] += event.tax
        self.fills.append(_fill_row(event))

    def _on_denied(self, event: OrderDenied) -> None:
        self.denials.append(_denial_row(event))


def broken(event: OrderDenied) -> Check | None:
    """The check that stopped the order: the one that its reason names, else the first that failed."""
    named = (check for check in event.checks if check.rule == event.reason and not check.passed)
    return next(named, next((check for check in event.checks if not check.passed), None))


def _order_row(ts: int, order: OrderRequest) -> Row:
    return {
        "ts": iso_kst(ts),
        "order_id": order.order_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "purpose": order.purpose.value,
        "kind": order.kind.value,
        "tif": order.tif.value,
        "qty": order.qty,
        "price": order.price,
        "reference": order.reference,
        "signal": order.signal,
        "repriced_from": order.repriced_from,
        "status": _S.NEW.value,
        "reason": "",
        "filled_qty": 0,
        "filled_amount": 0,
        "commission": 0,
        "tax": 0,
        "slippage": 0,
    }


def _fill_row(event: PositionChanged) -> Row:
    return {
        "ts": iso_kst(event.ts),
        "order_id": event.order_id,
        "symbol": event.symbol,
        "side": event.side.value,
        "qty": event.fill_qty,
        "price": event.price,
        "commission": event.commission,
        "tax": event.tax,
    }


def _denial_row(event: OrderDenied) -> Row:
    check = broken(event)
    return {
        "ts": iso_kst(event.ts),
        "order_id": event.order_id,
        "symbol": event.symbol,
        "reason": event.reason,
        "rule": check.rule if check else None,
        "limit": check.limit if check else None,
        "value": check.value if check else None,
        "distance": check.distance if check else None,
        "unit": check.unit if check else None,
    }

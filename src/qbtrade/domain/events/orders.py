"""The life of an order, from the wish to its end."""

import msgspec

from qbtrade.domain.message import Event, EventType
from qbtrade.domain.order import OrderRequest, Side

E = EventType


class Check(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One risk rule's numbers for one order; in the journal a plain list, because every order carries all of them.

    rule: slug. limit, value: in `unit` (KRW, shares, orders, ms, ...). distance = limit - value for an upper bound,
    value - limit for a lower one: negative when the rule is broken.
    """

    rule: str
    limit: int
    value: int
    distance: int
    unit: str
    passed: bool


class AtRisk(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the risk gate saw besides its rules when it approved an order. Money in KRW.

    cash: D+2. committed: cost of all shares, and what all open buys, with this order, may cost. unconfirmed: other
    orders of its symbol and side whose fate is unknown. loss: of the day.
    """

    cash: int
    committed: int
    unconfirmed: int
    loss: int


class SubmitOrder(Event, frozen=True, gc=False, tag=E.SUBMIT_ORDER.value):
    """Please trade. Judged by risk before anything leaves."""

    order: OrderRequest


class CancelOrder(Event, frozen=True, gc=False, tag=E.CANCEL_ORDER.value):
    """Please cancel what remains. Never blocked by a limit."""

    order_id: str
    reason: str


class OrderApproved(Event, frozen=True, gc=False, tag=E.ORDER_APPROVED.value):
    """Risk has no objection. checks: every rule that applied, with its numbers; at_risk: what else it saw."""

    order: OrderRequest
    checks: tuple[Check, ...]
    at_risk: AtRisk | None = None


class OrderDenied(Event, frozen=True, gc=False, tag=E.ORDER_DENIED.value):
    """Stopped by us. reason: the first broken rule; checks: all that were evaluated."""

    order_id: str
    symbol: str
    reason: str
    checks: tuple[Check, ...]


class OrderSending(Event, frozen=True, gc=False, tag=E.ORDER_SENDING.value):
    """The intent, on disk before a byte leaves. after: highest order number that the broker is known to have given."""

    order: OrderRequest
    after: str = ""


class OrderAccepted(Event, frozen=True, gc=False, tag=E.ORDER_ACCEPTED.value):
    """The broker took it."""

    order_id: str
    broker_order_id: str


class OrderRejected(Event, frozen=True, gc=False, tag=E.ORDER_REJECTED.value):
    """The broker or the venue refused it. code: theirs; reason: words."""

    order_id: str
    code: str
    reason: str


class OrderNotSent(Event, frozen=True, gc=False, tag=E.ORDER_NOT_SENT.value):
    """Proof that nothing left this machine."""

    order_id: str
    reason: str


class OrderUnconfirmed(Event, frozen=True, gc=False, tag=E.ORDER_UNCONFIRMED.value):
    """Sent, answer unknown: resolved by asking, never by sending again."""

    order_id: str
    reason: str


class OrderAbandoned(Event, frozen=True, gc=False, tag=E.ORDER_ABANDONED.value):
    """Evidence says that the unconfirmed order does not exist."""

    order_id: str
    reason: str


class OrderResolved(Event, frozen=True, gc=False, tag=E.ORDER_RESOLVED.value):
    """A person said what became of an order of which the answer was lost.

    order_id: of this session, or RUN/ORDER for one of an earlier one. number: the broker's, "" when the order does not
    exist. reason: the person's words; evidence: what the broker showed.
    """

    order_id: str
    number: str
    reason: str
    evidence: str


class OrderFilled(Event, frozen=True, gc=False, tag=E.ORDER_FILLED.value):
    """One execution of one of our orders. price: KRW per share."""

    order_id: str
    symbol: str
    side: Side
    price: int
    qty: int


class OrderCanceling(Event, frozen=True, gc=False, tag=E.ORDER_CANCELING.value):
    """A cancel request is on disk and leaves."""

    order_id: str
    reason: str


class OrderCanceled(Event, frozen=True, gc=False, tag=E.ORDER_CANCELED.value):
    """What remained is canceled. qty: shares canceled. reason: slug."""

    order_id: str
    qty: int
    reason: str


class CancelRejected(Event, frozen=True, gc=False, tag=E.CANCEL_REJECTED.value):
    """The cancel came too late or was refused; the order stands as it was."""

    order_id: str
    reason: str


class OrderExpired(Event, frozen=True, gc=False, tag=E.ORDER_EXPIRED.value):
    """The day ended before it was filled. qty: shares that expired."""

    order_id: str
    qty: int

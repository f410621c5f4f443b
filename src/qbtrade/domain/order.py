"""Orders: what is asked for, the states of its life, and the table of legal moves."""

from enum import StrEnum
from typing import Final

import msgspec


class Side(StrEnum):
    """BUY or SELL."""

    BUY = "BUY"
    SELL = "SELL"


class OrderKind(StrEnum):
    """LIMIT or MARKET."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """DAY rests until the close; IOC fills what it can at once; FOK all at once or nothing."""

    DAY = "DAY"
    IOC = "IOC"
    FOK = "FOK"


class Purpose(StrEnum):
    """Why an order exists; risk never blocks what only reduces or protects."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    PROTECT = "PROTECT"
    FLATTEN = "FLATTEN"


GUARDING: Final = frozenset({Purpose.PROTECT, Purpose.FLATTEN})
"""Sells that must get out: no limit stops them."""


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    NEW = "NEW"
    DENIED = "DENIED"
    APPROVED = "APPROVED"
    SENDING = "SENDING"
    WORKING = "WORKING"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"
    UNCONFIRMED = "UNCONFIRMED"
    ABANDONED = "ABANDONED"
    PARTLY_FILLED = "PARTLY_FILLED"
    FILLED = "FILLED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


_S = OrderStatus
NEXT: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    _S.NEW: frozenset({_S.DENIED, _S.APPROVED}),
    _S.DENIED: frozenset(),
    _S.APPROVED: frozenset({_S.SENDING}),
    _S.SENDING: frozenset(
        {
            _S.WORKING,
            _S.REJECTED,
            _S.NOT_SENT,
            _S.UNCONFIRMED,
            _S.PARTLY_FILLED,
            _S.FILLED,
        }  # a fill may outrun the answer
    ),
    _S.WORKING: frozenset(
        {
            _S.PARTLY_FILLED,
            _S.FILLED,
            _S.CANCELING,
            _S.CANCELED,
            _S.EXPIRED,
            _S.REJECTED,
        }  # the exchange may refuse late
    ),
    _S.REJECTED: frozenset(),
    _S.NOT_SENT: frozenset(),
    _S.UNCONFIRMED: frozenset({_S.WORKING, _S.REJECTED, _S.ABANDONED, _S.PARTLY_FILLED, _S.FILLED}),
    _S.ABANDONED: frozenset({_S.WORKING, _S.PARTLY_FILLED, _S.FILLED}),  # it turned up after all
    _S.PARTLY_FILLED: frozenset({_S.PARTLY_FILLED, _S.FILLED, _S.CANCELING, _S.CANCELED, _S.EXPIRED}),
    _S.FILLED: frozenset(),
    _S.CANCELING: frozenset(
        {_S.WORKING, _S.PARTLY_FILLED, _S.CANCELING, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED}
    ),  # WORKING again when the cancel is refused; CANCELING again when a part fills meanwhile
    _S.CANCELED: frozenset({_S.CANCELED, _S.FILLED}),  # the fill was already on its way
    _S.EXPIRED: frozenset({_S.EXPIRED, _S.FILLED}),  # the auction's fill was told late
}
KEPT_BY_FILLS: Final = frozenset({_S.CANCELING, _S.CANCELED, _S.EXPIRED})
"""States in which an order stays when a part of it fills."""
TERMINAL: Final = frozenset({_S.DENIED, _S.REJECTED, _S.NOT_SENT, _S.ABANDONED, _S.FILLED, _S.CANCELED, _S.EXPIRED})


class OrderRequest(msgspec.Struct, frozen=True, gc=False):
    """One intent to trade; never sent twice.

    qty: shares, > 0. price: KRW, the limit; for a market order 0.
    lifetime: ns after acceptance at which the remainder is canceled; 0 keeps it for the day.
    reference: KRW, last trade when it was made, against which slippage is measured.
    signal: what asked for it, in words. repriced_from: the order that this one replaces, or "".
    """

    order_id: str
    symbol: str
    side: Side
    qty: int
    price: int
    kind: OrderKind = OrderKind.LIMIT
    tif: TimeInForce = TimeInForce.DAY
    purpose: Purpose = Purpose.ENTRY
    lifetime: int = 0
    reference: int = 0
    signal: str = ""
    repriced_from: str = ""


class IllegalMoveError(ValueError):
    """A move that the table does not allow: a broken invariant of ours or of the venue's."""


class Order:
    """One order's life so far. Kept by the order engine; others only read it."""

    __slots__ = ("broker_order_id", "filled_amount", "filled_qty", "request", "status", "submitted_at")

    def __init__(self, request: OrderRequest, ts: int) -> None:
        self.request = request
        self.status = OrderStatus.NEW
        self.filled_qty = 0
        self.filled_amount = 0
        self.broker_order_id = ""
        self.submitted_at = ts

    @property
    def remaining(self) -> int:
        """Shares that may still fill."""
        return self.request.qty - self.filled_qty

    @property
    def is_open(self) -> bool:
        """True until nothing more can happen, as far as is known."""
        return self.status not in TERMINAL

    def move(self, status: OrderStatus) -> None:
        """Change state. Raises: IllegalMoveError when the table has no such move."""
        if status not in NEXT[self.status]:
            raise IllegalMoveError(f"order {self.request.order_id}: {self.status} -> {status}")
        self.status = status

    def fill(self, price: int, qty: int) -> None:
        """Book one execution. Raises: IllegalMoveError beyond the ordered quantity or from a state without fills."""
        if not 0 < qty <= self.remaining:
            raise IllegalMoveError(f"order {self.request.order_id}: fill of {qty} with {self.remaining} remaining")
        if qty == self.remaining:
            self.move(OrderStatus.FILLED)
        elif self.status not in KEPT_BY_FILLS:
            self.move(OrderStatus.PARTLY_FILLED)
        else:
            self.move(self.status)
        self.filled_qty += qty
        self.filled_amount += price * qty

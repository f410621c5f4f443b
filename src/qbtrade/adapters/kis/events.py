"""What the KIS client tells its own engines on the kernel thread; none of these enters the journal."""

from enum import StrEnum

from qbtrade.adapters.kis.http import HttpOutcome
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side


class WireEvent(Event, frozen=True, gc=False):
    """Base of the messages that stay inside the KIS client. ts: market time at which it was heard."""


class HttpDone(WireEvent, frozen=True):
    """An HTTP request ended, in one of the three ways in which it can."""

    request_id: int
    outcome: HttpOutcome


class KeyWanted(WireEvent, frozen=True, gc=False):
    """The stream cannot connect before it is given an approval key. reason: slug."""

    reason: str


class Registered(WireEvent, frozen=True, gc=False):
    """The server sends this channel from now on."""

    tr_id: str
    tr_key: str


class RegistrationRefused(WireEvent, frozen=True, gc=False):
    """A channel that will not come, refused by the server or by our own count. code: KIS's, or a slug of ours."""

    tr_id: str
    tr_key: str
    code: str
    text: str


class Action(StrEnum):
    """What an order number was for."""

    NEW = "NEW"
    AMEND = "AMEND"
    CANCEL = "CANCEL"


class Stage(StrEnum):
    """What became of it. CONFIRMED: an amendment or cancel took effect; LAPSED: what an IOC or FOK left is gone."""

    ACCEPTED = "ACCEPTED"
    CONFIRMED = "CONFIRMED"
    LAPSED = "LAPSED"
    REJECTED = "REJECTED"
    FILLED = "FILLED"


class Notice(WireEvent, frozen=True, gc=False):
    """One order notice. There is no event id: two equal fills in one second look the same.

    ts: the exchange's second. order_no, original_no: without leading zeros; original_no is "" for new orders. qty,
    price: of this fill when FILLED, else of the order (price 0 when it has none). order_qty: of the order, 0 when not
    told.
    """

    account: str
    order_no: str
    original_no: str
    symbol: str
    side: Side
    action: Action
    stage: Stage
    qty: int
    price: int
    order_qty: int


class NoticeUnread(WireEvent, frozen=True, gc=False):
    """An order notice came and could not be read: what it said must be asked over REST. reason: words."""

    reason: str


class MarketEvent(StrEnum):
    """What befalls a whole market. BREAKER: nothing trades. A sidecar suspends programme orders of a side alone."""

    BREAKER = "BREAKER"
    BREAKER_OVER = "BREAKER_OVER"
    SELL_SIDECAR = "SELL_SIDECAR"
    SELL_SIDECAR_OVER = "SELL_SIDECAR_OVER"
    BUY_SIDECAR = "BUY_SIDECAR"
    BUY_SIDECAR_OVER = "BUY_SIDECAR_OVER"


class Operation(WireEvent, frozen=True, gc=False):
    """Whether a stock may trade. halted, vi: None where that is not said. event: of its whole market, or None."""

    symbol: str
    halted: bool | None
    vi: bool | None
    event: MarketEvent | None


class OperationUnread(WireEvent, frozen=True, gc=False):
    """A record of the market's operation could not be read: REST must be asked what trades. reason: words."""

    reason: str

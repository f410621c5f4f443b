"""Every message on the bus besides market data: commands in the imperative, facts in the past tense."""

from enum import StrEnum

import msgspec

from qbtrade.domain.calendar import Phase
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event, EventType
from qbtrade.domain.order import OrderRequest, Purpose, Side

E = EventType


class RiskState(StrEnum):
    """ACTIVE trades; REDUCING only reduces; HALTED sends nothing but cancels and protective sells."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class Level(StrEnum):
    """How loud an alert is."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class Outcome(StrEnum):
    """How a session ended."""

    DONE = "DONE"
    INTERRUPTED = "INTERRUPTED"
    HALTED = "HALTED"
    FAULT = "FAULT"


# market


class PhaseChanged(Event, frozen=True, gc=False, tag=E.PHASE_CHANGED.value):
    """The venue's day moved on. day: ISO date in KST."""

    phase: Phase
    day: str


class PriceTouched(Event, frozen=True, gc=False, tag=E.PRICE_TOUCHED.value):
    """A watched level was reached by an accepted trade, or a next trade that was waited for came."""

    symbol: str
    price: int


class TickQuarantined(Event, frozen=True, gc=False, tag=E.TICK_QUARANTINED.value):
    """A received trade was set aside. reason: slug."""

    symbol: str
    price: int
    qty: int
    reason: str


class SymbolHalted(Event, frozen=True, gc=False, tag=E.SYMBOL_HALTED.value):
    """The venue, or our own plausibility check, stops trading in a symbol. reason: slug; detail: words."""

    symbol: str
    reason: str
    detail: str


class SymbolResumed(Event, frozen=True, gc=False, tag=E.SYMBOL_RESUMED.value):
    """The halt of a symbol ended."""

    symbol: str
    reason: str


class FeedLost(Event, frozen=True, gc=False, tag=E.FEED_LOST.value):
    """Market data stopped coming."""

    reason: str


class FeedRestored(Event, frozen=True, gc=False, tag=E.FEED_RESTORED.value):
    """Market data is back. gap: ns without data."""

    gap: int


# strategy


class Signal(Event, frozen=True, gc=False, tag=E.SIGNAL.value):
    """A strategy's opinion, not yet an order. values: what it saw, as text."""

    symbol: str
    side: Side
    reason: str
    values: dict[str, str] = {}


class StrategyFailed(Event, frozen=True, gc=False, tag=E.STRATEGY_FAILED.value):
    """User code raised; the symbol is reducing from here. traceback: the user's frames only."""

    symbol: str
    error: str
    traceback: str


# orders


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


class SubmitOrder(Event, frozen=True, gc=False, tag=E.SUBMIT_ORDER.value):
    """Please trade. Judged by risk before anything leaves."""

    order: OrderRequest


class CancelOrder(Event, frozen=True, gc=False, tag=E.CANCEL_ORDER.value):
    """Please cancel what remains. Never blocked by a limit."""

    order_id: str
    reason: str


class OrderApproved(Event, frozen=True, gc=False, tag=E.ORDER_APPROVED.value):
    """Risk has no objection. checks: every rule that applied, with its numbers."""

    order: OrderRequest
    checks: tuple[Check, ...]


class OrderDenied(Event, frozen=True, gc=False, tag=E.ORDER_DENIED.value):
    """Stopped by us. reason: the first broken rule; checks: all that were evaluated."""

    order_id: str
    symbol: str
    reason: str
    checks: tuple[Check, ...]


class OrderSending(Event, frozen=True, gc=False, tag=E.ORDER_SENDING.value):
    """The intent, on disk before a byte leaves."""

    order: OrderRequest


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


# portfolio, risk, monitoring, session


class PositionChanged(Event, frozen=True, gc=False, tag=E.POSITION_CHANGED.value):
    """A fill was booked.

    cost: total KRW of the shares held. commission, tax: of this fill. realized: by this fill, gross. order_id: whose
    fill it was. purpose: of that order.
    """

    symbol: str
    qty: int
    cost: int
    realized: int
    commission: int
    tax: int
    cash: int
    order_id: str
    side: Side
    price: int
    fill_qty: int
    purpose: Purpose


class EquityMarked(Event, frozen=True, gc=False, tag=E.EQUITY_MARKED.value):
    """Cash plus positions at last price, KRW."""

    equity: int
    cash: int
    unrealized: int


class RiskStateChanged(Event, frozen=True, gc=False, tag=E.RISK_STATE_CHANGED.value):
    """Trading was narrowed or widened. symbol: "" for the whole account."""

    symbol: str
    state: RiskState
    reason: str
    limit: int = 0
    value: int = 0


class Alert(Event, frozen=True, gc=False, tag=E.ALERT.value):
    """Something the trader should know. code: slug; action: what to do, or ""."""

    level: Level
    code: str
    text: str
    action: str = ""


class Heartbeat(Event, frozen=True, gc=False, tag=E.HEARTBEAT.value):
    """The session is alive. counts: by name, since its start."""

    counts: dict[str, int] = {}


class SessionStarted(Event, frozen=True, gc=False, tag=E.SESSION_STARTED.value):
    """First row of a journal: everything a report needs to know about how the session was set up."""

    session_id: str
    run_id: str
    version: str
    mode: str
    symbols: tuple[str, ...]
    strategy: str
    parameters: dict[str, str]
    seed: int
    source: str
    interval: int
    cash: int
    limits: dict[str, int | bool | str]
    assumptions: dict[str, int | str] = {}


class Terms(msgspec.Struct, frozen=True, gc=False):
    """What trading a symbol takes. tick: KRW at its last price; commission, and tax on sells: ppb of an amount."""

    tick: int
    commission_ppb: int
    tax_ppb: int


class SessionEnded(Event, frozen=True, gc=False, tag=E.SESSION_ENDED.value):
    """Last row of a journal. counts: by name. last: last price by symbol, KRW. timing: what may differ between runs.

    terms: by symbol, for the move that pays for a round trip.
    """

    outcome: Outcome
    reason: str
    counts: dict[str, int]
    last: dict[str, int]
    timing: dict[str, int | float | str]
    terms: dict[str, Terms] = {}


type_of = {
    cls.__struct_config__.tag: cls
    for cls in (
        Trade, Quote, Bar, PhaseChanged, PriceTouched, TickQuarantined, SymbolHalted, SymbolResumed, FeedLost,
        FeedRestored, Signal, StrategyFailed, SubmitOrder, CancelOrder, OrderApproved, OrderDenied, OrderSending,
        OrderAccepted, OrderRejected, OrderNotSent, OrderUnconfirmed, OrderAbandoned, OrderFilled, OrderCanceling,
        OrderCanceled, CancelRejected, OrderExpired, PositionChanged, EquityMarked, RiskStateChanged, Alert,
        Heartbeat, SessionStarted, SessionEnded ) }  # fmt: skip

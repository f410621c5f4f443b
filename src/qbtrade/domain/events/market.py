"""What happens at the venue, and what a strategy makes of it."""

from qbtrade.domain.calendar import Phase
from qbtrade.domain.message import Event, EventType
from qbtrade.domain.order import Side

E = EventType


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

"""Every message on the bus besides market data: commands in the imperative, facts in the past tense."""

from typing import Final

import qbtrade.domain.market  # noqa: F401 - market data are messages, too
from qbtrade.domain.events.market import (
    FeedLost,
    FeedRestored,
    PhaseChanged,
    PriceTouched,
    Signal,
    StrategyFailed,
    SymbolHalted,
    SymbolResumed,
    TickQuarantined,
)
from qbtrade.domain.events.orders import (
    AtRisk,
    CancelOrder,
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
    OrderResolved,
    OrderSending,
    OrderUnconfirmed,
    SubmitOrder,
)
from qbtrade.domain.events.session import (
    Alert,
    BookCorrected,
    EquityMarked,
    Heartbeat,
    Held,
    JournalLost,
    Jump,
    Leftover,
    Level,
    Outcome,
    PositionChanged,
    RiskState,
    RiskStateChanged,
    SessionEnded,
    SessionStarted,
    Terms,
)
from qbtrade.domain.message import Event

__all__ = [
    "Alert",
    "AtRisk",
    "BookCorrected",
    "CancelOrder",
    "CancelRejected",
    "Check",
    "EquityMarked",
    "FeedLost",
    "FeedRestored",
    "Heartbeat",
    "Held",
    "JournalLost",
    "Jump",
    "Leftover",
    "Level",
    "OrderAbandoned",
    "OrderAccepted",
    "OrderApproved",
    "OrderCanceled",
    "OrderCanceling",
    "OrderDenied",
    "OrderExpired",
    "OrderFilled",
    "OrderNotSent",
    "OrderRejected",
    "OrderResolved",
    "OrderSending",
    "OrderUnconfirmed",
    "Outcome",
    "PhaseChanged",
    "PositionChanged",
    "PriceTouched",
    "RiskState",
    "RiskStateChanged",
    "SessionEnded",
    "SessionStarted",
    "Signal",
    "StrategyFailed",
    "SubmitOrder",
    "SymbolHalted",
    "SymbolResumed",
    "Terms",
    "TickQuarantined",
    "type_of",
]

type_of: Final[dict[str, type[Event]]] = {
    str(cls.__struct_config__.tag): cls
    for cls in Event.__subclasses__()
    if cls.__module__.startswith("qbtrade.domain.")
}
"""Every message by the name that it has in the journal."""

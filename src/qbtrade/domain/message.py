"""What every message on the bus has: a type and a time."""

from enum import StrEnum

import msgspec

from qbtrade.errors import UnknownNameError


class EventType(StrEnum):
    """Names of all messages, as written in the journal and on the command line."""

    TRADE = "TRADE"
    QUOTE = "QUOTE"
    BAR = "BAR"
    PHASE_CHANGED = "PHASE_CHANGED"
    PRICE_TOUCHED = "PRICE_TOUCHED"
    TICK_QUARANTINED = "TICK_QUARANTINED"
    SYMBOL_HALTED = "SYMBOL_HALTED"
    SYMBOL_RESUMED = "SYMBOL_RESUMED"
    FEED_LOST = "FEED_LOST"
    FEED_RESTORED = "FEED_RESTORED"
    JOURNAL_LOST = "JOURNAL_LOST"
    SIGNAL = "SIGNAL"
    STRATEGY_FAILED = "STRATEGY_FAILED"
    SUBMIT_ORDER = "SUBMIT_ORDER"
    CANCEL_ORDER = "CANCEL_ORDER"
    ORDER_APPROVED = "ORDER_APPROVED"
    ORDER_DENIED = "ORDER_DENIED"
    ORDER_SENDING = "ORDER_SENDING"
    ORDER_ACCEPTED = "ORDER_ACCEPTED"
    ORDER_REJECTED = "ORDER_REJECTED"
    ORDER_NOT_SENT = "ORDER_NOT_SENT"
    ORDER_UNCONFIRMED = "ORDER_UNCONFIRMED"
    ORDER_ABANDONED = "ORDER_ABANDONED"
    ORDER_RESOLVED = "ORDER_RESOLVED"
    ORDER_FILLED = "ORDER_FILLED"
    ORDER_CANCELING = "ORDER_CANCELING"
    ORDER_CANCELED = "ORDER_CANCELED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    ORDER_EXPIRED = "ORDER_EXPIRED"
    POSITION_CHANGED = "POSITION_CHANGED"
    BOOK_CORRECTED = "BOOK_CORRECTED"
    EQUITY_MARKED = "EQUITY_MARKED"
    RISK_STATE_CHANGED = "RISK_STATE_CHANGED"
    ALERT = "ALERT"
    HEARTBEAT = "HEARTBEAT"
    SESSION_STARTED = "SESSION_STARTED"
    SESSION_ENDED = "SESSION_ENDED"

    @classmethod
    def parse(cls, text: str) -> "EventType":
        """Turn user text (`order-filled`, `ORDER_FILLED`) into a type. Raises: UnknownNameError."""
        name = text.strip().upper().replace("-", "_")
        if name not in cls.__members__:
            raise UnknownNameError("event type", text, cls.__members__)
        return cls[name]


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """Base of all messages. ts: UTC ns of market time at which it happened."""

    ts: int

"""Which rows an event of the journal becomes."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from qbtrade.adapters.store.postgres.copying import INTEGER, JSON, MOMENT, TEXT, TEXTS, json_cell
from qbtrade.domain.events import (
    Alert,
    BookCorrected,
    CancelRejected,
    EquityMarked,
    OrderAbandoned,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderCanceling,
    OrderDenied,
    OrderExpired,
    OrderNotSent,
    OrderRejected,
    OrderSending,
    OrderUnconfirmed,
    PositionChanged,
    SessionStarted,
    SubmitOrder,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderStatus

Cells = tuple[Any, ...]
Key = tuple[str, int, int, int]
"""run_id, seq, ts, at as on the wire."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_KEY: Final = {"run_id": TEXT, "seq": INTEGER, "ts": INTEGER, "at": MOMENT}
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "sessions": {
        "run_id": TEXT, "session_id": TEXT, "version": TEXT, "mode": TEXT, "account": TEXT, "symbols": TEXTS,
        "strategy": TEXT, "parameters": JSON, "limits": JSON, "assumptions": JSON, "seed": INTEGER, "source": TEXT,
        "interval_ns": INTEGER, "cash": INTEGER, "worth": INTEGER, "ts": INTEGER, "at": MOMENT, "held": JSON,
    },
    "intents": {
        **_KEY, "order_id": TEXT, "symbol": TEXT, "side": TEXT, "purpose": TEXT, "kind": TEXT, "tif": TEXT,
        "qty": INTEGER, "price": INTEGER, "lifetime_ns": INTEGER, "reference": INTEGER, "signal": TEXT,
        "repriced_from": TEXT,
    },
    "order_steps": {
        **_KEY, "order_id": TEXT, "status": TEXT, "broker_order_id": TEXT, "code": TEXT, "reason": TEXT,
        "qty": INTEGER,
    },
    "fills": {
        **_KEY, "order_id": TEXT, "symbol": TEXT, "side": TEXT, "purpose": TEXT, "qty": INTEGER, "price": INTEGER,
        "commission": INTEGER, "tax": INTEGER, "realized": INTEGER, "position": INTEGER, "cost": INTEGER,
        "cash": INTEGER,
    },
    "denials": {**_KEY, "order_id": TEXT, "symbol": TEXT, "reason": TEXT, "checks": JSON},
    "alerts": {**_KEY, "level": TEXT, "code": TEXT, "text": TEXT, "action": TEXT},
    "equity": {**_KEY, "equity": INTEGER, "cash": INTEGER, "unrealized": INTEGER},
    "corrections": {
        **_KEY, "what": TEXT, "symbol": TEXT, "ours": INTEGER, "theirs": INTEGER, "qty": INTEGER, "cost": INTEGER,
        "foreign_qty": INTEGER, "cash": INTEGER, "aside": INTEGER, "realized": INTEGER,
    },
}  # fmt: skip
"""The columns of each table and their types on the wire, in the order of what `rows` gives."""


def moment(ts: int) -> datetime:
    """The microsecond of a nanosecond."""
    return EPOCH + timedelta(microseconds=ts // 1000)


def _step(status: OrderStatus, *, holds_order: bool = False, told: tuple[str, ...] = ()) -> Callable[[Key, Any], Cells]:
    """What makes a step in the life of an order. told: which of broker_order_id, code, reason and qty the event has."""
    number, code, reason, qty = (name in told for name in ("broker_order_id", "code", "reason", "qty"))

    def cells(key: Key, event: Any) -> Cells:
        order_id = event.order.order_id if holds_order else event.order_id
        return (
            *key, order_id, status, event.broker_order_id if number else "", _text(event.code) if code else "",
            _text(event.reason) if reason else "", event.qty if qty else 0,
        )  # fmt: skip

    return cells


def _intent(key: Key, event: SubmitOrder) -> Cells:
    order = event.order
    return (
        *key, order.order_id, order.symbol, order.side, order.purpose, order.kind, order.tif, order.qty, order.price,
        order.lifetime, order.reference, _text(order.signal), order.repriced_from,
    )  # fmt: skip


def _fill(key: Key, event: PositionChanged) -> Cells:
    return (
        *key, event.order_id, event.symbol, event.side, event.purpose, event.fill_qty, event.price, event.commission,
        event.tax, event.realized, event.qty, event.cost, event.cash,
    )  # fmt: skip


def _denial(key: Key, event: OrderDenied) -> Cells:
    return *key, event.order_id, event.symbol, event.reason, _json(event.checks)


def _alert(key: Key, event: Alert) -> Cells:
    return *key, event.level, event.code, _text(event.text), _text(event.action)


def _mark(key: Key, event: EquityMarked) -> Cells:
    return *key, event.equity, event.cash, event.unrealized


def _correction(key: Key, event: BookCorrected) -> Cells:
    return (
        *key, event.what, event.symbol, event.ours, event.theirs, event.qty, event.cost, event.foreign, event.cash,
        event.aside, event.realized,
    )  # fmt: skip


def _session(key: Key, event: SessionStarted) -> Cells:
    run_id, _seq, ts, at = key
    return (
        run_id, event.session_id, event.version, event.mode, event.account, list(event.symbols), event.strategy,
        _json(event.parameters), _json(event.limits), _json(event.assumptions), event.seed, _text(event.source),
        event.interval, event.cash, event.worth, ts, at, _json(event.held),
    )  # fmt: skip


def _json(value: object) -> bytes:
    """As jsonb takes it, which knows every character but one."""
    text = msgspec.json.encode(value)
    return json_cell(_NUL.sub(rb"\1", text) if b"\\u0000" in text else text)


def _text(text: str) -> str:
    """Text as PostgreSQL takes it, which knows every character but this one."""
    return text.replace("\0", "")


_S = OrderStatus
_STEPS: Final[dict[type[Event], Callable[[Key, Any], Cells]]] = {
    OrderApproved: _step(_S.APPROVED, holds_order=True),
    OrderDenied: _step(_S.DENIED, told=("reason",)),
    OrderSending: _step(_S.SENDING, holds_order=True),
    OrderAccepted: _step(_S.WORKING, told=("broker_order_id",)),
    OrderRejected: _step(_S.REJECTED, told=("code", "reason")),
    OrderNotSent: _step(_S.NOT_SENT, told=("reason",)),
    OrderUnconfirmed: _step(_S.UNCONFIRMED, told=("reason",)),
    OrderAbandoned: _step(_S.ABANDONED, told=("reason",)),
    OrderCanceling: _step(_S.CANCELING, told=("reason",)),
    CancelRejected: _step(_S.WORKING, told=("reason",)),
    OrderCanceled: _step(_S.CANCELED, told=("reason", "qty")),
    OrderExpired: _step(_S.EXPIRED, told=("qty",)),
}
BECOMES: Final[dict[type[Event], tuple[tuple[str, Callable[[Key, Any], Cells]], ...]]] = {
    **{cls: (("order_steps", step),) for cls, step in _STEPS.items()},
    OrderDenied: (("order_steps", _STEPS[OrderDenied]), ("denials", _denial)),
    SessionStarted: (("sessions", _session),),
    SubmitOrder: (("intents", _intent),),
    PositionChanged: (("fills", _fill),),
    Alert: (("alerts", _alert),),
    EquityMarked: (("equity", _mark),),
    BookCorrected: (("corrections", _correction),),
}
"""Table and cells of each row that an event becomes; most become none."""

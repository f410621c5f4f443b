"""Which rows an event of the journal becomes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

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

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS: Final = {
    "sessions": "run_id, session_id, version, mode, account, symbols, strategy, parameters, limits, assumptions, seed,"
    " source, interval_ns, cash, worth, ts, at, held",
    "intents": "run_id, seq, ts, at, order_id, symbol, side, purpose, kind, tif, qty, price, lifetime_ns, reference,"
    " signal, repriced_from",
    "order_steps": "run_id, seq, ts, at, order_id, status, broker_order_id, code, reason, qty",
    "fills": "run_id, seq, ts, at, order_id, symbol, side, purpose, qty, price, commission, tax, realized, position,"
    " cost, cash",
    "denials": "run_id, seq, ts, at, order_id, symbol, reason, checks",
    "alerts": "run_id, seq, ts, at, level, code, text, action",
    "equity": "run_id, seq, ts, at, equity, cash, unrealized",
    "corrections": "run_id, seq, ts, at, what, symbol, ours, theirs, qty, cost, foreign_qty, cash, aside, realized",
}
"""The columns of each table, in the order of what `rows` gives; sessions first, since others refer to them."""
_STATUS: Final[dict[type[Event], OrderStatus]] = {
    OrderApproved: OrderStatus.APPROVED,
    OrderDenied: OrderStatus.DENIED,
    OrderSending: OrderStatus.SENDING,
    OrderAccepted: OrderStatus.WORKING,
    OrderRejected: OrderStatus.REJECTED,
    OrderNotSent: OrderStatus.NOT_SENT,
    OrderUnconfirmed: OrderStatus.UNCONFIRMED,
    OrderAbandoned: OrderStatus.ABANDONED,
    OrderCanceling: OrderStatus.CANCELING,
    CancelRejected: OrderStatus.WORKING,
    OrderCanceled: OrderStatus.CANCELED,
    OrderExpired: OrderStatus.EXPIRED,
}


def moment(ts: int) -> datetime:
    """The microsecond of a nanosecond."""
    return EPOCH + timedelta(microseconds=ts // 1000)


def rows(run_id: str, seq: int, event: Event) -> Iterator[tuple[str, Cells]]:
    """Table and cells of each row that an event becomes; none for most."""
    key = (run_id, seq, event.ts, moment(event.ts))
    if event.__class__ in _STATUS:
        yield "order_steps", (*key, *_step(event))
    match event:
        case SessionStarted():
            yield "sessions", _session(run_id, event)
        case SubmitOrder(order=order):
            yield (
                "intents",
                (
                    *key, order.order_id, order.symbol, order.side.value, order.purpose.value, order.kind.value,
                    order.tif.value, order.qty, order.price, order.lifetime, order.reference, _text(order.signal),
                    order.repriced_from,
                ),
            )  # fmt: skip
        case PositionChanged():
            yield (
                "fills",
                (
                    *key, event.order_id, event.symbol, event.side.value, event.purpose.value, event.fill_qty,
                    event.price, event.commission, event.tax, event.realized, event.qty, event.cost, event.cash,
                ),
            )  # fmt: skip
        case OrderDenied():
            yield "denials", (*key, event.order_id, event.symbol, event.reason, _json(event.checks))
        case Alert():
            yield "alerts", (*key, event.level.value, event.code, _text(event.text), _text(event.action))
        case EquityMarked():
            yield "equity", (*key, event.equity, event.cash, event.unrealized)
        case BookCorrected():
            yield (
                "corrections",
                (
                    *key, event.what, event.symbol, event.ours, event.theirs, event.qty, event.cost, event.foreign,
                    event.cash, event.aside, event.realized,
                ),
            )  # fmt: skip
        case _:
            pass


def _step(event: Any) -> Cells:
    order_id = event.order.order_id if hasattr(event, "order") else event.order_id
    told = (getattr(event, name, "") for name in ("broker_order_id", "code", "reason"))
    return order_id, _STATUS[event.__class__].value, *map(_text, told), getattr(event, "qty", 0)


def _session(run_id: str, event: SessionStarted) -> Cells:
    return (
        run_id, event.session_id, event.version, event.mode, event.account, list(event.symbols), event.strategy,
        _json(event.parameters), _json(event.limits), _json(event.assumptions), event.seed, _text(event.source),
        event.interval, event.cash, event.worth, event.ts, moment(event.ts),
        _json(event.held),
    )  # fmt: skip


def _json(value: object) -> str:
    return _text(msgspec.json.encode(value).decode())


def _text(text: str) -> str:
    """Text as PostgreSQL takes it, which knows every character but this one."""
    return text.replace("\0", "").replace("\\u0000", "")

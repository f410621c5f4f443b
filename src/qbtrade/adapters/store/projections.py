"""Tables that say how things stand: folded from the events, in the transaction that writes them.

The events are the truth. Whoever distrusts a table folds the events anew, as `differing` does.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any, Final

import msgspec

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderStatus

S = OrderStatus
TABLES: Final = ("account", "position", "orders", "intent", "fill")
SCHEMA: Final = """
CREATE TABLE account (
    one INTEGER PRIMARY KEY CHECK (one = 1), account TEXT NOT NULL, configuration TEXT NOT NULL, cash INTEGER NOT NULL
) STRICT;
CREATE TABLE position (symbol TEXT PRIMARY KEY, qty INTEGER NOT NULL, cost INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY, status TEXT NOT NULL, number TEXT NOT NULL,
    qty INTEGER NOT NULL, filled INTEGER NOT NULL, amount INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE intent (
    order_id TEXT PRIMARY KEY, seq INTEGER, ts INTEGER, account TEXT, configuration TEXT,
    symbol TEXT NOT NULL, side TEXT NOT NULL, qty INTEGER NOT NULL, price INTEGER NOT NULL, kind TEXT NOT NULL,
    purpose TEXT NOT NULL, reason TEXT NOT NULL, cash INTEGER, committed INTEGER, unconfirmed INTEGER, loss INTEGER,
    left TEXT NOT NULL, after TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE fill (
    seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, order_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL,
    price INTEGER NOT NULL, qty INTEGER NOT NULL
) STRICT;
"""
"""intent: one row for each approved order; seq, ts and after are of the row that allows its request, NULL before it.

left: by rule, how far from its limit the order was. No table says what other stores are owed: that is every row behind
the number that they keep themselves, in the transaction that writes what they were told.
"""

Change = tuple[str, tuple[Any, ...]]
_HELD: Final = "INSERT OR REPLACE INTO position VALUES (?, ?, ?)"
_STATUS: Final = "UPDATE orders SET status = ? WHERE order_id = ?"
_INTENT: Final = """
INSERT OR REPLACE INTO intent SELECT ?, NULL, NULL, account, configuration, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL
FROM (SELECT 1) LEFT JOIN account
"""
_ACCEPTED: Final = """
UPDATE orders SET number = ?, status = CASE
    WHEN status IN ('SENDING', 'UNCONFIRMED', 'ABANDONED') THEN 'WORKING' ELSE status END
WHERE order_id = ?
"""
_FILLED: Final = """
UPDATE orders SET filled = filled + ?1, amount = amount + ?1 * ?2, status = CASE
    WHEN filled + ?1 = qty THEN 'FILLED'
    WHEN status IN ('CANCELING', 'CANCELED', 'EXPIRED') THEN status
    ELSE 'PARTLY_FILLED' END
WHERE order_id = ?3
"""
_STANDS: Final = """
UPDATE orders SET status = CASE WHEN filled THEN 'PARTLY_FILLED' ELSE 'WORKING' END
WHERE order_id = ? AND status = 'CANCELING'
"""


def project(connection: sqlite3.Connection, first: int, events: Iterable[Event]) -> None:
    """Bring the tables up to date. first: number of the first of these rows."""
    for seq, event in enumerate(events, first):
        fold = _FOLDS.get(event.__class__)
        if fold is not None:
            for statement, values in fold(seq, event):
                connection.execute(statement, values)


def folded(events: Iterable[Event]) -> dict[str, list[tuple[Any, ...]]]:
    """Every table as these events make it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(SCHEMA)
        project(connection, 1, events)
        return tables(connection)


def tables(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every table as it stands, rows by their keys."""
    return {name: list(connection.execute(f"SELECT * FROM {name} ORDER BY 1")) for name in TABLES}  # noqa: S608 (our own names)


def differing(connection: sqlite3.Connection, events: Iterable[Event]) -> str:
    """The first row that is not what the events make of it, as "table key"; "" when there is none."""
    found = tables(connection)
    for name, rows in folded(events).items():
        changed = set(rows) ^ set(found[name])
        if changed:
            return f"{name} {min(str(row[0]) for row in changed)}"
    return ""


def _started(_seq: int, event: ev.SessionStarted) -> Iterator[Change]:
    yield "INSERT OR REPLACE INTO account VALUES (1, ?, ?, ?)", (event.account, event.configuration, event.cash)
    for symbol, held in (event.held | event.elsewhere).items():
        yield _HELD, (symbol, held.qty, held.cost)


def _submitted(_seq: int, event: ev.SubmitOrder) -> Iterator[Change]:
    yield "INSERT OR REPLACE INTO orders VALUES (?, ?, '', ?, 0, 0)", (event.order.order_id, S.NEW, event.order.qty)


def _approved(_seq: int, event: ev.OrderApproved) -> Iterator[Change]:
    order, seen = event.order, event.at_risk
    risk = (seen.cash, seen.committed, seen.unconfirmed, seen.loss) if seen else (None,) * 4
    left = msgspec.json.encode({check.rule: check.distance for check in event.checks}).decode()
    request = (order.order_id, order.symbol, order.side, order.qty, order.price, order.kind)
    yield _INTENT, (*request, order.purpose, order.signal, *risk, left)
    yield _STATUS, (S.APPROVED, order.order_id)


def _sending(seq: int, event: ev.OrderSending) -> Iterator[Change]:
    order_id = event.order.order_id
    yield "UPDATE intent SET seq = ?, ts = ?, after = ? WHERE order_id = ?", (seq, event.ts, event.after, order_id)
    yield _STATUS, (S.SENDING, order_id)


def _accepted(_seq: int, event: ev.OrderAccepted) -> Iterator[Change]:
    yield _ACCEPTED, (event.broker_order_id, event.order_id)


def _filled(seq: int, event: ev.OrderFilled) -> Iterator[Change]:
    row = (seq, event.ts, event.order_id, event.symbol, event.side, event.price, event.qty)
    yield "INSERT INTO fill VALUES (?, ?, ?, ?, ?, ?, ?)", row
    yield _FILLED, (event.qty, event.price, event.order_id)


def _stands(_seq: int, event: ev.CancelRejected) -> Iterator[Change]:
    yield _STANDS, (event.order_id,)


def _booked(_seq: int, event: ev.PositionChanged | ev.BookCorrected) -> Iterator[Change]:
    if event.qty and event.symbol:
        yield _HELD, (event.symbol, event.qty, event.cost)
    else:
        yield "DELETE FROM position WHERE symbol = ?", (event.symbol,)
    yield "UPDATE account SET cash = ?", (event.cash,)


def _became(status: OrderStatus) -> Callable[[int, Any], Iterator[Change]]:
    def fold(_seq: int, event: Any) -> Iterator[Change]:
        yield _STATUS, (status, event.order_id)

    return fold


_FOLDS: Final[dict[type[Event], Callable[[int, Any], Iterator[Change]]]] = {
    ev.SessionStarted: _started,
    ev.SubmitOrder: _submitted,
    ev.OrderDenied: _became(S.DENIED),
    ev.OrderApproved: _approved,
    ev.OrderSending: _sending,
    ev.OrderNotSent: _became(S.NOT_SENT),
    ev.OrderAccepted: _accepted,
    ev.OrderRejected: _became(S.REJECTED),
    ev.OrderUnconfirmed: _became(S.UNCONFIRMED),
    ev.OrderAbandoned: _became(S.ABANDONED),
    ev.OrderFilled: _filled,
    ev.OrderCanceling: _became(S.CANCELING),
    ev.OrderCanceled: _became(S.CANCELED),
    ev.CancelRejected: _stands,
    ev.OrderExpired: _became(S.EXPIRED),
    ev.PositionChanged: _booked,
    ev.BookCorrected: _booked,
}

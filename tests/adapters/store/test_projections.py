"""Tables beside the events of a live session: changed in the same transaction, saying only what events say."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from qbtrade.adapters.store.projections import TABLES, folded
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.adapters.store.verify import verify
from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import IllegalMoveError, Order, OrderStatus, Purpose, Side
from qbtrade.errors import FileError
from tests.builders import SAMSUNG, an_order
from tests.recordings import a_traded_day

DAY = a_traded_day().events
HYNIX = "000660"
STARTED = ev.SessionStarted(
    1, "id", "run", "1", "paper", (SAMSUNG,), "s", {}, 0, "", 1, 1_000_000, {}, account="mine", configuration="c0ffee",
    held={SAMSUNG: ev.Held(3, 210_000, 70_000)}, elsewhere={HYNIX: ev.Held(1, 180_000, 180_000)},
)  # fmt: skip
CHECKS = (ev.Check("budget", 100, 75, 25, "KRW", passed=True), ev.Check("cash", 0, 9, 9, "KRW", passed=True))
ORDER = an_order("Q1", qty=5, price=75_000)
INTENT: list[Event] = [
    ev.SubmitOrder(2, ORDER), ev.OrderApproved(3, ORDER, CHECKS, ev.AtRisk(1_000_000, 375_000, 1, 500)),
    ev.OrderSending(4, ORDER, "0000000123"),
]  # fmt: skip
BOOKED = ev.PositionChanged(6, SAMSUNG, 0, 0, 0, 10, 0, 999_990, "Q1", Side.SELL, 75_000, 3, Purpose.EXIT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite3"


def kept(path: Path, *batches: list[Event]) -> Path:
    journal = SqliteJournal(path, is_live=True)
    for batch in batches:
        journal.append(batch, durable=True)
    journal.close()
    return path


def rows(path: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]


def test_an_intent_is_one_row_with_all_that_was_known_when_it_was_written(path: Path) -> None:
    (intent,) = rows(kept(path, [STARTED], INTENT), "intent")
    assert intent == {
        "order_id": "Q1", "seq": 4, "ts": 4, "account": "mine", "configuration": "c0ffee", "symbol": SAMSUNG,
        "side": "BUY", "qty": 5, "price": 75_000, "kind": "LIMIT", "purpose": "ENTRY", "reason": ORDER.signal,
        "cash": 1_000_000, "committed": 375_000, "unconfirmed": 1, "loss": 500, "left": '{"budget":25,"cash":9}',
        "after": "0000000123",
    }  # fmt: skip


def test_an_order_that_was_approved_and_never_sent_has_no_intent_on_disk(path: Path) -> None:
    (intent,) = rows(kept(path, [STARTED, *INTENT[:2]]), "intent")
    assert (intent["seq"], intent["ts"], intent["after"]) == (None, None, None)


def test_cash_and_shares_are_those_of_the_start_and_of_each_booking(path: Path) -> None:
    kept(path, [STARTED], [BOOKED])
    assert rows(path, "account") == [{"one": 1, "account": "mine", "configuration": "c0ffee", "cash": 999_990}]
    assert rows(path, "position") == [{"symbol": HYNIX, "qty": 1, "cost": 180_000}]


def test_a_correction_of_the_book_changes_cash_and_shares_as_it_says(path: Path) -> None:
    shares = ev.BookCorrected(7, "shares-gone", SAMSUNG, 3, 2, (5, 6), 2, 140_000, 0, 999_000, 0)
    cash = ev.BookCorrected(8, "cash", "", 999_000, 998_000, (5, 6), 0, 0, 0, 998_000, 0)
    kept(path, [STARTED, shares], [cash])
    assert [(row["symbol"], row["qty"], row["cost"]) for row in rows(path, "position")] == [
        (HYNIX, 1, 180_000), (SAMSUNG, 2, 140_000),
    ]  # fmt: skip
    assert rows(path, "account")[0]["cash"] == 998_000


def test_fills_are_added_to_their_order_and_kept_one_by_one(path: Path) -> None:
    fills: list[Event] = [
        ev.OrderFilled(5, "Q1", SAMSUNG, Side.BUY, price, qty) for price, qty in ((74_900, 2), (75_000, 3))
    ]
    kept(path, [STARTED, *INTENT], fills)
    assert rows(path, "orders") == [
        {"order_id": "Q1", "status": "FILLED", "number": "", "qty": 5, "filled": 5, "amount": 2 * 74_900 + 3 * 75_000}
    ]
    assert [(row["seq"], row["price"], row["qty"]) for row in rows(path, "fill")] == [(5, 74_900, 2), (6, 75_000, 3)]


def test_the_order_of_batches_makes_no_difference(tmp_path: Path) -> None:
    one_by_one, at_once = kept(tmp_path / "a.sqlite3", *([event] for event in DAY)), kept(tmp_path / "b.sqlite3", DAY)
    for table in TABLES:
        assert rows(one_by_one, table) == rows(at_once, table)
    assert rows(at_once, "fill")


S = OrderStatus
MOVES: dict[OrderStatus, Event] = {
    S.WORKING: ev.OrderAccepted(5, "Q1", "77"), S.REJECTED: ev.OrderRejected(5, "Q1", "c", "r"),
    S.NOT_SENT: ev.OrderNotSent(5, "Q1", "r"), S.UNCONFIRMED: ev.OrderUnconfirmed(5, "Q1", "r"),
    S.ABANDONED: ev.OrderAbandoned(5, "Q1", "r"), S.CANCELING: ev.OrderCanceling(5, "Q1", "r"),
    S.CANCELED: ev.OrderCanceled(5, "Q1", 1, "r"), S.EXPIRED: ev.OrderExpired(5, "Q1", 1),
}  # fmt: skip


def filled(qty: int) -> Event:
    return ev.OrderFilled(5, "Q1", SAMSUNG, Side.BUY, 1, qty)


def moved(order: Order, event: Event) -> Order:
    """The order after one more event, as the order engine moves it. Raises: IllegalMoveError."""
    after = Order(order.request, 0)
    after.status, after.filled_qty, after.filled_amount = order.status, order.filled_qty, order.filled_amount
    status = next((status for status, each in MOVES.items() if each == event), None)
    if isinstance(event, ev.OrderFilled):
        after.fill(event.price, event.qty)
    elif status is S.WORKING and order.status is S.CANCELING:
        pass  # the answer was late: the cancel is under way already
    elif status is not None:
        after.move(status)
    return after


def lives(order: Order, length: int) -> Iterator[tuple[list[Event], Order]]:
    """Every legal life of so many events, and what it makes of the order."""
    if not length:
        yield [], order
        return
    for event in (*MOVES.values(), filled(1), filled(order.remaining)):
        with suppress(IllegalMoveError):
            for rest, end in lives(moved(order, event), length - 1):
                yield [event, *rest], end


def test_an_order_has_the_state_that_the_order_engine_gives_it_after_every_legal_life() -> None:
    start = Order(ORDER, 0)
    start.status = S.SENDING
    all_of_them = [life for length in range(1, 5) for life in lives(start, length)]
    assert len(all_of_them) > 200
    for life, order in all_of_them:
        ((_, status, _, _, qty, amount),) = folded([*INTENT, *life])["orders"]
        assert (status, qty, amount) == (order.status, order.filled_qty, order.filled_amount), life


def test_a_refused_cancel_leaves_the_order_as_it_was() -> None:
    refused: list[Event] = [MOVES[S.CANCELING], ev.CancelRejected(6, "Q1", "r")]
    fill = ev.OrderFilled(5, "Q1", SAMSUNG, Side.BUY, 1, 1)
    assert folded([*INTENT, MOVES[S.WORKING], *refused])["orders"][0][1] == "WORKING"
    assert folded([*INTENT, MOVES[S.WORKING], fill, *refused])["orders"][0][1] == "PARTLY_FILLED"
    assert folded([*INTENT, MOVES[S.CANCELED], refused[1]])["orders"][0][1] == "CANCELED"


def test_an_order_that_was_denied_is_no_intent(path: Path) -> None:
    kept(path, [STARTED, INTENT[0], ev.OrderDenied(3, "Q1", SAMSUNG, "budget", CHECKS)])
    assert rows(path, "orders")[0]["status"] == "DENIED"
    assert rows(path, "intent") == []


def test_a_rehearsal_keeps_no_tables(path: Path) -> None:
    SqliteJournal(path).close()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        rows(path, "intent")
    assert not verify(path).is_folded


def test_tables_that_follow_from_the_events_are_sound(path: Path) -> None:
    assert verify(kept(path, DAY[:40], DAY[40:])).is_folded


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE account SET cash = cash + 1", "account 1"),
        ("UPDATE orders SET filled = filled + 1 WHERE order_id = 'Q1'", "orders Q1"),
        ("DELETE FROM intent WHERE order_id = 'Q1'", "intent Q1"),
        ("UPDATE intent SET qty = qty + 1 WHERE order_id = 'Q1'", "intent Q1"),
        ("INSERT INTO position VALUES ('000660', 1, 1)", "position 000660"),
        ("UPDATE fill SET price = price + 100 WHERE order_id = 'Q1'", "fill "),
    ],
)
def test_a_table_that_says_something_else_is_named(path: Path, statement: str, named: str) -> None:
    kept(path, DAY)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(FileError, match=f"the table row {named}"):
        verify(path)


def test_what_is_not_written_changes_no_table(path: Path) -> None:
    journal = SqliteJournal(path, is_live=True)
    journal.append([STARTED], durable=True)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
        other.commit()
        with pytest.raises(Exception, match="the disk is full"):
            journal.append(INTENT, durable=True)
        assert rows(path, "intent") == rows(path, "orders") == []
        other.execute("DROP TRIGGER full")
        other.execute("CREATE TRIGGER full BEFORE INSERT ON intent BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
        other.commit()
        with pytest.raises(Exception, match="the disk is full"):
            journal.append(INTENT, durable=True)
        assert rows(path, "orders") == []
        other.execute("DROP TRIGGER full")
        other.commit()
    journal.append(INTENT, durable=True)
    journal.close()
    assert (verify(path).rows, rows(path, "intent")[0]["seq"]) == (4, 4)

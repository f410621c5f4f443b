"""What a person may say of a lost order: that it is gone, where rows tell that its twin is somebody else's."""

from datetime import time

import pytest
from msgspec.structs import replace

from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow, Sender
from qbtrade.adapters.kis.search import whether_by_hand
from qbtrade.app.live.known_orders import Known, KnownOrder, known_among, row_of, strangers
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import NS
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderStatus, Side
from qbtrade.errors import LockedError, UsageError
from tests.adapters.kis.desk import an_environment
from tests.builders import SAMSUNG, an_order, at
from tests.kis_venue import DAY

ENVIRONMENT = an_environment("real")
BY_QB, BY_HAND, NOBODY = Sender("OPENAPI", "10.0.0.1"), Sender("HTS", "10.0.0.2"), Sender()
LOST = KnownOrder("Q1", an_order("Q1", qty=5, price=75_000), at("10:00", DAY), 0, OrderStatus.UNCONFIRMED)
TWIN = OrderRow(
    day=DAY, at=time(10), branch="", order_no="7", original_no="", symbol=SAMSUNG, side=Side.BUY, code="00", qty=5,
    price=75_000, filled_qty=0, filled_amount=0, open_qty=5, canceled_qty=0, rejected_qty=0, sender=BY_HAND,
)  # fmt: skip
EARLIER = replace(TWIN, order_no="3", qty=9, sender=BY_QB)


def set_aside(*rows: OrderRow, answered: str = "") -> list[str]:
    known = Known({"Q1": LOST}, frozenset({"3", "4"}), frozenset(answered))
    return [trace.number for trace in strangers(known, LOST, OrderHistory(rows, 0, 0, 0), ENVIRONMENT)]


def test_rows_of_orders_of_earlier_sessions_tell_that_a_twin_is_somebody_elses() -> None:
    assert set_aside(EARLIER, TWIN) == ["7"]


def test_a_twin_may_be_ours_where_no_row_tells_who_makes_our_orders() -> None:
    with pytest.raises(LockedError):
        set_aside(TWIN)


def test_of_a_twin_that_may_be_ours_a_person_may_say_that_it_is_not() -> None:
    known, history = Known({"Q1": LOST}, frozenset({"3"})), OrderHistory((TWIN, replace(TWIN, order_no="8")), 0, 0, 0)
    said = strangers(known, LOST, history, ENVIRONMENT, ["7", "8"])
    assert [trace.number for trace in said] == ["7", "8"]
    with pytest.raises(LockedError, match="order 8"):
        strangers(known, LOST, history, ENVIRONMENT, ["7"])
    with pytest.raises(UsageError, match="order 3 does not look like order Q1"):
        strangers(known, LOST, history, ENVIRONMENT, ["3", "7", "8"])


def beside_a_find(*asked: str, before: Sender = NOBODY, answered: str = "") -> list[str]:
    """What is set aside by a session that found number 3, and asked this of a person.

    before: who made number 4, which an earlier session knew. answered: numbers that KIS itself named to that one.
    """
    now, rows = LOST.sent_at, list[Event]()
    for order in (LOST.request, an_order("Q2", qty=9)):
        rows += [ev.SubmitOrder(now, order), ev.OrderApproved(now, order, ()), ev.OrderSending(now, order)]
        rows += [ev.OrderUnconfirmed(now + NS, order.order_id, "timed out")]
    rows += [ev.OrderAccepted(now, "Q2", "3")]
    rows += [ev.Alert(now, ev.Level.CRITICAL, "perhaps-by-hand", text) for text in asked]
    told = (EARLIER, replace(EARLIER, order_no="4", sender=before), TWIN)
    known, history = known_among(rows), OrderHistory(told, 0, 0, 0)
    known.settled, known.answered = frozenset("4"), frozenset(answered)
    return [trace.number for trace in strangers(known, known.orders["Q1"], history, ENVIRONMENT)]


def test_an_order_that_was_found_tells_who_makes_ours_where_the_session_asked_about_the_twin() -> None:
    assert beside_a_find(whether_by_hand("7", "Q1")) == ["7"]


@pytest.mark.parametrize("asked", [(), (whether_by_hand("8", "Q1"),), (whether_by_hand("7", "Q2"),)])
def test_an_order_that_was_found_may_be_anothers_and_tells_nothing_of_what_nobody_asked(asked: tuple[str, ...]) -> None:
    with pytest.raises(LockedError):
        beside_a_find(*asked)


def test_what_the_session_asked_may_be_answered_whatever_an_earlier_one_found_by_its_looks() -> None:
    assert beside_a_find(whether_by_hand("7", "Q1"), before=BY_HAND) == ["7"]
    with pytest.raises(LockedError):
        beside_a_find(before=BY_HAND)


def test_a_twin_is_ours_whatever_was_asked_where_kis_itself_named_an_order_that_looks_so() -> None:
    with pytest.raises(LockedError):
        beside_a_find(whether_by_hand("7", "Q1"), before=BY_HAND, answered="4")


def test_a_twin_may_be_ours_where_rows_of_ours_are_not_alike() -> None:
    with pytest.raises(LockedError):
        set_aside(EARLIER, replace(EARLIER, order_no="4", sender=BY_HAND), TWIN)


def test_rows_of_ours_that_are_not_alike_are_measured_by_those_that_kis_itself_named() -> None:
    assert set_aside(EARLIER, replace(EARLIER, order_no="4", sender=BY_HAND), TWIN, answered="3") == ["7"]


def test_a_twin_that_kis_had_numbered_before_the_lost_order_left_is_not_ours() -> None:
    lost, earlier = replace(LOST, after="7"), replace(TWIN, at=time(9, 59, 58))
    known, history = Known({"Q1": lost}, frozenset()), OrderHistory((earlier,), 0, 0, 0)
    assert [trace.number for trace in strangers(known, lost, history, ENVIRONMENT)] == ["7"]
    assert row_of(known, lost, "7", history) == earlier  # unless somebody says so: that numbers grow is not certain

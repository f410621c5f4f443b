"""What a person may say of a lost order: that it is gone, where rows tell that its twin is somebody else's."""

from datetime import time

import pytest
from msgspec.structs import replace

from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow, Sender
from qbtrade.app.live.known_orders import Known, KnownOrder, row_of, strangers
from qbtrade.domain.order import OrderStatus, Side
from qbtrade.errors import LockedError
from tests.adapters.kis.desk import an_environment
from tests.builders import SAMSUNG, an_order, at
from tests.kis_venue import DAY

ENVIRONMENT = an_environment("real")
BY_QB, BY_HAND = Sender("OPENAPI", "10.0.0.1"), Sender("HTS", "10.0.0.2")
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


def test_an_order_that_was_found_tells_who_makes_ours_where_nothing_else_does() -> None:
    known = Known({"Q1": LOST, "Q2": replace(LOST, order_id="Q2", number="3")}, frozenset())
    history = OrderHistory((EARLIER, TWIN), 0, 0, 0)
    assert [trace.number for trace in strangers(known, LOST, history, ENVIRONMENT)] == ["7"]


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

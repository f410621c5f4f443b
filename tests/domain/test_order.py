from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.order import NEXT, TERMINAL, IllegalMoveError, Order, OrderStatus
from tests.builders import an_order

S = OrderStatus
LEGAL = """
NEW            DENIED APPROVED
DENIED
APPROVED       SENDING
SENDING        WORKING REJECTED NOT_SENT UNCONFIRMED PARTLY_FILLED FILLED
WORKING        PARTLY_FILLED FILLED CANCELING CANCELED EXPIRED REJECTED
REJECTED
NOT_SENT
UNCONFIRMED    WORKING REJECTED ABANDONED PARTLY_FILLED FILLED
ABANDONED      WORKING PARTLY_FILLED FILLED
PARTLY_FILLED  PARTLY_FILLED FILLED CANCELING CANCELED EXPIRED
FILLED
CANCELING      WORKING PARTLY_FILLED CANCELING FILLED CANCELED EXPIRED REJECTED
CANCELED       CANCELED FILLED
EXPIRED        EXPIRED FILLED
"""
TABLE = {line.split()[0]: line.split()[1:] for line in LEGAL.strip().splitlines()}
FILLABLE = {S.SENDING, S.WORKING, S.UNCONFIRMED, S.ABANDONED, S.PARTLY_FILLED, S.CANCELING, S.CANCELED, S.EXPIRED}


def order_in(status: OrderStatus, qty: int = 10) -> Order:
    order = Order(an_order("Q1", qty=qty), ts=5)
    order.status = status
    return order


@pytest.mark.parametrize(("old", "new"), list(product(S, S)))
def test_an_order_moves_only_as_the_table_says(old: OrderStatus, new: OrderStatus) -> None:
    order = order_in(old)
    if new.value in TABLE[old.value]:
        order.move(new)
        assert order.status is new
    else:
        with pytest.raises(IllegalMoveError, match=f"order Q1: {old} -> {new}"):
            order.move(new)
        assert order.status is old


def test_the_table_knows_every_state() -> None:
    assert set(NEXT) == set(S)
    assert {S(name) for name in TABLE} == set(S)


def test_an_ended_order_moves_only_by_a_fill_that_comes_late_or_an_order_that_turns_up() -> None:
    revived = {status for status in TERMINAL if NEXT[status]}
    assert revived == {S.CANCELED, S.ABANDONED, S.EXPIRED}
    assert {status for status in S if not NEXT[status]} <= TERMINAL


@pytest.mark.parametrize("status", S)
def test_an_order_is_open_until_it_has_ended(status: OrderStatus) -> None:
    assert order_in(status).is_open == (status not in TERMINAL)


@pytest.mark.parametrize("status", S)
def test_only_an_order_that_may_be_at_the_venue_fills(status: OrderStatus) -> None:
    for qty in (4, 10):
        order = order_in(status)
        if status in FILLABLE:
            order.fill(69_900, qty)
            assert (order.filled_qty, order.filled_amount, order.remaining) == (qty, 69_900 * qty, 10 - qty)
        else:
            with pytest.raises(IllegalMoveError):
                order.fill(69_900, qty)
            assert (order.status, order.filled_qty, order.filled_amount) == (status, 0, 0)


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (S.SENDING, S.PARTLY_FILLED),
        (S.WORKING, S.PARTLY_FILLED),
        (S.UNCONFIRMED, S.PARTLY_FILLED),
        (S.ABANDONED, S.PARTLY_FILLED),
        (S.CANCELING, S.CANCELING),
        (S.CANCELED, S.CANCELED),
        (S.EXPIRED, S.EXPIRED),
    ],
)
def test_a_part_that_fills_leaves_a_cancel_on_its_way(status: OrderStatus, after: OrderStatus) -> None:
    order = order_in(status)
    order.fill(70_000, 9)
    assert order.status is after
    order.fill(70_000, 1)
    assert order.status is S.FILLED


@pytest.mark.parametrize("qty", [0, -1, 7])
def test_a_fill_beyond_what_remains_is_refused(qty: int) -> None:
    order = order_in(S.WORKING)
    order.fill(70_000, 4)
    with pytest.raises(IllegalMoveError, match=f"fill of {qty} with 6 remaining"):
        order.fill(70_000, qty)
    assert (order.status, order.filled_qty) == (S.PARTLY_FILLED, 4)


MOVES = st.one_of(st.sampled_from(S), st.tuples(st.integers(1, 100_000), st.integers(-1, 12)))


@given(st.lists(MOVES, max_size=30), st.integers(1, 10))
def test_no_sequence_of_events_leaves_the_table_or_fills_too_much(
    events: list[OrderStatus | tuple[int, int]], ordered: int
) -> None:
    order = order_in(S.NEW, ordered)
    for event in events:
        before = (order.status, order.filled_qty, order.filled_amount)
        try:
            if isinstance(event, OrderStatus):
                order.move(event)
            else:
                order.fill(*event)
        except IllegalMoveError:
            assert before == (order.status, order.filled_qty, order.filled_amount)
        else:
            assert order.status.value in TABLE[before[0].value]
        assert 0 <= order.filled_qty <= ordered
        assert order.remaining == ordered - order.filled_qty

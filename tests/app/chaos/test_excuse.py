"""Which order may work on after a session's end: the one that qb named and whose number nobody told."""

from datetime import date
from typing import Any

import msgspec
import pytest

from qbtrade.adapters.emulator.orders import Entry, Ticket
from qbtrade.app.chaos.excuse import either, parts, shared, strays, unexcused
from qbtrade.domain.events import Alert, Level, OrderAbandoned, OrderAccepted, OrderSending
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from tests.builders import SAMSUNG, an_order

ENTRY = Entry(1007, Ticket(SAMSUNG, Side.BUY, "00", 5, 75_000), 0, date(2026, 11, 20), 75_000)
SENT = OrderSending(0, an_order("Q1", qty=5, price=75_000))
TOLD = Alert(0, Level.CRITICAL, "order-left", "order Q1 is left: buy 5 of 005930, unconfirmed")


def test_an_order_that_was_named_and_whose_number_was_never_told_is_excused() -> None:
    assert unexcused([ENTRY], [SENT, TOLD]) == []


@pytest.mark.parametrize(
    "journal",
    [
        [SENT],
        [TOLD],
        [SENT, OrderAccepted(0, "Q1", "1007"), TOLD],
        [SENT, msgspec.structs.replace(TOLD, text="order Q2 is left: buy 5 of 005930, unconfirmed")],
        [SENT, msgspec.structs.replace(TOLD, text="order Q1 is left: buy 5 of 005930, canceling")],
        [OrderSending(0, an_order("Q1", qty=6, price=75_000)), TOLD],
        [OrderSending(0, an_order("Q1", qty=5, price=75_000, side=Side.SELL)), TOLD],
    ],
    ids=["unsaid", "unsent", "number-known", "another-named", "being-canceled", "other-shares", "other-side"],
)
def test_any_other_is_not(journal: list[Event]) -> None:
    assert unexcused([ENTRY], journal) == [ENTRY]


def test_the_rest_of_an_order_that_filled_in_part_before_its_session_began_is_excused_when_it_was_named() -> None:
    rest = msgspec.structs.replace(ENTRY, ticket=msgspec.structs.replace(ENTRY.ticket, qty=7), filled=2)
    assert unexcused([rest], [SENT, TOLD]) == []
    more = msgspec.structs.replace(rest, filled=1)
    assert unexcused([more], [SENT, TOLD]) == [more]


def test_one_that_was_named_excuses_one() -> None:
    twin = msgspec.structs.replace(ENTRY, number=1008)
    assert unexcused([ENTRY, twin], [SENT, TOLD]) == [twin]


@pytest.mark.parametrize(
    ("said", "filled", "found"),
    [("books-disagree", 9, [9]), ("books-disagree", 5, []), ("books-disagree", 11, []), ("order-left", 9, [])],
)
def test_an_order_that_fills_after_its_twin_was_taken_may_miss_in_the_book_while_qb_says_that_books_disagree(
    said: str, filled: int, found: list[int],
) -> None:  # fmt: skip
    twin, own = (msgspec.structs.replace(ENTRY, number=number, filled_at=ts) for number, ts in ((8, 3), (9, filled)))
    row = Alert(10, Level.CRITICAL, said, "")
    journals = [[SENT, OrderAccepted(4, "Q1", "8"), row]]
    assert [entry.number for entry in strays(journals, [twin, own], {8}, healed=6)] == found


def test_an_order_excuses_none_of_its_looks_when_no_session_took_its_number_for_ours() -> None:
    other, own = (msgspec.structs.replace(ENTRY, number=number, filled_at=ts) for number, ts in ((8, 3), (9, 7)))
    journals = [[SENT, Alert(10, Level.CRITICAL, "books-disagree", "")]]
    assert strays(journals, [other, own], {8}, healed=6) == []


@pytest.mark.parametrize(("given_up", "said", "found"), [(5, "oversold", [9]), (8, "oversold", []), (5, "odd", [])])
def test_an_order_that_came_after_it_was_given_up_may_sell_what_the_book_no_longer_has(
    given_up: int, said: str, found: list[int],
) -> None:  # fmt: skip
    own = msgspec.structs.replace(ENTRY, number=9, ts=7, filled_at=8)
    text = "order Q1 sold 5 shares of 005930, of which the book has 0"
    alerts = (Alert(9, Level.CRITICAL, code, text) for code in (said, "books-disagree"))
    journal = [SENT, OrderAbandoned(given_up, "Q1", ""), OrderAccepted(8, "Q1", "9"), *alerts]
    assert [entry.number for entry in strays([journal], [own], set(), healed=6)] == found


@pytest.mark.parametrize(
    ("filled_at", "said", "named", "found"),
    [
        (5, "books-disagree", TOLD, [ENTRY.number]),
        (7, "books-disagree", TOLD, []),
        (5, "odd", TOLD, []),
        (5, "books-disagree", SENT, []),
    ],
    ids=["told", "filled-later", "not-told", "not-named"],
)
def test_what_filled_in_part_of_an_order_that_works_on_unseen_may_miss_in_the_book_when_qb_told_both(
    filled_at: int, said: str, named: Event, found: list[int],
) -> None:  # fmt: skip
    part = msgspec.structs.replace(ENTRY, filled=2, filled_at=filled_at)
    journal = [SENT, Alert(6, Level.CRITICAL, said, ""), named]
    assert [entry.number for entry in parts([part], journal)] == found


def test_an_order_that_filled_whole_is_no_part() -> None:
    whole = msgspec.structs.replace(ENTRY, filled=5, filled_at=5)
    assert parts([whole], [SENT, Alert(6, Level.CRITICAL, "books-disagree", ""), TOLD]) == []


@pytest.mark.parametrize(
    ("lost", "named", "said", "found"),
    [
        ({}, "order 1007 is left: buy 5 of 005930, working", "books-disagree", [1007]),
        ({"price": 74_000}, "order 1007 is left: buy 5 of 005930, working", "books-disagree", []),
        ({"side": Side.SELL}, "order 1007 is left: buy 5 of 005930, working", "books-disagree", []),
        ({}, "order 1008 is left: buy 5 of 005930, working", "books-disagree", []),
        ({}, "order 1007 is left: buy 5 of 005930, working", "odd", []),
    ],
    ids=["both", "beyond-its-limit", "other-side", "not-named", "not-told"],
)
def test_which_of_two_orders_filled_nobody_knows_when_the_number_of_one_was_never_told(
    lost: dict[str, Any], named: str, said: str, found: list[int],
) -> None:  # fmt: skip
    own = msgspec.structs.replace(ENTRY, filled=5, amount=375_000, filled_at=5)
    journal = [
        OrderSending(0, an_order("Q1", qty=9, **lost)), Alert(6, Level.CRITICAL, said, ""), TOLD,
        Alert(6, Level.CRITICAL, "order-left", named),
    ]  # fmt: skip
    assert [entry.number for entry in either([own], journal)] == found


def test_orders_are_counted_of_which_qb_says_that_only_their_sum_was_told() -> None:
    text = "2 orders of 000660, 005930 filled, and KIS tells only the sum: what each cost is an estimate"
    said = Alert(0, Level.INFO, "sum-shared", text)
    assert (shared([[said], [said]]), shared([[TOLD]])) == (4, 0)

from datetime import date, time

import msgspec
import pytest

from qbtrade.adapters.kis.parse import orders
from qbtrade.adapters.kis.parse.envelope import Page
from qbtrade.domain.order import Side
from qbtrade.errors import WireError
from tests.adapters.kis.captured import own, recorded


def test_an_order_of_paper_has_lower_case_keys_and_a_short_number() -> None:
    assert orders.order_ack(own("order_paper")) == orders.OrderAck("4711", "00950", time(9, 30, 15))


@pytest.mark.parametrize(("name", "number"), [("order_cash_ok", "1569157"), ("order_rvsecncl_ok", "1569139")])
def test_recorded_orders_give_their_numbers(name: str, number: str) -> None:
    ack = orders.order_ack(recorded(name))
    assert (ack.order_no, ack.branch) == (number, "06010")


def test_a_reserved_order_is_no_order() -> None:
    with pytest.raises(WireError):
        orders.order_ack(recorded("order_resv_ok"))


def test_history_tells_orders_and_their_cancels() -> None:
    found = orders.order_history(own("daily_ccld"))
    cancel, order = found.rows
    assert (found.ordered_qty, found.filled_qty, found.filled_amount, found.lacks_rows) == (16, 4, 299_800, False)
    assert (order.order_no, order.side, order.day, order.at) == ("4711", Side.BUY, date(2026, 11, 20), time(9, 30, 15))
    assert (order.qty, order.filled_qty, order.open_qty, order.price, order.code) == (10, 4, 6, 75_000, "00")
    assert (cancel.order_no, cancel.original_no, cancel.canceled_qty) == ("4712", "4711", 6)


def test_paper_may_tell_totals_without_rows() -> None:
    assert orders.order_history(own("daily_ccld_paper")).lacks_rows


def test_recorded_history_tells_refused_orders_under_the_other_spelling() -> None:
    found = orders.order_history(recorded("inquire_daily_ccld"))
    assert [(row.order_no, row.rejected_qty, row.canceled_qty) for row in found.rows] == [
        ("1568197", 10, 0),
        ("1568196", 10, 0),
    ]


def test_recorded_live_orders_can_still_be_changed() -> None:
    amended, first = orders.live_orders(recorded("inquire_psbl_rvsecncl"))
    assert (amended.order_no, amended.original_no, amended.open_qty, amended.price) == (
        "1569139",
        "1569136",
        1,
        140_000,
    )
    assert (first.original_no, first.side) == ("", Side.BUY)


def test_a_side_that_is_neither_spoils_its_row_alone() -> None:
    (page,) = own("daily_ccld")
    page.body["output1"][0]["sll_buy_dvsn_cd"] = "03"
    found = orders.order_history([page])
    assert [row.order_no for row in found.rows] == ["4711"]
    assert found.unread == (orders.UnreadRow("4712", "sll_buy_dvsn_cd is neither 01 nor 02"),)
    page.body["output1"][1]["odno"] = ""
    found = orders.order_history([page])
    assert (found.rows, [row.order_no for row in found.unread], found.lacks_rows) == ((), ["4712", ""], False)


def test_no_page_is_no_history() -> None:
    with pytest.raises(WireError):
        orders.order_history([])


def test_order_numbers_are_compared_without_leading_zeros() -> None:
    assert [orders.number(text) for text in ("0000001234", " 1234 ", "", "0000000000")] == ["1234", "1234", "", ""]


def test_an_answer_without_its_block_is_never_an_empty_one() -> None:
    page = Page("inquire-psbl-rvsecncl", True, "", "", {})  # noqa: FBT003 (a struct)
    with pytest.raises(WireError, match="output is missing"):
        orders.live_orders([page])


def test_an_order_on_two_pages_is_told_once_as_read_last_and_the_list_counts_as_torn() -> None:
    (page,) = own("daily_ccld")
    later = msgspec.structs.replace(page, body={**page.body, "output1": [{**page.body["output1"][1], "rmn_qty": "0"}]})
    found = orders.order_history([page, later])
    assert [(row.order_no, row.open_qty) for row in found.rows] == [("4712", 0), ("4711", 0)]
    assert (found.is_torn, orders.order_history([page]).is_torn) == (True, False)


def test_a_row_tells_who_made_its_order() -> None:
    (page,) = own("daily_ccld")
    row = {**page.body["output1"][0], "ordr_empno": "OPNAPI ", "inqr_ip_addr": ""}
    (order,) = orders.order_history([msgspec.structs.replace(page, body={**page.body, "output1": [row]})]).rows
    assert order.sender == orders.Sender("OPNAPI", "")


@pytest.mark.parametrize(
    ("mine", "theirs", "differs"),
    [
        (("API", ""), ("HTS", ""), True),
        (("API", "1"), ("API", "2"), True),
        (("API", ""), ("", "2"), False),
        (("", ""), ("HTS", "2"), False),
        (("API", "1"), ("API", ""), False),
    ],
)
def test_only_what_both_tell_makes_senders_differ(
    mine: tuple[str, str], theirs: tuple[str, str], differs: bool  # noqa: FBT001 (pytest)
) -> None:  # fmt: skip
    assert orders.Sender(*mine).differs(orders.Sender(*theirs)) is differs

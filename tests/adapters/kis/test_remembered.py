from datetime import time
from typing import Any

import pytest

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.remembered import Remembered
from qbtrade.errors import WireError
from tests.adapters.kis.desk import a_reply, a_token, an_environment
from tests.builders import TODAY

HISTORY = calls.order_history(an_environment(), TODAY, TODAY)


def totals(qty: int, tr_cont: str = "") -> HttpReply:
    """A day's orders as totals alone."""
    body = {"rt_cd": "0", "output1": [], "output2": {"tot_ord_qty": str(qty)}}
    return a_reply({**body, "ctx_area_fk100": "", "ctx_area_nk100": "next"}, tr_cont=tr_cont)


def ordered(remembered: Remembered, reply: HttpReply) -> Any:
    return remembered.value(HISTORY, [remembered.page(HISTORY, reply)])


def test_the_same_answer_is_read_once_and_another_one_anew() -> None:
    remembered = Remembered()
    first, again, other, back = (ordered(remembered, totals(qty)) for qty in (5, 5, 6, 5))
    assert again is first
    assert [found.ordered_qty for found in (first, other, back)] == [5, 6, 5]


def test_an_answer_that_another_page_follows_is_not_one_that_ends() -> None:
    remembered = Remembered()
    pages = [remembered.page(HISTORY, totals(5, more)) for more in ("D", "F", "D")]
    assert [page.more for page in pages] == [False, True, False]


def test_an_answer_that_cannot_be_read_is_an_error_each_time_and_takes_no_place() -> None:
    remembered = Remembered()
    first = ordered(remembered, totals(5))
    for _ in range(2):
        with pytest.raises(WireError):
            remembered.page(HISTORY, HttpReply(200, {}, b"<html>"))
        with pytest.raises(WireError):
            ordered(remembered, totals(-1))
    assert ordered(remembered, totals(5)) == first


def test_the_value_of_one_question_is_never_that_of_another_on_the_same_transaction() -> None:
    remembered = Remembered()
    asked = [calls.minute_bars(an_environment(), symbol, time(9)) for symbol in ("005930", "000660")]
    row = {
        "stck_bsop_date": "20200218", "stck_cntg_hour": "090000", "stck_oprc": "1", "stck_hgpr": "1", "stck_lwpr": "1",
        "stck_prpr": "1", "cntg_vol": "1",
    }  # fmt: skip
    reply = a_reply({"rt_cd": "0", "output2": [row]})
    found = [remembered.value(call, [remembered.page(call, reply)])[0].symbol for call in asked]
    assert found == ["005930", "000660"]


def test_keys_are_not_kept() -> None:
    remembered, call = Remembered(), calls.approval_key()
    pages = [remembered.page(call, a_token("t")) for _ in range(2)]
    assert pages[0] is not pages[1]

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.environment import NS, EnvKind, KisLimits
from qbtrade.adapters.kis.http import ConnectFailed, HttpOutcome, NoAnswer
from qbtrade.adapters.kis.outcomes import Accepted, Failed, NotSent, Refused, Unconfirmed
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.domain.order import Purpose, Side
from tests.adapters.kis.desk import (
    ACCOUNT,
    APP_KEY,
    APP_SECRET,
    NOW,
    TAKEN,
    TOKEN,
    Desk,
    a_reply,
    a_token,
    an_environment,
    an_error,
    body,
    path,
    query,
)
from tests.builders import TODAY, an_order

ACK = {**TAKEN, "output": {"KRX_FWDG_ORD_ORGNO": "06010", "ODNO": "0000001234", "ORD_TMD": "093000"}}
POWER = {
    "rt_cd": "0",
    "output": {
        "ord_psbl_cash": "1", "nrcvb_buy_amt": "2", "nrcvb_buy_qty": "3", "max_buy_amt": "4", "max_buy_qty": "5",
    },
}  # fmt: skip


def history_page(*numbers: str, following: str = "", ordered: int = 9) -> dict[str, object]:
    rows = [
        {
            "ord_dt": "20261120", "ord_tmd": "093000", "ord_gno_brno": "06010", "odno": number, "orgn_odno": "",
            "pdno": "005930", "sll_buy_dvsn_cd": "02", "ord_dvsn_cd": "00", "ord_qty": "3", "ord_unpr": "75000",
            "tot_ccld_qty": "0", "tot_ccld_amt": "0", "rmn_qty": "3",
        }
        for number in numbers
    ]  # fmt: skip
    totals = {"tot_ord_qty": str(ordered), "tot_ccld_qty": "0", "tot_ccld_amt": "0"}
    return {
        "rt_cd": "0", "output1": rows, "output2": totals,
        "ctx_area_fk100": "12345678".ljust(100), "ctx_area_nk100": following.ljust(100),
    }  # fmt: skip


def asked_for_history(desk: Desk) -> Desk:
    desk.ask("history", calls.order_history(desk.env, TODAY, TODAY))
    return desk


def numbers(history: OrderHistory) -> list[str]:
    return [row.order_no for row in history.rows]


def test_the_first_call_waits_for_a_token_and_then_carries_it() -> None:
    desk = Desk(an_environment())

    desk.ask("power", calls.buying_power(desk.env, "005930", 75_000))
    assert [path(request) for request in desk.sent] == ["tokenP"]
    desk.reply(a_token())

    request = desk.open[0]
    assert path(request) == "inquire-psbl-order"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["tr_id"] == "TTTC8908R"
    desk.reply(a_reply(POWER))
    assert desk.answers["power"].qty == 3


def test_a_question_carries_every_documented_parameter_even_if_blank() -> None:
    desk = Desk(an_environment()).logged_in()
    asked_for_history(desk)
    assert query(desk.open[0]) == {
        "CANO": "12345678", "ACNT_PRDT_CD": "01", "INQR_STRT_DT": "20261120", "INQR_END_DT": "20261120",
        "SLL_BUY_DVSN_CD": "00", "PDNO": "", "ORD_GNO_BRNO": "", "ODNO": "", "CCLD_DVSN": "00", "INQR_DVSN": "00",
        "INQR_DVSN_1": "", "INQR_DVSN_3": "00", "EXCG_ID_DVSN_CD": "ALL", "CTX_AREA_FK100": "", "CTX_AREA_NK100": "",
    }  # fmt: skip


def test_an_order_is_a_post_of_upper_case_strings_on_its_own() -> None:
    desk = Desk(an_environment()).logged_in()

    desk.ask("buy", calls.order(desk.env, an_order(qty=3, price=75_100)))

    request = desk.open[0]
    assert (request.method, request.once, request.headers["tr_id"]) == ("POST", True, "TTTC0012U")
    assert body(request) == {
        "CANO": "12345678", "ACNT_PRDT_CD": "01", "PDNO": "005930", "SLL_TYPE": "", "ORD_DVSN": "00", "ORD_QTY": "3",
        "ORD_UNPR": "75100", "CNDT_PRIC": "", "EXCG_ID_DVSN_CD": "KRX",
    }  # fmt: skip
    desk.reply(a_reply(ACK))
    accepted = desk.answers["buy"]
    assert isinstance(accepted, Accepted)
    assert (accepted.ack.order_no, accepted.ack.branch) == ("1234", "06010")


def test_paper_orders_go_out_with_paper_ids() -> None:
    desk = Desk(an_environment("paper")).logged_in()
    desk.ask("sell", calls.order(desk.env, an_order(side=Side.SELL)))
    desk.reply(a_reply(ACK))
    desk.wait(2)
    desk.ask("cancel", calls.cancel(desk.env, "00950", "77", "00"))
    assert [request.headers["tr_id"] for request in desk.sent] == ["VTTC0011U", "VTTC0013U"]
    assert body(desk.open[0])["ORGN_ODNO"] == "77"


@pytest.mark.parametrize(
    "outcome",
    [
        NoAnswer("timed out"),
        a_reply(b"<html>busy</html>", 500),
        a_reply(b"", 200),
        a_reply(b'{"rt_cd":"0","msg', 200),
        an_error("EGW00001"),
        an_error("EGW00002"),
        an_error("EGW00202"),
        an_error("EGW00301"),
        an_error("EGW00302"),
        an_error("EGW00201"),
        an_error("EGW00201", 200),
        an_error("EGW00215"),
        an_error("EGW00123"),
        an_error("XYZ00001"),
        an_error("APBK0952"),
        ConnectFailed("refused"),
        a_reply(ACK),
    ],
)
def test_an_order_is_sent_once_whatever_comes_of_it(outcome: HttpOutcome) -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("buy", calls.order(desk.env, an_order()))
    desk.reply(outcome)
    desk.wait(300)
    assert [path(request) for request in desk.sent].count("order-cash") == 1
    assert isinstance(desk.answers["buy"], Accepted | Refused | NotSent | Unconfirmed)


@pytest.mark.parametrize(
    "outcome",
    [
        NoAnswer("timed out"), ConnectFailed("refused"), a_reply(b"<html>", 502), a_reply(b"", 200),
        an_error("EGW00002"), an_error("EGW00201"), an_error("EGW00201", 200), an_error("EGW00215"),
        an_error("WHAT", 503),
    ],
)  # fmt: skip
def test_a_question_is_repeated_after_trouble(outcome: HttpOutcome) -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("power", calls.buying_power(desk.env, "005930", 0))
    desk.reply(outcome)
    assert desk.open == []
    desk.wait(5)
    desk.reply(a_reply(POWER))
    assert desk.answers["power"].amount == 2


def test_a_question_is_given_up_after_four_tries_with_growing_pauses() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("price", calls.price(desk.env, "005930"))
    for _ in range(3):
        desk.reply(NoAnswer("timed out"))
        desk.wait(5)
    desk.reply(NoAnswer("timed out"))
    desk.wait(60)
    pauses = [later - earlier for earlier, later in pairwise(desk.sent_at)]
    assert len(desk.sent) == 4
    assert pauses[0] < NS
    assert desk.answers["price"] == Failed("timed out")


def test_a_refused_question_is_not_repeated() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("price", calls.price(desk.env, "005930"))
    desk.reply(an_error("OPSQ2000", 200, rt_cd="2", text="INVALID_CHECK_ACNO"))
    desk.wait(60)
    assert desk.answers["price"] == Failed("OPSQ2000 INVALID_CHECK_ACNO", "OPSQ2000")
    assert len(desk.sent) == 1


def test_pages_are_turned_until_the_last_with_the_values_of_the_one_before() -> None:
    desk = asked_for_history(Desk(an_environment()).logged_in())
    desk.reply(a_reply(history_page("0000000001", following="K1"), tr_cont="F"))
    desk.wait(2)
    assert desk.open[0].headers["tr_cont"] == "N"
    assert query(desk.open[0])["CTX_AREA_NK100"] == "K1".ljust(100)
    desk.reply(a_reply(history_page("0000000002", following="K2"), tr_cont="M"))
    desk.wait(2)
    desk.reply(a_reply(history_page("0000000003"), tr_cont="D"))
    assert numbers(desk.answers["history"]) == ["1", "2", "3"]


@pytest.mark.parametrize("last", ["D", "E", "", " "])
def test_a_page_that_announces_no_other_is_the_last(last: str) -> None:
    desk = asked_for_history(Desk(an_environment()).logged_in())
    desk.reply(a_reply(history_page("0000000001", following="K1"), tr_cont=last))
    assert numbers(desk.answers["history"]) == ["1"]


def test_a_page_without_a_key_is_the_last() -> None:
    desk = asked_for_history(Desk(an_environment()).logged_in())
    desk.reply(a_reply(history_page("0000000001"), tr_cont="M"))
    assert numbers(desk.answers["history"]) == ["1"]


def test_a_refusal_between_pages_begins_the_answer_anew() -> None:
    desk = asked_for_history(Desk(an_environment()).logged_in())
    desk.reply(a_reply(history_page("0000000001", following="K1"), tr_cont="F"))
    desk.wait(2)
    desk.reply(an_error("KIOK9999", 200, text="the rows changed"))
    desk.wait(5)
    assert query(desk.open[0])["CTX_AREA_NK100"] == ""
    desk.reply(a_reply(history_page("0000000002"), tr_cont="D"))
    assert numbers(desk.answers["history"]) == ["2"]


def test_pages_that_never_end_are_an_error() -> None:
    limits = KisLimits(calls_per_second_milli=18_000, pages=5)
    desk = asked_for_history(Desk(an_environment(limits=limits)).logged_in())
    for number in range(5):
        desk.reply(a_reply(history_page(f"{number + 1}", following=f"K{number}"), tr_cont="M"))
        desk.wait(2)
    assert desk.answers["history"] == Failed("more than 5 pages")


def test_the_same_page_over_and_over_is_an_error() -> None:
    desk = asked_for_history(Desk(an_environment()).logged_in())
    while desk.open:
        desk.reply(a_reply(history_page("0000000001", following="K1"), tr_cont="M"))
        desk.wait(10)
    assert isinstance(desk.answers["history"], Failed)


def test_totals_without_rows_say_that_the_rows_prove_nothing() -> None:
    desk = asked_for_history(Desk(an_environment("paper")).logged_in())
    desk.reply(a_reply(history_page(ordered=12)))
    assert desk.answers["history"].lacks_rows


def test_cancels_go_first_and_quotes_last() -> None:
    limits = KisLimits(calls_per_second_milli=1_000)
    desk = Desk(an_environment(limits=limits)).logged_in()
    env = desk.env
    desk.ask("first", calls.price(env, "005930"))
    waiting: dict[str, Call[Any]] = {
        "quote": calls.price(env, "005930"),
        "balance": calls.balance(env),
        "order": calls.order(env, an_order()),
        "lookup": calls.order_history(env, TODAY, TODAY),
        "protect": calls.order(env, an_order(side=Side.SELL, purpose=Purpose.PROTECT)),
        "cancel": calls.cancel(env, "06010", "1234", "00"),
    }
    for call_id, call in waiting.items():
        desk.ask(call_id, call)
    desk.wait(10)
    assert [path(request) for request in desk.sent[1:]] == [
        "order-rvsecncl",
        "order-cash",  # the protective sell; the plain order lost patience meanwhile
        "inquire-daily-ccld",
        "inquire-balance",
        "inquire-price",
    ]
    assert isinstance(desk.answers["order"], NotSent)


def test_an_order_that_waits_too_long_is_given_up_unsent() -> None:
    desk = Desk(an_environment())
    desk.ask("buy", calls.order(desk.env, an_order()))
    desk.wait(3)
    assert desk.answers["buy"] == NotSent("it waited too long: no access token yet")


def test_a_question_that_waits_too_long_after_a_failure_names_the_failure() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("quote", msgspec.structs.replace(calls.price(desk.env, "005930"), patience=NS // 20))
    desk.reply(NoAnswer("timed out"))
    desk.wait(1)
    assert desk.answers["quote"] == Failed("it waited too long: timed out")


def test_patience_is_machine_time_whatever_the_speed_of_the_market_clock() -> None:
    desk = Desk(an_environment(), speed=60)
    desk.ask("buy", calls.order(desk.env, an_order()))
    desk.wait(3)
    assert "buy" not in desk.answers
    desk.wait(3 * 60)
    assert desk.answers["buy"] == NotSent("it waited too long: no access token yet")
    desk.reply(a_token())
    desk.wait(60)
    assert [path(request) for request in desk.sent] == ["tokenP"]


def test_settings_that_got_mixed_are_refused_before_each_request() -> None:
    real = an_environment()
    desk = Desk(an_environment("paper")).logged_in()
    desk.ask("buy", calls.order(real, an_order()))
    assert isinstance(desk.answers["buy"], NotSent)
    assert [alarm.code for alarm in desk.alarms] == ["mixed-settings"]
    assert desk.sent == []


def test_keys_of_the_other_environment_raise_one_alarm() -> None:
    desk = Desk(an_environment()).logged_in()
    for call_id in ("one", "two"):
        desk.ask(call_id, calls.balance(desk.env))
        desk.reply(an_error("EGW02004"))
        desk.wait(5)
    assert [alarm.code for alarm in desk.alarms] == ["wrong-settings"]
    assert desk.answers["two"].code == "EGW02004"


def test_the_approval_key_needs_no_token_and_names_the_secret_otherwise() -> None:
    desk = Desk(an_environment())
    desk.ask("key", calls.approval_key())
    (request,) = desk.open
    assert path(request) == "Approval"
    assert body(request) == {"grant_type": "client_credentials", "appkey": APP_KEY, "secretkey": APP_SECRET}
    desk.reply(a_reply({"approval_key": "a-uuid"}))
    assert desk.answers["key"].reveal() == "a-uuid"


def test_a_reply_that_nobody_waits_for_changes_nothing() -> None:
    desk = Desk(an_environment()).logged_in()
    assert desk.rest.on_reply(NOW, 999, a_reply(ACK)) == []


def test_a_second_reply_to_a_request_changes_nothing() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("buy", calls.order(desk.env, an_order()))
    request = desk.open[0]
    desk.reply(a_reply(ACK))
    assert desk.rest.on_reply(desk.now, request.request_id, an_error("APBK0952")) == []


def test_the_panel_can_show_what_is_used_and_under_way() -> None:
    desk = Desk(an_environment()).logged_in()
    desk.ask("price", calls.price(desk.env, "005930"))
    assert desk.rest.under_way() == 1
    assert (desk.rest.budget(desk.now).used, desk.rest.budget(desk.now).allowed) == (1, 18)
    desk.reply(NoAnswer("timed out"))
    desk.wait(2)
    assert desk.rest.under_way() == 1


@pytest.mark.parametrize("show", [repr, str, "{}".format])
def test_nothing_that_travels_shows_a_secret(show: Callable[[object], str]) -> None:
    desk = Desk(an_environment())
    desk.ask("buy", calls.order(desk.env, an_order()))
    desk.reply(a_token())
    desk.reply(an_error("EGW00121"))
    things = [*desk.sent, *desk.alarms, *desk.answers.values(), desk.env, desk.env.app_key, a_token()]
    text = " ".join(show(thing) for thing in things)
    assert [secret for secret in (APP_KEY, APP_SECRET, TOKEN, ACCOUNT, "12345678") if secret in text] == []
    assert EnvKind.EMULATOR in text


def test_a_halt_holds_back_orders_that_wait_and_neither_cancels_nor_protective_sells() -> None:
    desk = Desk(an_environment())
    desk.ask("buy", calls.order(desk.env, an_order()))
    desk.ask("protect", calls.order(desk.env, an_order(side=Side.SELL, purpose=Purpose.PROTECT)))
    desk.ask("cancel", calls.cancel(desk.env, "06010", "1234", "00"))
    desk.hold("trading is halted")
    assert desk.answers == {"buy": NotSent("trading is halted")}
    desk.ask("late buy", calls.order(desk.env, an_order()))
    assert desk.answers["late buy"] == NotSent("trading is halted")
    desk.reply(a_token())
    assert sorted(path(request) for request in desk.open) == ["order-cash", "order-rvsecncl"]
    desk.hold("")
    desk.wait(2)
    desk.ask("buy again", calls.order(desk.env, an_order()))
    assert "buy again" not in desk.answers

from datetime import date
from typing import Any

import pytest

from qbtrade.adapters.kis_fields import Dialect
from tests.adapters.emulator.driver import ALWAYS, SAMSUNG, SECOND, Driver

NUMBER, ORIGINAL, KIND_OF, QTY, PRICE, REFUSED, IS_FILL, STATE = 2, 3, 5, 9, 10, 12, 13, 14


def opened(on: Dialect = "real", **plan: Any) -> Driver:
    """A client at 09:05 that hears its notices."""
    driver = Driver(on=on, ticks=6000, **plan).at("09:05")
    driver.listen()
    return driver


def last(driver: Driver) -> int:
    return int(driver.body("inquire-price")["output"]["stck_prpr"])


def refusal(answer: Any) -> tuple[str, str]:
    return answer["rt_cd"], answer["msg_cd"]


def test_an_order_is_taken_accepted_and_filled_in_parts() -> None:
    driver = opened()
    answer = driver.order("buy", 60, last(driver) + 500)
    assert refusal(answer) == ("0", "APBK0013")
    assert len(answer["output"]["ODNO"]) == 10
    driver.wait(300 * SECOND)
    told = driver.notices()
    assert told[0][IS_FILL] == "1"
    fills = [int(notice[QTY]) for notice in told[1:]]
    assert len(fills) > 1
    assert sum(fills) == 60
    assert {notice[NUMBER] for notice in told} == {answer["output"]["ODNO"]}
    (row,) = driver.orders()["output1"]
    assert (row["tot_ccld_qty"], row["rmn_qty"], row["rjct_qty"]) == ("60", "0", "0")


def test_paper_answers_with_codes_of_its_own_and_an_unpadded_number() -> None:
    driver = opened("paper")
    bought = driver.order("buy", 2, code="01")
    assert refusal(bought) == ("0", "40600000")
    assert bought["output"]["ODNO"] == "1001"
    driver.wait(30 * SECOND)
    assert refusal(driver.order("sell", 2, code="01")) == ("0", "40590000")


@pytest.mark.parametrize(
    ("on", "what", "code"),
    [
        ("real", {"price": 75_050}, "APBK0506"), ("real", {"price": 100_000}, "APBK0011"),
        ("real", {"qty": 500}, "APBK0952"), ("real", {"side": "sell"}, "APBK0400"),
        ("real", {"code": "27"}, "APBK0963"), ("real", {"symbol": "000660"}, "APBK0656"),
        ("real", {"qty": 0}, "APBK0010"), ("paper", {"side": "sell"}, "40240000"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused(on: Dialect, what: dict[str, Any], code: str) -> None:
    driver = Driver(on=on, ticks=500).at("09:05")
    wanted: dict[str, Any] = {"side": "buy", "qty": 1, "price": 75_000} | what
    answer = driver.order(**wanted)
    assert answer["rt_cd"] != "0"
    assert answer["msg_cd"] == code


@pytest.mark.parametrize(
    ("on", "clock", "day", "code"),
    [
        ("real", "15:40", None, "APBK0918"), ("real", "10:00", date(2026, 11, 7), "APBK0919"),
        ("paper", "15:40", None, "40580000"), ("paper", "07:00", date(2026, 11, 3), "40570000"),
        ("paper", "10:00", date(2026, 11, 7), "40100000"),
    ],
)  # fmt: skip
def test_orders_are_taken_in_the_hours_of_the_calendar_alone(
    on: Dialect, clock: str, day: date | None, code: str
) -> None:
    driver = Driver(on=on, ticks=2).at(clock, day)
    driver.token = ""
    assert driver.order("buy", 1, 70_000)["msg_cd"] == code


@pytest.mark.parametrize(
    ("on", "clock", "day", "order", "code"),
    [
        ("real", "10:00", None, ("05", "KRX"), "APBK0918"), ("real", "15:50", None, ("06", "KRX"), "APBK3013"),
        ("real", "16:30", None, ("06", "KRX"), "APBK0918"), ("real", "16:30", None, ("00", "KRX"), "APBK0918"),
        ("real", "16:30", None, ("07", "KRX"), "APBK0918"), ("real", "16:30", None, ("41", "KRX"), "APBK3013"),
        ("real", "16:30", "2026-09-10", ("07", "KRX"), "APBK3013"),
        ("real", "16:30", "2026-09-10", ("47", "KRX"), "APBK0918"),
        ("real", "10:00", None, ("44", "KRX"), "APBK0918"), ("real", "10:00", None, ("22", "KRX"), "APBK0963"),
        ("real", "10:00", None, ("28", "KRX"), "APBK0963"), ("real", "10:00", None, ("99", "KRX"), "APBK0963"),
        ("real", "10:00", None, ("00", "NXT"), "APBK3009"), ("real", "10:00", None, ("00", "SOR"), "APBK3009"),
        ("paper", "10:00", None, ("00", "NXT"), "90000000"), ("paper", "15:50", None, ("06", "KRX"), "90000000"),
        ("paper", "16:30", None, ("06", "KRX"), "40580000"), ("paper", "10:00", None, ("41", "KRX"), "40570000"),
    ],
)  # fmt: skip
def test_orders_of_other_sessions_and_venues_are_refused_by_their_hours(
    on: Dialect, clock: str, day: str | None, order: tuple[str, str], code: str
) -> None:
    driver = Driver(on=on, ticks=2, day=day or "").at(clock)
    driver.token = ""
    kind, venue = order
    answer = driver.body(
        "order-cash", "buy", PDNO=SAMSUNG, ORD_DVSN=kind, ORD_QTY="1", ORD_UNPR="70000", EXCG_ID_DVSN_CD=venue
    )
    assert (answer["rt_cd"] != "0", answer["msg_cd"]) == (True, code)


def test_a_market_buy_is_margined_at_the_upper_limit() -> None:
    driver = Driver(ticks=500).at("09:05")
    upper = int(driver.body("inquire-price")["output"]["stck_mxpr"])
    most = int(driver.body("inquire-psbl-order", PDNO="005930", ORD_UNPR="", ORD_DVSN="01")["output"]["nrcvb_buy_qty"])
    assert most == 10_000_000 * 10**9 // (10**9 + 140_527) // upper
    assert driver.order("buy", most + 1, code="01")["msg_cd"] == "APBK0952"
    assert driver.order("buy", most, code="01")["rt_cd"] == "0"


def test_a_resting_order_binds_cash_until_it_is_canceled() -> None:
    driver = opened()
    number = driver.order("buy", 100, last(driver) - 5_000)["output"]["ODNO"]
    assert driver.order("buy", 100, last(driver) - 5_000)["msg_cd"] == "APBK0952"
    canceled = driver.cancel(number)
    assert canceled["rt_cd"] == "0"
    assert canceled["output"]["ODNO"] != number
    driver.wait(SECOND)
    assert driver.order("buy", 100, last(driver) - 5_000)["rt_cd"] == "0"


def test_a_cancel_has_a_number_of_its_own_and_names_the_original() -> None:
    driver = opened()
    number = driver.order("buy", 5, last(driver) - 5_000)["output"]["ODNO"]
    canceling = driver.cancel(number, qty=2)["output"]["ODNO"]
    driver.wait(SECOND)
    notice = driver.notices()[-1]
    assert (notice[NUMBER], notice[ORIGINAL], notice[KIND_OF]) == (canceling, number, "2")
    assert (int(notice[QTY]), int(notice[PRICE]), notice[STATE]) == (2, 0, "2")
    (live,) = driver.body("inquire-psbl-rvsecncl", INQR_DVSN_1="0", INQR_DVSN_2="0")["output"]
    assert (live["odno"], live["psbl_qty"]) == (number, "3")
    driver.cancel(number)
    driver.wait(SECOND)
    assert driver.cancel(number)["msg_cd"] == "APBK0927"


def test_an_amendment_moves_the_remainder_to_a_new_number() -> None:
    driver = opened()
    price = last(driver)
    number = driver.order("buy", 5, price - 5_000)["output"]["ODNO"]
    amended = driver.amend(number, price - 4_000)["output"]["ODNO"]
    driver.wait(SECOND)
    rows = driver.body("inquire-psbl-rvsecncl", INQR_DVSN_1="0", INQR_DVSN_2="0")["output"]
    assert [(row["odno"], row["orgn_odno"], row["ord_unpr"]) for row in rows] == [(amended, number, str(price - 4_000))]
    notice = driver.notices()[-1]
    assert (notice[NUMBER], notice[ORIGINAL], notice[KIND_OF], notice[STATE]) == (amended, number, "1", "2")


def test_a_cancel_can_lose_the_race_with_a_fill() -> None:
    lost = 0
    for seed in range(6):
        driver = Driver(ticks=200_000, seed=seed).at("09:00:30")
        driver.listen()
        number = driver.order("buy", 1, last(driver) + 1_000)["output"]["ODNO"]
        answer = driver.cancel(number)
        driver.wait(SECOND)
        told = driver.notices()
        is_lost = answer["rt_cd"] != "0" or any(notice[KIND_OF] == "2" and notice[REFUSED] == "1" for notice in told)
        is_filled = any(notice[IS_FILL] == "2" for notice in told)
        assert is_lost == is_filled
        lost += is_lost
    assert lost


@pytest.mark.parametrize(("code", "tale"), [("11", "3"), ("12", "3"), ("13", "3")])
def test_the_rest_of_an_immediate_order_is_cut(code: str, tale: str) -> None:
    driver = opened()
    assert driver.order("buy", 100, 0 if code == "13" else last(driver) + 300, code)["rt_cd"] == "0"
    driver.wait(60 * SECOND)
    told = driver.notices()
    assert told[-1][STATE] == tale
    filled = sum(int(notice[QTY]) for notice in told if notice[IS_FILL] == "2")
    assert filled + int(told[-1][QTY]) == 100
    assert not filled if code == "12" else filled


def test_what_the_exchange_refuses_was_accepted_by_the_broker_first() -> None:
    driver = opened(faults={"exchange-reject": ALWAYS})
    answer = driver.order("buy", 3, code="01")
    assert answer["rt_cd"] == "0"
    driver.wait(SECOND)
    (notice,) = driver.notices()
    assert (notice[REFUSED], notice[IS_FILL]) == ("1", "1")
    assert [row["rjct_qty"] for row in driver.orders()["output1"]] == ["3"]
    assert driver.balance()[1]["prvs_rcdl_excc_amt"] == "10000000"


def test_a_halted_stock_takes_no_orders() -> None:
    driver = Driver(ticks=500, halted=("005930",)).at("09:05")
    assert driver.order("buy", 1, 70_000)["msg_cd"] == "APBK0066"
    assert driver.body("inquire-price")["output"]["iscd_stat_cls_code"] == "58"


def test_what_is_left_at_the_close_expires() -> None:
    driver = Driver(ticks=500).at("15:00")
    driver.order("buy", 1, last(driver) - 5_000)
    driver.at("15:31")
    (row,) = driver.orders()["output1"]
    assert (row["rmn_qty"], row["cnc_cfrm_qty"]) == ("0", "1")


def test_a_conditional_order_trades_at_the_market_in_the_closing_auction() -> None:
    driver = Driver(ticks=500).at("15:00")
    assert driver.order("buy", 1, last(driver) - 5_000, code="02")["rt_cd"] == "0"
    driver.at("15:31")
    assert driver.orders()["output1"][0]["tot_ccld_qty"] == "1"


def test_cash_settles_two_trading_days_later() -> None:
    driver = Driver(ticks=500, days=4).at("09:05")
    driver.order("buy", 10, code="01")
    driver.at("10:00")
    account = driver.balance()[1]
    spent = 10_000_000 - int(account["prvs_rcdl_excc_amt"])
    assert spent > 700_000
    assert (account["dnca_tot_amt"], account["nxdy_excc_amt"]) == ("10000000", "10000000")
    driver.at("10:00", date(2026, 11, 3)).token = ""
    account = driver.balance()[1]
    assert (account["dnca_tot_amt"], 10_000_000 - int(account["nxdy_excc_amt"])) == ("10000000", spent)
    driver.at("10:00", date(2026, 11, 4)).token = ""
    assert 10_000_000 - int(driver.balance()[1]["dnca_tot_amt"]) == spent


def test_a_sale_pays_commission_and_tax() -> None:
    driver = opened()
    driver.order("buy", 10, code="01")
    driver.wait(60 * SECOND)
    bought = sum(int(notice[QTY]) * int(notice[PRICE]) for notice in driver.notices() if notice[IS_FILL] == "2")
    driver.order("sell", 10, code="01")
    driver.wait(60 * SECOND)
    fills = [notice for notice in driver.notices() if notice[IS_FILL] == "2"]
    sold = sum(int(notice[QTY]) * int(notice[PRICE]) for notice in fills) - bought
    rows, account = driver.balance()
    costs = bought * 140_527 // 10**9 + sold * 140_527 // 10**9 + sold * 2 // 1000
    assert int(account["thdt_tlex_amt"]) == costs
    assert int(account["prvs_rcdl_excc_amt"]) == 10_000_000 - bought + sold - costs
    assert [(row["hldg_qty"], row["thdt_sll_qty"]) for row in rows] == [("0", "10")]

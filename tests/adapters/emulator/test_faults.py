import json
from typing import Any

import pytest

from qbtrade.adapters.emulator.faults import FAULTS, Faults
from qbtrade.adapters.emulator.wire import Answer
from qbtrade.errors import UnknownNameError
from tests.adapters.emulator.driver import ALWAYS, SAMSUNG, SECOND, Driver


def with_fault(name: str, rate: int = ALWAYS, ticks: int = 2000, **plan: Any) -> Driver:
    driver = Driver(ticks=ticks, faults={name: rate}, **plan).at("09:05")
    driver.log_in()
    return driver


def buy(driver: Driver) -> Answer | None:
    return driver.call("order-cash", variant="buy", PDNO=SAMSUNG, ORD_DVSN="01", ORD_QTY="1", ORD_UNPR="0")


def held(driver: Driver) -> int:
    answer = driver.ask("GET", "/emulator/account", {}, {}, b"")
    assert answer is not None
    return int(json.loads(answer.body)["positions"].get(SAMSUNG, 0))


def told(answer: Answer | None) -> str:
    assert answer is not None
    return str(json.loads(answer.body)["msg_cd"])


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="notice-twice"):
        Faults({"notice-twise": 1}, 0, "real")


def test_a_fault_at_a_rate_is_drawn_alike_for_a_seed() -> None:
    draws = [
        [Faults({"answer-lost": ALWAYS // 10}, seed, "real").hits("answer-lost") for _ in range(3)] for seed in (1, 1)
    ]
    assert draws[0] == draws[1]
    one = Faults({"answer-lost": ALWAYS // 10}, 1, "real")
    assert 50 < sum(one.hits("answer-lost") for _ in range(1000)) < 150


def test_a_lost_answer_hides_an_order_that_stands() -> None:
    driver = with_fault("answer-lost")
    assert buy(driver) is None
    driver.wait(60 * SECOND)
    assert held(driver) == 1


@pytest.mark.parametrize(
    ("name", "code", "shares"),
    [("timeout-taken", "EGW00302", 1), ("timeout-not-taken", "EGW00301", 0), ("limit-taken", "EGW00201", 1)],
)
def test_a_gateway_that_refuses_may_have_taken_the_order(name: str, code: str, shares: int) -> None:
    driver = with_fault(name)
    assert told(buy(driver)) == code
    driver.wait(60 * SECOND)
    assert held(driver) == shares


def test_a_broken_server_may_or_may_not_have_taken_the_order() -> None:
    outcomes = set()
    for seed in range(8):
        driver = with_fault("server-error", seed=seed)
        answer = buy(driver)
        assert answer is not None
        assert (answer.status, answer.body[:6]) == (500, b"<html>")
        driver.wait(60 * SECOND)
        outcomes.add(held(driver))
    assert outcomes == {0, 1}


def test_late_rows_appear_after_five_seconds() -> None:
    driver = with_fault("late-rows")
    buy(driver)
    assert driver.orders()["output1"] == []
    driver.wait(5 * SECOND)
    assert len(driver.orders()["output1"]) == 1


def test_rows_of_paper_are_empty_unless_told_otherwise() -> None:
    for faults, rows in (({}, 0), ({"empty-rows": 0}, 1)):
        driver = Driver(on="paper", ticks=2000, faults=faults).at("09:05")
        buy(driver)
        driver.wait(60 * SECOND)
        body = driver.orders()
        assert (len(body["output1"]), body["output2"]["tot_ccld_qty"]) == (rows, "1")


def test_the_balance_lags_behind_a_fill() -> None:
    driver = with_fault("balance-lag", ticks=200_000)
    buy(driver)
    driver.wait(2 * SECOND)
    assert (held(driver), driver.balance()[0]) == (1, [])
    driver.wait(8 * SECOND)
    assert driver.balance()[0][0]["hldg_qty"] == "1"


def test_a_sale_shows_in_the_balance_behind_the_purchase_that_lags() -> None:
    driver = with_fault("balance-lag", ticks=200_000)
    buy(driver)
    driver.wait(2 * SECOND)
    driver.ask("PUT", "/emulator/faults", {}, {}, json.dumps({"balance-lag": 0}).encode())
    driver.order("sell", 1, code="01")
    driver.wait(2 * SECOND)
    assert (held(driver), driver.balance()[0]) == (0, [])
    driver.wait(8 * SECOND)
    assert driver.balance()[0] == [] or driver.balance()[0][0]["hldg_qty"] == "0"


def test_a_holding_may_be_told_in_two_rows() -> None:
    driver = with_fault("holding-split", ticks=200_000)
    driver.order("buy", 5, code="01")
    driver.wait(10 * SECOND)
    rows = driver.balance()[0]
    assert [row["pdno"] for row in rows] == [SAMSUNG, SAMSUNG]
    assert sum(int(row["hldg_qty"]) for row in rows) == 5


def test_a_notice_of_another_account_comes_beside_each() -> None:
    counts = []
    for faults in ({}, {"notice-foreign": ALWAYS}):
        driver = Driver(ticks=2000, faults=faults).at("09:05")
        driver.listen()
        driver.log_in()
        driver.wait(SECOND)
        before = len(driver.frames[1])
        buy(driver)
        driver.wait(60 * SECOND)
        counts.append(len(driver.frames[1]) - before)
    assert counts[1] == counts[0] + 2  # accepted, filled


def test_a_notice_can_outrun_the_answer() -> None:
    for name, is_first in (("notice-first", True), ("notice-twice", False)):
        driver = Driver(ticks=2000, faults={name: ALWAYS}).at("09:05")
        driver.listen()
        driver.log_in()
        driver.wait(SECOND)
        before = len(driver.frames[1])
        buy(driver)
        assert (len(driver.frames[1]) > before) == is_first


def test_the_ledger_may_be_busy_and_quotes_go_on() -> None:
    driver = with_fault("ledger-busy")
    assert told(driver.call("inquire-balance")) == "EGW00215"
    assert told(driver.call("inquire-price")) == "MCA00000"


def test_half_an_answer_is_no_json() -> None:
    driver = with_fault("server-error", 0)
    driver.ask("PUT", "/emulator/faults", {}, {}, json.dumps({"truncated-json": ALWAYS}).encode())
    answer = driver.call("inquire-price")
    assert answer is not None
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body)


def test_a_slow_answer_takes_eight_seconds() -> None:
    driver = with_fault("slow-answer")
    before = driver.now
    driver.call("inquire-price")
    assert driver.now - before > 8 * SECOND


def test_the_rate_limit_may_be_told_with_a_good_status() -> None:
    driver = with_fault("limit-as-200", calls_per_second=1)
    headers = {
        "authorization": f"Bearer {driver.token}", "appkey": driver.held.app_key,
        "appsecret": driver.held.app_secret, "tr_id": "FHKST01010100",
    }  # fmt: skip
    query = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": SAMSUNG}
    path = "/uapi/domestic-stock/v1/quotations/inquire-price"
    answers = [driver.ask("GET", path, headers, query, b"") for _ in range(2)]
    assert answers[1] is not None
    assert (answers[1].status, told(answers[1])) == (200, "EGW00201")


def test_keys_may_come_in_the_other_case() -> None:
    assert "STCK_PRPR" in with_fault("other-case").body("inquire-price")["output"]


def test_frames_may_carry_bytes_that_are_no_text() -> None:
    driver = with_fault("bad-utf8")
    driver.open_stream()
    driver.subscribe("H0STCNT0", SAMSUNG, driver.approve())
    driver.wait(60 * SECOND)
    broken = [frame for frame in driver.frames[1] if isinstance(frame, bytes)]
    assert broken
    with pytest.raises(UnicodeDecodeError):
        broken[0].decode()


def test_pings_may_fall_silent_and_sockets_drop() -> None:
    silent = with_fault("ping-silence")
    silent.open_stream()
    silent.wait(60 * SECOND)
    assert (silent.frames[1], silent.hangups) == ([], [])
    dropping = with_fault("socket-drop")
    dropping.open_stream()
    dropping.wait(11 * SECOND)
    assert dropping.hangups == [1]


def test_on_fridays_the_server_may_restart_at_noon() -> None:
    driver = with_fault("friday-restart", day="2026-11-06")
    driver.open_stream()
    driver.at("11:59")
    assert driver.hangups == []
    driver.at("12:01")
    assert driver.hangups == [1]


def test_a_second_approval_key_within_a_second_may_be_refused() -> None:
    driver = with_fault("approval-limit")
    driver.approve()
    with pytest.raises(KeyError):
        driver.approve()


def test_data_may_change_between_two_pages() -> None:
    driver = with_fault("data-changed")
    for _ in range(2):
        buy(driver)
    answer = driver.call(
        "inquire-daily-ccld", variant="within_3_months", tr_cont="N", INQR_STRT_DT="20261102", INQR_END_DT="20261102"
    )
    assert told(answer) == "KIER2570"


def test_every_fault_has_a_sentence() -> None:
    assert [name for name, text in FAULTS.items() if not text] == []


def test_faults_are_changed_while_it_runs_and_wrong_ones_refused() -> None:
    driver = Driver(ticks=2)
    answers = [
        driver.ask("PUT", "/emulator/faults", {}, {}, body)
        for body in (b'{"server-error": 1000000000}', b'{"nothing": 1}', b"x")
    ]
    bodies = [json.loads(answer.body) for answer in answers if answer]
    assert ["error" in body for body in bodies] == [False, True, True]
    broken = driver.call("inquire-price")
    assert broken is not None
    assert broken.status == 500

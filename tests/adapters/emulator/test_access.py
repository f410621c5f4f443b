import json
from typing import Any

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.adapters.emulator.wire import Answer
from qbtrade.adapters.kis_fields import Dialect
from tests.adapters.emulator.driver import ALWAYS, HOUR, SECOND, Driver

MINUTE = 60 * SECOND


def grant(driver: Driver, **other: str) -> tuple[int, Any]:
    held = driver.held
    body = {"grant_type": "client_credentials", "appkey": held.app_key, "appsecret": held.app_secret} | other
    answer = driver.ask("POST", "/oauth2/tokenP", {}, {}, json.dumps(body).encode())
    assert answer is not None
    return answer.status, json.loads(answer.body)


def told(answer: Answer | None) -> tuple[int, str]:
    assert answer is not None
    return answer.status, json.loads(answer.body)["msg_cd"]


def test_asking_twice_within_a_minute_is_refused_with_keys_of_its_own() -> None:
    driver = Driver()
    first = grant(driver)
    assert first[0] == 200
    assert first[1]["expires_in"] == 86_400
    assert first[1]["access_token_token_expired"] == "2026-11-03 08:50:00"  # noqa: S105
    status, body = grant(driver)
    assert (status, body["error_code"], "rt_cd" in body) == (403, "EGW00133", False)


def test_within_six_hours_the_same_token_comes_back_and_later_a_new_one() -> None:
    driver = Driver(ticks=2)
    token = grant(driver)[1]["access_token"]
    driver.wait(2 * MINUTE)
    assert grant(driver)[1]["access_token"] == token
    driver.wait(6 * HOUR)
    assert grant(driver)[1]["access_token"] != token


def test_a_token_expires_after_a_day() -> None:
    driver = Driver(ticks=2, days=2)
    driver.log_in()
    driver.wait(25 * HOUR)
    assert told(driver.call("inquire-price")) == (500, "EGW00123")


@pytest.mark.parametrize(
    ("other", "code"),
    [({"appkey": "x" * 36}, "EGW00103"), ({"appsecret": "x"}, "EGW00105"), ({"grant_type": "x"}, "EGW00112")],
)
def test_wrong_keys_get_no_token(other: dict[str, str], code: str) -> None:
    status, body = grant(Driver(), **other)
    assert (status, body["error_code"]) == (403, code)


def test_an_unknown_token_is_refused() -> None:
    assert told(Driver().call("inquire-price", token="nobody")) == (500, "EGW00121")  # noqa: S106


def test_a_revoked_token_is_dead_and_the_next_one_works() -> None:
    driver = Driver()
    token = driver.log_in()
    held = driver.held
    answer = driver.post("/oauth2/revokeP", {"appkey": held.app_key, "appsecret": held.app_secret, "token": token})
    assert answer["code"] == 200
    assert told(driver.call("inquire-price")) == (500, "EGW00123")
    driver.wait(MINUTE)
    driver.token = grant(driver)[1]["access_token"]
    assert told(driver.call("inquire-price")) == (200, "MCA00000")


def test_a_token_that_stays_dead_comes_back_dead_within_six_hours() -> None:
    driver = Driver(faults={"token-death": ALWAYS, "token-stays-dead": ALWAYS})
    token = driver.log_in()
    assert told(driver.call("inquire-price")) == (500, "EGW00123")
    driver.wait(MINUTE)
    assert grant(driver)[1]["access_token"] == token


def test_a_token_that_dies_of_an_order_answered_every_question_before() -> None:
    driver = Driver(faults={"order-token-death": ALWAYS}).at("10:00")
    assert told(driver.call("inquire-price")) == (200, "MCA00000")
    assert driver.order("BUY", 1, 75_000)["msg_cd"] == "EGW00123"
    assert told(driver.call("inquire-price")) == (500, "EGW00123")


def test_a_hash_key_is_made_for_a_body() -> None:
    driver = Driver()
    answer = driver.post(
        "/uapi/hashkey", {"CANO": "1"}, {"appkey": driver.held.app_key, "appsecret": driver.held.app_secret}
    )
    assert (answer["BODY"], len(answer["HASH"])) == ({"CANO": "1"}, 64)


def test_eighteen_calls_a_second_pass_on_real_and_one_on_paper() -> None:
    sides: tuple[tuple[Dialect, int], ...] = (("real", 18), ("paper", 1))
    for side, most in sides:
        driver = Driver(on=side, ticks=2)
        codes = [_quick(driver) for _ in range(most + 1)]
        assert codes == [(200, "MCA00000")] * most + [(500, "EGW00201")]
        driver.wait(SECOND)
        assert _quick(driver) == (200, "MCA00000")


def _quick(driver: Driver) -> tuple[int, str]:
    headers = {
        "authorization": f"Bearer {driver.log_in()}", "appkey": driver.held.app_key,
        "appsecret": driver.held.app_secret, "tr_id": "FHKST01010100",
    }  # fmt: skip
    query = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}
    return told(driver.ask("GET", "/uapi/domestic-stock/v1/quotations/inquire-price", headers, query, b""))


def test_a_wrong_pairing_half_works() -> None:
    on_paper = Driver("real", on="paper", ticks=2)
    assert told(on_paper.call("inquire-price")) == (200, "MCA00000")
    assert told(on_paper.call("inquire-balance")) == (500, "EGW02007")
    on_real = Driver("paper", ticks=2)
    dates = {"FID_INPUT_DATE_1": "20261001", "FID_INPUT_DATE_2": "20261031", "FID_PERIOD_DIV_CODE": "D"}
    assert told(on_real.call("inquire-daily-itemchartprice", **dates)) == (200, "MCA00000")
    assert told(on_real.call("inquire-price")) == (500, "EGW02004")
    assert told(on_real.call("inquire-balance")) == (500, "EGW02004")


def test_ids_of_the_other_side_are_refused() -> None:
    assert told(Driver().call("inquire-balance", "VTTC8434R")) == (500, "EGW02004")
    paper = Driver(on="paper", ticks=2)
    assert told(paper.call("inquire-balance", "TTTC8434R")) == (500, "EGW02006")
    assert told(paper.call("chk-holiday", "CTCA0903R")) == (500, "EGW02006")
    assert told(paper.call("inquire-psbl-rvsecncl", "TTTC0084R")) == (500, "EGW02006")


def test_the_ids_of_before_2025_still_work() -> None:
    assert told(Driver().call("inquire-psbl-rvsecncl", "TTTC8036R"))[0] == 200


def test_an_account_of_somebody_else_is_refused() -> None:
    assert told(Driver().call("inquire-balance", CANO="12345678")) == (200, "OPSQ2000")


def test_a_parameter_that_is_left_out_is_named() -> None:
    driver = Driver()
    headers = {
        "authorization": f"Bearer {driver.log_in()}", "appkey": driver.held.app_key,
        "appsecret": driver.held.app_secret, "tr_id": "FHKST01010100",
    }  # fmt: skip
    answer = driver.ask("GET", "/uapi/domestic-stock/v1/quotations/inquire-price", headers, {}, b"")
    assert answer is not None
    assert "FID_COND_MRKT_DIV_CODE" in json.loads(answer.body)["msg1"]


def test_every_sentence_is_padded_and_every_value_a_string() -> None:
    body = Driver().body("inquire-price")
    assert len(body["msg1"]) == 80
    assert {type(value) for value in body["output"].values()} == {str}


def test_the_keys_of_both_sides_differ_and_have_the_lengths_of_kis() -> None:
    real, paper = CREDENTIALS["real"], CREDENTIALS["paper"]
    assert {len(real.app_key), len(paper.app_key)} == {36}
    assert {len(real.app_secret), len(paper.app_secret)} == {180}
    assert real != paper

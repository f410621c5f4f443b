import json
from itertools import pairwise
from typing import Any

import pytest

from qbtrade.adapters.kis_fields import FIELDS, Dialect, position
from tests.adapters.emulator.driver import ALWAYS, SAMSUNG, SECOND, Driver


def code(acknowledged: dict[str, dict[str, str]]) -> str:
    return acknowledged["body"]["msg_cd"]


def streaming(on: Dialect = "real", ticks: int = 2000, **plan: Any) -> tuple[Driver, str]:
    driver = Driver(on=on, ticks=ticks, **plan)
    driver.open_stream()
    return driver, driver.approve()


def records(frame: str) -> list[list[str]]:
    _flag, _tr_id, count, text = frame.split("|", 3)
    values = text.split("^")
    stride = len(values) // int(count)
    return [values[first : first + stride] for first in range(0, len(values), stride)]


def test_a_registration_is_acknowledged_with_a_key_and_an_iv() -> None:
    driver, approval = streaming()
    acknowledged = driver.subscribe("H0STCNT0", SAMSUNG, approval)
    assert acknowledged["header"] == {"tr_id": "H0STCNT0", "tr_key": SAMSUNG, "encrypt": "N"}
    assert code(acknowledged) == "OPSP0000"
    output = acknowledged["body"]["output"]
    assert (len(output["key"]), len(output["iv"])) == (32, 16)


def test_each_command_has_its_answer() -> None:
    driver, approval = streaming()
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval)) == "OPSP0000"
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval)) == "OPSP0002"
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval, tr_type="2")) == "OPSP0001"
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval, tr_type="2")) == "OPSP0003"
    assert code(driver.subscribe("H0STCNT0", "999999", approval)) == "OPSP8993"
    assert code(driver.subscribe("H0XXXXX0", SAMSUNG, approval)) == "OPSP8991"
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval, tr_type="9")) == "OPSP8997"
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, "nobody")) == "OPSP0011"


def test_text_that_is_no_command_is_answered_and_forgiven() -> None:
    driver, approval = streaming()
    for text in ("", "{", "[]", "null", '{"header":{}}', '{"header":1,"body":2}'):
        driver.core.receive(driver.now, 1, text)
    driver.wait(SECOND)
    assert [json.loads(frame)["body"]["msg_cd"] for frame in driver.frames[1]] == ["OPSP9991"] * 6
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval)) == "OPSP0000"


def test_a_session_holds_forty_one_registrations() -> None:
    symbols = [f"{number:06d}" for number in range(100, 142)]
    driver = Driver(ticks=2, symbols=tuple(symbols), market="KOSPI", kind="STOCK")
    driver.open_stream()
    approval = driver.approve()
    codes = [code(driver.subscribe("H0STCNT0", symbol, approval)) for symbol in symbols]
    assert codes == ["OPSP0000"] * 41 + ["OPSP0008"]


def test_a_second_session_of_one_key_is_told_so_and_the_slot_is_free_when_the_first_ends() -> None:
    driver, approval = streaming()
    driver.subscribe("H0STCNT0", SAMSUNG, approval)
    driver.open_stream(2)
    refused = driver.subscribe("H0STASP0", SAMSUNG, approval, session=2)
    assert (code(refused), refused["header"]["tr_id"]) == ("OPSP8996", "(null)")
    driver.core.disconnect(driver.now, 1)
    assert code(driver.subscribe("H0STASP0", SAMSUNG, approval, session=2)) == "OPSP0000"


def test_a_zombie_keeps_the_slot_for_a_minute() -> None:
    driver, approval = streaming(faults={"zombie-slot": ALWAYS})
    driver.subscribe("H0STCNT0", SAMSUNG, approval)
    driver.core.disconnect(driver.now, 1)
    driver.open_stream(2)
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval, session=2)) == "OPSP8996"
    driver.wait(61 * SECOND)
    assert code(driver.subscribe("H0STCNT0", SAMSUNG, approval, session=2)) == "OPSP0000"


def test_paper_has_three_channels() -> None:
    driver, approval = streaming("paper")
    assert code(driver.subscribe("H0STMKO0", SAMSUNG, approval)) == "OPSP8991"
    assert code(driver.subscribe("H0STCNI0", "emulator", approval)) == "OPSP8991"
    assert code(driver.subscribe("H0STCNI9", "emulator", approval)) == "OPSP0000"


def test_a_wrong_hts_id_ends_the_stream_without_a_word() -> None:
    driver, approval = streaming()
    assert driver.subscribe("H0STCNI0", "nobody", approval) == {}
    assert driver.hangups == [1]


@pytest.mark.parametrize(
    ("day", "trade", "book"), [("2025-02-03", 46, 59), ("2026-07-01", 46, 62), ("2026-11-02", 47, 63)]
)
def test_the_width_of_a_record_is_that_of_its_day(day: str, trade: int, book: int) -> None:
    driver, approval = streaming(day=day)
    driver.subscribe("H0STCNT0", SAMSUNG, approval)
    driver.subscribe("H0STASP0", SAMSUNG, approval)
    driver.at("09:01")
    assert {len(record) for frame in driver.data("H0STCNT0") for record in records(frame)} == {trade}
    assert {len(record) for frame in driver.data("H0STASP0") for record in records(frame)} == {book}


@pytest.mark.parametrize(
    ("on", "day", "width"), [("real", "2026-11-02", 26), ("real", "2025-02-03", 23), ("paper", "2026-11-02", 23)]
)
def test_the_width_of_a_notice_is_that_of_its_side_and_day(on: Dialect, day: str, width: int) -> None:
    driver = Driver(on=on, ticks=2000, day=day)
    driver.listen()
    driver.order("buy", 1, 70_000)
    driver.wait(SECOND)
    (notice,) = driver.notices()
    assert len(notice) == width
    assert (notice[0], notice[8], notice[-1], notice[-2]) == ("emulator", SAMSUNG, "000070000", "Samsung Electronics")


def test_a_busy_second_puts_several_records_into_one_frame_and_their_volume_has_no_gap() -> None:
    driver, approval = streaming(ticks=200_000)
    driver.subscribe("H0STCNT0", SAMSUNG, approval)
    driver.at("09:02")
    frames = driver.data("H0STCNT0")
    assert max(int(frame.split("|")[2]) for frame in frames) > 1
    volume, qty = position("H0STCNT0", "ACML_VOL"), position("H0STCNT0", "CNTG_VOL")
    told = [record for frame in frames for record in records(frame)]
    totals = [int(record[volume]) for record in told]
    assert totals[0] == int(told[0][qty])
    assert [after - before for before, after in pairwise(totals)] == [int(record[qty]) for record in told[1:]]


def test_before_the_open_the_book_shows_the_expected_price_alone() -> None:
    driver, approval = streaming()
    driver.subscribe("H0STASP0", SAMSUNG, approval)
    driver.at("08:51")
    (record,) = records(driver.data("H0STASP0")[-1])
    fields = dict(zip(FIELDS["H0STASP0"], record, strict=True))
    assert (fields["HOUR_CLS_CODE"], fields["ASKP1"], fields["MARKET_CLS_CODE"]) == ("B", "0", "1")
    assert int(fields["ANTC_CNPR"]) > 0
    driver.at("09:01")
    (record,) = records(driver.data("H0STASP0")[-1])
    fields = dict(zip(FIELDS["H0STASP0"], record, strict=True))
    assert (fields["HOUR_CLS_CODE"], fields["ANTC_CNPR"], fields["MARKET_CLS_CODE"]) == ("0", "0", "2")
    assert int(fields["ASKP1"]) > int(fields["BIDP1"]) > 0


def test_an_interruption_is_told_by_the_operation_channel_and_the_book() -> None:
    driver, approval = streaming(scenario="crash", ticks=6000)
    driver.at("12:59")
    for tr_id in ("H0STMKO0", "H0STASP0"):
        driver.subscribe(tr_id, SAMSUNG, approval)
    driver.at("13:10")
    vi = position("H0STMKO0", "VI_CLS_CODE")
    assert [records(frame)[0][vi] for frame in driver.data("H0STMKO0")] == ["Y", "N"]
    hours = [records(frame)[0][2] for frame in driver.data("H0STASP0")]
    assert "C" in hours
    row = driver.body("inquire-vi-status", FID_INPUT_ISCD=SAMSUNG)["output"][0]
    assert (row["vi_cls_code"], len(row["cntg_vi_hour"])) == ("N", 6)


def test_a_circuit_breaker_halts_and_releases() -> None:
    driver, approval = streaming(scenario="halt")
    driver.subscribe("H0STMKO0", SAMSUNG, approval)
    driver.at("15:31")
    events = [records(frame)[0][position("H0STMKO0", "MKOP_CLS_CODE")] for frame in driver.data("H0STMKO0")]
    assert events == ["112", "174", "175", "121", "129"]


def codes(driver: Driver) -> list[tuple[str, str]]:
    """What the operation channel told, as (MKOP_CLS_CODE, TRHT_YN)."""
    found = [records(frame)[0] for frame in driver.data("H0STMKO0")]
    return [(record[position("H0STMKO0", "MKOP_CLS_CODE")], record[1]) for record in found]


def test_a_sidecar_is_told_and_stops_nothing() -> None:
    driver, approval = streaming(ticks=2000, events=("sell-sidecar@10:00", "buy-sidecar@11:00"))
    driver.subscribe("H0STMKO0", SAMSUNG, approval)
    driver.at("10:30")
    assert codes(driver)[-2:] == [("387", "N"), ("388", "N")]
    assert driver.order("buy", 1, 70_000)["rt_cd"] == "0"
    driver.at("11:06")
    assert codes(driver)[-2:] == [("397", "N"), ("398", "N")]


def test_a_circuit_breaker_stops_the_trades_of_the_market_for_half_an_hour() -> None:
    driver, approval = streaming(ticks=2000, events=("circuit-breaker@10:00",))
    driver.subscribe("H0STMKO0", SAMSUNG, approval)
    driver.at("10:01")
    assert codes(driver)[-1] == ("174", "Y")
    volume = driver.body("inquire-price")["output"]["acml_vol"]
    driver.at("10:29")
    assert driver.body("inquire-price")["output"]["acml_vol"] == volume
    driver.at("10:40")
    assert codes(driver)[-1] == ("175", "N")
    assert driver.body("inquire-price")["output"]["acml_vol"] != volume


def test_the_third_circuit_breaker_ends_the_day_and_the_next_one_opens() -> None:
    driver, approval = streaming(ticks=500, days=2, events=("circuit-breaker-3@14:00",))
    driver.subscribe("H0STMKO0", SAMSUNG, approval)
    driver.at("13:59")
    number = driver.order("buy", 1, 60_000)["output"]["ODNO"]
    driver.at("14:01")
    assert codes(driver)[-2:] == [("174", "Y"), ("129", "Y")]
    assert driver.order("buy", 1, 60_000)["msg_cd"] == "APBK0918"
    assert driver.cancel(number)["msg_cd"] == "APBK0918"
    assert driver.body("inquire-psbl-rvsecncl")["output"] == []
    volume = driver.body("inquire-price")["output"]["acml_vol"]
    driver.at("15:40")
    assert codes(driver)[-1] == ("129", "Y")
    assert driver.body("inquire-price")["output"]["acml_vol"] == volume
    driver.at("09:30", driver.stage.last)
    driver.token = ""
    assert driver.order("buy", 1, 60_000)["rt_cd"] == "0"
    assert driver.body("inquire-price")["output"]["temp_stop_yn"] == "N"


class Mute(Driver):
    """A client that never answers a PINGPONG."""

    def on_ping(self, session: int, text: str) -> None:
        """Say nothing."""


def test_a_ping_comes_every_ten_seconds_and_silence_ends_the_stream_after_a_minute() -> None:
    driver = Mute(ticks=2)
    driver.open_stream()
    driver.wait(59 * SECOND)
    assert (len(driver.frames[1]), driver.hangups) == (5, [])
    driver.wait(15 * SECOND)
    assert driver.hangups == [1]


def test_a_client_has_seconds_of_its_own_to_answer_however_fast_the_market_runs() -> None:
    driver = Mute(ticks=2, speed=600)
    driver.open_stream()
    driver.wait(4 * 600 * SECOND)
    assert driver.hangups == []
    driver.wait(2 * 600 * SECOND)
    assert driver.hangups == [1]


def test_a_stream_that_answers_stays() -> None:
    driver, _approval = streaming()
    driver.wait(600 * SECOND)
    assert driver.hangups == []

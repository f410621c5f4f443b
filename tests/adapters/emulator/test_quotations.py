import json
from pathlib import Path

import pytest

from tests.adapters.emulator.driver import SECOND, Driver
from tests.shared_data import shared

QUOTED = {
    "inquire-price": "inquire_price_000660_2022.json",
    "inquire-asking-price-exp-ccn": "inquire_asking_price_005930_20260527.json",
    "inquire-ccnl": "inquire_ccnl_005930_20260527.json",
    "inquire-time-itemchartprice": "inquire_time_itemchartprice_005930_20260527.json",
    "chk-holiday": "chk_holiday_20260601.json",
    "inquire-balance": "inquire_balance.json",
    "inquire-psbl-order": "inquire_psbl_order.json",
    "inquire-psbl-rvsecncl": "inquire_psbl_rvsecncl.json",
}
ASKED = {
    "inquire-time-itemchartprice": {"FID_INPUT_HOUR_1": "100000", "FID_PW_DATA_INCU_YN": "N"},
    "chk-holiday": {"BASS_DT": "20261102"},
    "inquire-psbl-order": {"PDNO": "005930", "ORD_UNPR": "75000", "ORD_DVSN": "00"},
    "inquire-psbl-rvsecncl": {"INQR_DVSN_1": "0", "INQR_DVSN_2": "0"},
}


@pytest.mark.parametrize("name", QUOTED)
def test_an_answer_has_the_blocks_and_fields_of_a_recorded_one(name: str) -> None:
    recorded = json.loads(shared(f"kis_samples/rest/{QUOTED[name]}").read_text(encoding="utf-8"))
    driver = Driver(ticks=3000).at("10:05")
    driver.order("buy", 1, code="01")
    driver.order("buy", 1, 60_000)
    driver.at("10:10")
    body = driver.body(name, **ASKED.get(name, {}))
    for block in ("output", "output1", "output2"):
        if block in recorded:
            ours, theirs = body[block], recorded[block]
            assert isinstance(ours, list) == isinstance(theirs, list)
            first, wanted = (ours[0], theirs[0]) if isinstance(ours, list) else (ours, theirs)
            assert set(wanted) <= set(first)
            assert {type(value) for value in first.values()} == {str}


def minutes(driver: Driver, hour: str, **params: str) -> list[dict[str, str]]:
    wanted = {"FID_INPUT_HOUR_1": hour, "FID_PW_DATA_INCU_YN": "N"} | params
    rows: list[dict[str, str]] = driver.body("inquire-time-itemchartprice", **wanted)["output2"]
    return rows


def test_minutes_come_newest_first_thirty_at_a_time() -> None:
    rows = minutes(Driver(ticks=3000).at("10:05"), "100000")
    hours = [row["stck_cntg_hour"] for row in rows]
    assert (len(rows), hours[0]) == (30, "100000")
    assert hours == sorted(hours, reverse=True)
    for row in rows:
        assert int(row["stck_lwpr"]) <= int(row["stck_prpr"]) <= int(row["stck_hgpr"])


def test_minutes_that_lie_ahead_are_flat_and_the_first_carries_the_running_one() -> None:
    driver = Driver(ticks=30_000).at("10:05:30")
    rows = minutes(driver, "101000")
    assert [row["stck_cntg_hour"] for row in rows[:6]] == ["101000", "100900", "100800", "100700", "100600", "100500"]
    assert int(rows[0]["cntg_vol"]) > 0
    assert {row["cntg_vol"] for row in rows[1:6]} == {"0"}
    assert rows[6]["stck_cntg_hour"] == "100400"


def test_past_minutes_reach_into_earlier_days() -> None:
    driver = Driver(ticks=3000).at("09:05")
    wanted = {"FID_INPUT_DATE_1": "20261030", "FID_INPUT_HOUR_1": "153000", "FID_PW_DATA_INCU_YN": "Y"}
    rows = driver.body("inquire-time-dailychartprice", **wanted)["output2"]
    assert (len(rows), rows[0]["stck_bsop_date"]) == (120, "20261030")
    assert 0 < int(rows[0]["stck_prpr"]) < 10**6


@pytest.mark.parametrize(("period", "least"), [("D", 40), ("W", 8), ("M", 2), ("Y", 1)])
def test_days_end_at_the_base_of_today(period: str, least: int) -> None:
    driver = Driver(ticks=3000).at("10:00")
    wanted = {"FID_INPUT_DATE_1": "00000101", "FID_INPUT_DATE_2": "20261102", "FID_PERIOD_DIV_CODE": period}
    body = driver.body("inquire-daily-itemchartprice", **wanted, FID_ORG_ADJ_PRC="1")
    rows = body["output2"]
    assert len(rows) >= least
    assert rows[0]["stck_bsop_date"] == "20261102"
    assert rows[0]["stck_clpr"] == body["output1"]["stck_prpr"]
    if period == "D":
        assert rows[1]["stck_clpr"] == body["output1"]["stck_prdy_clpr"]


def test_conclusions_are_the_newest_trades() -> None:
    driver = Driver(ticks=30_000).at("10:00")
    rows = driver.body("inquire-ccnl")["output"]
    assert len(rows) == 30
    by_time = driver.body("inquire-time-itemconclusion", FID_INPUT_HOUR_1="093000")["output2"]
    assert all(row["stck_cntg_hour"] <= "093000" and "stck_prpr" in row for row in by_time)


def test_holidays_are_told_page_by_page() -> None:
    driver = Driver(ticks=2)
    body = driver.body("chk-holiday", BASS_DT="20261224")
    days = {row["bass_dt"]: row["opnd_yn"] for row in body["output"]}
    assert (days["20261224"], days["20261225"], days["20261226"], days["20261231"]) == ("Y", "N", "N", "N")
    answer = driver.call("chk-holiday", tr_cont="N", BASS_DT="20261224", CTX_AREA_NK=body["ctx_area_nk"])
    assert answer is not None
    assert json.loads(answer.body)["output"][0]["bass_dt"] == "20270117"
    assert (len(body["ctx_area_nk"]), answer.headers["tr_cont"]) == (20, "M")


def test_a_long_list_of_orders_comes_in_pages() -> None:
    driver = Driver(on="paper", ticks=500, faults={"empty-rows": 0}).at("09:05")
    numbers = [driver.order("buy", 1, 60_000)["output"]["ODNO"] for _ in range(33)]
    today = {"INQR_STRT_DT": "20261102", "INQR_END_DT": "20261102", "INQR_DVSN": "01"}
    found: list[str] = []
    conts: list[str] = []
    context: dict[str, str] = {}
    while not conts or conts[-1] in {"F", "M"}:
        following = "N" if conts else ""
        answer = driver.call("inquire-daily-ccld", "", "within_3_months", following, **today, **context)
        assert answer is not None
        body = json.loads(answer.body)
        found += [row["odno"] for row in body["output1"]]
        conts.append(answer.headers["tr_cont"])
        context = {"CTX_AREA_FK100": body["ctx_area_fk100"], "CTX_AREA_NK100": body["ctx_area_nk100"]}
        assert {len(text) for text in context.values()} == {100}
    assert (found, conts) == (numbers, ["F", "M", "E"])
    assert not context["CTX_AREA_NK100"].strip()


def test_a_stock_is_described() -> None:
    output = Driver(ticks=2).body("search-stock-info", PRDT_TYPE_CD="300", PDNO="005930")["output"]
    assert (output["mket_id_cd"], output["tr_stop_yn"], output["prdt_eng_name"]) == ("STK", "N", "Samsung Electronics")


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("inquire-price", {"FID_INPUT_ISCD": "999999"}), ("inquire-price", {"FID_COND_MRKT_DIV_CODE": "Z"}),
        ("inquire-time-itemchartprice", {"FID_INPUT_HOUR_1": "noon"}), ("chk-holiday", {"BASS_DT": "today"}),
        ("inquire-daily-itemchartprice", {"FID_INPUT_DATE_1": "x"}), ("search-stock-info", {"PDNO": "x"}),
        ("inquire-daily-itemchartprice", {"FID_INPUT_DATE_1": "20261001", "FID_INPUT_DATE_2": "20261002"}),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(name: str, params: dict[str, str]) -> None:
    assert Driver(ticks=2).body(name, **params)["rt_cd"] != "0"


def test_recorded_trades_are_played_with_the_earlier_days_as_past(tmp_path: Path) -> None:
    rows = ["ts,symbol,price,qty"]
    for day, base in (("2026-10-30", 60_000), ("2026-11-02", 61_000)):
        rows += [
            f"{day}T{9 + minute // 60:02d}:{minute % 60:02d}:00,005930,{base + minute * 100},50"
            for minute in range(1, 200)
        ]
    file = tmp_path / "trades.csv"
    file.write_text("\n".join(rows) + "\n")
    driver = Driver(source=(str(file),), day="2026-11-02").at("09:30:30")
    output = driver.body("inquire-price")["output"]
    assert (output["stck_sdpr"], output["stck_prpr"]) == ("79900", "64000")
    wanted = {"FID_INPUT_DATE_1": "20261030", "FID_INPUT_HOUR_1": "153000", "FID_PW_DATA_INCU_YN": "N"}
    assert driver.body("inquire-time-dailychartprice", **wanted)["output2"][0]["stck_prpr"] == "79900"


@pytest.mark.parametrize(("period", "rows"), [("D", 30), ("W", 13), ("M", 4)])
def test_daily_prices_come_newest_first_thirty_at_most(period: str, rows: int) -> None:
    driver = Driver(ticks=500).at("10:00")
    found = driver.body("inquire-daily-price", FID_PERIOD_DIV_CODE=period, FID_ORG_ADJ_PRC="0")["output"]
    days = [each["stck_bsop_date"] for each in found]
    assert (len(days) >= rows - 2, len(days) <= 30, days == sorted(days, reverse=True)) == (True, True, True)
    assert days[0] == "20261102"
    assert int(found[0]["prdy_vrss"]) == int(found[0]["stck_clpr"]) - int(found[1]["stck_clpr"])
    refused = driver.body("inquire-daily-price", FID_PERIOD_DIV_CODE="Y", FID_ORG_ADJ_PRC="0")
    assert refused["msg_cd"] == "OPSQ2001"


def test_market_time_tells_five_days_and_the_hours() -> None:
    told = Driver(ticks=2).at("10:00").body("market-time")["output1"]
    assert [told[f"date{n}"] for n in range(1, 6)] == ["20261029", "20261030", "20261102", "20261103", "20261104"]
    assert (told["today"], told["s_time"], told["e_time"]) == ("20261102", "090000", "153000")
    assert told["time"].startswith("1000")


def test_the_account_by_asset_has_the_balances_total() -> None:
    driver = Driver(ticks=500).at("09:05")
    driver.order("buy", 3, code="01")
    driver.wait(60 * SECOND)
    body, (_rows, balance) = driver.body("inquire-account-balance"), driver.balance()
    assert len(body["output1"]) == 20
    assert body["output2"]["nass_tot_amt"] == balance["nass_amt"]
    assert int(body["output1"][0]["evlu_amt"]) > 0


@pytest.mark.parametrize("name", ["market-time", "inquire-account-balance"])
def test_paper_does_not_offer_them(name: str) -> None:
    answer = Driver(on="paper", ticks=2).call(name, tr_id={"market-time": "HHMCM000002C0"}.get(name, "CTRP6548R"))
    assert answer is not None
    assert b"EGW02006" in answer.body

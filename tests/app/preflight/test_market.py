from contextlib import ExitStack
from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.preflight import Status
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.market import CHECKS
from qbtrade.app.preflight.opening import Wish, open_case
from qbtrade.app.preflight.rows import Finding, Lacking
from qbtrade.domain.calendar import parse_ts
from qbtrade.kernel.clock import LiveClock
from tests.app.preflight.stand import Lies, emulator, lied, lying_kis, rows

PER_SYMBOL = ("symbol", "halted", "designated", "warning", "liquidation", "ex-date", "vi", "price-limits")


def at(moment: str, check: str, folder: Path) -> tuple[Status, str, str]:
    case = Case(folder=folder, variables={}, home=folder, kind=EnvKind.PAPER, symbols=("005930",), budget=0)
    case.clock = LiveClock(start=parse_ts(moment))
    try:
        found = CHECKS[check](case)
    except Lacking as error:
        found = error.finding
    return found.status, found.seen, found.mend


SATURDAY = {
    "bass_dt": "20261121", "wday_dvsn_cd": "07", "bzdy_yn": "Y", "tr_day_yn": "Y", "opnd_yn": "Y", "sttl_day_yn": "Y",
}  # fmt: skip


def case_at(moment: str, folder: Path, variables: dict[str, str]) -> Finding:
    with ExitStack() as things:
        case = open_case(Wish(folder, variables, folder / "home"), things)
        case.clock = LiveClock(start=parse_ts(moment))
        return CHECKS["holiday"](case)


def test_a_stock_that_trades_has_nothing_but_good_rows(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, variables, *CHECKS, *PER_SYMBOL)

    assert {name: each.status for name, each in found.items() if each.status is not Status.OK} == {}
    assert found["symbol"].symbol == "005930"
    assert found["hours"].seen == "09:00 to 15:30, no entries from 15:20"


@pytest.mark.parametrize(
    ("check", "name", "text", "status"),
    [
        ("halted", "temp_stop_yn", "Y", Status.FAIL),
        ("halted", "iscd_stat_cls_code", "58", Status.FAIL),
        ("designated", "mang_issu_cls_code", "Y", Status.FAIL),
        ("designated", "iscd_stat_cls_code", "51", Status.FAIL),
        ("warning", "mrkt_warn_cls_code", "02", Status.WARN),
        ("warning", "mrkt_warn_cls_code", "03", Status.FAIL),
        ("warning", "invt_caful_yn", "Y", Status.WARN),
        ("warning", "short_over_yn", "Y", Status.WARN),
        ("liquidation", "sltr_yn", "Y", Status.FAIL),
        ("vi", "vi_cls_code", "Y", Status.WARN),
        ("price-limits", "stck_mxpr", "99000", Status.WARN),
        ("ex-date", "stck_sdpr", "60000", Status.WARN),
    ],
)
def test_what_keeps_a_stock_from_being_traded_is_told(
    check: str, name: str, text: str, status: Status, tmp_path: Path
) -> None:
    found = lied(tmp_path, check, Lies({"inquire-price": {name: text}}))

    assert found.status is status
    assert found.mend


def test_a_suspended_stock_of_the_local_kis_fails(tmp_path: Path) -> None:
    with emulator(EmulatorPlan(halted=("005930",))) as (_server, variables):
        assert rows(tmp_path, variables, "halted")["halted"].status is Status.FAIL


def test_a_symbol_that_kis_does_not_know_fails_with_its_code(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, variables, "symbol", "vi", "one-share", symbols=("999999",))

    assert (found["symbol"].status, found["symbol"].mend) == (Status.FAIL, "Check --symbol")
    assert "KIS does not know 999999: OPSQ2001" in found["symbol"].seen
    assert (found["vi"].status, found["one-share"].status) == (Status.SKIP, Status.SKIP)


@pytest.mark.parametrize("name", ["stck_mxpr", "stck_llam", "stck_sdpr", "aspr_unit"])
def test_a_price_without_limits_that_make_sense_lets_nothing_pass(name: str, tmp_path: Path) -> None:
    with lying_kis(Lies({"inquire-price": {name: "0"}})) as variables:
        found = rows(tmp_path, variables, "symbol", "price-limits", "buying-power", "one-share", "an-order")

    assert (found["symbol"].status, found["symbol"].seen) == (Status.FAIL, "KIS tells no price limits of 005930")
    assert {each.status for check, each in found.items() if check != "symbol"} == {Status.SKIP}


@pytest.mark.parametrize(
    ("opens", "status", "seen"),
    [
        ("Y", Status.OK, "KIS says the same: open"),
        ("N", Status.FAIL, "KIS says that it stays closed today"),
        (None, Status.WARN, "KIS says nothing of today"),
    ],
)
def test_kis_is_asked_whether_it_opens_today_and_only_once_a_day(
    opens: str | None, status: Status, seen: str, tmp_path: Path
) -> None:
    lies = Lies({"chk-holiday": {"opnd_yn": opens}} if opens else {"chk-holiday": {"bass_dt": "20200101"}})
    with lying_kis(lies) as variables:
        first, again = (rows(tmp_path, variables, "holiday")["holiday"] for _ in range(2))

    assert (first, (first.status, first.seen)) == (again, (status, seen))
    assert lies.asked.count("chk-holiday") == (1 if opens else 2)


def test_a_kis_that_tells_nothing_of_holidays_leaves_our_own_calendar(tmp_path: Path) -> None:
    broken = lied(tmp_path, "holiday", Lies(html=("chk-holiday",)))
    paper = lied(tmp_path, "holiday", Lies(), EmulatorPlan(side="paper"))

    assert (broken.status, broken.mend) == (Status.WARN, "qb goes by its own calendar; see `qb rules`")
    assert (paper.status, paper.seen) == (
        Status.SKIP, "the paper environment does not tell; qb's own calendar counts",
    )  # fmt: skip


def test_a_day_that_only_kis_calls_open_is_warned_of(tmp_path: Path) -> None:
    with lying_kis(Lies(whole={"chk-holiday": {"output": [SATURDAY]}})) as variables:
        found = case_at("2026-11-21T10:00", tmp_path, variables)

    assert (found.status, found.seen) == (Status.WARN, "KIS says that it opens today")


@pytest.mark.parametrize(
    ("moment", "check", "status", "seen"),
    [
        ("2026-11-21T10:00", "trading-day", Status.FAIL, "KRX does not trade on 2026-11-21 (Saturday)"),
        ("2026-11-21T10:00", "hours", Status.SKIP, "no session today"),
        ("2026-11-19T08:00", "hours", Status.WARN, "other hours today: 10:00 to 16:30, no entries from 16:20"),
        ("2026-11-20T08:00", "open", Status.OK, "opens in 60 minutes"),
        ("2026-11-20T15:00", "open", Status.OK, "open since 09:00; 20 minutes are left"),
        ("2026-11-20T15:25", "open", Status.FAIL, "the session of 2026-11-20 is over"),
    ],
)
def test_the_day_and_its_hours_are_told(moment: str, check: str, status: Status, seen: str, tmp_path: Path) -> None:
    found = at(moment, check, tmp_path)
    assert found[:2] == (status, seen)

from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS, EmulatorPlan
from qbtrade.app.preflight import Status
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import Phase
from qbtrade.kernel.clock import sleep
from tests.app.preflight.stand import NOWHERE, Lies, emulator, lied, lying_kis, rows

CHECKS = ("token", "approval-key", "stream", "balance", "buying-power", "credit", "rate-budget")


@pytest.mark.parametrize("side", ["real", "paper"])
def test_both_sides_of_the_local_kis_have_nothing_but_good_rows(side: str, tmp_path: Path) -> None:
    plan = EmulatorPlan(side="real" if side == "real" else "paper")
    with emulator(plan) as (_server, variables):
        found = rows(tmp_path, variables, *CHECKS)

    assert {name: each.seen for name, each in found.items() if each.status is not Status.OK} == {}
    assert found["balance"].seen == "cash 10,000,000 won (D+2), 0 stocks worth 0 won"


def test_a_trade_comes_while_the_market_is_open(tmp_path: Path) -> None:
    with emulator(EmulatorPlan(speed=600, ticks=20_000)) as (server, variables):
        clock = server.clock.twin()
        while load_rules().calendar.phase_at(clock.now()) is not Phase.CONTINUOUS:
            sleep(0.05)
        found = rows(tmp_path, variables, "stream")["stream"]

    assert (found.status, found.seen) == (Status.OK, "connected, registered, and a trade came")


def test_a_closed_port_fails_the_token_and_skips_what_needs_it(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        pass
    found = rows(tmp_path, {**variables, "QB_KIS_REST_URL": NOWHERE}, *CHECKS)

    assert found["token"].status is Status.FAIL
    assert "no connection to KIS" in found["token"].seen
    assert {found[name].status for name in ("balance", "buying-power", "credit")} == {Status.SKIP}
    assert found["approval-key"].status is Status.FAIL


def test_html_with_status_500_is_an_answer_that_says_nothing(tmp_path: Path) -> None:
    with lying_kis(Lies(html=("inquire-balance",))) as variables:
        found = rows(tmp_path, {**variables, "QB_KIS_TRIES": "2"}, "balance", "token")

    assert found["token"].status is Status.OK
    assert found["balance"].status is Status.FAIL
    assert "HTTP 500: no JSON in" in found["balance"].seen


def test_a_wrong_key_is_said_once_with_the_code_of_kis(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, {**variables, "QB_KIS_APP_KEY": "PSwrong" + "7a" * 15}, *CHECKS)

    assert found["token"].status is Status.FAIL
    assert "EGW00103" in found["token"].seen
    assert found["balance"].seen == "KIS gives no access token"


def test_keys_of_the_other_side_fail_where_they_half_work(tmp_path: Path) -> None:
    paper = CREDENTIALS["paper"]
    with emulator() as (_server, variables):
        wrong = {**variables, "QB_KIS_APP_KEY": paper.app_key, "QB_KIS_APP_SECRET": paper.app_secret}
        found = rows(tmp_path, wrong, "balance", "buying-power")

    assert "EGW02004" in found["balance"].seen
    assert found["balance"].mend == "Choose --env paper, or set real keys"


def test_an_account_that_is_not_of_the_key_fails(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, {**variables, "QB_KIS_ACCOUNT": "11112222-01"}, "balance")["balance"]

    assert (found.status, found.mend) == (Status.FAIL, "Check QB_KIS_ACCOUNT")


def test_a_wrong_hts_id_breaks_the_stream_off_at_the_notices(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, {**variables, "QB_KIS_HTS_ID": "somebody"}, "stream")["stream"]

    assert (found.status, found.mend) == (Status.FAIL, "Check QB_KIS_HTS_ID")


def test_a_stream_that_nobody_serves_fails(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        found = rows(tmp_path, {**variables, "QB_KIS_WS_URL": "ws://127.0.0.1:9"}, "stream")["stream"]

    assert found.status is Status.FAIL
    assert "the stream does not stand" in found.seen


def test_an_account_that_can_slip_into_credit_is_warned_of(tmp_path: Path) -> None:
    lies = Lies({"inquire-psbl-order": {"max_buy_amt": "25000000"}})
    found = lied(tmp_path, "credit", lies)

    assert (found.status, found.seen) == (
        Status.WARN,
        "KIS would let it buy for 15,000,000 won more than there is cash",
    )
    assert lied(tmp_path, "credit", Lies({"inquire-balance": {"tot_loan_amt": "1000"}})).status is Status.WARN


def test_an_account_without_money_cannot_buy(tmp_path: Path) -> None:
    lies = Lies({"inquire-psbl-order": {"nrcvb_buy_amt": "0", "nrcvb_buy_qty": "0"}})
    assert lied(tmp_path, "buying-power", lies).status is Status.FAIL


def test_more_calls_than_kis_allows_are_warned_of(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        fast = rows(tmp_path, {**variables, "QB_KIS_CALLS_PER_SECOND": "50"}, "rate-budget")["rate-budget"]
        kept = rows(tmp_path, {**variables, "QB_KIS_KEPT_FOR_ORDERS": "30"}, "rate-budget")["rate-budget"]

    assert (fast.status, kept.status) == (Status.WARN, Status.FAIL)

import contextlib
import socket
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
    with emulator(EmulatorPlan(speed=300, ticks=20_000)) as (server, variables):
        clock = server.clock.twin()
        while load_rules().calendar.phase_at(clock.now()) is not Phase.CONTINUOUS:
            sleep(0.05)
        found = rows(tmp_path, variables, "stream")["stream"]

    assert (found.status, found.seen) == (Status.OK, "connected, registered, and a trade came")


def test_a_closed_port_fails_the_token_and_skips_whatever_asks_kis(tmp_path: Path) -> None:
    with emulator() as (_server, variables):
        rows(tmp_path, variables, "balance")  # the token is kept from now on
    found = rows(tmp_path, {**variables, "QB_KIS_REST_URL": NOWHERE}, *CHECKS, "symbol", "open-orders", "holiday")

    assert (found["token"].status, found["token"].seen) == (Status.FAIL, "KIS does not answer: Connection refused")
    others = {name: each for name, each in found.items() if name not in {"token", "rate-budget"}}
    assert {(each.status, each.seen) for each in others.values()} == {
        (Status.SKIP, "KIS does not answer: Connection refused")
    }


def test_a_kis_that_takes_connections_and_never_answers_is_waited_for_once(tmp_path: Path) -> None:
    with emulator() as (_server, variables), socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        found = rows(tmp_path, {**variables, "QB_KIS_REST_URL": url, "QB_KIS_READ_TIMEOUT": "1s"}, *CHECKS)
        asked = waiting(deaf)

    assert found["token"].status is Status.FAIL
    assert {found[name].status for name in ("approval-key", "stream", "balance", "credit")} == {Status.SKIP}
    assert asked == 2  # for its clock, and for a token


def waiting(server: socket.socket) -> int:
    """Connections that nobody took."""
    server.settimeout(0)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


@pytest.mark.parametrize(
    ("lies", "seen"),
    [
        (Lies(html=("*",)), "HTTP 500"),
        (Lies(bodies={"*": b'{"access_token": "eyJ'}), "no JSON"),
        (Lies(bodies={"*": b""}), "no JSON"),
    ],
)
def test_a_token_that_does_not_come_is_asked_for_once_and_waited_for_by_nobody(
    lies: Lies, seen: str, tmp_path: Path
) -> None:
    with lying_kis(lies) as variables:
        found = rows(tmp_path, {**variables, "QB_KIS_TRIES": "2"}, *CHECKS)

    assert (found["token"].status, lies.asked.count("tokenP")) == (Status.FAIL, 1)
    assert seen in found["token"].seen
    assert found["balance"].seen == "KIS gives no access token"
    assert "inquire-price" not in lies.asked


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

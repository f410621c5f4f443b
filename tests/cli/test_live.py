"""Short days of `qb live` as a subprocess, through real sockets: normal, stopped, killed, halted."""

import signal
from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.order import TERMINAL
from qbtrade.kernel.clock import sleep
from tests.app.preflight.stand import Lies, proxy
from tests.live_days import FLIP, HOLD, Hosted, events, held, hosted, session, the_report, wait_for
from tests.program import PATIENCE, press_twice, run_qb
from tests.rehearsals import walked
from tests.servers import free_port


def assert_agrees(kis: Hosted, folder: Path) -> None:
    """The report is the emulator's own account, to the won."""
    account, report = kis.account(), the_report(folder)
    assert (report["account"]["cash"], held(report)) == (account["cash"], account["positions"])


def has(folder: Path, *kinds: type) -> bool:
    seen = {type(event) for event in events(folder)}
    return all(kind in seen for kind in kinds)


@pytest.mark.parametrize("side", ["real", "paper"])
def test_a_day_ends_after_the_close_with_a_report_that_agrees_to_the_won(side: str, tmp_path: Path) -> None:
    with (
        hosted("14:55", side=side, speed=100, calls_per_second=20, ticks=6000) as kis,
        session(kis, tmp_path) as process,
    ):
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (0, ""), stdout[-2000:]
        report = the_report(tmp_path)
        assert report["session"]["outcome"] == "DONE"
        assert report["counts"]["fills"] >= 2
        assert {"late", "stream_late"} <= report["counts"].keys()
        assert_agrees(kis, tmp_path)


def test_cash_that_differs_by_costs_which_are_estimates_is_no_difference(tmp_path: Path) -> None:
    (tmp_path / "qb.toml").write_text('[costs]\ncommission = "0.0036%"\n')
    with hosted("14:55", speed=100, ticks=6000) as kis, session(kis, tmp_path) as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (0, ""), stdout[-2000:]
        assert the_report(tmp_path)["counts"]["fills"]
        assert the_report(tmp_path)["account"]["cash"] != kis.account()["cash"]


def test_whoever_stops_the_session_before_it_began_leaves_nothing_behind(tmp_path: Path) -> None:
    journals = tmp_path / "home" / "journals"
    with hosted("10:00", speed=1, calls_per_second=1) as kis:
        with session(kis, tmp_path, "--max", "500000", "--bar", "1m", "--param", "slow=3000") as process:
            wait_for(process, lambda: bool(list(journals.glob("*.sqlite3"))))  # the past takes ten seconds from here
            process.send_signal(signal.SIGINT)
            _stdout, stderr = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert "interrupted before the session began: no order was sent" in stderr
        assert not list(journals.glob("*"))


def test_whoever_stops_the_preflight_of_a_session_is_told_that_nothing_was_sent(tmp_path: Path) -> None:
    with hosted("10:00", speed=1, side="paper", calls_per_second=1) as kis:
        kis.variables["QB_KIS_ENV"] = "paper"
        with session(kis, tmp_path, "--env", "paper", "--max", "500000") as process:
            assert process.stdout
            assert process.stdout.readline().startswith("Preflight first")
            process.send_signal(signal.SIGINT)
            _stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (130, "interrupted before the session began: no order was sent\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_cancels_what_works_and_reports(number: signal.Signals, tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert the_report(tmp_path)["session"]["reason"] == number.name
        assert all(order.status in TERMINAL for order in walked(events(tmp_path)).values())
        assert_agrees(kis, tmp_path)


def test_an_order_made_by_hand_outlives_the_session_and_is_no_failure(tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        number = kis.order_by_hand("005930", "BUY", 3, 60_000)
        wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert "order-left" not in {alert["code"] for alert in the_report(tmp_path)["alerts"]}
        assert [order["remaining"] for order in kis.orders() if str(order["number"]) == number] == [3]


def test_a_second_signal_leaves_at_once_without_a_report(tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
        press_twice(process)
        _stdout, stderr = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert "left at once" in stderr
    assert not list((tmp_path / "home").glob("reports/*"))


def test_an_end_that_waits_for_an_order_says_so_and_asks_for_its_cancel_once(tmp_path: Path) -> None:
    with hosted("10:00", speed=5) as kis:
        kis.set_faults(answer_lost=10**9, notice_missing=10**9)
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: has(tmp_path, ev.PhaseChanged))
            kis.set_faults(answer_lost=10**9, notice_missing=10**9, ledger_busy=10**9)
            wait_for(process, lambda: has(tmp_path, ev.OrderUnconfirmed))
            process.send_signal(signal.SIGINT)
            assert process.stdout
            told = next(line for line in process.stdout if line.startswith("note: "))
            sleep(3)  # more cancels would come meanwhile
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    (order,) = (event.order.order_id for event in events(tmp_path) if isinstance(event, ev.OrderSending))
    assert told == f"note: waiting up to 20 s for {order} (unconfirmed); Ctrl+C once more leaves at once\n"
    assert sum(isinstance(event, ev.CancelOrder) for event in events(tmp_path)) <= 2  # by the halt, by the end


def test_a_day_that_ends_with_an_order_of_unknown_fate_is_no_success(tmp_path: Path) -> None:
    with hosted("15:08", side="paper", calls_per_second=20) as kis, session(kis, tmp_path) as process:
        kis.set_faults(timeout_not_taken=10**9)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (5, ""), stdout[-2000:]
        assert "order-left" in {alert["code"] for alert in the_report(tmp_path)["alerts"]}
        assert_agrees(kis, tmp_path)


def test_cancel_and_flatten_sells_everything(tmp_path: Path) -> None:
    args = ("--max", "500000", "--strategy", "./flip.py:Flip", "--bar", "1m", "--on-exit", "cancel+flatten")
    with hosted("10:00") as kis, session(kis, tmp_path, *args) as process:
        wait_for(process, lambda: has(tmp_path, ev.PositionChanged))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert kis.account()["positions"] == {}
        assert_agrees(kis, tmp_path)


def test_what_is_sold_in_the_closing_auction_raises_no_alarm(tmp_path: Path) -> None:
    args = (
        "--max",
        "500000",
        "--strategy",
        "./hold.py:Hold",
        "--bar",
        "10s",
        "--until",
        "close-9m",
        "--on-exit",
        "cancel+flatten",
    )
    (tmp_path / "hold.py").write_text(HOLD)
    with hosted("15:00", speed=30) as kis, session(kis, tmp_path, *args) as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (0, ""), stdout[-2000:]
        assert kis.account()["positions"] == {}
        assert_agrees(kis, tmp_path)
    sold = [order for order in the_report(tmp_path)["orders"] if order["side"] == "SELL"]
    assert {order["status"] for order in sold} == {"FILLED"}
    assert not {alert["code"] for alert in the_report(tmp_path)["alerts"]} & {"stop-loss-unfilled", "shares-left"}


def test_an_order_that_was_on_its_way_at_a_kill_is_found_at_the_next_start(tmp_path: Path) -> None:
    with hosted("10:00", speed=2) as kis:  # an answer is four seconds late: time enough for a kill
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: has(tmp_path, ev.PhaseChanged))
            kis.set_faults(slow_answer=10**9)
            wait_for(process, lambda: bool(kis.account()["positions"]))
            process.kill()
        assert not has(tmp_path, ev.OrderAccepted)
        kis.set_faults(slow_answer=0)
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
            assert process.returncode == 130
        started, *_rest = (event for event in events(tmp_path) if isinstance(event, ev.SessionStarted))
        assert started.held["005930"].qty > 0
        assert_agrees(kis, tmp_path)


def test_a_second_session_of_the_account_names_the_first(tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_for(process, lambda: has(tmp_path, ev.PhaseChanged))
        other = run_qb("live", "--env", "emulator", folder=tmp_path, home=tmp_path / "home", **kis.variables)
        assert other.returncode == 4
        assert f"process {process.pid}) trades this account already" in other.stderr


def test_halt_from_another_terminal_stops_orders_until_resumed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
        told = run_qb("status", folder=tmp_path, home=home, **kis.variables)
        assert f"(process {process.pid}) is running" in told.stdout
        halted = run_qb("halt", "--env", "emulator", "--reason", "a test", folder=tmp_path, home=home, **kis.variables)
        assert (halted.returncode, halted.stderr) == (0, "")
        wait_for(process, lambda: any(
            isinstance(event, ev.RiskStateChanged) and event.reason == "halted-by-hand" for event in events(tmp_path)
        ))  # fmt: skip
        unsaid = run_qb("resume", "--env", "emulator", folder=tmp_path, home=home, **kis.variables)
        assert unsaid.returncode == 2
        said = run_qb(
            "resume", "--env", "emulator", "--reason", "it is over", folder=tmp_path, home=home, **kis.variables
        )
        assert said.returncode == 0
        wait_for(process, lambda: any(
            isinstance(event, ev.RiskStateChanged) and event.reason == "resumed" for event in events(tmp_path)
        ))  # fmt: skip


def test_a_halt_outlives_the_session(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with hosted("10:00") as kis:
        run_qb("halt", "--env", "emulator", folder=tmp_path, home=home, **kis.variables)
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: has(tmp_path, ev.RiskStateChanged))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert the_report(tmp_path)["counts"]["fills"] == 0


def test_limits_and_ticks_of_kis_that_differ_from_the_rules_are_alerts_and_count(tmp_path: Path) -> None:
    lies = Lies({"inquire-price": {"stck_mxpr": "200000", "aspr_unit": "500"}})
    with hosted("10:00") as kis, proxy(kis.url, lies) as url:
        kis.variables["QB_KIS_REST_URL"] = url
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
    seen = events(tmp_path)
    codes = {event.code for event in seen if isinstance(event, ev.Alert)}
    assert {"price-limits-differ", "tick-differs"} <= codes
    prices = [event.order.price for event in seen if isinstance(event, ev.OrderSending)]
    assert prices
    assert not any(price % 500 for price in prices)


def test_a_database_and_a_redis_that_are_away_harm_no_session(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with hosted("10:00") as kis:
        kis.variables |= {
            "QB_DATABASE_URL": f"postgresql://qb:word@{nowhere}/qb",
            "QB_REDIS_URL": f"redis://{nowhere}/0",
        }
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert_agrees(kis, tmp_path)


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    args = ("--max", "500000", "--strategy", "./flip.py:Flip", "--bar", "10s", "--dry-run")
    with hosted("10:00") as kis, session(kis, tmp_path, *args) as process:
        wait_for(process, lambda: has(tmp_path, ev.OrderFilled))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert kis.account()["cash"] == 10_000_000


def test_after_the_close_it_refuses_and_names_the_next_day(tmp_path: Path) -> None:
    with hosted("15:31") as kis:
        done = run_qb("live", "--env", "emulator", folder=tmp_path, home=tmp_path / "home", **kis.variables)
    assert done.returncode == 4
    assert "ended at 15:30" in done.stderr
    assert "2026-11-03" in done.stderr


def test_lost_streams_come_back_and_the_books_agree(tmp_path: Path) -> None:
    with hosted(
        "14:55", speed=100, ticks=6000, faults={"socket-drop": 100_000_000, "notice-missing": 300_000_000}
    ) as kis:
        (tmp_path / "flip.py").write_text(FLIP)
        with session(kis, tmp_path) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (0, ""), stdout[-2000:]
        assert has(tmp_path, ev.FeedLost, ev.FeedRestored)
        assert_agrees(kis, tmp_path)

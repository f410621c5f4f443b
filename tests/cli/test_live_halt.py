"""`qb halt` from another terminal: a healthy session, one that hangs, one that died; and `qb resume`."""

import os
import pty
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.live_days import HOLD, Hosted, events, hosted, session, the_report, wait_for
from tests.program import PATIENCE, QB, environment, freeze, run_qb

KEEN = '''
from qbtrade.ports import Strategy


class Keen(Strategy):
    """Buys once, and wants to sell and buy with every bar when it has held for three minutes."""

    since = 0

    def on_bar(self, bar):
        self.since = self.since or bar.ts
        if bar.ts - self.since > 180 * 10**9 and self.desk.position(bar.symbol):
            self.desk.sell(bar.symbol, "held for long")
        else:
            self.desk.buy(bar.symbol, "a bar has closed")
'''
KEEPS = ("--max", "500000", "--strategy", "./hold.py:Hold", "--bar", "10s", "--max-orders", "100")
WAKES = ("--max", "500000", "--strategy", "./keen.py:Keen", "--bar", "10s", "--max-orders", "100")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hold.py").write_text(HOLD)
    (tmp_path / "keen.py").write_text(KEEN)
    return tmp_path


def halt(kis: Hosted, folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return run_qb("halt", "--env", "emulator", *args, folder=folder, home=folder / "home", **kis.variables)


def resume(kis: Hosted, folder: Path, why: str) -> "subprocess.CompletedProcess[str]":
    return run_qb("resume", "--env", "emulator", "--reason", why, folder=folder, home=folder / "home", **kis.variables)


def has(folder: Path, *kinds: type) -> bool:
    seen = {type(event) for event in events(folder)}
    return all(kind in seen for kind in kinds)


def is_holding(folder: Path) -> bool:
    """Whether the last fill completed its order."""
    changed = [event for event in events(folder) if isinstance(event, ev.PositionChanged)]
    orders = {event.order.order_id: event.order.qty for event in events(folder) if isinstance(event, ev.OrderSending)}
    return bool(changed) and changed[-1].qty == orders[changed[-1].order_id]


def halts(folder: Path, reason: str) -> bool:
    return any(isinstance(event, ev.RiskStateChanged) and event.reason == reason for event in events(folder))


@pytest.mark.parametrize("side", ["real", "paper"])
def test_a_session_that_hangs_is_sold_out_in_its_place_and_sends_nothing_when_it_wakes_up(
    side: str, folder: Path
) -> None:
    with hosted("10:00", speed=20, side=side, calls_per_second=20) as kis, session(kis, folder, *WAKES) as process:
        wait_for(process, lambda: is_holding(folder))
        freeze(process)
        done = halt(kis, folder, "--flatten")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "nothing that qb opened is left" in done.stdout
        sold = kis.account()
        assert sold["positions"] == {}
        assert resume(kis, folder, "all is sold").returncode == 0
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 6
        assert (kis.account()["cash"], kis.account()["positions"]) == (sold["cash"], {})
    woken = events(folder, 0)
    assert isinstance(woken[-1], ev.SessionEnded)
    assert woken[-1].reason == "taken-over"
    (taken, *_) = (event for event in woken if isinstance(event, ev.Alert) and event.code == "taken-over")
    since = woken.index(taken)
    assert not [event for event in woken[since:] if isinstance(event, ev.OrderSending)]


@pytest.mark.parametrize("side", ["real", "paper"])
def test_what_a_killed_session_left_is_sold_out(side: str, folder: Path) -> None:
    with hosted("10:00", speed=20, side=side, calls_per_second=20) as kis:
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: is_holding(folder))
            process.kill()
            process.wait()
        done = halt(kis, folder, "--flatten", "--reason", "it died")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert kis.account()["positions"] == {}
        report = the_report(folder)
        assert report["account"]["cash"] == kis.account()["cash"]
        again = halt(kis, folder, "--flatten")
        assert (again.returncode, kis.account()["cash"]) == (0, report["account"]["cash"])


@pytest.mark.parametrize("side", ["real", "paper"])
def test_a_healthy_session_sells_by_itself_and_stays_halted(side: str, folder: Path) -> None:
    with hosted("10:00", speed=20, side=side, calls_per_second=20) as kis, session(kis, folder, *KEEPS) as process:
        wait_for(process, lambda: is_holding(folder))
        done = halt(kis, folder, "--flatten")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert kis.account()["positions"] == {}
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
    assert len(list((folder / "home" / "journals").glob("*.sqlite3"))) == 1
    assert the_report(folder)["account"]["cash"] == kis_cash(folder)


def kis_cash(folder: Path) -> int:
    return next(event.cash for event in reversed(events(folder)) if isinstance(event, ev.PositionChanged))


def test_after_the_close_what_is_left_is_named(folder: Path) -> None:
    with hosted("15:00", speed=30) as kis:
        with session(kis, folder, *KEEPS) as process:
            process.communicate(timeout=PATIENCE)
        qty = kis.account()["positions"]["005930"]
        done = halt(kis, folder, "--flatten")
        assert done.returncode == 5
        assert f"{qty} of 005930 are left" in done.stdout
        assert kis.account()["positions"] == {"005930": qty}


def test_shares_that_qb_did_not_open_are_never_sold(folder: Path) -> None:
    with hosted("10:00", speed=20) as kis:
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: is_holding(folder))
            process.kill()
            process.wait()
        held = kis.account()["positions"]["005930"]
        for journal in (folder / "home" / "journals").iterdir():
            journal.unlink()  # now nobody knows that qb opened them
        done = halt(kis, folder, "--flatten")
        assert (done.returncode, kis.account()["positions"]) == (0, {"005930": held})


def test_a_kept_halt_leaves_the_stop_of_open_positions_at_work(folder: Path) -> None:
    with hosted("10:00", speed=20) as kis:
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: is_holding(folder))
            assert halt(kis, folder, "--reason", "lunch").returncode == 0
            wait_for(process, lambda: halts(folder, "halted-by-hand"))
            process.kill()
            process.wait()
        assert kis.account()["positions"] != {}
        with session(kis, folder, *KEEPS, "--stop-loss", "0.1%") as process:
            wait_for(process, lambda: halts(folder, "halted-by-hand"))
            wait_for(process, lambda: kis.account()["positions"] == {})
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        sent = [event.order.purpose for event in events(folder) if isinstance(event, ev.OrderSending)]
        assert set(sent) == {"PROTECT"}


def test_resume_asks_why_on_a_terminal_and_keeps_the_answer(folder: Path) -> None:
    with hosted("10:00") as kis:
        assert halt(kis, folder, "--reason", "lunch").returncode == 0
        screen, terminal = pty.openpty()
        with subprocess.Popen(
            [QB, "resume", "--env", "emulator"], stdin=terminal, stdout=terminal, stderr=terminal, cwd=folder,
            env=environment(folder / "home", **kis.variables), start_new_session=True,
        ) as process:  # fmt: skip
            os.close(terminal)
            shown = b""
            while b"Why may trading go on?" not in shown:
                shown += os.read(screen, 1024)
            os.write(screen, b"lunch is over\n")
            assert process.wait(timeout=PATIENCE) == 0
        os.close(screen)
    assert "lunch is over" in (folder / "home" / "halt" / "resumed.jsonl").read_text()
    assert list((folder / "home" / "halt").glob("*.json")) == []


def test_books_that_disagree_stay_halted_until_somebody_says_why(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "hold.py").write_text(HOLD)
    with hosted("10:00", speed=20) as kis:
        for place in (folder, elsewhere):  # of what the second one does, the first one's journals know nothing
            with session(kis, place, *KEEPS) as process:
                wait_for(process, lambda place=place: is_holding(place))  # type: ignore[misc]
                process.kill()
                process.wait()
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: halts(folder, "books-disagree"))
            process.kill()
            process.wait()
        assert "the books disagree" in next((folder / "home" / "halt").glob("*.json")).read_text()
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: halts(folder, "halted-by-hand"))
            assert resume(kis, folder, "they were mine").returncode == 0
            wait_for(process, lambda: halts(folder, "resumed"))


def test_a_closed_terminal_ends_the_session_with_its_report(folder: Path) -> None:
    screen, terminal = pty.openpty()
    with hosted("10:00", speed=20) as kis, subprocess.Popen(
        ["setsid", "--ctty", "--wait", QB, "live", "--env", "emulator", *KEEPS, "--status-every", "1"], cwd=folder,
        stdin=terminal, stdout=terminal, stderr=terminal, env=environment(folder / "home", **kis.variables),
    ) as process:  # fmt: skip
        os.close(terminal)
        os.set_blocking(screen, False)
        watch = Stopwatch()
        while not is_holding(folder):
            assert watch.seconds() < PATIENCE
            with suppress(BlockingIOError):
                os.read(screen, 65536)
            sleep(0.02)
        os.close(screen)
        assert process.wait(timeout=PATIENCE) == 130
    assert the_report(folder)["session"]["reason"] == "SIGHUP"
    assert "shares-left" in {alert["code"] for alert in the_report(folder)["alerts"]}


def test_resume_compares_the_books_first_and_shows_in_one_table_what_disagrees(folder: Path) -> None:
    with hosted("10:00", speed=20, calls_per_second=20) as kis:
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: is_holding(folder))
            assert halt(kis, folder, "--reason", "lunch").returncode == 0
            assert resume(kis, folder, "lunch is over").returncode == 0  # a session that runs is compared, too
            wait_for(process, lambda: halts(folder, "resumed"))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert halt(kis, folder).returncode == 0
        qty = kis.account()["positions"]["005930"]
        kis.order_by_hand("005930", "SELL", qty, 0)
        told = resume(kis, folder, "I sold it in the app")
        assert told.returncode == 7
        assert "the books disagree" in told.stdout
        assert f"{-qty:+,}" in told.stdout
        assert list((folder / "home" / "halt").glob("*.json")) != []
        forced = run_qb(
            "resume", "--env", "emulator", "--force", "--reason", "sold", folder=folder, home=folder / "home",
            **kis.variables,
        )  # fmt: skip
        assert forced.returncode == 0, forced.stderr
        assert list((folder / "home" / "halt").glob("*.json")) == []


def test_resume_leaves_the_halt_while_kis_does_not_tell_its_books(folder: Path) -> None:
    with hosted("10:00", speed=20, calls_per_second=20) as kis:
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: is_holding(folder))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert halt(kis, folder).returncode == 0
        kis.set_faults(server_error=10**9)
        assert resume(kis, folder, "all is well").returncode == 5
        assert list((folder / "home" / "halt").glob("*.json")) != []


def test_refusals_in_a_row_halt_the_session_until_somebody_resumes(folder: Path) -> None:
    with hosted("10:00", speed=20, calls_per_second=20) as kis:
        kis.set_faults(exchange_reject=10**9)
        kis.variables["QB_LIVE_REJECT_WINDOW"] = "10m"
        with session(kis, folder, *KEEPS) as process:
            wait_for(process, lambda: halts(folder, "reject-storm"))
            assert len([event for event in events(folder) if isinstance(event, ev.OrderRejected)]) == 5
            kis.set_faults(exchange_reject=0)
            assert resume(kis, folder, "the exchange takes orders again").returncode == 0
            wait_for(process, lambda: is_holding(folder))

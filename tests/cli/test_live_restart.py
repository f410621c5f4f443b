"""A session that is started again: what the day brought so far, its entries, and shares of other symbols stay known."""

import signal
import subprocess
from pathlib import Path

import pytest

from qbtrade.adapters.store.projections import folded
from qbtrade.adapters.store.verify import verify
from qbtrade.domain import events as ev
from qbtrade.domain.order import TERMINAL
from qbtrade.kernel.clock import sleep
from tests.live_days import FLIP, HOLD, Hosted, events, held, hosted, session, the_report, wait_for
from tests.program import PATIENCE, freeze
from tests.rehearsals import walked

FLIPS = ("--symbol", "005930", "--max", "500000", "--strategy", "./flip.py:Flip", "--bar", "10s")
OFTEN = ("--max-orders", "100")
DEAR = 10_000_000
"""Commission of the local KIS, ppb: with 1 % a round trip surely loses."""


def journals(folder: Path) -> int:
    return len(list((folder / "home" / "journals").glob("*.sqlite3")))


def fills(folder: Path) -> list[ev.PositionChanged]:
    return [event for event in events(folder) if isinstance(event, ev.PositionChanged)]


def brought(folder: Path) -> int:
    """KRW that a session took, less costs."""
    return sum(event.realized - event.commission - event.tax for event in fills(folder))


def entries(folder: Path) -> int:
    return sum(isinstance(event, ev.OrderApproved) and event.order.purpose == "ENTRY" for event in events(folder))


def began(folder: Path) -> ev.SessionStarted:
    (started,) = (event for event in events(folder) if isinstance(event, ev.SessionStarted))
    return started


def of_today(started: ev.SessionStarted) -> int:
    """Profit of the day with which a session begins, as risk counts it, without what is on paper."""
    return started.cash + sum(each.cost for each in started.held.values()) - started.day_start


def is_stopped_while_quiet(process: "subprocess.Popen[str]", folder: Path) -> bool:
    """Stop a session; let it go on again when one of its orders has no end yet."""
    freeze(process)
    quiet = all(order.status in TERMINAL for order in walked(events(folder)).values())
    if not quiet:
        process.send_signal(signal.SIGCONT)
        sleep(0.1)
    return quiet


def a_session(kis: Hosted, folder: Path, *args: str, ends_by: signal.Signals, trades: int = 4) -> None:
    """Trade for a while, then end."""
    before = journals(folder)
    with session(kis, folder, *FLIPS, *args) as process:
        wait_for(process, lambda: journals(folder) > before)
        wait_for(process, lambda: len({event.order_id for event in fills(folder)}) >= trades)
        wait_for(process, lambda: is_stopped_while_quiet(process, folder))
        process.send_signal(ends_by)
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGINT])
def test_the_loss_of_the_day_is_carried_over_restarts(ends_by: signal.Signals, tmp_path: Path) -> None:
    with hosted("10:00", speed=30, commission_ppb=DEAR) as kis:
        kis.variables["QB_COSTS_COMMISSION"] = "1%"
        a_session(kis, tmp_path, *OFTEN, ends_by=ends_by)
        first = brought(tmp_path)
        a_session(kis, tmp_path, *OFTEN, ends_by=ends_by)
        second = began(tmp_path)
        assert first < 0
        assert of_today(second) == first
        so_far = of_today(second) + brought(tmp_path)
        with session(kis, tmp_path, *FLIPS, *OFTEN, "--daily-loss", str(-so_far)) as process:
            wait_for(process, lambda: any(
                isinstance(event, ev.RiskStateChanged) and event.reason == "daily-loss" for event in events(tmp_path)
            ))  # fmt: skip
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert of_today(began(tmp_path)) == so_far
        assert entries(tmp_path) == 0


@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGINT])
def test_a_journal_replayed_is_what_the_broker_holds(ends_by: signal.Signals, tmp_path: Path) -> None:
    with hosted("10:00", speed=30) as kis:
        a_session(kis, tmp_path, *OFTEN, ends_by=ends_by)
        (journal,) = (tmp_path / "home" / "journals").glob("*.sqlite3")
        assert verify(journal).is_folded
        tables, truth = folded(events(tmp_path)), kis.account()
        assert [cash for *_, cash in tables["account"]] == [truth["cash"]]
        assert {symbol: qty for symbol, qty, _cost in tables["position"]} == truth["positions"]
        assert {status for _, status, *_ in tables["orders"]} <= TERMINAL
        numbers = {order_id: number for order_id, _status, number, *_ in tables["orders"] if number}
        after = {row[0]: row[-1] for row in tables["intent"]}
        assert len(numbers) >= 4
        assert all(int(after[order_id] or 0) < int(number) for order_id, number in numbers.items())


@pytest.mark.parametrize("ends_by", [signal.SIGKILL, signal.SIGINT])
def test_entries_of_the_day_are_counted_over_restarts(ends_by: signal.Signals, tmp_path: Path) -> None:
    with hosted("10:00", speed=30) as kis:
        a_session(kis, tmp_path, *OFTEN, ends_by=ends_by)
        first = entries(tmp_path)
        a_session(kis, tmp_path, *OFTEN, ends_by=ends_by, trades=2)
        assert began(tmp_path).entries == first
        so_far = first + entries(tmp_path)
        with session(kis, tmp_path, *FLIPS, "--max-orders", str(so_far)) as process:
            wait_for(process, lambda: any(
                isinstance(event, ev.OrderDenied) and event.reason == "entries-per-day" for event in events(tmp_path)
            ))  # fmt: skip
            process.kill()
        assert (began(tmp_path).entries, entries(tmp_path)) == (so_far, 0)


def test_shares_of_a_symbol_that_a_session_does_not_trade_are_shown_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hold.py").write_text(HOLD)
    (tmp_path / "flip.py").write_text(FLIP)
    holds = ("--max", "500000", "--strategy", "./hold.py:Hold", "--bar", "10s", "--daily-loss", "100000", *OFTEN)
    with hosted("10:00", speed=30, symbols=("005930", "000660")) as kis:
        with session(kis, tmp_path, "--symbol", "005930", *holds) as process:
            wait_for(process, lambda: bool(fills(tmp_path)))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        shares = kis.account()["positions"]
        with session(kis, tmp_path, "--symbol", "000660", *holds, "--on-exit", "cancel+flatten") as process:
            wait_for(process, lambda: journals(tmp_path) == 2)
            wait_for(process, lambda: bool(fills(tmp_path)))
            process.send_signal(signal.SIGINT)
            stdout, _stderr = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert f"005930: {shares['005930']} shares of qb are held" in stdout
        codes = [alert["code"] for alert in the_report(tmp_path)["alerts"]]
        assert "not-traded-here" in codes
        assert not {"books-disagree", "daily-loss"} & set(codes)
        assert kis.account()["positions"] == shares
        with session(kis, tmp_path, "--symbol", "005930", *holds) as process:
            wait_for(process, lambda: journals(tmp_path) == 3)
            wait_for(process, lambda: any(isinstance(event, ev.PhaseChanged) for event in events(tmp_path)))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert held(the_report(tmp_path)) == shares

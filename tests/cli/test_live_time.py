"""`qb live` as a process on a machine that sleeps, or whose clock is set: its clocks change at a signal."""

import signal
from pathlib import Path
from typing import Final

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.events import Alert, RiskState, RiskStateChanged
from qbtrade.kernel.clock import sleep
from tests.builders import SECOND
from tests.live_days import Hosted, events, hosted, session, wait_for
from tests.program import PATIENCE, freeze

CLOCKS: Final = '''
"""Of a machine that sleeps a minute at SIGUSR1, or in the next write of a file at SIGVTALRM, and whose clock is set
back half a minute at SIGUSR2."""
import os
import signal
import time

wall, uptime, ahead, slept, replace = time.time_ns, time.clock_gettime_ns, 0, 0, os.replace


def sleep_in_write(_number, _frame):
    os.replace = while_asleep


def while_asleep(*paths):
    os.replace = replace
    sleep(0, None)
    replace(*paths)


def sleep(_number, _frame):
    global slept
    slept += 60 * 10**9


def be_set(_number, _frame):
    global ahead
    ahead -= 30 * 10**9


time.time_ns = lambda: wall() + slept + ahead
time.clock_gettime_ns = lambda which: uptime(which) + (slept if which == time.CLOCK_BOOTTIME else 0)
signal.signal(signal.SIGUSR1, sleep)
signal.signal(signal.SIGVTALRM, sleep_in_write)
signal.signal(signal.SIGUSR2, be_set)
'''
LONG_STILL: Final = 12
"""Seconds: more than the ten that count as standing still, less than the watchdog takes for death."""
CALM: Final = ("--symbol", "005930", "--max", "500000", "--bar", "30m")


def on_such_a_machine(kis: Hosted, folder: Path) -> Hosted:
    (folder / "machine").mkdir()
    (folder / "machine" / "sitecustomize.py").write_text(CLOCKS)
    kis.variables["PYTHONPATH"] = str(folder / "machine")
    return kis


def states(folder: Path) -> list[tuple[RiskState, str]]:
    return [(event.state, event.reason) for event in events(folder) if isinstance(event, RiskStateChanged)]


def said(folder: Path, code: str) -> str:
    return next((event.text for event in events(folder) if isinstance(event, Alert) and event.code == code), "")


def trades(folder: Path) -> bool:
    return any(isinstance(event, ev.EquityMarked | ev.PhaseChanged) for event in events(folder))


@pytest.mark.parametrize("moment", [signal.SIGUSR1, signal.SIGVTALRM], ids=["at-any-time", "while-it-shows-itself"])
def test_after_a_sleep_the_time_is_right_and_entries_wait_until_the_books_agree(
    moment: signal.Signals, tmp_path: Path
) -> None:
    with hosted("10:00", speed=1) as kis, session(on_such_a_machine(kis, tmp_path), tmp_path, *CALM) as process:
        wait_for(process, lambda: trades(tmp_path))
        before = events(tmp_path)[-1].ts
        process.send_signal(moment)
        kis.sleep(60)
        wait_for(process, lambda: (RiskState.ACTIVE, "resumed") in states(tmp_path))
        assert states(tmp_path)[0] == (RiskState.REDUCING, "stood-still")
        assert said(tmp_path, "stood-still").startswith("qb stood still for ")
        assert events(tmp_path)[-1].ts > before + 60 * SECOND
        assert said(tmp_path, "clock-set") == ""
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130


def test_a_process_that_stood_still_compares_its_books_before_it_goes_on(tmp_path: Path) -> None:
    with hosted("10:00", speed=1) as kis, session(kis, tmp_path, *CALM) as process:
        wait_for(process, lambda: trades(tmp_path))
        freeze(process)
        sleep(LONG_STILL)
        process.send_signal(signal.SIGCONT)
        wait_for(process, lambda: (RiskState.ACTIVE, "resumed") in states(tmp_path))
        assert (RiskState.REDUCING, "stood-still") in states(tmp_path)
        assert said(tmp_path, "clock-set") == ""
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130


def test_a_clock_that_is_set_halts_and_changes_no_time(tmp_path: Path) -> None:
    with hosted("10:00", speed=1) as kis, session(on_such_a_machine(kis, tmp_path), tmp_path, *CALM) as process:
        wait_for(process, lambda: trades(tmp_path))
        before = events(tmp_path)[-1].ts
        process.send_signal(signal.SIGUSR2)
        wait_for(process, lambda: bool(states(tmp_path)))
        assert states(tmp_path) == [(RiskState.HALTED, "clock-set")]
        assert "was set by -30 s" in said(tmp_path, "clock-set")
        assert all(event.ts >= before for event in events(tmp_path)[-2:])
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, "the machine's clock was set" in stdout) == (130, True)

"""The guides of a trading day: both languages tell the same commands, and each works against a local KIS."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbtrade.kernel.clock import sleep
from tests.architecture.tree import ROOT
from tests.program import PATIENCE, QB, environment, run_qb

DOCS = ROOT / "docs"
PAIRS = [
    ("TRADING_TEST_GUIDE.md", "trading-test-guide.md"),
    ("TOMORROW_CHECKLIST.md", "tomorrow-checklist.md"),
]
LONGEST_GUIDE = 150
ARGUMENT = re.compile(r'"([^"]*)"|(\S+)')
A_DAY = ("--speed", "1500", "--ticks", "1000", "--quiet")
"""Makes a day of `qb live` last seconds."""
A_MORNING = (*A_DAY, "--until", "11:00")
"""Makes it end early, too, where the guide does not say when; the close is that of the line which does."""
AN_HOUR = ("--speed", "300", "--ticks", "1000", "--quiet")
"""Makes it last long enough to be halted from outside."""


def commands(name: str) -> list[str]:
    text = (DOCS / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("qb ")]


def on_the_emulator(line: str) -> list[str]:
    """The arguments of a line, with the emulator in the place of KIS's paper trading."""
    _, *words = (quoted or word for quoted, word in ARGUMENT.findall(line))
    return ["emulator" if word == "paper" else word for word in words]


@contextmanager
def running_session(folder: Path, home: Path) -> Iterator[None]:
    """A session in the background, until its status is there; stopped as with Ctrl+C."""
    seen = set((home / "journals").glob("*.sqlite3"))
    line = [QB, "live", "--env", "emulator", "--symbol", "005930", "--max", "1000000", *AN_HOUR]
    with subprocess.Popen(line, cwd=folder, env=environment(home), stdin=subprocess.DEVNULL) as session:
        for _ in range(PATIENCE * 10):
            if set((home / "journals").glob("*.sqlite3")) - seen:
                break
            sleep(0.1)
        yield
        session.send_signal(signal.SIGINT)
        assert session.wait(PATIENCE) == 130


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    args, home = on_the_emulator(line), folder / "home"
    if "--flatten" in args:
        with running_session(folder, home):
            return run_qb(*args, folder=folder, home=home)
    shortened = () if args[0] != "live" else A_DAY if "--until" in args else A_MORNING
    return run_qb(*args, *shortened, folder=folder, home=home)


@pytest.mark.parametrize(("korean", "english"), PAIRS)
def test_both_languages_tell_the_same_commands_in_the_same_order(korean: str, english: str) -> None:
    assert commands(korean) == commands(english)
    assert {line.split()[1] for line in commands(korean)} >= {"preflight", "live", "status", "halt", "resume", "report"}


@pytest.mark.parametrize("name", [name for pair in PAIRS for name in pair])
def test_a_guide_is_short_and_says_that_real_orders_are_locked(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text.count("\n") < LONGEST_GUIDE
    assert "**Real orders are locked" in text or "**실전 주문은 지금 잠겨 있습니다.**" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", [korean for korean, _ in PAIRS])
def test_every_command_of_a_guide_works(name: str, tmp_path: Path) -> None:
    for line in commands(name):
        ended = run(line, tmp_path)
        assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"

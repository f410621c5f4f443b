"""`./quick_start.sh` on a terminal and without one, in a copy of the project that is set up already."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.domain.events import SessionStarted
from qbtrade.errors import FileError
from tests.architecture.tree import ROOT
from tests.live_days import hosted
from tests.program import QB, environment
from tests.servers import services_folder
from tests.terminals import CTRL_C, CTRL_D, Terminal, terminal

QUESTION = "1, 2, 3, or Enter to leave: "
FINGERPRINT = """
cd .venv
printf '%s\\n' "${PWD%/.venv}" | cat - ../pyproject.toml ../requirements.lock >.asked
cksum <.asked >.qb-lock-run
cat .asked ../requirements-services.lock | cksum >.qb-lock-services
"""
QUICK = {"QB_MOCK_TICKS": "1000", "CI": "", "PATH": os.environ["PATH"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the script looks at, with programs that lead to those of this environment."""
    folder = tmp_path.resolve() / "project"
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("quick_start.sh", "pyproject.toml", "requirements.lock", "requirements-services.lock"):
        shutil.copy(ROOT / name, folder)
    for name, place in (("python", sys.executable), ("qb", QB)):
        (programs / name).write_text(f'#!/bin/sh\nexec "{place}" "$@"\n')
        (programs / name).chmod(0o755)
    (programs / "activate").write_text(f"VIRTUAL_ENV={folder}/.venv\n")
    subprocess.run(["/bin/sh", "-c", FINGERPRINT], cwd=folder, check=True)
    return folder


@contextmanager
def asked(project: Path, **more: str) -> Iterator[Terminal]:
    """At the question after the rehearsal."""
    variables = environment(project / "home", **QUICK, HOME=str(project), **more)
    with terminal(["./quick_start.sh"], project, variables) as shown:
        shown.until(QUESTION)
        assert "Set up already" in shown.shown
        yield shown


def sessions(project: Path) -> list[SessionStarted]:
    """Of the journals so far, live ones only."""
    found = []
    for path in sorted(project.glob("home/journals/*.sqlite3")):
        try:
            found += [event for event in read_events(path) if isinstance(event, SessionStarted)]
        except FileError:  # being created at this moment
            continue
    return [event for event in found if event.mode != "simulation"]


def stopped(shown: Terminal, project: Path) -> SessionStarted:
    """The session that was started, which Ctrl+C ends."""
    shown.wait(lambda: bool(sessions(project)))
    shown.type(CTRL_C)
    assert shown.end() == 130, shown.shown
    (session,) = sessions(project)
    return session


def test_a_small_budget_runs_on_the_local_kis_while_there_are_no_keys(project: Path) -> None:
    with asked(project) as shown:
        assert "There are no keys for paper trading, so the local KIS of qb takes its place" in shown.shown
        shown.type("4\n1\n")
        shown.until("$ qb live --env emulator --symbol 005930 --max 1000000 --daily-loss 50000 --speed 60")
        assert "4 is none of them." in shown.shown
        session = stopped(shown, project)
    assert (session.mode, session.limits["max_budget"], session.limits["daily_loss"]) == ("emulator", 1_000_000, 50_000)


def test_a_dry_run_sends_nothing(project: Path) -> None:
    with asked(project) as shown:
        shown.type("2\n")
        shown.until("$ qb live --env emulator --dry-run --symbol 005930 --max 1000000 --speed 60")
        assert stopped(shown, project).mode == "dry-run"


def test_a_choice_of_ones_own_is_asked_for_step_by_step(project: Path) -> None:
    with asked(project) as shown:
        shown.type("3\n")
        for question, answer in (
            ("Environment: paper, real or emulator [emulator]: ", ""), ("Symbol [005930]: ", "000660"),
            ("Money at work, won [1000000]: ", "2000000"), ("Loss that ends the day, won [50000]: ", "70000"),
            ("Strategy, or ./file.py:Class [sma_cross]: ", ""),
            ("Its parameters, as in fast=10 slow=30: ", "fast=3 slow=7"),
            ("Length of a bar [1m]: ", "3m"), ("Stop-loss below the average cost [3%]: ", "2%"),
            ("Entries a day [10]: ", "5"), ("End at: close, close-10m or 14:30 [close]: ", "close-20m"),
            ("At the end: cancel, cancel+flatten or leave [cancel]: ", "cancel+flatten"),
        ):  # fmt: skip
            shown.until(question)
            shown.type(answer + "\n")
        shown.until(
            "$ qb live --env emulator --symbol 000660 --max 2000000 --daily-loss 70000 --strategy sma_cross --bar 3m"
            " --stop-loss 2% --max-orders 5 --until close-20m --on-exit cancel+flatten --param fast=3 --param slow=7"
        )
        session = stopped(shown, project)
    assert session.symbols == ("000660",)
    assert (session.limits["max_entries"], session.limits["stop_loss"]) == (5, 20_000_000)


@pytest.mark.parametrize(("keys", "code"), [("\n", 0), ("q\n", 0), (CTRL_D, 0), (CTRL_C, 130)])
def test_leaving_is_calm(keys: str, code: int, project: Path) -> None:
    with asked(project) as shown:
        shown.type(keys)
        assert shown.end(again=keys) == code
        assert shown.shown.rstrip().endswith("Nothing was started.")
    assert sessions(project) == []


def test_with_keys_it_trades_on_paper(project: Path) -> None:
    with (
        hosted("10:00", side="paper", speed=1) as kis,
        asked(project, **kis.variables | {"QB_KIS_ENV": "paper"}) as shown,
    ):
        assert "paper trading at KIS, at most 1,000,000 won (orders with real money are locked)" in shown.shown
        shown.type("1\n")
        shown.until("$ qb live --env paper --symbol 005930 --max 1000000 --daily-loss 50000")
        assert stopped(shown, project).mode == "paper"


@pytest.mark.parametrize(("args", "ci"), [((), ""), (("--no-run",), ""), ((), "true")], ids=["pipe", "no-run", "ci"])
def test_without_a_terminal_or_with_options_nothing_is_asked(args: tuple[str, ...], ci: str, project: Path) -> None:
    variables = environment(project / "home", **QUICK | {"CI": ci}, HOME=str(project))
    line = ["./quick_start.sh", *args]
    if args or ci:
        with terminal(line, project, variables) as shown:
            assert shown.end() == 0
            said = shown.shown
    else:
        said = subprocess.run(line, cwd=project, env=variables, check=True, capture_output=True, text=True).stdout
    assert ("That works." in said) is not bool(args)
    assert "Three ways" not in said


def test_servers_of_ones_own_come_up_when_asked_for(project: Path) -> None:
    with services_folder() as place:
        variables = environment(project / "home", HOME=str(project), QB_SERVICES_DIR=str(place))
        line = ["./quick_start.sh", "--no-run", "--with-services"]
        try:
            said = subprocess.run(line, cwd=project, env=variables, check=True, capture_output=True, text=True).stdout
        finally:
            ended = subprocess.run(
                [QB, "services", "down"], cwd=project, env=variables, check=True, capture_output=True
            )
    assert said.splitlines()[1:3] == ["PostgreSQL is up", "Redis is up"]
    assert ended.stdout.decode().splitlines() == ["PostgreSQL is down", "Redis is down"]

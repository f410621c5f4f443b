"""`qb live --env real` against a local KIS in the part of the real side: locked, and as it will be once unlocked."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbtrade.domain.events import OrderFilled, SessionStarted
from qbtrade.kernel.clock import sleep
from tests.live_days import FLIP, Hosted, events, held, hosted, the_report
from tests.paper_days import keep_paper_day
from tests.program import PATIENCE, QB, environment, run_qb
from tests.terminals import CTRL_C, CTRL_D, Terminal, terminal

LINE = ("live", "--env", "real", "--symbol", "005930", "--max", "500000", "--strategy", "./flip.py:Flip", "--bar", "5s")
UNLOCKED = """
from qbtrade.app.live import real_money
real_money.LOCKED = False
from qbtrade.cli.main import run
run()
"""
"""`qb` after the one change that will unlock real orders."""
PHRASE = "01-01 500000"


class Stage:
    """A local KIS that answers as the real side does, and what was asked of it."""

    def __init__(self, kis: Hosted, folder: Path, record: Path) -> None:
        self.kis, self.folder, self._record = kis, folder, record
        self.home = folder / "home"
        self.variables = kis.variables | {"QB_KIS_ENV": "real"}
        (folder / "flip.py").write_text(FLIP)

    def requests(self) -> list[str]:
        """The last part of the path of every request so far."""
        whole = self._record.read_text(encoding="utf-8").rpartition("\n")[0]  # the last line may be half written
        rows = map(json.loads, whole.splitlines())
        return [row["path"].rpartition("/")[2] for row in rows if row["what"] == "request"]

    def assert_no_order(self) -> None:
        asked = self.requests()
        assert "inquire-balance" in asked  # it was this KIS, and it wrote down what it was asked
        assert not {"order-cash", "order-rvsecncl"} & set(asked)
        assert self.kis.account()["cash"] == 10_000_000

    def has_order(self) -> bool:
        return "order-cash" in self.requests()

    def has_filled(self) -> bool:
        rows = events(self.folder)
        is_real = any(isinstance(row, SessionStarted) and row.mode == "real" for row in rows[:1])
        return is_real and any(isinstance(row, OrderFilled) for row in rows)

    def live(self, *more: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Once unlocked, without a terminal; interrupted after its first order."""
        with subprocess.Popen(
            [sys.executable, "-c", UNLOCKED, *LINE, *more], cwd=self.folder, encoding="utf-8", stdin=subprocess.DEVNULL,
            env=environment(self.home, **self.variables, **variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            while process.poll() is None and not self.has_order():
                sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
            return subprocess.CompletedProcess(more, process.returncode, out, err)

    @contextmanager
    def asking(self) -> Iterator[Terminal]:
        """Once unlocked, on a terminal, at the question."""
        line = [sys.executable, "-c", UNLOCKED, *LINE]
        with terminal(line, self.folder, environment(self.home, **self.variables)) as shown:
            shown.until(f"Type {PHRASE} to trade, anything else to leave: ")
            yield shown


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Stage]:
    """Of somebody who never traded on paper."""
    record = tmp_path / "wire.jsonl"
    with hosted("10:00", side="real", speed=1, record=str(record)) as kis:
        yield Stage(kis, tmp_path, record)


@pytest.fixture
def stage(newcomer: Stage) -> Stage:
    """Of somebody who had a day on paper."""
    keep_paper_day(newcomer.home)
    return newcomer


def test_without_a_day_on_paper_preflight_says_no_go_and_nothing_is_asked(newcomer: Stage) -> None:
    line = ("preflight", "--env", "real", "--max", "500000")
    for more, variables in (((), {"QB_LIVE_PAPER_FIRST": "no"}), (("--dry-run",), {})):
        told = run_qb(*line, *more, folder=newcomer.folder, home=newcomer.home, **newcomer.variables, **variables)
        assert told.returncode == 0, told.stdout
    with terminal(
        [sys.executable, "-c", UNLOCKED, *LINE], newcomer.folder, environment(newcomer.home, **newcomer.variables)
    ) as shown:
        assert shown.end() == 4
    assert "preflight says no-go: day on paper" in shown.shown
    assert "no session of this version on KIS's paper server" in shown.shown
    assert "Type " not in shown.shown
    assert not list(newcomer.home.glob("journals/*"))
    newcomer.assert_no_order()


def test_real_orders_are_locked_after_a_preflight_that_says_go(stage: Stage) -> None:
    told = run_qb(
        "preflight", "--env", "real", "--max", "500000", folder=stage.folder, home=stage.home, **stage.variables
    )
    assert told.returncode == 0, told.stdout
    ended = run_qb(*LINE, "--yes", folder=stage.folder, home=stage.home, QB_ALLOW_REAL="1", **stage.variables)
    assert ended.returncode == 4
    assert ended.stderr == (
        "error: real orders are locked: proofs that docs/reliability.md names are missing."
        " Use --env paper or --env emulator, or --dry-run with real data\n"
    )
    assert "Preflight: go (" in ended.stdout
    assert len(list(stage.home.glob("journals/*.sqlite3"))) == 1  # that of the day on paper
    stage.assert_no_order()


def test_behind_the_lock_nothing_is_asked(stage: Stage) -> None:
    with terminal([QB, *LINE], stage.folder, environment(stage.home, **stage.variables)) as shown:
        assert shown.end() == 4
    assert "real orders are locked" in shown.shown
    assert "Type " not in shown.shown
    stage.assert_no_order()


def test_a_dry_run_on_real_data_needs_no_confirmation_and_sends_nothing(newcomer: Stage) -> None:
    with terminal([QB, *LINE, "--dry-run"], newcomer.folder, environment(newcomer.home, **newcomer.variables)) as shown:
        shown.wait(lambda: any(isinstance(event, OrderFilled) for event in events(newcomer.folder)))
        shown.type(CTRL_C)
        assert shown.end() == 130
    assert the_report(newcomer.folder)["session"]["mode"] == "dry-run"
    newcomer.assert_no_order()


def test_once_unlocked_the_typed_phrase_starts_a_session_whose_books_agree(stage: Stage) -> None:
    with stage.asking() as shown:
        for said in ("******01-01", "at most 500,000 won", "a loss of 250,000 won", "without a stop-loss"):
            assert said in shown.shown
        shown.type(PHRASE + "\n")
        shown.wait(stage.has_filled)
        shown.type(CTRL_C)
        assert shown.end() == 130
    account, report = stage.kis.account(), the_report(stage.folder)
    assert report["session"]["mode"] == "real"
    assert report["limits"]["orders_per_minute"] == 1  # the first real day of this configuration
    assert "first-real-day" in {alert["code"] for alert in report["alerts"]}
    assert report["counts"]["fills"] > 0
    assert (report["account"]["cash"], held(report)) == (account["cash"], account["positions"])


def test_once_unlocked_anything_else_sends_nothing(stage: Stage) -> None:
    not_confirmed, interrupted = (4, "orders with real money were not confirmed"), (130, "interrupted")
    for keys, (code, said) in {
        "yes\n": not_confirmed, "\n": not_confirmed, "01-01 50000\n": not_confirmed, CTRL_C: interrupted,
        CTRL_D: interrupted,
    }.items():  # fmt: skip
        with stage.asking() as shown:
            shown.type(keys)
            assert (shown.end(again=keys), said in shown.shown) == (code, True), repr(keys)
    assert len(list(stage.home.glob("journals/*.sqlite3"))) == 1  # that of the day on paper
    stage.assert_no_order()


def test_once_unlocked_yes_counts_only_together_with_the_variable(stage: Stage) -> None:
    for more, variables, said in (
        ((), {"QB_ALLOW_REAL": "1"}, "nobody can be asked"),
        (("--yes",), {}, "--yes alone does not confirm"),
        (("--yes",), {"QB_ALLOW_REAL": "true"}, "--yes alone does not confirm"),
    ):
        ended = stage.live(*more, **variables)
        assert (ended.returncode, said in ended.stderr) == (4, True), ended.stderr
    (stage.folder / ".env").write_text("QB_ALLOW_REAL=1\n")
    assert stage.live("--yes").returncode == 4  # a file that lies around agrees to nothing
    stage.assert_no_order()
    assert stage.live("--yes", QB_ALLOW_REAL="1").returncode == 130
    assert stage.has_order()

"""`qb live` as a process whose disk takes no more while shares are held: orders, stops, its end, and the next start."""

import resource
import signal
import subprocess
from pathlib import Path
from typing import Final, TypeVar

import pytest

from qbtrade.adapters.store.emergency import emergency_path
from qbtrade.app.sessions import find
from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from tests.live_days import HOLD, Hosted, events, held, hosted, session, the_report, wait_for
from tests.program import PATIENCE

E = TypeVar("E", bound=Event)
SAMSUNG: Final = "005930"
HOLDING: Final = ("--symbol", SAMSUNG, "--strategy", "./hold.py:Hold", "--bar", "10s")
IDLE: Final = ("--symbol", SAMSUNG, "--max", "500000", "--bar", "30m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hold.py").write_text(HOLD)
    return tmp_path


def fill_disk(process: "subprocess.Popen[str]", folder: Path, *, dead: bool = False) -> None:
    """From now on no file of the process grows, or dead: takes a single byte."""
    journal = find(folder / "home")
    sizes = [path.stat().st_size for path in (journal, journal.with_name(f"{journal.name}-wal"))]
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0 if dead else max(sizes), hard))


def free_disk(process: "subprocess.Popen[str]") -> None:
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def bought(kis: Hosted, folder: Path) -> bool:
    """Whether an entry is wholly filled, here as at the broker."""
    changes = [event for event in events(folder) if isinstance(event, ev.PositionChanged)]
    return bool(changes) and changes[-1].qty == kis.account()["positions"].get(SAMSUNG)


def sold(kis: Hosted) -> tuple[int, int]:
    """Shares bought and sold today, as the broker knows them."""
    (row,) = kis.account()["output1"]
    return int(row["thdt_buyqty"]), int(row["thdt_sll_qty"])


def of(folder: Path, kind: type[E]) -> list[E]:
    """Events of one kind in the newest journal."""
    return [event for event in events(folder) if isinstance(event, kind)]


def next_session(kis: Hosted, folder: Path) -> ev.SessionStarted:
    """What a session begins with that finds what the others left."""
    with session(kis, folder, *IDLE) as process:
        wait_for(process, lambda: len(journals(folder)) > 1 and bool(of(folder, ev.PhaseChanged)))
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, "the books disagree" in stdout) == (130, False), stdout + stderr
    started, *_ = events(folder)
    assert isinstance(started, ev.SessionStarted)
    return started


def journals(folder: Path) -> list[Path]:
    return list((folder / "home" / "journals").glob("*.sqlite3"))


def test_a_stop_loss_goes_out_on_a_full_disk_and_the_next_session_knows_it(folder: Path) -> None:
    with hosted("12:58", speed=5, scenario="crash") as kis:  # a loaded machine is given time to buy before 13:00
        with session(kis, folder, *HOLDING, "--max", "500000") as process:
            wait_for(process, lambda: bought(kis, folder))
            fill_disk(process, folder)
            wait_for(process, lambda: kis.account()["positions"] == {})
            wait_for(process, lambda: bool(of(folder, ev.OrderFilled)[1:]))
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=PATIENCE)

        assert process.returncode == 1, stdout + stderr
        assert "the journal cannot be written" in stdout
        assert "the journal of this session is incomplete" in stderr
        assert "shares held: -" in stderr
        assert emergency_path(find(folder / "home")).exists()
        report = the_report(folder)["session"]
        assert (report["outcome"], report["reason"][:25]) == ("FAULT", "the journal is incomplete")
        before = sold(kis)
        assert before[0] == before[1] > 0

        started = next_session(kis, folder)
        assert (started.held, started.cash, sold(kis)) == ({}, kis.account()["cash"], before)


def test_a_sell_whose_only_trace_is_the_emergency_file_is_never_sent_again(folder: Path) -> None:
    with hosted("10:00", speed=2) as kis:  # an answer is four seconds late: time enough for a kill
        with session(kis, folder, *HOLDING, "--max", "500000", "--on-exit", "cancel+flatten") as process:
            wait_for(process, lambda: bought(kis, folder))
            fill_disk(process, folder)
            kis.set_faults(slow_answer=10**9, notice_missing=10**9)
            process.send_signal(signal.SIGINT)
            wait_for(process, lambda: kis.account()["positions"] == {})
            process.kill()
            process.communicate()
        kis.set_faults(slow_answer=0, notice_missing=0)
        before = sold(kis)
        assert before[0] == before[1] > 0
        assert len(of(folder, ev.OrderAccepted)) == 1  # of the entry: the answer to the sell never came

        started = next_session(kis, folder)
        assert (started.held, sold(kis)) == ({}, before)


def test_a_working_entry_is_canceled_on_a_full_disk_and_what_it_bought_is_named(folder: Path) -> None:
    with (
        hosted("10:00", speed=1, cash=10**12) as kis,
        session(kis, folder, *HOLDING, "--max", "50000000000") as process,
    ):
        wait_for(process, lambda: bool(of(folder, ev.OrderFilled)))
        fill_disk(process, folder)
        wait_for(process, lambda: bool(of(folder, ev.OrderCanceled)))
        assert of(folder, ev.CancelOrder)[0].reason == "journal-lost"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)

        shares = kis.account()["positions"][SAMSUNG]
        assert process.returncode == 1
        assert f"shares held: {SAMSUNG} {shares:,}" in stderr
        assert f"{SAMSUNG}: {shares:,} shares are held, and no stop-loss is active" in stdout
        assert held(the_report(folder)) == {SAMSUNG: shares}


def test_without_any_disk_the_shares_that_cannot_be_sold_are_named(folder: Path) -> None:
    args = (*HOLDING, "--max", "500000", "--on-exit", "cancel+flatten")
    with hosted("10:00", speed=5) as kis, session(kis, folder, *args) as process:
        wait_for(process, lambda: bought(kis, folder))
        fill_disk(process, folder, dead=True)
        process.send_signal(signal.SIGINT)
        for line in process.stdout or ():
            if "cannot be sold" in line:
                break
        shares = kis.account()["positions"][SAMSUNG]
        assert f"{SAMSUNG}: {shares:,} shares cannot be sold" in line
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert sold(kis) == (shares, 0)


def test_a_disk_that_has_space_again_leaves_a_whole_journal_and_a_halted_session(folder: Path) -> None:
    with (
        hosted("10:00", speed=20) as kis,
        session(kis, folder, *HOLDING, "--max", "500000", "--until", "10:10") as process,
    ):
        wait_for(process, lambda: bought(kis, folder))
        fill_disk(process, folder)
        wait_for(process, lambda: bool(of(folder, ev.JournalLost)))
        free_disk(process)
        stdout, stderr = process.communicate(timeout=PATIENCE)

        assert process.returncode == 6, stdout + stderr
        assert "the journal can be written again" in stdout
        assert the_report(folder)["session"]["reason"] == "journal-lost"
        assert not emergency_path(find(folder / "home")).exists()

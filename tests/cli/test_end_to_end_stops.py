"""Sessions of the installed `qb` that are stopped: by a signal, by a second one, by a kill, by a full disk."""

import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.adapters.store.verify import integrity
from qbtrade.domain import events as ev
from qbtrade.domain.order import TERMINAL
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.program import PATIENCE, QB, environment, press_twice, run_qb
from tests.rehearsals import the_journal, walked

PACED = ("simulate", "--speed", "60")
UNPACED = ("simulate", "--days", "1000")
BEGUN = 1
WELL_UNDER_WAY = 600  # rows: the first batch of them is on disk


@contextmanager
def running(*args: str, folder: Path, rows: int) -> Iterator["subprocess.Popen[str]"]:
    """A session that has written so many rows; killed at the end if it still lives."""
    with subprocess.Popen(
        [QB, *args], cwd=folder, env=environment(folder / "home"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:  # fmt: skip
        try:
            wait_until(lambda: rows_on_disk(folder / "home") >= rows, process)
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    watch = Stopwatch()
    while not condition():
        assert process.poll() is None, "it ended before it was stopped"
        assert watch.seconds() < PATIENCE
        sleep(0.02)


def rows_on_disk(home: Path) -> int:
    found = list(home.glob("journals/*.sqlite3"))
    if not found:
        return 0
    with closing(sqlite3.connect(f"{found[0].as_uri()}?mode=ro", uri=True)) as journal:
        try:
            return int(journal.execute("SELECT count(*) FROM event").fetchone()[0])
        except sqlite3.OperationalError:  # being created at this moment
            return 0


def assert_nothing_works(home: Path) -> None:
    orders = walked(list(read_events(the_journal(home))))
    assert [order.request.order_id for order in orders.values() if order.status not in TERMINAL] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize(("args", "rows"), [(PACED, BEGUN), (UNPACED, WELL_UNDER_WAY)], ids=["paced", "unpaced"])
def test_one_signal_cancels_closes_the_books_and_writes_the_report(
    args: tuple[str, ...], rows: int, number: signal.Signals, tmp_path: Path
) -> None:
    with running(*args, folder=tmp_path, rows=rows) as session:
        session.send_signal(number)
        stdout, stderr = session.communicate(timeout=PATIENCE)
    assert (session.returncode, len(stderr.strip().splitlines())) == (130, 1)
    assert "Simulation interrupted: " in stdout
    (report,) = (tmp_path / "home" / "reports").iterdir()
    told = json.loads(report.read_text())
    assert (told["session"]["outcome"], told["session"]["reason"]) == ("INTERRUPTED", number.name)
    assert integrity(the_journal(tmp_path / "home")) == ()
    assert_nothing_works(tmp_path / "home")


@pytest.mark.parametrize(("args", "rows"), [(PACED, BEGUN), (UNPACED, WELL_UNDER_WAY)], ids=["paced", "unpaced"])
def test_two_signals_leave_at_once_and_leave_the_journal_whole(
    args: tuple[str, ...], rows: int, tmp_path: Path
) -> None:
    with running(*args, folder=tmp_path, rows=rows) as session:
        press_twice(session)
        _stdout, stderr = session.communicate(timeout=PATIENCE)
    assert session.returncode == 130
    assert "left at once" in stderr
    assert list((tmp_path / "home" / "reports").iterdir()) == []
    assert integrity(the_journal(tmp_path / "home")) == ()
    assert len(list(read_events(the_journal(tmp_path / "home")))) >= rows


def test_killed_session_is_listed_unfinished_and_told_as_far_as_it_went(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(*UNPACED, folder=tmp_path, rows=WELL_UNDER_WAY) as session:
        session.kill()
        session.communicate(timeout=PATIENCE)
    assert session.returncode == -signal.SIGKILL
    assert list((home / "reports").iterdir()) == []
    assert integrity(the_journal(home)) == ()
    (listed,) = json.loads(run_qb("report", "--json", folder=tmp_path, home=home).stdout)["sessions"]
    assert listed["outcome"] == "UNFINISHED"
    told = json.loads(run_qb("report", "show", "--json", folder=tmp_path, home=home).stdout)
    events = list(read_events(the_journal(home)))
    booked = [event for event in events if isinstance(event, ev.PositionChanged)]
    assert told["session"]["outcome"] == "UNFINISHED"
    assert told["counts"]["fills"] == len(told["fills"]) == len(booked) > 0
    assert told["account"]["cash"] == booked[-1].cash
    assert told["account"]["commission"] == sum(event.commission for event in booked)
    assert told["counts"]["orders"] == len(walked(events))
    why = run_qb("report", "why", booked[-1].order_id, folder=tmp_path, home=home)
    assert (why.returncode, why.stderr) == (0, "")
    assert run_qb("report", "rebuild", folder=tmp_path, home=home).stdout.endswith(": written\n")


# a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk of some size; skips where that is not allowed."""
    mounted: list[Path] = []

    def make(size: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        mount = shutil.which("mount")
        line = [mount or "mount", "-t", "tmpfs", "-o", f"size={size}", "qb-test", str(place)]
        if not mount or subprocess.run(line, capture_output=True, check=False).returncode:
            pytest.skip("only root may mount a small disk")
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


def assert_full_disk_was_told(ended: "subprocess.CompletedProcess[str]", home: Path) -> None:
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    journal = the_journal(home)
    assert line.startswith(f"error: cannot write journal {journal}: ")
    assert "Free space" in line
    assert integrity(journal) == ()
    assert list((home / "reports").iterdir()) == []


def test_full_disk_ends_the_session_in_one_line(small_disk: Callable[[str], Path], tmp_path: Path) -> None:
    home = small_disk("512k") / "home"
    ended = run_qb(*UNPACED, folder=tmp_path, home=home)
    assert "full" in ended.stderr
    assert_full_disk_was_told(ended, home)
    assert "unfinished" in run_qb("report", folder=tmp_path, home=home).stdout


def test_file_that_may_not_grow_ends_the_session_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    line = ["sh", "-c", 'ulimit -f 400 && exec "$0" "$@"', QB, *UNPACED]
    ended = subprocess.run(
        line, cwd=tmp_path, env=environment(home), capture_output=True, check=False, encoding="utf-8", timeout=PATIENCE
    )
    assert_full_disk_was_told(ended, home)


def test_report_that_finds_no_room_is_told_and_can_be_built_later(
    small_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    place, home = small_disk("4k"), tmp_path / "home"
    ended = run_qb("simulate", "--ticks", "2000", "--report", str(place / "r.json"), folder=tmp_path, home=home)
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: cannot write {place / 'r.json'}: ")
    assert list(place.iterdir()) == []
    assert run_qb("report", "rebuild", folder=tmp_path, home=home).stdout.endswith(": written\n")

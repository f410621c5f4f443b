"""`qb live` as a process that cannot record, or not for a while: it trades on, says so, and loses no row."""

import resource
import signal
import subprocess
from pathlib import Path

import duckdb

from qbtrade.domain.events import Alert, PhaseChanged
from tests.live_days import events, hosted, session, wait_for
from tests.program import PATIENCE

IDLE = ("--symbol", "005930", "--max", "500000", "--bar", "30m")


def said(folder: Path, code: str) -> list[str]:
    """Texts of the alerts of one code."""
    return [event.text for event in events(folder) if isinstance(event, Alert) and event.code == code]


def logs(folder: Path) -> list[Path]:
    return list((folder / "home" / "recordings").rglob("*.log"))


def stopped(process: "subprocess.Popen[str]") -> str:
    """End it in order; what it printed."""
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE)
    return stdout + stderr


def test_a_session_whose_market_data_cannot_be_kept_says_so_once_and_trades_on(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "recordings" / "emulator"
    folder.parent.mkdir(parents=True)
    folder.write_text("a file stands where the folder has to be")
    with hosted("10:00") as kis, session(kis, tmp_path, *IDLE) as process:
        wait_for(process, lambda: bool(said(tmp_path, "not-recorded")))
        wait_for(process, lambda: any(isinstance(event, PhaseChanged) for event in events(tmp_path)))
        printed = stopped(process)

    (text,) = said(tmp_path, "not-recorded")
    assert text.startswith("005930 is not recorded: cannot write")
    assert (process.returncode, "005930 is not recorded" in printed) == (130, True), printed
    assert folder.is_file()


def test_what_a_full_disk_does_not_take_is_recorded_when_it_takes_more(tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path, *IDLE) as process:
        wait_for(process, lambda: any(path.read_bytes().count(b"#qb ") >= 4 for path in logs(tmp_path)))
        (log,) = logs(tmp_path)
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (log.stat().st_size, most))
        wait_for(process, lambda: bool(said(tmp_path, "recording-lost")))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        wait_for(process, lambda: bool(said(tmp_path, "recording-back")))
        printed = stopped(process)

    assert process.returncode == 130, printed
    assert "the journal can be written again" in printed  # it stood on the same disk
    assert said(tmp_path, "recording-lost") == ["market data is not recorded (File too large): trading goes on"]
    assert said(tmp_path, "recording-back") == ["market data is recorded again; 0 events are missing"]
    kinds, rows = f"SELECT kind, count(*) FROM '{log.with_suffix('.parquet')}'", duckdb.connect()
    found = dict(rows.execute(f"{kinds} GROUP BY kind").fetchall())
    assert (found["begin"], found["end"], "dropped" in found, "torn" in found) == (1, 1, False, False)
    numbers = rows.execute(f"SELECT min(seq), max(seq), count(*) FROM '{log.with_suffix('.parquet')}'").fetchone()
    assert numbers == (1, sum(found.values()), sum(found.values()))

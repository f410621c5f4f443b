"""`qb data record` and `qb simulate --source recorded` as processes, on a local KIS."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from qbtrade.adapters.recordings.layout import SymbolDay, krx
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.live_days import DAY, Hosted, hosted
from tests.program import PATIENCE, QB, environment, run_qb


@contextmanager
def recording(kis: Hosted, folder: Path, *args: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [QB, "data", "record", "--env", "emulator", *args], cwd=folder,
        env=environment(folder / "home", **kis.variables), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def logs(folder: Path) -> list[Path]:
    return list((folder / "home" / "recordings").rglob("*.log"))


def wait_until_written(process: "subprocess.Popen[str]", folder: Path, blocks: int = 5) -> None:
    """So many blocks, of which only the first may have no trade."""
    watch = Stopwatch()
    while not any(path.read_bytes().count(b"#qb ") >= blocks for path in logs(folder)):
        assert process.poll() is None, process.communicate()
        assert watch.seconds() < PATIENCE
        sleep(0.05)


def as_of_krx(folder: Path) -> SymbolDay:
    """The recording of the only run, put where those of the real market lie."""
    (found,) = (folder / "home" / "recordings").glob("emulator/*/*/005930.*")
    day = SymbolDay(krx(folder / "home"), DAY, "005930")
    day.log.parent.mkdir(parents=True)
    found.rename(day.log.parent / found.name)
    return day


def simulate(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    return run_qb("simulate", "--source", "recorded", *args, folder=folder, home=folder / "home")


def test_a_recorder_keeps_what_the_market_tells_until_it_is_stopped(tmp_path: Path) -> None:
    with hosted("10:00") as kis, recording(kis, tmp_path, "--json") as process:
        wait_until_written(process, tmp_path)
        second = run_qb("data", "record", "--env", "emulator", folder=tmp_path, home=tmp_path / "home", **kis.variables)
        live = run_qb("live", "--env", "emulator", folder=tmp_path, home=tmp_path / "home", **kis.variables)
        process.send_signal(signal.SIGINT)
        stdout, _stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, second.returncode, live.returncode) == (130, 4, 4)
    assert "uses the one stream of this key" in second.stderr
    assert "uses the one stream of this key" in live.stderr
    told: dict[str, Any] = json.loads(stdout)
    count = duckdb.connect().execute(f"SELECT count(*) FROM read_parquet('{told['files']['005930']}')").fetchone()
    assert count == (told["rows"],)
    assert (told["is_finished"], told["dropped"], logs(tmp_path)) == (True, 0, [])


@pytest.mark.parametrize("torn", [0, 7])
def test_what_a_killed_recorder_left_is_played(tmp_path: Path, torn: int) -> None:
    with hosted("10:00") as kis, recording(kis, tmp_path) as process:
        wait_until_written(process, tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    day = as_of_krx(tmp_path)
    day.log.write_bytes(day.log.read_bytes()[: -torn or None])
    first, second = (simulate(tmp_path, "--json") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert ("was torn" in first.stderr, "was torn" in second.stderr) == (bool(torn), False)
    reports = [json.loads(each.stdout) for each in (first, second)]
    for report in reports:
        del report["timing"]
    assert reports[0] == reports[1]
    assert reports[0]["session"]["source"] == f"recorded {DAY}"


def test_days_that_are_missing_or_damaged_are_named(tmp_path: Path) -> None:
    nothing = simulate(tmp_path)
    assert (nothing.returncode, "nothing is recorded" in nothing.stderr) == (3, True)
    with hosted("10:00") as kis, recording(kis, tmp_path) as process:
        wait_until_written(process, tmp_path)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    day = as_of_krx(tmp_path)
    missing = simulate(tmp_path, "--from", f"{DAY}", "--to", "2026-11-04")
    assert (missing.returncode, "005930 is not recorded on 2026-11-03, 2026-11-04" in missing.stderr) == (3, True)
    other = simulate(tmp_path, "--symbol", "000660")
    assert (other.returncode, f"000660 is not recorded on {DAY}" in other.stderr) == (3, True)
    mixed = simulate(tmp_path, "prices.csv")
    assert (mixed.returncode, "recorded stands alone" in mixed.stderr) == (2, True)
    day.parquet.write_bytes(day.parquet.read_bytes()[:-20])
    damaged = simulate(tmp_path)
    assert (damaged.returncode, len(damaged.stderr.splitlines())) == (3, 1)
    assert str(day.parquet) in damaged.stderr

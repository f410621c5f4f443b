"""Three thousand worlds, played with each run of the tests, and those that broke a promise once."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qbtrade.app.chaos.many import load
from qbtrade.app.chaos.run import run

FIRST = 500_000
CHUNK = 100
CHUNKS = 28
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.json"))


def worlds(home: Path, *arguments: str) -> Any:
    """What `qb chaos` says of worlds; a process of its own, which no coverage slows down."""
    command = [sys.executable, "-m", "qbtrade", "chaos", "--processes", "1", "--json", *arguments]
    told = subprocess.run(command, env={"QB_HOME": str(home)}, capture_output=True, text=True, check=False)
    assert told.stdout, told.stderr
    return json.loads(told.stdout)


@pytest.mark.parametrize("first", range(FIRST, FIRST + CHUNKS * CHUNK, CHUNK))
def test_no_promise_breaks(first: int, tmp_path: Path) -> None:
    found = worlds(tmp_path, "--seed", str(first), "--runs", str(CHUNK))
    assert found["worlds"] == CHUNK
    assert found["broken"] == []


def test_every_rare_path_is_walked_in_a_few_hundred_worlds(tmp_path: Path) -> None:
    found = worlds(tmp_path, "--seed", str(FIRST + CHUNKS * CHUNK), "--runs", "200")
    assert found["broken"] == []
    assert found["never"] == []


def test_days_in_a_row_break_no_promise(tmp_path: Path) -> None:
    found = worlds(tmp_path, "--seed", str(FIRST), "--runs", "20", "--days", "3")
    assert found["broken"] == []
    assert found["sometimes"]["overnight-jump"] > 0


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_broke_once_holds_now(path: Path) -> None:
    assert run(load(path)).broken == ()

"""Whole sessions, byte for byte: each folder beside this file is a case.

`case.toml` holds the arguments of `qb simulate` and how it ends, `qb.toml` the configuration where a case has one, CSV
files the recorded market; `report.json` and `journal.jsonl` are what came out. `just golden` writes those two anew.
"""

import json
import os
import shutil
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.program import run_qb

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/case.toml"))
HASH_SEEDS = ("0", "12345")
IS_WRITING = os.environ.get("QB_TEST_GOLDEN") == "write"
LARGEST = 150_000
VARYING = {"SESSION_STARTED": "run_id", "SESSION_ENDED": "timing"}
"""What differs between two runs of one session."""


class Played(NamedTuple):
    """What a session left behind, without what differs from run to run."""

    report: str
    journal: str


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_session_is_the_golden_one_under_every_hash_seed(case: Path, tmp_path: Path) -> None:
    played = [play(case, tmp_path / seed, seed) for seed in HASH_SEEDS]
    assert played[0] == played[1]
    if IS_WRITING:
        (case / "report.json").write_text(played[0].report, encoding="utf-8")
        (case / "journal.jsonl").write_text(played[0].journal, encoding="utf-8")
    assert played[0].report == (case / "report.json").read_text(encoding="utf-8")
    assert played[0].journal == (case / "journal.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_files_stay_small_enough_to_be_read(case: Path) -> None:
    assert [path.name for path in case.iterdir() if path.stat().st_size > LARGEST] == []


def play(case: Path, folder: Path, hash_seed: str) -> Played:
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns("report.json", "journal.jsonl"))
    asked = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    home = folder / "home"
    ended = run_qb("simulate", *asked["args"], "--json", folder=folder, home=home, PYTHONHASHSEED=hash_seed)
    assert (ended.returncode, ended.stderr) == (asked["exit_code"], asked.get("stderr", ""))
    (journal,) = (home / "journals").glob("*.sqlite3")
    return Played(without_timing(ended.stdout), rows_of(journal))


def without_timing(report: str) -> str:
    body, timing, _machine = report.partition(',\n  "timing": {')
    assert timing
    return f"{body}\n}}\n"


def rows_of(journal: Path) -> str:
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute("SELECT type, body FROM event ORDER BY seq").fetchall()
    return "".join(f"{lasting(kind, body)}\n" for kind, body in rows)


def lasting(kind: str, body: str) -> str:
    if kind not in VARYING:
        return body
    fields = json.loads(body)
    del fields[VARYING[kind]]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

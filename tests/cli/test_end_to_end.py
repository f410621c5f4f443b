"""An evening with the installed `qb`: sessions are played, then read, explained, exported and built again."""

import csv
import json
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.program import run_qb

HANGUL = re.compile("[\uac00-\ud7a3]")
RUN_ID = re.compile(r"\d{8}-\d{6}-\d{6}")


class Evening(NamedTuple):
    """A home with two sessions, the calm one first. text: what the second one printed."""

    folder: Path
    report: dict[str, Any]
    text: str

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def qb(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return run_qb(*args, folder=self.folder, home=self.home, **env)

    def says(self, *args: str) -> str:
        ended = self.qb(*args)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    folder = tmp_path_factory.mktemp("evening")
    calm = run_qb("simulate", "--ticks", "3000", "--json", folder=folder, home=folder / "home")
    assert (calm.returncode, calm.stderr) == (0, "")
    crash = run_qb("simulate", "--scenario", "crash", "--daily-loss", "1000", folder=folder, home=folder / "home")
    assert (crash.returncode, crash.stderr) == (6, "")
    return Evening(folder, json.loads(calm.stdout), crash.stdout)


def calm_run(evening: Evening) -> str:
    return str(evening.report["timing"]["run_id"])


# simulate


def test_summary_tells_how_it_ended_what_it_did_and_where_to_read_on(evening: Evening) -> None:
    lines = evening.text.splitlines()
    assert lines[0] == "Simulation halted: loss of the day"
    assert any(line.startswith("Fills ") for line in lines)
    assert any("stop-loss" in line for line in lines)
    (report,) = (Path(line.split(maxsplit=1)[1]) for line in lines if line.startswith("Report "))
    assert json.loads(report.read_text())["session"]["outcome"] == "HALTED"


def test_json_is_the_report_that_was_written(evening: Evening) -> None:
    assert json.loads((evening.home / "reports" / f"{calm_run(evening)}.json").read_text()) == evening.report


def test_quiet_leaves_a_report_and_says_nothing(tmp_path: Path) -> None:
    ended = run_qb("simulate", "--ticks", "500", "--quiet", "--report", "r.json", folder=tmp_path, home=tmp_path / "h")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert json.loads((tmp_path / "r.json").read_text())["counts"]["trades"] == 500


def test_suite_passes_and_leaves_no_session(tmp_path: Path) -> None:
    ended = run_qb("simulate", "--suite", folder=tmp_path, home=tmp_path / "home")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split()[0] for line in ended.stdout.splitlines() if " passed " in line] == list("123456")
    assert not (tmp_path / "home").exists()


def test_file_is_replayed_with_the_rules_of_its_day(tmp_path: Path) -> None:
    closes = [15_000 + 50 * (minute // 8 % 2 * 16 - minute % 8) for minute in range(64)]
    rows = [f"2020-03-03T{9 + minute // 60:02}:{minute % 60:02},{c},{c},{c},{c},500" for minute, c in enumerate(closes)]
    (tmp_path / "005930.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows, ""]))
    ended = run_qb(
        "simulate", "--source", "005930.csv", "--param", "fast=2", "--param", "slow=5", "--json",
        folder=tmp_path, home=tmp_path / "home",
    )  # fmt: skip
    report = json.loads(ended.stdout)
    assert report["fills"]
    assert {fill["price"] % 50 for fill in report["fills"]} == {0}
    sells = [fill for fill in report["fills"] if fill["side"] == "SELL"]
    assert [fill["tax"] for fill in sells] == [fill["price"] * fill["qty"] * 25 // 10_000 for fill in sells]


# report


def test_sessions_are_listed_newest_first(evening: Evening) -> None:
    header, crash, calm = evening.says("report").splitlines()
    assert header.split()[:3] == ["Run", "Ended", "Symbols"]
    assert (crash.split()[1], calm.split()[:2]) == ("halted", [calm_run(evening), "done"])


def test_show_is_the_report(evening: Evening) -> None:
    assert json.loads(evening.says("report", "show", calm_run(evening), "--json")) == evening.report
    assert evening.says("report", "show").startswith("Simulation halted: loss of the day\n")


def test_every_order_has_a_story_that_agrees_with_the_report(evening: Evening) -> None:
    fates = {order["status"]: order["order_id"] for order in evening.report["orders"]}
    assert {"FILLED", "DENIED"} <= fates.keys()
    for status, order_id in fates.items():
        text = evening.says("report", "why", order_id, "--session", calm_run(evening))
        assert text.startswith(f"{order_id}  ")
        assert text.splitlines()[0].endswith(f": {status.lower()}")
        assert "Checks" in text


def test_events_are_the_rows_of_the_journal(evening: Evening) -> None:
    with closing(sqlite3.connect(evening.home / "journals" / f"{calm_run(evening)}.sqlite3")) as journal:
        rows = [json.loads(body) for (body,) in journal.execute("SELECT body FROM event ORDER BY seq")]
    assert json.loads(evening.says("report", "events", "--session", calm_run(evening), "--json"))["events"] == rows
    fills = evening.says("report", "--events", "ORDER_FILLED", "--session", calm_run(evening)).splitlines()
    assert len(fills) == evening.report["counts"]["fills"]


def test_tables_are_exported(evening: Evening, tmp_path: Path) -> None:
    evening.says("report", "export", calm_run(evening), "--csv", str(tmp_path / "tables"))
    with (tmp_path / "tables" / "fills.csv").open(newline="") as file:
        assert [int(row["price"]) for row in csv.DictReader(file)] == [
            fill["price"] for fill in evening.report["fills"]
        ]
    assert json.loads(evening.says("report", "export", calm_run(evening), "--json", "-")) == evening.report


def test_report_is_built_again_from_the_journal_alone(evening: Evening) -> None:
    path = evening.home / "reports" / f"{calm_run(evening)}.json"
    written = path.read_bytes()
    assert evening.says("report", "rebuild", calm_run(evening)) == f"{path}: identical\n"
    path.unlink()
    assert evening.says("report", "rebuild", calm_run(evening)) == f"{path}: written\n"
    assert path.read_bytes() == written


# the others


def test_rules_of_a_day_are_shown(evening: Evening) -> None:
    text = evening.says("rules", "--date", "2024-12-27", "--symbol", "005930")
    assert text.startswith("2024-12-27  005930  Samsung Electronics")
    assert "0.18 % of a sale that settles on 2024-12-31" in text or "0.15 %" in text


def test_configuration_is_shown_with_where_it_was_said(evening: Evening) -> None:
    shown = json.loads(evening.says("config", "show", "--json"))
    assert shown["home"] == {"value": str(evening.home), "from": "environment QB_HOME"}


@pytest.mark.parametrize(
    ("args", "code", "stream"),
    [
        (("report", "show"), 0, lambda ended: ended.stdout),
        (("simulate", "--symbol", "59"), 2, lambda ended: ended.stderr),
    ],
    ids=["success", "error"],
)
def test_korean_is_spoken(
    args: tuple[str, ...], code: int, stream: Callable[[subprocess.CompletedProcess[str]], str], evening: Evening
) -> None:
    ended = evening.qb(*args, QB_LANG="ko")
    assert ended.returncode == code
    assert HANGUL.search(stream(ended))
    assert not HANGUL.search(stream(evening.qb(*args, QB_LANG="en")))

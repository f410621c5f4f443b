import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.terminal import QB, one_line, qb, qb_process

SMALL = ("--ticks", "3000")
HANGUL = re.compile("[\uac00-\ud7a3]")


def test_a_rehearsal_ends_with_its_summary_and_a_report(tmp_path: Path) -> None:
    result = qb_process("simulate", *SMALL)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Simulation done\n005930  sma_cross fast=5 slow=20")
    (report,) = (tmp_path / "home" / "reports").glob("*.json")
    assert str(report) in result.stdout
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


def test_json_is_the_report_alone(tmp_path: Path) -> None:
    result = qb("simulate", *SMALL, "--json", "--report", "mine.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (tmp_path / "mine.json").read_text()
    assert json.loads(result.stdout)["session"]["seed"] == 0


def test_in_json_mode_everything_else_goes_to_stderr() -> None:
    result = qb("simulate", *SMALL, "--json", "--max", "1000")
    assert json.loads(result.stdout)["counts"]["fills"] == 0
    assert "can never trade" in one_line(result.stderr)


def test_quiet_says_nothing(tmp_path: Path) -> None:
    result = qb("simulate", *SMALL, "--quiet", "--max", "1000")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert list((tmp_path / "home" / "reports").glob("*.json"))


def test_a_paced_rehearsal_writes_one_plain_line_per_status() -> None:
    result = qb_process("simulate", *SMALL, "--speed", "100000", "--status-every", "1h")
    lines = result.stdout.splitlines()
    statuses = [line for line in lines if " | " in line]
    assert statuses == lines[: len(statuses)]
    assert statuses[0].startswith("2026-11-02 09:00:00 | 005930 ")
    assert len(statuses) >= 6
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("pace", "drawn"), [(("--speed", "20000", "--status-every", "20m"), "─"), (("--days", "5"), "events/s")]
)
def test_a_terminal_shows_a_picture_and_gets_its_cursor_back(pace: tuple[str, ...], drawn: str) -> None:
    reader, writer = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "50"}
    with subprocess.Popen(
        [*QB, "simulate", "--ticks", "20000", *pace], stdout=writer, stderr=writer, env=env
    ) as process:
        os.close(writer)
        screen = b"".join(_all_of(reader)).decode()
        assert process.wait() == 0
    os.close(reader)
    assert drawn in screen
    assert screen.count("\x1b[?25l") == screen.count("\x1b[?25h") == 1
    assert "Simulation" in screen


def _all_of(reader: int) -> list[bytes]:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(reader, 65_536)
        except OSError:  # the other side is gone
            return parts
        if not part:
            return parts
        parts.append(part)


def test_a_terminal_without_the_characters_gets_question_marks() -> None:
    result = qb_process("simulate", "--help", QB_LANG="ko", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, "")
    assert "--symbol" in result.stdout


def test_the_suite_passes_and_is_a_table() -> None:
    result = qb("simulate", "--suite")
    assert result.exit_code == 0
    assert result.stdout.count("passed") == 6


def test_the_suite_has_a_json_form() -> None:
    results = json.loads(qb("simulate", "--suite", "--json").stdout)
    assert [each["number"] for each in results] == [1, 2, 3, 4, 5, 6]
    assert all(each["passed"] for each in results)


def test_korean_reaches_help_summary_and_errors() -> None:
    page = qb_process("simulate", "--help", QB_LANG="ko").stdout
    summary = qb_process("simulate", *SMALL, QB_LANG="ko").stdout
    error = qb_process("simulate", "--seed", "x", QB_LANG="ko").stderr
    for text in (page, summary, error):
        assert HANGUL.search(text)
    for english in ("Usage", "Options", "Limits", "default"):
        assert english not in page
    for english in ("Signals", "Equity", "Report", "Simulation"):
        assert english not in summary


def test_english_has_no_hangul() -> None:
    assert not HANGUL.search(qb("simulate", "--help").stdout)


def test_the_language_may_stand_in_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QB_LANG")
    (tmp_path / "qb.toml").write_text('lang = "ko"\n')
    assert HANGUL.search(qb_process("--help", LC_ALL="C.UTF-8").stdout)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (("--source", "missing.csv"), 3, "missing.csv"),
        (("--strategy", "sma_corss"), 2, "sma_cross"),
        (("--param", "fats=3"), 2, "fast"),
        (("--fill-model", "thru"), 2, "through"),
        (("--scenario", "crsh"), 2, "crash"),
        (("--report", "/nowhere/r.json"), 3, "/nowhere"),
        (("--symbol", "ZZZZZZ"), 2, "--market"),
    ],
)
def test_bad_input_is_one_line_with_its_exit_code_before_anything_is_written(
    line: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    result = qb("simulate", *line)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in one_line(result.stderr)
    assert not list(tmp_path.rglob("*.sqlite3"))


def test_a_file_is_replayed_without_refusals(tmp_path: Path) -> None:
    rows = [
        f"2026-11-02T09:{minute:02}:{second:02},005930,{75_000 + 100 * (minute % 7)},10"
        for minute in range(60)
        for second in (1, 31)
    ]
    (tmp_path / "trades.csv").write_text("ts,symbol,price,qty\n" + "\n".join(rows) + "\n")
    report = json.loads(
        qb("simulate", "--source", "trades.csv", "--param", "fast=2", "--param", "slow=4", "--json").stdout
    )
    assert report["session"]["assumptions"]["reject_rate"] == 0
    assert report["counts"]["trades"] == 120

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.cli.terminal import qb_process

EXAMPLES = ROOT / "docs" / "examples"
STRATEGY = f"{EXAMPLES / 'my_strategy.py'}:Breakout"


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QB_LANG", "en")


def document(*args: str) -> Any:
    ended = qb_process(*args)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_example_strategy_buys_breakouts_and_sells_breakdowns() -> None:
    report = document("simulate", "--strategy", STRATEGY, "--json")
    assert report["session"]["parameters"] == {"entry": "20", "leave": "10"}
    assert report["round_trips"]
    signals = document("report", "--events", "SIGNAL", "--json")["events"]
    bought = [signal["values"] for signal in signals if signal["side"] == "BUY"]
    sold = [signal["values"] for signal in signals if signal["side"] == "SELL"]
    assert bought
    assert sold
    assert all(int(seen["close"]) > int(seen["highest"]) for seen in bought)
    assert all(int(seen["close"]) < int(seen["lowest"]) for seen in sold)


def test_the_example_strategy_acts_on_the_highs_of_the_bars_in_the_file() -> None:
    source, entry = EXAMPLES / "bars.csv", 5
    document(
        "simulate",
        "--strategy",
        STRATEGY,
        "--param",
        f"entry={entry}",
        "--param",
        "leave=5",
        "--source",
        str(source),
        "--json",
    )
    first = next(s for s in document("report", "--events", "SIGNAL", "--json")["events"] if s["side"] == "BUY")
    rows = [line.split(",") for line in source.read_text(encoding="utf-8").splitlines()[1:]]
    highs, closes = [int(row[3]) for row in rows], [int(row[5]) for row in rows]
    breakouts = [n for n in range(entry, len(rows)) if closes[n] > max(highs[n - entry : n])]
    assert first["values"] == {
        "close": str(closes[breakouts[0]]),
        "highest": str(max(highs[breakouts[0] - entry : breakouts[0]])),
    }


def test_the_example_strategy_refuses_parameters_that_make_no_sense() -> None:
    ended = qb_process("simulate", "--strategy", STRATEGY, "--param", "leave=50")
    assert ended.returncode == 2
    assert "leave=50 must be at least 1 and at most entry=20" in ended.stderr


def test_the_example_bars_are_what_their_script_makes(tmp_path: Path) -> None:
    made = tmp_path / "bars.csv"
    subprocess.run([sys.executable, str(EXAMPLES / "make_bars.py"), str(made)], check=True)
    assert made.read_bytes() == (EXAMPLES / "bars.csv").read_bytes()


def test_the_example_bars_trade() -> None:
    report = document("simulate", "--source", str(EXAMPLES / "bars.csv"), "--max", "200000", "--json")
    assert report["session"]["interval"] == 300 * 10**9
    assert report["round_trips"]


def test_the_bad_example_is_refused_with_its_row_and_column() -> None:
    ended = qb_process("simulate", "--source", str(EXAMPLES / "bad_row.csv"))
    assert ended.returncode == 3
    assert "bad_row.csv, row 3, column price: 75.5k is not a number" in ended.stderr

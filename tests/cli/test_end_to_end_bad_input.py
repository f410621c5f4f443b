"""What cannot be used gets one line, the right exit code, and leaves nothing half-written."""

import json
from pathlib import Path

import pytest

from tests.program import run_qb

TRADES = "ts,symbol,price,qty"
BARS = "ts,symbol,open,high,low,close,volume"
GOOD = "2026-11-02T09:00:01,005930,75000,1"
MODULES = {
    "raises_on_import.py": "import nothing_like_this\n",
    "no_strategy.py": "class Plain:\n    pass\n",
    "raises_when_made.py": (
        "from qbtrade.ports import Strategy\n\n\nclass Raises(Strategy):\n"
        "    def __init__(self, *args):\n        raise LookupError('not today')\n"
    ),
    "raises_on_bar.py": (
        "from qbtrade.ports import Strategy\n\n\nclass Raises(Strategy):\n"
        "    def on_bar(self, bar):\n        raise LookupError('not this bar')\n"
    ),
}


def left_behind(folder: Path) -> list[str]:
    """Every file below the home, and drafts of reports anywhere."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and ("home" in path.parts or "json" in path.name)]


def refusal(folder: Path, *args: str) -> tuple[int, str]:
    """How a command line that cannot be used ends, and its only line."""
    ended = run_qb("simulate", *args, folder=folder, home=folder / "home")
    assert ended.stdout == ""
    assert left_behind(folder) == []
    (line,) = ended.stderr.splitlines()
    return ended.returncode, line


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("", "market.csv is empty"),
        (TRADES, "market.csv has no rows"),
        ("ts,symbol,qty\n2026-11-02T09:00:01,005930,1", "market.csv has no column price"),
        (
            f"{TRADES}\n{GOOD}\n2026-11-02T09:00:02,005930,7500x,1",
            "market.csv, row 3, column price: 7500x is not a num",
        ),
        (
            f"{TRADES}\n{GOOD}\n2026-11-02T09:00:00,005930,75000,1",
            "row 3, column ts: 2026-11-02T09:00:00 does not come",
        ),
        (f"{TRADES}\n{GOOD}\n2026-11-02T09:00:02,59,75000,1", "row 3, column symbol: 59 is not a symbol"),
        (f"{TRADES}\n{GOOD}\n2026-11-02T09:00:02,005930,0,1", "row 3, column price: 0 is not a positive price"),
        (f"{TRADES}\n{GOOD}\n2026-11-02T09:00:02,005930,75000,-1", "row 3, column qty: -1 is negative"),
        (f"{TRADES}\n{GOOD}\n2026-11-02T09:00:02,005930,NaN,1", "row 3, column price: NaN is not a number"),
        (f"{TRADES}\n{GOOD}\n2026-11-02T09:00:02,005930,1e30,1", "row 3, column price: 1e30 is beyond 1,000,000,000"),
        (f"{BARS}\n2026-11-02T09:00,005930,75000,74000,74000,75000,1", "row 2, column high: 74000 is below the open"),
        ("\x00\x01\xff", "market.csv is neither CSV nor Parquet"),
    ],
)
def test_market_data_that_cannot_be_used_names_file_row_and_column(rows: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "market.csv").write_text(f"{rows}\n" if rows else "", encoding="latin-1")
    code, line = refusal(tmp_path, "--source", "market.csv")
    assert (code, says in line) == (3, True), line


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--symbol", "00593!"), 2, "--symbol: '00593!' is not a symbol"),
        (("--max", "-100000"), 2, "--max: "),
        (("--cash", "NaN"), 2, "--cash: 'NaN' is not a whole number"),
        (("--cash", "1" + "0" * 40), 2, "--cash: "),
        (("--strategy", "sma_corss"), 2, "Did you mean 'sma_cross'?"),
        (("--param", "fats=3"), 2, "Did you mean 'fast'?"),
        (("--param", "fast=three"), 2, "fast=three"),
        (("--param", "fast=30"), 2, "fast=30 must be at least 1 and smaller than slow=20"),
        (("--strategy", "./no_strategy.py:Plain"), 1, "./no_strategy.py:Plain is not a strategy"),
        (("--source", "missing.csv"), 3, "cannot read missing.csv: No such file or directory"),
        (("--report", "nowhere/r.json"), 3, "nowhere/r.json: No such file or directory"),
        (("--report", "."), 3, "it is not a plain file"),
        (("--tick", "5"), 2, "Did you mean '--ticks'?"),
    ],
)
def test_argument_that_cannot_be_used_is_named(args: tuple[str, ...], code: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "no_strategy.py").write_text(MODULES["no_strategy.py"])
    ended, line = refusal(tmp_path, *args)
    assert (ended, says in line) == (code, True), line


@pytest.mark.parametrize(
    ("module", "cause"),
    [
        ("raises_on_import.py", "ModuleNotFoundError: No module named 'nothing_like_this'"),
        ("raises_when_made.py", "LookupError: not today"),
    ],
)
def test_strategy_that_cannot_be_made_shows_its_own_traceback_alone(module: str, cause: str, tmp_path: Path) -> None:
    (tmp_path / module).write_text(MODULES[module])
    ended = run_qb("simulate", "--strategy", f"./{module}:Raises", folder=tmp_path, home=tmp_path / "home")
    first, *traceback = ended.stderr.splitlines()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert first == f"error: strategy './{module}:Raises' raised {cause}"
    assert traceback[-1] == cause
    assert [module in line for line in traceback if line.startswith("  File")] == [True]
    assert left_behind(tmp_path) == []


def test_strategy_that_raises_on_the_way_is_told_and_the_day_goes_on(tmp_path: Path) -> None:
    (tmp_path / "raises_on_bar.py").write_text(MODULES["raises_on_bar.py"])
    ended = run_qb(
        "simulate", "--strategy", "./raises_on_bar.py:Raises", "--ticks", "500", "--json",
        folder=tmp_path, home=tmp_path / "home",
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    (failure,) = json.loads(ended.stdout)["session"]["strategy_failures"]
    assert failure["traceback"].splitlines()[-1] == "LookupError: not this bar"


def test_prices_off_the_grid_are_counted_and_our_orders_stay_on_it(tmp_path: Path) -> None:
    rows = [
        f"2026-11-02T09:{minute:02}:{second:02},005930,{75_050 + 100 * (minute // 5 % 2 * 8 - minute % 5)},50"
        for minute in range(30)
        for second in range(1, 60, 6)
    ]
    (tmp_path / "market.csv").write_text("\n".join([TRADES, *rows, ""]))
    ended = run_qb(
        "simulate", "--source", "market.csv", "--param", "fast=2", "--param", "slow=4", "--json",
        folder=tmp_path, home=tmp_path / "home",
    )  # fmt: skip
    report = json.loads(ended.stdout)
    assert report["counts"]["off_grid"] == len(rows)
    assert report["fills"]
    assert {order["price"] % 100 for order in report["orders"]} | {f["price"] % 100 for f in report["fills"]} == {0}


def test_budget_below_one_share_is_said_and_the_day_goes_on(tmp_path: Path) -> None:
    ended = run_qb("simulate", "--max", "1000", "--ticks", "500", "--json", folder=tmp_path, home=tmp_path / "home")
    (line,) = ended.stderr.splitlines()
    assert "can never trade" in line
    assert (ended.returncode, json.loads(ended.stdout)["counts"]["fills"]) == (0, 0)

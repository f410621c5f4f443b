"""docs/simulation.md says what the code does: its numbers, names and codes."""

import re

import pytest

from qbtrade.adapters.sim.audit import HIGHEST_PRICE, HIGHEST_QTY
from qbtrade.adapters.sim.generator import AUCTION_SHARE, MEAN_QTY
from qbtrade.adapters.sim.models import FILL_RULES
from qbtrade.adapters.sim.scenarios import SCENARIOS
from qbtrade.app.plan import MockPlan, VenuePlan
from tests.architecture.tree import ROOT, SOURCES

PAGE = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
TABLES = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("|")]


def default_of(flag: str) -> str:
    """What the page gives as a flag's default."""
    (row,) = [row for row in TABLES if f"`{flag}`" in row]
    return row[row.index(f"`{flag}`") + 1]


@pytest.mark.parametrize(
    ("flag", "default"),
    [
        ("--latency", f"{VenuePlan().latency // 10**6} ms"),
        ("--slippage", str(VenuePlan().slippage)),
        ("--volume-share", f"{VenuePlan().volume_share // 10**7} %"),
        ("--fill-model", f"`{VenuePlan().fill_model}`"),
        ("--days", str(MockPlan().days)),
        ("--ticks", f"{MockPlan().ticks:,}"),
        ("--volatility", f"{MockPlan().volatility / 10**7:.1f} %"),
        ("--scenario", f"`{MockPlan().scenario}`"),
    ],
)
def test_the_page_gives_the_default_that_holds(flag: str, default: str) -> None:
    assert default_of(flag) == default


@pytest.mark.parametrize("name", [*FILL_RULES, *SCENARIOS])
def test_every_model_and_scenario_is_explained(name: str) -> None:
    assert any(f"`{name}`" in row[0] for row in TABLES)


def test_every_refusal_is_explained() -> None:
    text = (SOURCES / "adapters" / "sim" / "exchange.py").read_text(encoding="utf-8")
    codes = {code for pair in re.findall(r'return "([a-z-]+)", |, "(not-[a-z-]+)"\)', text) for code in pair if code}
    assert len(codes) > 5
    assert {row[0].strip("`") for row in TABLES} >= codes


def test_the_bounds_of_recorded_numbers_and_the_sizes_of_made_ones_are_given() -> None:
    words = " ".join(PAGE.split())
    assert f"beyond {HIGHEST_PRICE:,}" in words
    assert f"beyond {HIGHEST_QTY:,}" in words
    assert f"{MEAN_QTY} shares on average" in words
    assert f"about {100 // AUCTION_SHARE} % of the day's" in words

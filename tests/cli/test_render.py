from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console, RenderableType

from qbtrade.app import report
from qbtrade.app.scenarios import ScenarioResult
from qbtrade.cli import render
from qbtrade.cli.pages import cells
from qbtrade.domain.events import Held, SessionStarted
from tests.builders import SAMSUNG, an_order
from tests.recordings import Recording, a_traded_day


def shown(page: RenderableType, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(page)
    return capture.get()


def summary(recording: Recording) -> str:
    return shown(render.summary(report.build(recording.events), Path("/home/me/reports/x.json")))


def test_the_summary_says_what_happened_and_where_to_read_on() -> None:
    day = a_traded_day()
    text, facts = summary(day), report.build(day.events)
    account = facts["account"]
    for figure in (
        f"{account['cash']:,}", f"{account['equity']:,}", f"{account['realized']:+,}", f"-{account['commission']:,}",
        f"-{account['tax']:,}", "2026-11-20 09:00", "005930", "sma_cross fast=5 slow=20", "/home/me/reports/x.json",
        "qb report show",
    ):  # fmt: skip
        assert figure in text


def test_denials_are_counted_by_reason() -> None:
    day = Recording().start().deny("10:00", an_order("Q1")).deny("10:01", an_order("Q2")).end("15:30")
    assert "    2  one position" in summary(day)


def test_positions_that_are_left_are_named_and_unguarded() -> None:
    text = summary(Recording().start().buy("10:00", "Q1", 75_100).end("15:30"))
    assert "Still held; no stop is active until the next run" in text
    assert "1 held, cost 75,100" in text


def test_shares_that_were_there_before_are_no_profit() -> None:
    recording = Recording().start()
    started, *others = recording.events
    assert isinstance(started, SessionStarted)
    recording.events = [replace(started, held={SAMSUNG: Held(1, 70_000, 74_000, 75_000)}), *others]
    (line,) = [line for line in summary(recording.end("15:30")).splitlines() if line.startswith("Equity")]
    assert line.split() == ["Equity", "10,075,000", "0", "(0.00%)"]


def test_without_positions_nothing_is_said_of_any() -> None:
    assert "Still held" not in summary(Recording().start().end("15:30"))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_summary_fits_80_columns(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_LANG", language)
    assert max(map(cells, summary(a_traded_day()).splitlines())) <= 80


def test_the_suite_is_a_table_with_the_figures_of_each_scenario() -> None:
    results = (
        ScenarioResult(1, "connectivity", passed=True, figures={"bus_us": 0.61, "redis": "embedded"}, detail=""),
        ScenarioResult(2, "market data", passed=False, figures={"ticks": 60_000}, detail="bars: 5 instead of 6"),
    )
    lines = shown(render.suite(results)).splitlines()
    assert lines[1].split()[:3] == ["1", "connectivity", "passed"]
    assert "0.61" in lines[1]
    assert "failed" in lines[2]
    assert "60,000" in lines[2]
    assert "bars: 5 instead of 6" in lines[3]

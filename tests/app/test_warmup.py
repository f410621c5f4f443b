"""A rehearsal that begins in the middle of its data has seen what came before."""

from datetime import date
from pathlib import Path
from statistics import mean

import pytest

from qbtrade.app.plan import SimulationPlan
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import Signal
from qbtrade.domain.order import Side
from tests.builders import MINUTE, at
from tests.rehearsals import a_plan, rehearse, rows

FRIDAY, MONDAY = date(2026, 10, 30), date(2026, 11, 2)
OPEN = at("09:00", MONDAY)
BEFORE = [75_000 - 100 * (minute % 3) for minute in range(30)]
AFTER = [74_900, 74_800, *[75_600] * 28]
JUMP = 2
"""The bar of Monday with which the averages of 2 and 5 bars cross."""


@pytest.fixture
def both_days(tmp_path: Path) -> Path:
    file = tmp_path / "both_days.csv"
    starts = [at("14:00", FRIDAY) + minute * MINUTE for minute in range(30)]
    starts += [OPEN + minute * MINUTE for minute in range(30)]
    lines = [
        f"{iso_kst(ts)},005930,{close},{close},{close},{close},100"
        for ts, close in zip(starts, BEFORE + AFTER, strict=True)
    ]
    file.write_text("\n".join(["ts,symbol,open,high,low,close,volume", *lines, ""]))
    return file


def monday(file: Path) -> SimulationPlan:
    return a_plan(source=(str(file),), params={"fast": "2", "slow": "5"}, start=at("00:00", MONDAY))


def test_averages_stand_on_the_bars_before_the_start(both_days: Path, tmp_path: Path) -> None:
    result = rehearse(monday(both_days), tmp_path)
    first, *_ = (event for event in rows(tmp_path, result) if isinstance(event, Signal))
    closes = BEFORE + AFTER[: JUMP + 1]
    assert (first.ts, first.side) == (OPEN + (JUMP + 1) * MINUTE, Side.BUY)
    assert (first.values["fast"], first.values["slow"]) == (f"{mean(closes[-2:]):.2f}", f"{mean(closes[-5:]):.2f}")


def test_without_earlier_rows_the_same_crossing_comes_too_early_to_count(both_days: Path, tmp_path: Path) -> None:
    header, *lines = both_days.read_text().splitlines()
    both_days.write_text("\n".join([header, *lines[len(BEFORE) :], ""]))
    result = rehearse(monday(both_days), tmp_path)
    assert not [event for event in rows(tmp_path, result) if isinstance(event, Signal)]


def test_what_came_before_is_seen_and_not_played(both_days: Path, tmp_path: Path) -> None:
    report = rehearse(monday(both_days), tmp_path).report
    assert (report["counts"]["rows"], report["counts"]["bars"]) == (len(AFTER), len(AFTER))
    assert report["session"]["start"].startswith("2026-11-02T08:30")
    assert all(order["ts"] >= iso_kst(OPEN) for order in report["orders"])

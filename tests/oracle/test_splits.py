"""A raw split halts its symbol and says why; whatever comes after it is neither traded nor taken for a price."""

from pathlib import Path

import pytest

from qbtrade.app.plan import Limits, SimulationPlan
from tests.oracle.conftest import Play
from tests.oracle.runs import BarsRun

YUHAN = "000100"
of_the_split = pytest.mark.parametrize("name", ["split"])


@of_the_split
def test_the_split_of_yuhan_is_found_at_the_third_print_that_has_it(name: str, play: Play) -> None:
    run = play(name)
    third = "SELECT ts, CAST(day AS VARCHAR), price FROM print WHERE NOT is_good ORDER BY ts LIMIT 1 OFFSET 2"
    ts, day, price = run.row(third)
    (base,) = run.row("SELECT arg_max(price, ts) FROM print WHERE is_good")
    (halt,) = run.report["session"]["halts"]
    assert (halt["symbol"], halt["reason"], halt["resumed"]) == (YUHAN, "price-base-changed", None)
    assert run.times(halt, "ts")["ts"] == ts
    assert (day, price, base) == ("2020-04-08", 52_900, 226_000)
    assert f"{price:,}" in halt["detail"]
    assert f"{base:,}" in halt["detail"]
    assert "split" in halt["detail"]


@of_the_split
def test_nothing_trades_after_the_split_and_what_is_held_keeps_its_last_good_price(name: str, play: Play) -> None:
    run = play(name)
    after = "WHERE ts >= (SELECT min(ts) FROM print WHERE NOT is_good)"
    assert run.row(f"SELECT (SELECT count(*) FROM fill {after}), (SELECT count(*) FROM wish {after})") == (0, 0)
    (held,) = run.report["account"]["positions"]
    qty, cost = run.row("SELECT arg_max(qty, n), arg_max(cost, n) FROM book")
    assert held == {"symbol": YUHAN, "qty": qty, "cost": cost, "last": 226_000}
    assert held["qty"] > 0


@of_the_split
def test_every_print_behind_the_split_is_counted(name: str, play: Play) -> None:
    run = play(name)
    (behind,) = run.row("SELECT count(*) FROM print WHERE NOT is_good")
    assert run.report["counts"]["quarantined_by_reason"] == {"halted": behind - 3, "off-band": 3}


@pytest.mark.parametrize("name", ["years", "funds", "001440 by day"])
def test_no_adjusted_history_is_taken_for_a_split(name: str, play: Play) -> None:
    """001440 rises by 30.1 % on 2020-11-20, because adjusting rounds its prices."""
    assert play(name).report["session"]["halts"] == []
    assert play(name).report["counts"]["quarantined"] == 0


def test_after_a_split_even_a_price_like_the_old_ones_is_set_aside(tmp_path: Path) -> None:
    days = [
        "2026-11-02,75000,75500,74500,75000,1000",
        "2026-11-03,15000,15100,14900,15000,1000",
        "2026-11-04,75000,75500,74500,75000,9",
    ]
    file = tmp_path / "005930.csv"
    file.write_text("date,open,high,low,close,volume\n" + "\n".join(days) + "\n")
    run = BarsRun(SimulationPlan(limits=Limits()), [file], tmp_path, daily=True)
    assert run.report["counts"]["quarantined_by_reason"] == {"halted": 5, "off-band": 3}
    assert run.report["counts"]["bars"] == 1

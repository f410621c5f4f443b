"""On bars made at random, with holes and dry intervals, a session does what the walk through its prints says."""

from pathlib import Path
from random import Random

import pytest

from qbtrade.app.plan import Limits, SimulationPlan
from tests.oracle.runs import BarsRun

DAYS = ("2026-11-02", "2026-11-03", "2026-11-04")
ORDERS = "SELECT ts, side, qty, price, purpose FROM wish WHERE status <> 'DENIED' ORDER BY n"
FILLS = "SELECT f.ts, f.side, f.qty, f.price, w.purpose FROM fill AS f JOIN wish AS w USING (order_id) ORDER BY f.n"
LATE = "SELECT f.* FROM fill AS f ASOF JOIN print AS p ON f.symbol = p.symbol AND f.ts >= p.ts WHERE f.ts >= p.till"


def write_bars(path: Path, rng: Random) -> None:
    """Three days of five-minute bars that wander around, on and off the grid, with bars missing or without volume."""
    begin, rough = rng.choice([950, 4_990, 19_900, 51_000, 182_000, 501_000]), rng.choice([1, 10, 50])
    price, missing, volumes = begin, rng.choice([0.0, 0.02, 0.3]), [0, 3, 50, 1_000, 10**6]
    lines = ["ts,open,high,low,close,volume"]
    for day in DAYS:
        for minute in range(540, 920, 5):
            if rng.random() < missing:
                continue
            step = max(price // rng.choice([100, 400]), 1)
            low, a, b, high = sorted(max(price + rng.randint(-step, step), rough) // rough * rough for _ in range(4))
            first, last = rng.choice([(low, a), (a, b), (b, low), (high, b)])
            ts = f"{day}T{minute // 60:02}:{minute % 60:02}:00"
            lines.append(f"{ts},{first},{high},{low},{last},{rng.choice(volumes)}")
            price = min(max(last, begin * 9 // 10), begin * 11 // 10)  # inside every day's price limits
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("seed", range(12))
def test_a_session_on_random_bars_is_the_walk(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    path = tmp_path / f"{rng.choice(['005930', '035900', '069500'])}.csv"
    write_bars(path, rng)
    fast = rng.choice([1, 2, 3])
    limits = Limits(
        max_budget=rng.choice([100_000, 5_000_000, 50_000_000]), max_entries=rng.choice([3, 100]), daily_loss=10**11,
        stop_loss=rng.choice([3_000_000, 10_000_000, 30_000_000]),
    )  # fmt: skip
    params = {"fast": str(fast), "slow": str(fast + rng.choice([1, 2, 4, 10]))}
    run = BarsRun(SimulationPlan(cash=1_000_000_000, limits=limits, params=params), [path], tmp_path)
    assert run.report["counts"]["quarantined"] == 0
    assert [(ts, side) for ts, _, side in run.signals()] == run.walk.signals
    assert run.rows(ORDERS) == run.walk.orders
    assert run.rows(FILLS) == run.walk.fills
    assert run.report["account"]["cash"] == run.walk.cash
    assert run.rows(LATE) == []
    assert run.walk.signals

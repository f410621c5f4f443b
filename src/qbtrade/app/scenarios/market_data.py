"""Scenario 2: 30 seconds of market, 60 ticks, six five-second bars, checked against the ticks."""

from pathlib import Path
from random import Random
from typing import Final

from qbtrade.app.scenarios.stage import PRICE, SYMBOL, Checks, Stage
from qbtrade.domain.calendar import NS
from qbtrade.domain.market import Bar, Trade

TICKS: Final = 60
INTERVAL: Final = 5 * NS
PER_BAR: Final = 10


def run(folder: Path, seed: int, checks: Checks) -> None:
    """Two trades a second, folded by the engine and by hand."""
    stage, rng = Stage(folder, interval=INTERVAL, listen=(Bar,)), Random(seed)
    trades = [
        Trade(stage.day.open + number * NS // 2, SYMBOL, PRICE + 100 * rng.randrange(-5, 6), 1 + rng.randrange(50))
        for number in range(TICKS)
    ]
    stage.loop.run(trades)
    stage.loop.advance(stage.day.open + TICKS * NS // 2)
    stage.close()
    checks.figures |= {"ticks": stage.engines.market.count(SYMBOL), "bars": len(stage.seen)}
    checks.expect("bars", stage.seen, [_by_hand(trades[at : at + PER_BAR]) for at in range(0, TICKS, PER_BAR)])


def _by_hand(trades: list[Trade]) -> Bar:
    prices, start = [trade.price for trade in trades], trades[0].ts
    volume = sum(trade.qty for trade in trades)
    return Bar(start + INTERVAL, SYMBOL, start, prices[0], max(prices), min(prices), prices[-1], volume)

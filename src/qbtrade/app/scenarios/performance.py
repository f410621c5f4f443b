"""Scenario 6: how many trades a second go through the real bus and engines, and in how much memory."""

from pathlib import Path
from typing import Final

from qbtrade.app.scenarios.stage import PRICE, SYMBOL, Checks, Stage
from qbtrade.app.snapshot import peak_bytes
from qbtrade.app.strategies import load_strategy
from qbtrade.domain.market import Trade
from qbtrade.kernel.clock import Stopwatch

TRADES: Final = 100_000


def run(folder: Path, seed: int, checks: Checks) -> None:
    """A day of trades that swings enough to trade on."""
    del seed
    stage = Stage(folder)
    strategy = load_strategy("sma_cross", {}).build(stage.engines.host, (SYMBOL,))
    stage.engines.host_strategy(strategy, strategy.warm_up())
    step, swing = (stage.day.continuous_end - stage.day.open) // TRADES, TRADES // 10
    trades = [
        Trade(stage.day.open + n * step, SYMBOL, PRICE + 100 * (abs(n % swing - swing // 2) * 40 // swing), 100)
        for n in range(TRADES)
    ]
    watch, before = Stopwatch(), stage.bus.delivered
    stage.loop.run(trades)
    seconds, events = watch.seconds(), stage.bus.delivered - before
    stage.close()
    fills = stage.engines.monitoring.count("ORDER_FILLED")
    checks.figures |= {
        "trades": TRADES,
        "fills": fills,
        "events_per_s": round(events / seconds),
        "peak_mb": peak_bytes() >> 20,
    }
    checks.expect("trades accepted", stage.engines.market.count(SYMBOL), TRADES)
    if not fills:
        checks.fail("nothing traded")

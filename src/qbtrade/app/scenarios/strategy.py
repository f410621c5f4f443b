"""Scenario 3: a hundred prices with crossovers at known places give exactly those signals."""

from pathlib import Path
from typing import Final

from qbtrade.app.scenarios.stage import SYMBOL, Checks, Stage
from qbtrade.app.strategies import load_strategy
from qbtrade.domain.calendar import MINUTE, NS
from qbtrade.domain.events import Signal
from qbtrade.domain.market import Trade
from qbtrade.domain.order import Side

PRICES: Final = [75_000] * 25 + [75_500] * 25 + [74_500] * 25 + [76_000] * 25
CROSSINGS: Final = [(25, Side.BUY), (50, Side.SELL), (75, Side.BUY)]
"""Each step of price takes the mean of 5 across the mean of 20 with its first bar."""

SECONDS: Final = (0, 2, 4)
"""When a minute's prints come, so that an order meets one while it lives."""


def run(folder: Path, seed: int, checks: Checks) -> None:
    """Each price stands for a minute; a signal carries the end of the bar that made it."""
    del seed
    stage = Stage(folder, listen=(Signal,))
    strategy = load_strategy("sma_cross", {}).build(stage.engines.host, (SYMBOL,))
    stage.engines.host_strategy(strategy, strategy.warm_up())
    opened = stage.day.open
    prints = [(opened + n * MINUTE + second * NS, price) for n, price in enumerate(PRICES) for second in SECONDS]
    stage.loop.run([Trade(ts, SYMBOL, price, 100) for ts, price in prints])
    stage.loop.advance(opened + len(PRICES) * MINUTE)
    stage.close()
    seen = [((e.ts - opened) // MINUTE - 1, e.side) for e in stage.seen if isinstance(e, Signal)]
    checks.figures |= {"prices": len(PRICES), "signals": len(seen)}
    checks.expect("signals", seen, CROSSINGS)

"""Moving-average crossover, the worked example: buy when fast crosses above slow, sell when it crosses below."""

from typing import Literal

import msgspec

from qbtrade.domain.market import Bar, Trade
from qbtrade.errors import UsageError
from qbtrade.ports import Desk, Strategy
from qbtrade.strategies.averages import Average, average


class CrossParams(msgspec.Struct, frozen=True):
    """fast, slow: lengths in bars. average: sma (plain mean) or ema (exponential, weight 2 / (n + 1))."""

    fast: int = 5
    slow: int = 20
    average: Literal["sma", "ema"] = "sma"

    def __post_init__(self) -> None:
        """Refuse lengths that cannot cross."""
        if not 1 <= self.fast < self.slow:
            raise UsageError(f"fast={self.fast} must be at least 1 and smaller than slow={self.slow}")


class Cross:
    """Watches two averages of one symbol and tells when one crosses the other."""

    __slots__ = ("fast", "side", "slow")

    def __init__(self, fast: Average, slow: Average) -> None:
        self.fast, self.slow = fast, slow
        self.side: int | None = None  # where fast was when it was last seen apart from slow: +1 above, -1 below

    def add(self, price: int) -> int:
        """Take in a price, KRW. Gives +1 when fast rises above slow, -1 when it falls below, else 0."""
        fast, slow = self.fast, self.slow
        fast.add(price)
        slow.add(price)
        if not slow.ready:
            return 0
        apart = fast.value - slow.value
        before = self.side
        if apart > 0:
            self.side = 1
            return 0 if before is None or before > 0 else 1
        if apart < 0:
            self.side = -1
            return 0 if before is None or before < 0 else -1
        if before is None:
            self.side = 0
        return 0


class SmaCross(Strategy):
    """Crossover of two moving averages of closes, on closed bars."""

    Params = CrossParams

    def __init__(self, desk: Desk, symbols: tuple[str, ...], params: CrossParams) -> None:
        super().__init__(desk, symbols, params)
        self._slow = params.slow
        kind = params.average
        self.crosses = {s: Cross(average(kind, params.fast), average(kind, params.slow)) for s in symbols}

    def warm_up(self) -> int:
        """The slow average needs its whole length, and one bar more to have something to cross."""
        return self._slow + 1

    def on_bar(self, bar: Bar) -> None:
        """Ask on a crossing."""
        cross = self.crosses[bar.symbol]
        if crossing := cross.add(bar.close):
            self.ask(bar.symbol, crossing, cross, bar.close)

    def ask(self, symbol: str, crossing: int, cross: Cross, price: int) -> None:
        """Buy on the way up, sell on the way down, and say what was seen."""
        ask, words = (self.desk.buy, "above") if crossing > 0 else (self.desk.sell, "below")
        fast, slow = f"{cross.fast.value:.2f}", f"{cross.slow.value:.2f}"
        ask(symbol, f"fast average crossed {words} slow", fast=fast, slow=slow, close=price)


class TickCross(SmaCross):
    """The same crossing, looked at on every trade instead of every bar."""

    def warm_up(self) -> int:
        """The averages themselves know when they are ready."""
        return 0

    def on_bar(self, bar: Bar) -> None:
        """Bars say nothing new here."""

    def on_trade(self, trade: Trade) -> None:
        """Ask on a crossing."""
        cross = self.crosses[trade.symbol]
        if crossing := cross.add(trade.price):
            self.ask(trade.symbol, crossing, cross, trade.price)

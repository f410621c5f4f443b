"""A strategy that trades as often as luck has it, so that much can go wrong."""

from random import Random
from typing import Any

import msgspec

from qbtrade.domain.market import Bar
from qbtrade.ports import Desk, Strategy


class Params(msgspec.Struct, frozen=True):
    """seed: of its luck."""

    seed: int = 0


class Restless(Strategy):
    """Buys when flat, sells when not, with two bars of three."""

    Params = Params

    def __init__(self, desk: Desk, symbols: tuple[str, ...], params: Any) -> None:
        super().__init__(desk, symbols, params)
        self._rng = Random(params.seed)

    def on_bar(self, bar: Bar) -> None:
        """Ask, or let it pass."""
        if self._rng.randrange(3):
            ask = self.desk.sell if self.desk.position(bar.symbol) else self.desk.buy
            ask(bar.symbol, "luck")

"""A breakout strategy: buys above the highest price of the last bars, sells below the lowest of fewer bars."""

from collections import deque

import msgspec

from qbtrade.domain.market import Bar
from qbtrade.ports import Desk, Strategy


class Breakout(Strategy):
    """Enter when a bar closes above the last `entry` highs, leave when one closes below the last `leave` lows."""

    class Params(msgspec.Struct, frozen=True):
        """entry, leave: how many bars to look back."""

        entry: int = 20
        leave: int = 10

        def __post_init__(self) -> None:
            """Refuse what cannot be looked back upon."""
            if not 1 <= self.leave <= self.entry:
                raise ValueError(f"leave={self.leave} must be at least 1 and at most entry={self.entry}")

    def __init__(self, desk: Desk, symbols: tuple[str, ...], params: Params) -> None:
        super().__init__(desk, symbols, params)
        self._entry, self._leave = params.entry, params.leave
        self._seen: dict[str, deque[Bar]] = {symbol: deque(maxlen=params.entry) for symbol in symbols}

    def warm_up(self) -> int:
        """A whole look back, and the bar that breaks out of it."""
        return self._entry + 1

    def on_bar(self, bar: Bar) -> None:
        """Compare the close with the bars before it."""
        seen = self._seen[bar.symbol]
        if len(seen) == self._entry:
            highest = max(each.high for each in seen)
            lowest = min(each.low for each in list(seen)[-self._leave :])
            if bar.close > highest:
                self.desk.buy(bar.symbol, "closed above the highest", close=bar.close, highest=highest)
            elif bar.close < lowest:
                self.desk.sell(bar.symbol, "closed below the lowest", close=bar.close, lowest=lowest)
        seen.append(bar)

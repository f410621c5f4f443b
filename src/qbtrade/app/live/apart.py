"""What is in the account and not for this session to trade: shares of others, of qb elsewhere, and cash that came."""

from collections.abc import Mapping

from qbtrade.adapters.kis.parse.account import Holding
from qbtrade.app.live.parts import Live, held_elsewhere
from qbtrade.app.status import ForeignStatus
from qbtrade.domain.events import Held


class Apart:
    """Shares by symbol and KRW that no limit counts. elsewhere: of qb, in symbols that the session does not trade."""

    def __init__(self, live: Live) -> None:
        self.foreign = {symbol: qty for symbol, qty in live.opening.foreign.items() if qty}
        self.elsewhere: dict[str, Held] = held_elsewhere(live)
        self.aside = live.opening.aside
        self._prices = {each.symbol: each.last for each in live.at_broker.balance.holdings}

    def shares(self) -> dict[str, int]:
        """All of them, by symbol."""
        return {
            symbol: self.foreign.get(symbol, 0) + (self.elsewhere[symbol].qty if symbol in self.elsewhere else 0)
            for symbol in sorted(self.foreign.keys() | self.elsewhere.keys())
        }

    def keep(self, symbol: str, foreign: int, own: Held | None) -> None:
        """From here on there are so many shares of others, and these of qb where the session does not trade them."""
        self.foreign.pop(symbol, None)
        if foreign:
            self.foreign[symbol] = foreign
        if symbol in self.elsewhere and own is not None:
            self.elsewhere[symbol] = own
            if not own.qty:
                del self.elsewhere[symbol]

    def price(self, holdings: tuple[Holding, ...]) -> None:
        """Take the prices that the broker told with its balance."""
        self._prices |= {each.symbol: each.last for each in holdings if each.last}

    def shown(self, last: Mapping[str, int]) -> tuple[ForeignStatus, ...]:
        """Shares of others, for whoever watches. last: prices that are newer than the balance's, by symbol."""
        prices = self._prices | {symbol: price for symbol, price in last.items() if price}
        return tuple(
            ForeignStatus(symbol, qty, qty * prices.get(symbol, 0)) for symbol, qty in sorted(self.foreign.items())
        )

"""What keeps each stock from trading, as the stream and REST tell it.

The stream is quicker and may lose a word; REST is slower and may lag behind. Either may begin a halt at once. REST
ends what the stream began only by an answer that was asked for a while later.
"""

from collections.abc import Iterable
from typing import Final

from qbtrade.adapters.kis.events import MarketEvent, Operation
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import Alert, Level, SymbolHalted, SymbolResumed
from qbtrade.domain.order import Side
from qbtrade.ports import MarketView, Publisher

SETTLED: Final = 10 * NS
"""So long after the stream's word REST is believed to know better."""
_DETAILS: Final = {
    "circuit-breaker": "a circuit breaker stops the whole market",
    "trading-halt": "the venue suspended trading",
    "vi": "a volatility interruption is on",
}
"""Why nothing trades, the worst first."""
_BREAKERS: Final = {MarketEvent.BREAKER: True, MarketEvent.BREAKER_OVER: False}
_SIDECARS: Final = {
    MarketEvent.SELL_SIDECAR: (Side.SELL, True),
    MarketEvent.SELL_SIDECAR_OVER: (Side.SELL, False),
    MarketEvent.BUY_SIDECAR: (Side.BUY, True),
    MarketEvent.BUY_SIDECAR_OVER: (Side.BUY, False),
}


class _Stock:
    """What stands against one stock. told: when the stream last spoke of it; breaker_at: of its whole market."""

    __slots__ = ("breaker_at", "reason", "standing", "told")

    def __init__(self) -> None:
        self.standing = dict.fromkeys(_DETAILS, False)
        self.reason = ""
        self.told = self.breaker_at = -SETTLED


class Halts:
    """Publishes SymbolHalted and SymbolResumed as words come in, and an alert for each sidecar."""

    def __init__(self, bus: Publisher, market: MarketView, symbols: Iterable[str]) -> None:
        self._bus, self._market = bus, market
        self._stocks = {symbol: _Stock() for symbol in symbols}
        self._sidecars: dict[str, MarketEvent] = {}

    def __contains__(self, symbol: str) -> bool:
        """Whether it does not trade."""
        return bool(self._stocks[symbol].reason)

    def on_operation(self, event: Operation) -> None:
        """The stream told of a stock, and perhaps of its whole market."""
        stock = self._stocks.get(event.symbol)
        if stock is None:
            return
        stock.told = event.ts
        for reason, stands in (("trading-halt", event.halted), ("vi", event.vi)):
            if stands is not None:
                stock.standing[reason] = stands
        if event.event in _BREAKERS:
            self._break(event, stands=_BREAKERS[event.event])
        elif event.event is not None:
            self._sidecar(event, event.event)
        self._settle(event.ts, event.symbol)

    def on_price(self, now: int, symbol: str, price: Price, asked: int) -> None:
        """REST told of a stock when it was asked at `asked`."""
        stock, standing = self._stocks[symbol], self._stocks[symbol].standing
        may_end = asked >= stock.told + SETTLED
        if asked < stock.told:
            return
        standing["trading-halt"] = price.is_suspended or (standing["trading-halt"] and not may_end)
        standing["vi"] = price.vi or (standing["vi"] and not may_end)
        last = self._market.last(symbol)
        if last is not None and last.qty and last.ts > stock.breaker_at + SETTLED:
            standing["circuit-breaker"] = False  # its end was not heard, but the market trades
        self._settle(now, symbol)

    def _break(self, event: Operation, *, stands: bool) -> None:
        """A circuit breaker of the market that this stock is of; each of its stocks tells of it."""
        venue = self._market.instrument(event.symbol).market
        for symbol, stock in self._stocks.items():
            if self._market.instrument(symbol).market is venue:
                stock.standing["circuit-breaker"] = stands
                stock.told = stock.breaker_at = event.ts
                self._settle(event.ts, symbol)

    def _sidecar(self, event: Operation, what: MarketEvent) -> None:
        """Our orders are no programme's: they go on, but the trader should know. Each stock tells; it is said once."""
        venue, (side, is_on) = self._market.instrument(event.symbol).market, _SIDECARS[what]
        if self._sidecars.get(venue) is what:
            return
        self._sidecars[venue] = what
        if is_on:
            text = f"a {side} sidecar is on in {venue}: programme orders of that side wait, plain orders go on"
        else:
            text = f"the {side} sidecar in {venue} is over"
        self._bus.publish(Alert(event.ts, Level.INFO, "sidecar", text))

    def _settle(self, ts: int, symbol: str) -> None:
        """Publish a halt that began or ended."""
        stock = self._stocks[symbol]
        before, stock.reason = stock.reason, next((name for name, stands in stock.standing.items() if stands), "")
        if stock.reason and not before:
            self._bus.publish(SymbolHalted(ts, symbol, stock.reason, _DETAILS[stock.reason]))
        elif before and not stock.reason:
            self._bus.publish(SymbolResumed(ts, symbol, before))

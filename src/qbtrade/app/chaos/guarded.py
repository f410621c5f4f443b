"""Whether a session sold in time what had fallen to its stop-loss, by its journal and the trades of the market."""

from collections import defaultdict
from collections.abc import Iterable
from heapq import merge
from operator import attrgetter
from typing import Final

from qbtrade.domain.calendar import NS
from qbtrade.domain.events import (
    Alert,
    BookCorrected,
    OrderApproved,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotSent,
    OrderRejected,
    OrderResolved,
    PositionChanged,
    RiskState,
    RiskStateChanged,
    SessionStarted,
)
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.money import PPB
from qbtrade.domain.order import Side

SOLD_WITHIN: Final = 45 * NS
"""A sale is on its way by then, however slowly the price was told."""
CLOSE: Final = PPB // 500
"""So near to the stop-loss (ppb of the cost) a price may be taken for either side of it."""
ENDS: Final = (OrderCanceled, OrderDenied, OrderExpired, OrderNotSent, OrderRejected, OrderResolved)


class _Stock:
    """What the rows so far tell of a stock. low_since: UTC ns, 0 while it is above its stop-loss, or is being sold."""

    def __init__(self) -> None:
        self.qty = self.cost = self.price = self.low_since = 0
        self.is_halted = False
        self.sells = dict[str, int]()  # shares of open ones; of one that was lost and given up, too

    def hold(self, qty: int, cost: int) -> None:
        """So many shares of qb are held."""
        self.qty, self.cost = qty, cost

    def look(self, now: int, stop_loss: int) -> int:
        """How long it has been below without a sale of it."""
        is_low = self.price * self.qty * PPB <= self.cost * (PPB - stop_loss - CLOSE)
        if not (self.qty and self.price and is_low) or self.is_halted or sum(self.sells.values()) > 0:
            self.low_since = 0
        elif not self.low_since:
            self.low_since = now
        return now - self.low_since if self.low_since else 0


class Watch:
    """The newest session while nothing goes wrong and it trades. broken: promises, in words.

    since, until: UTC ns. stop_loss: ppb of the cost. stops: how often the price of shares fell so far.
    """

    def __init__(self, since: int, until: int, stop_loss: int) -> None:
        self.broken, self.stops = list[str](), 0
        self._since, self._until, self._stop_loss = since, until, stop_loss
        self._stocks = defaultdict[str, _Stock](_Stock)

    def read(self, journal: Iterable[Event], trades: Iterable[Event]) -> None:
        """Both by their time: a row tells of a trade, so it comes behind it."""
        for row in merge(trades, sorted(journal, key=attrgetter("ts")), key=attrgetter("ts")):
            self._note(row)
            if isinstance(row, Trade) and self._since <= row.ts < self._until:
                self._judge(row.ts, row.symbol, self._stocks[row.symbol])

    def _judge(self, now: int, symbol: str, stock: _Stock) -> None:
        waited = stock.look(now, self._stop_loss)
        self.stops += now == stock.low_since > 0
        if waited > SOLD_WITHIN:
            stock.low_since = now
            self.broken.append(
                f"{symbol} was below its stop-loss for {waited / NS:.0f} s, and no sale of it was wished"
            )

    def _note(self, row: Event) -> None:
        match row:
            case Trade(symbol=symbol, price=price):
                self._stocks[symbol].price = price
            case PositionChanged() | BookCorrected() if row.symbol:
                self._stocks[row.symbol].hold(row.qty, row.cost)
            case RiskStateChanged(symbol=symbol, state=state):
                self._stocks[symbol].is_halted = state is RiskState.HALTED
            case SessionStarted() | Alert():
                self._wake(row)
            case _other:
                self._order(row)

    def _wake(self, row: SessionStarted | Alert) -> None:
        """A session begins, or its machine slept."""
        if isinstance(row, SessionStarted):
            self._since = max(self._since, row.ts)
            for symbol in row.held.keys() - row.jumps.keys():
                self._stocks[symbol].hold(row.held[symbol].qty, row.held[symbol].cost)
        elif row.code == "stood-still":
            for stock in self._stocks.values():
                stock.low_since = 0

    def _order(self, row: Event) -> None:
        match row:
            case OrderApproved(order=order) if order.side is Side.SELL:
                self._stocks[order.symbol].sells[order.order_id] = order.qty
                self._stocks[order.symbol].low_since = 0
            case OrderFilled(symbol=symbol, order_id=order_id, qty=qty) if order_id in self._stocks[symbol].sells:
                self._stocks[symbol].sells[order_id] -= qty
            case _other if isinstance(row, ENDS):
                for stock in self._stocks.values():
                    stock.sells.pop(row.order_id, 0)
            case _other:
                pass

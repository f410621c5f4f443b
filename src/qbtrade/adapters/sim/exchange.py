"""The simulated exchange, without bus or clock: requests, prints and phases go in with their time, events come out."""

from bisect import insort
from collections.abc import Sequence
from typing import Final

from qbtrade.adapters.sim.bar_path import ends_bar
from qbtrade.adapters.sim.models import FillRule, Refusals, Slippage, Volume
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import CancelRejected, OrderAccepted, OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from qbtrade.domain.instrument import PriceBand, TickTable
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, Side, TimeInForce

_NOTHING: Final[Sequence[Event]] = ()
_HIGHEST: Final = 2**62
_AUCTIONS: Final = frozenset({Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION})
_OPEN: Final = _AUCTIONS | {Phase.CONTINUOUS}
_DAY: Final = TimeInForce.DAY
_FOK: Final = TimeInForce.FOK


class WorkingOrder:
    """One order in the book.

    limit: KRW, the band's edge for a market order. is_taker: trades at the print, not at its limit.
    """

    __slots__ = ("arrived", "band", "buy", "is_taker", "limit", "number", "rank", "remaining", "request", "ticks")

    def __init__(
        self, request: OrderRequest, *, number: int, arrived: int, band: PriceBand | None, ticks: TickTable
    ) -> None:
        is_market = request.kind is OrderKind.MARKET
        self.request, self.number, self.arrived, self.ticks = request, number, arrived, ticks
        self.band = PriceBand(0, 1, _HIGHEST) if band is None else band
        self.buy = request.side is Side.BUY
        edge = self.band.upper if self.buy else self.band.lower
        self.limit = edge if is_market else request.price
        self.remaining = request.qty
        self.is_taker = True
        keenness = _HIGHEST if is_market else self.limit if self.buy else -self.limit
        self.rank = (self.buy, -keenness, number)

    def reaches(self, price: int) -> bool:
        """True when the limit allows a trade at `price`."""
        return price <= self.limit if self.buy else price >= self.limit


def _rank(order: WorkingOrder) -> tuple[bool, int, int]:
    return order.rank


def _price_refusal(order: OrderRequest, band: PriceBand | None, ticks: TickTable) -> tuple[str, str]:
    price = order.price
    if order.kind is OrderKind.MARKET:
        return "", ""
    if not ticks.on_grid(price):
        return "off-tick-grid", f"{price} is not a multiple of the tick {ticks.size(max(price, 0))}"
    if band is not None and not band.contains(price):
        return "outside-price-band", f"{price} is not within {band.lower} to {band.upper}"
    return "", ""


class SimExchange:
    """Matches our orders against the prints of the market, which they never move. Every rule: docs/simulation.md.

    sketched: the prints are the path of recorded bars, each of which stands for many trades until the next one,
    but for the close. So an order that is marketable on arrival fills at once, out of what is left of the newest
    print's share.
    """

    def __init__(
        self, *, slippage: Slippage, fill_rule: FillRule, volume: Volume, refusals: Refusals, sketched: bool = False
    ) -> None:
        self._slippage, self._fill_rule, self._volume, self._refusals = slippage, fill_rule, volume, refusals
        self._orders: dict[str, WorkingOrder] = {}
        self._halted: set[str] = set()
        self._accepted = 0
        self.last_number = ""
        self._sketched = sketched
        self._left: dict[str, tuple[Trade, int]] = {}  # by symbol: the newest print that was matched, what it has left
        self._phase_began = 0
        self.phase = Phase.CLOSED
        self.books: dict[str, list[WorkingOrder]] = {}
        """Working orders by symbol in order of priority; read only. A symbol without any has an empty list or none."""

    def submit(
        self, now: int, order: OrderRequest, band: PriceBand | None, ticks: TickTable, last: Trade | None = None
    ) -> Sequence[Event]:
        """Take or refuse an order arriving at `now`. last: the newest print before it, if any."""
        code, reason = self._refusal(order, band, ticks)
        if code:
            return (OrderRejected(now, order.order_id, code, reason),)
        self._accepted += 1
        working = WorkingOrder(order, number=self._accepted, arrived=now, band=band, ticks=ticks)
        is_known = last is not None and self.phase is Phase.CONTINUOUS and last.ts >= self._phase_began
        if last and is_known:
            working.is_taker = working.reaches(self._slippage.price(last.price, ticks, buy=working.buy))
        self._orders[order.order_id] = working
        insort(self.books.setdefault(order.symbol, []), working, key=_rank)
        self.last_number = f"S{self._accepted:07d}"
        accepted = OrderAccepted(now, order.order_id, self.last_number)
        if last and is_known and self._sketched and working.is_taker:
            return (accepted, *self._match_on_arrival(now, working, last))
        return (accepted,)

    def _match_on_arrival(self, now: int, working: WorkingOrder, last: Trade) -> Sequence[Event]:
        """Trade at the price that the sketch stands at."""
        outputs: list[Event] = []
        if self._is_matching(last) and not ends_bar(last):
            matched, left = self._left.get(last.symbol, (None, 0))
            available = left if matched is last else self._volume.available(last.qty)
            self._left[last.symbol] = (last, available - self._match(working, last, available, outputs, now))
        return outputs

    def cancel(self, now: int, order_id: str) -> Sequence[Event]:
        """Take what remains of an order out of the book."""
        working = self._orders.get(order_id)
        if working is None:
            return (CancelRejected(now, order_id, "not-working"),)
        self._drop(working)
        return (OrderCanceled(now, order_id, working.remaining, "requested"),)

    def reduce(self, now: int, order_id: str, qty: int) -> Sequence[Event]:
        """Take part of what remains of an order out of the book; the rest keeps its place."""
        working = self._orders.get(order_id)
        if working is None or not 0 < qty <= working.remaining:
            return (CancelRejected(now, order_id, "not-working"),)
        working.remaining -= qty
        if not working.remaining:
            self._drop(working)
        return (OrderCanceled(now, order_id, qty, "requested"),)

    def on_trade(self, trade: Trade) -> Sequence[Event]:
        """Match the symbol's orders against one print, in order of priority."""
        book = self.books.get(trade.symbol)
        if not book or not self._is_matching(trade):
            return _NOTHING
        outputs: list[Event] = []
        available = self._volume.available(trade.qty)
        for working in tuple(book):
            if working.arrived <= trade.ts:
                available -= self._match(working, trade, available, outputs, trade.ts)
        self._left[trade.symbol] = (trade, available)
        return outputs

    def on_phase(self, now: int, phase: Phase) -> Sequence[Event]:
        """Move the day on; when order taking ends, what works expires in order of arrival."""
        self.phase, self._phase_began = phase, now
        if phase in _OPEN:
            return _NOTHING
        expired = [OrderExpired(now, order_id, working.remaining) for order_id, working in self._orders.items()]
        self._orders.clear()
        self.books.clear()
        return expired

    def halt(self, symbol: str) -> None:
        """Stop matching a symbol. Orders and cancels are still taken."""
        self._halted.add(symbol)

    def resume(self, symbol: str) -> None:
        """Match the symbol again."""
        self._halted.discard(symbol)

    def _refusal(self, order: OrderRequest, band: PriceBand | None, ticks: TickTable) -> tuple[str, str]:
        if self.phase not in _OPEN:
            return "market-closed", f"no orders are taken while the phase is {self.phase}"
        if order.order_id in self._orders:
            return "duplicate-order-id", f"order {order.order_id} is already working"
        if order.qty <= 0:
            return "bad-qty", f"{order.qty} is not a number of shares"
        code, reason = _price_refusal(order, band, ticks)
        if not code and self._refusals.refuses():
            return "random-refusal", "refused at random, at the rate that was asked for"
        return code, reason

    def _is_matching(self, trade: Trade) -> bool:
        if not trade.qty or trade.symbol in self._halted:
            return False
        return trade.auction or self.phase not in _AUCTIONS

    def _match(self, working: WorkingOrder, trade: Trade, available: int, outputs: list[Event], ts: int) -> int:
        order = working.request
        price = self._fill_price(working, trade)
        qty = min(working.remaining, available) if price else 0
        if order.tif is _FOK and qty < working.remaining:
            qty = 0
        if qty:
            working.remaining -= qty
            outputs.append(OrderFilled(ts, order.order_id, order.symbol, order.side, price, qty))
        if not working.remaining:
            self._drop(working)
        elif order.tif is not _DAY:
            self._drop(working)
            outputs.append(OrderCanceled(ts, order.order_id, working.remaining, order.tif.value.lower()))
        return qty

    def _fill_price(self, working: WorkingOrder, trade: Trade) -> int:
        printed = trade.price
        if not working.band.contains(printed):
            return 0
        if trade.auction:
            return printed if working.reaches(printed) else 0
        if working.is_taker:
            price = self._slippage.price(printed, working.ticks, buy=working.buy)
            if working.reaches(price):
                return price
            working.is_taker = False  # the market moved away: what remains rests at its limit
        return working.limit if self._fill_rule.fills(working.limit, printed, buy=working.buy) else 0

    def _drop(self, working: WorkingOrder) -> None:
        del self._orders[working.request.order_id]
        self.books[working.request.symbol].remove(working)

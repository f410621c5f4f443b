"""Stop-loss: watches what we hold and sells it through the spread when the price falls too far below its cost."""

from collections.abc import Callable
from typing import Final

from qbtrade.domain.calendar import NS, Phase
from qbtrade.domain.events import (
    Alert,
    BookCorrected,
    CancelOrder,
    CancelRejected,
    Level,
    OrderAbandoned,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderNotSent,
    OrderRejected,
    PhaseChanged,
    PositionChanged,
    PriceTouched,
    SubmitOrder,
    SymbolResumed,
)
from qbtrade.domain.limits import RiskLimits, lowest_sell
from qbtrade.domain.money import PPB
from qbtrade.domain.order import GUARDING, Order, OrderKind, OrderRequest, OrderStatus, Purpose, Side, TimeInForce
from qbtrade.ports import Clock, MarketView, OrderView, PositionView, Publisher, TimerHandle

OWNER: Final = "protection"
THROUGH: Final = 2  # ticks below the best price that we know
PATIENCE: Final = 2 * NS  # before an unfilled sell is priced anew, or a refused one is sent again: then 4, 8, 16 s
LONGEST: Final = 16 * NS
MANY: Final = 3
"""Refusals in a row after which a person is told."""
WHY: Final = {Purpose.PROTECT: "stop-loss", Purpose.FLATTEN: "flatten"}
"""Why an order that stands in the way of a sell is canceled."""
SELLING_PHASES: Final = frozenset({Phase.CONTINUOUS, Phase.CLOSING_AUCTION})


class _Stop:
    """One symbol. level: KRW at or below which it triggers, 0 for none. The rest belongs to a triggered stop."""

    __slots__ = (
        "asked", "level", "not_before", "order_id", "purpose", "refusals", "replaces", "signal", "timer",
        "triggered",
    )  # fmt: skip

    def __init__(self) -> None:
        self.level = 0
        self.triggered = False
        self.signal = ""
        self.purpose = Purpose.PROTECT
        self.order_id = ""  # the newest protective sell
        self.replaces = ""  # the one that was canceled to be priced anew
        self.asked: set[str] = set()  # cancels that were asked for
        self.not_before = 0
        self.refusals = 0  # of protective sells, one after another
        self.timer: TimerHandle | None = None


class Protection:
    """Sends and reprices protective sells. Subscribed behind market data, portfolio and orders.

    A triggered stop keeps selling until nothing is held or the session is over. It never offers more than is held:
    shares in other open sells wait until their cancel is confirmed. symbols: of the session; others are not protected.
    """

    def __init__(
        self,
        bus: Publisher,
        clock: Clock,
        market: MarketView,
        positions: PositionView,
        orders: OrderView,
        *,
        limits: RiskLimits,
        symbols: tuple[str, ...],
        next_order_id: Callable[[], str],
    ) -> None:
        self._bus, self._clock, self._market, self._positions, self._orders = bus, clock, market, positions, orders
        self._stop_loss, self._collar = limits.stop_loss, limits.collar
        self._next_order_id = next_order_id
        self._stops = {symbol: _Stop() for symbol in symbols}

    def level(self, symbol: str) -> int:
        """The price in KRW at or below which the symbol's shares are sold; 0 while there is no stop."""
        return self._stops[symbol].level

    # arming

    def on_position(self, event: PositionChanged) -> None:
        """Move the level with the average cost; stand down when nothing is held."""
        self._follow(event.symbol)

    def _follow(self, symbol: str) -> None:
        stop = self._stops[symbol]
        if not self._positions.qty(symbol):
            self._stand_down(symbol, stop)
        elif stop.triggered:
            self._work(symbol, stop)
        else:
            self._arm(symbol, stop)

    def on_corrected(self, event: BookCorrected) -> None:
        """Shares that are gone need no stop; those that are left keep theirs."""
        if event.symbol in self._stops:
            self._follow(event.symbol)

    def _arm(self, symbol: str, stop: _Stop) -> None:
        qty = self._positions.qty(symbol)
        if qty and self._stop_loss:
            stop.level = self._positions.cost(symbol) * (PPB - self._stop_loss) // (qty * PPB)
            self._market.watch(symbol, OWNER, stop.level)

    def sell_out(self, ts: int, symbol: str, why: str) -> None:
        """Sell all that is held, as a triggered stop would. why: words."""
        stop = self._stops[symbol]
        if self._positions.qty(symbol) and not stop.triggered:
            stop.triggered, stop.signal, stop.purpose = True, why, Purpose.FLATTEN
            self._set_timer(symbol, stop, ts + PATIENCE)
            self._work(symbol, stop)

    def rest(self) -> None:
        """Send nothing more: the session ends here, and what is held has no stop."""
        self._stop_loss = 0
        for symbol, stop in self._stops.items():
            self._stand_down(symbol, stop)

    def _stand_down(self, symbol: str, stop: _Stop) -> None:
        if stop.timer is not None:
            stop.timer.cancel()
        self._market.watch(symbol, OWNER, 0)
        self._stops[symbol] = _Stop()

    # triggering

    def on_touched(self, event: PriceTouched) -> None:
        """Trigger on a trade of the continuous phase; else keep watching."""
        symbol = event.symbol
        stop = self._stops.get(symbol)
        if stop is None or stop.triggered or not stop.level:
            return
        trading = self._market.phase() is Phase.CONTINUOUS and not self._market.halted(symbol)
        if trading and event.price <= stop.level:
            self._trigger(symbol, stop, event)
        else:
            self._market.watch(symbol, OWNER, stop.level)

    def _trigger(self, symbol: str, stop: _Stop, event: PriceTouched) -> None:
        qty = self._positions.qty(symbol)
        average = self._positions.cost(symbol) // qty
        stop.triggered = True
        self._set_timer(symbol, stop, event.ts + PATIENCE)
        stop.signal = f"stop-loss: {event.price:,} is at or below {stop.level:,}"
        text = f"{symbol}: selling {qty:,} shares; {stop.signal}, the average cost is {average:,}"
        self._bus.publish(Alert(event.ts, Level.CRITICAL, "stop-loss", text, "see that the protective sell fills"))
        self._work(symbol, stop)

    def on_phase(self, event: PhaseChanged) -> None:
        """Watch while protective sells may go out, move into the closing auction, and stand down after it."""
        for symbol, stop in self._stops.items():
            if event.phase not in SELLING_PHASES:
                self._end_session(event.ts, symbol, stop)
            elif stop.triggered:
                self._reprice(symbol, stop)
            else:
                self._arm(symbol, stop)

    def _end_session(self, ts: int, symbol: str, stop: _Stop) -> None:
        """Say what was not sold, as soon as no sell can fill any more: an auction's fills are told after the close."""
        if stop.triggered and self._orders.selling(symbol):
            return
        if stop.triggered:
            text = f"{symbol}: {self._positions.qty(symbol):,} shares could not be sold at the stop-loss"
            action = "they are held without a stop until the next continuous phase"
            self._bus.publish(Alert(ts, Level.CRITICAL, "stop-loss-unfilled", text, action))
        self._stand_down(symbol, stop)

    # selling

    def on_resumed(self, event: SymbolResumed) -> None:
        """Go on selling, at a price that fits the market after the halt."""
        stop = self._stops.get(event.symbol)
        if stop is not None and stop.triggered:
            self._reprice(event.symbol, stop)

    def on_ended(self, event: OrderCanceled | OrderExpired | OrderAbandoned) -> None:
        """Offer again what an order gave free."""
        order, stop = self._find(event.order_id)
        if order is not None and stop is not None:
            if order.request.purpose in GUARDING and order.status is OrderStatus.CANCELED:
                stop.replaces, stop.refusals = event.order_id, 0
            self._go_on(event.ts, order.request.symbol, stop)

    def on_refused(self, event: OrderDenied | OrderRejected | OrderNotSent) -> None:
        """Send a refused protective sell again after a while; offer at once what another order gave free."""
        order, stop = self._find(event.order_id)
        if order is not None and stop is not None:
            symbol = order.request.symbol
            if order.request.purpose in GUARDING:
                stop.not_before = self._clock.now() + min(PATIENCE << stop.refusals, LONGEST)
                stop.refusals += 1
                self._set_timer(symbol, stop, stop.not_before)
                self._say_refused(event, symbol, stop)
            self._go_on(event.ts, symbol, stop)

    def _say_refused(self, event: OrderDenied | OrderRejected | OrderNotSent, symbol: str, stop: _Stop) -> None:
        if stop.refusals == MANY:
            qty = self._positions.qty(symbol)
            text = f"{symbol}: the stop-loss of {qty:,} shares came to nothing {MANY} times in a row ({event.reason})"
            action = "sell them in the KIS app, or find out why; qb goes on trying"
            self._bus.publish(Alert(event.ts, Level.CRITICAL, "stop-loss-refused", text, action))

    def _go_on(self, ts: int, symbol: str, stop: _Stop) -> None:
        if self._market.phase() in SELLING_PHASES:
            self._work(symbol, stop)
        else:
            self._end_session(ts, symbol, stop)

    def on_cancel_rejected(self, event: CancelRejected) -> None:
        """Ask again at the next look."""
        _, stop = self._find(event.order_id)
        if stop is not None:
            stop.asked.discard(event.order_id)

    def _find(self, order_id: str) -> tuple[Order | None, _Stop | None]:
        """An order and the triggered stop of its symbol."""
        order = self._orders.get(order_id)
        stop = self._stops.get(order.request.symbol) if order else None
        return order, stop if stop and stop.triggered else None

    def _set_timer(self, symbol: str, stop: _Stop, due: int) -> None:
        if stop.timer is not None:
            stop.timer.cancel()
        stop.timer = self._clock.call_at(due, lambda due: self._on_timer(symbol, due))

    def _on_timer(self, symbol: str, due: int) -> None:
        stop = self._stops[symbol]
        self._set_timer(symbol, stop, due + PATIENCE)
        self._reprice(symbol, stop)

    def _reprice(self, symbol: str, stop: _Stop) -> None:
        """Cancel protective sells at another price than today's best guess; what they free is offered again."""
        last = self._last_while_selling(symbol)
        if last:
            price = self._price(symbol, last)
            for order in self._orders.open_orders(symbol):
                if order.request.purpose in GUARDING and order.request.price != price:
                    self._ask_cancel(stop, order, "reprice")
        self._work(symbol, stop)

    def _work(self, symbol: str, stop: _Stop) -> None:
        """Cancel what stands in the way, and offer every share that no open sell offers."""
        last = self._last_while_selling(symbol)
        if not last:
            return
        for order in self._orders.open_orders(symbol):
            if order.request.purpose not in GUARDING:
                self._ask_cancel(stop, order, WHY[stop.purpose])
        on_its_way = stop.order_id and self._orders.get(stop.order_id) is None
        free = self._positions.qty(symbol) - self._orders.selling(symbol)
        if free > 0 and not on_its_way and self._clock.now() >= stop.not_before:
            self._offer(symbol, stop, free, last)

    def _offer(self, symbol: str, stop: _Stop, qty: int, last: int) -> None:
        now, replaces = self._clock.now(), stop.replaces
        stop.order_id, stop.replaces = self._next_order_id(), ""
        self._set_timer(symbol, stop, now + PATIENCE)
        order = OrderRequest(
            stop.order_id,
            symbol,
            Side.SELL,
            qty,
            self._price(symbol, last),
            OrderKind.LIMIT,
            TimeInForce.DAY,
            stop.purpose,
            reference=last,
            signal=stop.signal,
            repriced_from=replaces,
        )
        self._bus.publish(SubmitOrder(now, order))

    def _ask_cancel(self, stop: _Stop, order: Order, reason: str) -> None:
        order_id = order.request.order_id
        if order_id not in stop.asked:
            stop.asked.add(order_id)
            self._bus.publish(CancelOrder(self._clock.now(), order_id, reason))

    def _last_while_selling(self, symbol: str) -> int:
        """The last price in KRW while protective sells may go out, else 0."""
        trade = self._market.last(symbol)
        if trade is None or self._market.phase() not in SELLING_PHASES or self._market.halted(symbol):
            return 0
        return trade.price

    def _price(self, symbol: str, last: int) -> int:
        """Two ticks through the best price known; in the closing auction as low as collar and band allow."""
        ticks, band, quote = self._market.ticks(symbol), self._market.band(symbol), self._market.quote(symbol)
        floor = ticks.up(max(lowest_sell(last, self._collar), band.lower if band else 0))
        if self._market.phase() is Phase.CLOSING_AUCTION:
            return floor
        best = min(quote.bid, last) if quote and quote.bid else last
        return max(ticks.step(best, -THROUGH), floor)

"""Hosts a strategy: shows it data, takes its wishes, and turns them into orders on the next trade."""

import traceback
from collections.abc import Callable

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    CancelOrder,
    OrderDenied,
    PriceTouched,
    RiskStateChanged,
    Signal,
    StrategyFailed,
    SubmitOrder,
)
from qbtrade.domain.instrument import PriceBand
from qbtrade.domain.limits import RiskLimits, highest_buy, lowest_sell
from qbtrade.domain.market import Bar, Trade
from qbtrade.domain.money import PPB
from qbtrade.domain.order import OrderKind, OrderRequest, Purpose, Side
from qbtrade.domain.sizing import shares
from qbtrade.errors import UsageError
from qbtrade.ports import Clock, MarketView, NoParams, OrderView, PositionView, Publisher, Strategy

ANYTHING = (Exception, SystemExit)  # what user code may raise; only Ctrl+C is not its own
REACH = 2  # ticks beyond the opposite best
NARROWED = frozenset({"daily-loss", "session-state"})  # reasons that stand until the risk state changes
LIFETIME = 10_000_000_000  # an entry's or exit's remainder is canceled after 10 s


class StrategyHost:
    """The desk of one strategy.

    A signal waits for the next trade of a continuous phase and is forgotten when the symbol's next bar closes first
    (an exit is not: it is asked again with every bar until the position is flat). A strategy that raises loses its
    turn on that symbol for good; a wish to leave made before stays.
    """

    def __init__(
        self,
        bus: Publisher,
        clock: Clock,
        market: MarketView,
        positions: PositionView,
        orders: OrderView,
        limits: RiskLimits,
        *,
        symbols: tuple[str, ...],
        next_order_id: Callable[[], str],
        kind: OrderKind = OrderKind.LIMIT,
    ) -> None:
        self._bus, self._clock = bus, clock
        self._market, self._positions, self._orders = market, positions, orders
        self._limits, self._next_order_id, self._kind = limits, next_order_id, kind
        self._symbols = frozenset(symbols)
        self._wishes: dict[str, Signal] = {}
        self._leaving: dict[str, Signal] = {}
        self._failed: set[str] = set()
        self._barred: set[str] = set()
        self._bars_seen: dict[str, int] = {}
        self._strategy = Strategy(self, (), NoParams())
        self._warm_up = 0

    def host(self, strategy: Strategy, warm_up: int) -> None:
        """Take the strategy in. warm_up: closed bars of a symbol that it sees before its wishes count."""
        self._strategy, self._warm_up = strategy, warm_up

    # Desk

    def now(self) -> int:
        """UTC ns of market time."""
        return self._clock.now()

    def last(self, symbol: str) -> int:
        """Last price in KRW; 0 while there is none."""
        trade = self._market.last(symbol)
        return trade.price if trade else 0

    def position(self, symbol: str) -> int:
        """Shares held."""
        return self._positions.qty(symbol)

    def buy(self, symbol: str, reason: str, **values: object) -> None:
        """Ask to enter, unless shares are held, ordered or wished for already; a wish to leave is forgotten."""
        self._leaving.pop(symbol, None)
        wish = self._wishes.get(symbol)
        if wish is not None and wish.side is Side.SELL:
            del self._wishes[symbol]
        busy = self._positions.qty(symbol) or self._orders.open_orders(symbol)
        if not busy:
            self._ask(symbol, Side.BUY, reason, values)

    def sell(self, symbol: str, reason: str, **values: object) -> None:
        """Ask to leave the whole position; an entry still working is called back."""
        for order in self._orders.open_orders(symbol):
            if order.request.side is Side.BUY:
                self._bus.publish(CancelOrder(self._clock.now(), order.request.order_id, "signal-reversed"))
        if self._positions.qty(symbol) or self._orders.open_orders(symbol):
            self._ask(symbol, Side.SELL, reason, values)
        else:
            self._wishes.pop(symbol, None)

    def _ask(self, symbol: str, side: Side, reason: str, values: dict[str, object]) -> None:
        if symbol not in self._symbols:
            raise UsageError(f"{symbol} is not a symbol of this session")
        wish = self._wishes.get(symbol)
        if symbol in self._failed or (wish and wish.side is side) or self._bars_seen.get(symbol, 0) < self._warm_up:
            return
        signal = Signal(self._clock.now(), symbol, side, reason, {name: str(value) for name, value in values.items()})
        self._wishes[symbol] = signal
        if side is Side.SELL:
            self._leaving[symbol] = signal
        self._bus.publish(signal)
        self._market.wake(symbol)

    # events

    def warm(self, bar: Bar) -> None:
        """Show a bar of the past; nothing that is asked for now counts."""
        warm_up, self._warm_up = self._warm_up, 2**62
        self._show(bar.symbol, self._strategy.on_bar, bar)
        self._warm_up = warm_up
        self._bars_seen[bar.symbol] = self._bars_seen.get(bar.symbol, 0) + 1

    def on_bar(self, bar: Bar) -> None:
        """Show a closed bar; an entry wish that met no trade since the last one is out of date."""
        symbol = bar.symbol
        self._bars_seen[symbol] = self._bars_seen.get(symbol, 0) + 1
        wish = self._wishes.get(symbol)
        if wish is not None and wish.side is Side.BUY:
            del self._wishes[symbol]
        self._show(symbol, self._strategy.on_bar, bar)
        leaving = self._leaving.get(symbol)
        if leaving is not None and symbol not in self._wishes and symbol not in self._barred:
            self._wishes[symbol] = leaving
            self._market.wake(symbol)

    def on_trade(self, trade: Trade) -> None:
        """Show an accepted trade to a strategy that asked for every one."""
        symbol = trade.symbol
        if self._market.last(symbol) is not trade or symbol in self._failed:
            return
        try:
            self._strategy.on_trade(trade)
        except ANYTHING as error:
            self._fail(symbol, trade.ts, error)

    def _show(self, symbol: str, look: Callable[[Bar], None], bar: Bar) -> None:
        if symbol in self._failed:
            return
        try:
            look(bar)
        except ANYTHING as error:
            self._fail(symbol, bar.ts, error)

    def _fail(self, symbol: str, ts: int, error: BaseException) -> None:
        if symbol in self._failed:
            return
        self._failed.add(symbol)
        self._wishes.pop(symbol, None)
        self._bus.publish(StrategyFailed(ts, symbol, f"{type(error).__name__}: {error}", user_frames(error)))

    def on_denied(self, event: OrderDenied) -> None:
        """While risk is narrowed there is no use in asking for an exit with every bar."""
        if event.reason in NARROWED:
            self._barred.add(event.symbol)

    def on_risk_changed(self, event: RiskStateChanged) -> None:
        """Exits may be asked for again."""
        del event
        self._barred.clear()

    def on_price_touched(self, event: PriceTouched) -> None:
        """Act on a waiting wish with the first trade that can."""
        wish = self._wishes.get(event.symbol)
        if wish is None:
            return
        if self._market.phase() is not Phase.CONTINUOUS or self._market.halted(event.symbol):
            self._market.wake(event.symbol)
            return
        del self._wishes[event.symbol]
        request = self._entry(wish, event.price) if wish.side is Side.BUY else self._exit(wish, event.price)
        if request is not None:
            self._bus.publish(SubmitOrder(event.ts, request))

    # orders

    def _entry(self, wish: Signal, last: int) -> OrderRequest:
        """One share at least, so that risk can say which rule is in the way."""
        price = self._price(wish.symbol, Side.BUY, last)
        orders, positions, symbol = self._orders, self._positions, wish.symbol
        buying = orders.buying()
        promised_fees = -(-buying * self._limits.commission_ppb // PPB)
        qty = shares(
            self._limits,
            self.entry_price(symbol, last),
            at_work=positions.total_cost() + buying,
            in_symbol=positions.cost(symbol),
            spendable=positions.cash() - buying - promised_fees,
            equity=positions.equity(),
            day_start=positions.day_start_equity(),
            realized=positions.session_realized(),
        )
        return self._request(wish, max(qty, 1), price, last, Purpose.ENTRY)

    def _exit(self, wish: Signal, last: int) -> OrderRequest | None:
        qty = self._positions.qty(wish.symbol) - self._orders.selling(wish.symbol)
        if not self._positions.qty(wish.symbol):
            self._leaving.pop(wish.symbol, None)
        if qty <= 0:
            return None
        return self._request(wish, qty, self._price(wish.symbol, Side.SELL, last), last, Purpose.EXIT)

    def _request(self, wish: Signal, qty: int, price: int, last: int, purpose: Purpose) -> OrderRequest:
        return OrderRequest(
            self._next_order_id(), wish.symbol, wish.side, qty, price,
            kind=self._kind, purpose=purpose, lifetime=LIFETIME, reference=last, signal=wish.reason,
        )  # fmt: skip

    def _price(self, symbol: str, side: Side, last: int) -> int:
        """The opposite best plus two ticks, inside collar and band; without a quote the last price stands for it."""
        if self._kind is OrderKind.MARKET:
            return 0
        quote = self._market.quote(symbol)
        ticks = self._market.ticks(symbol)
        band = self._market.band(symbol)
        if side is Side.BUY:
            price = ticks.step(ticks.up((quote and quote.ask) or last), REACH)
            price = min(price, ticks.down(highest_buy(last, self._limits.collar)))
            return min(price, band.upper) if band else price
        price = ticks.step(ticks.down((quote and quote.bid) or last), -REACH)
        price = max(price, ticks.up(lowest_sell(last, self._limits.collar)))
        return max(price, band.lower) if band else price

    def entry_price(self, symbol: str, last: int) -> int:
        """The highest price, KRW, that an entry may pay when the last trade was at `last`."""
        return self._price(symbol, Side.BUY, last) or self._worst(symbol, last)

    def _worst(self, symbol: str, last: int) -> int:
        band: PriceBand | None = self._market.band(symbol)
        return band.upper if band else last * 13 // 10


def user_frames(error: BaseException) -> str:
    """The traceback of user code, without this file's frame."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames)).rstrip()


def listens_to_trades(strategy: Strategy) -> bool:
    """Whether it overrides `on_trade`."""
    return type(strategy).on_trade is not Strategy.on_trade

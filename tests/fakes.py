"""Small real implementations of ports, for tests."""

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import OrderApproved, OrderDenied, OrderFilled, PositionChanged, PriceTouched, SubmitOrder
from qbtrade.domain.instrument import Instrument, Kind, Market, PriceBand, TickTable
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.order import Order, OrderKind, OrderRequest, OrderStatus, Side
from qbtrade.domain.portfolio import Position
from qbtrade.ports import OrderView, Publisher

TICKS = TickTable(((0, 1), (2_000, 5), (5_000, 10), (20_000, 50), (50_000, 100), (200_000, 500), (500_000, 1_000)))
BAND = PriceBand(75_000, 52_500, 97_500)


class FakeMarket:
    """A market that is whatever the test sets; `show` is a trade that reaches watches."""

    def __init__(self, bus: Publisher) -> None:
        self._bus = bus
        self.trades: dict[str, Trade] = {}
        self.quotes: dict[str, Quote] = {}
        self.halts: dict[str, str] = {}
        self.now_in = Phase.CONTINUOUS
        self.price_band: PriceBand | None = BAND
        self.watches: dict[tuple[str, str], int] = {}
        self.wakes: set[str] = set()
        self.trusted: dict[str, int] = {}

    def show(self, trade: Trade) -> None:
        symbol = trade.symbol
        self.trades[symbol] = trade
        hit = [key for key, low in self.watches.items() if key[0] == symbol and trade.price <= low]
        for key in hit:
            del self.watches[key]
        if hit or symbol in self.wakes:
            self.wakes.discard(symbol)
            self._bus.publish(PriceTouched(trade.ts, symbol, trade.price))

    def last(self, symbol: str) -> Trade | None:
        return self.trades.get(symbol)

    def quote(self, symbol: str) -> Quote | None:
        return self.quotes.get(symbol)

    def phase(self) -> Phase:
        return self.now_in

    def halted(self, symbol: str) -> str:
        return self.halts.get(symbol, "")

    def band(self, symbol: str) -> PriceBand | None:
        del symbol
        return self.price_band

    def ticks(self, symbol: str) -> TickTable:
        del symbol
        return TICKS

    def instrument(self, symbol: str) -> Instrument:
        return Instrument(symbol, Market.KOSPI, Kind.STOCK)

    def watch(self, symbol: str, owner: str, low: int) -> None:
        self.watches.pop((symbol, owner), None)
        if low:
            self.watches[symbol, owner] = low

    def wake(self, symbol: str) -> None:
        self.wakes.add(symbol)

    def trust(self, symbol: str, since: int) -> None:
        self.trusted[symbol] = since


class FakePositions:
    """Positions without costs, valued at what they cost; profits are whatever the test sets."""

    def __init__(self, bus: Publisher, orders: OrderView, cash: int) -> None:
        self._bus, self._orders = bus, orders
        self.money = self.started_with = cash
        self.profit_today = self.realized = 0
        self.held: dict[str, Position] = {}

    def hold(self, symbol: str, qty: int, price: int) -> None:
        self.held.setdefault(symbol, Position()).buy(price, qty)

    def on_filled(self, event: OrderFilled) -> None:
        position = self.held.setdefault(event.symbol, Position())
        order = self._orders.get(event.order_id)
        assert order is not None
        realized = 0
        if event.side is Side.BUY:
            position.buy(event.price, event.qty)
            self.money -= event.price * event.qty
        else:
            realized = position.sell(event.price, event.qty)
            self.money += event.price * event.qty
        self.realized += realized
        self._bus.publish(
            PositionChanged(
                event.ts, event.symbol, position.qty, position.cost, realized, 0, 0, self.money,
                event.order_id, event.side, event.price, event.qty, order.request.purpose,
            )
        )  # fmt: skip

    def qty(self, symbol: str) -> int:
        return self.held[symbol].qty if symbol in self.held else 0

    def cost(self, symbol: str) -> int:
        return self.held[symbol].cost if symbol in self.held else 0

    def total_cost(self) -> int:
        return sum(position.cost for position in self.held.values())

    def cash(self) -> int:
        return self.money

    def equity(self) -> int:
        return self.money + self.total_cost()

    def day_start_equity(self) -> int:
        return self.started_with

    def day_profit(self) -> int:
        return self.profit_today

    def session_realized(self) -> int:
        return self.realized


class FakeOrders:
    """Orders that stay as the test leaves them; market buys count at `upper`."""

    def __init__(self, upper: int = BAND.upper) -> None:
        self._orders: dict[str, Order] = {}
        self._upper = upper

    def place(self, request: OrderRequest, status: OrderStatus = OrderStatus.WORKING, filled: int = 0) -> Order:
        order = self._orders[request.order_id] = Order(request, 0)
        order.status = status
        order.filled_qty = filled
        return order

    def on_submit(self, event: SubmitOrder) -> None:
        self.place(event.order, OrderStatus.NEW)

    def on_denied(self, event: OrderDenied) -> None:
        self._move(event.order_id, OrderStatus.DENIED)

    def on_approved(self, event: OrderApproved) -> None:
        self._move(event.order.order_id, OrderStatus.APPROVED)

    def _move(self, order_id: str, status: OrderStatus) -> None:
        if order_id in self._orders:
            self._orders[order_id].move(status)

    def get(self, order_id: str) -> Order | None:
        return self._orders.get(order_id)

    def open_orders(self, symbol: str) -> tuple[Order, ...]:
        return tuple(order for order in self._orders.values() if order.is_open and order.request.symbol == symbol)

    def open_symbols(self) -> tuple[str, ...]:
        return tuple(sorted({order.request.symbol for order in self._orders.values() if order.is_open}))

    def abandoned(self, symbol: str) -> tuple[Order, ...]:
        lost = OrderStatus.ABANDONED
        return tuple(each for each in self._orders.values() if each.status is lost and each.request.symbol == symbol)

    def buying(self) -> int:
        return sum(
            order.remaining * (order.request.price if order.request.kind is OrderKind.LIMIT else self._upper)
            for order in self._orders.values()
            if (order.is_open or order.status is OrderStatus.ABANDONED) and order.request.side is Side.BUY
        )

    def selling(self, symbol: str) -> int:
        return sum(order.remaining for order in self.open_orders(symbol) if order.request.side is Side.SELL)


class FakeBroker:
    """A broker that remembers what it was asked; the test answers."""

    def __init__(self) -> None:
        self.submitted: list[OrderRequest] = []
        self.cancels: list[str] = []

    def submit(self, order: OrderRequest) -> None:
        self.submitted.append(order)

    def cancel(self, order_id: str) -> None:
        self.cancels.append(order_id)

    def last_number(self) -> str:
        return f"{len(self.submitted)}" if self.submitted else ""

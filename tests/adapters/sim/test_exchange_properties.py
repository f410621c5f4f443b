"""Whatever arrives in whatever order: what the simulated exchange never does."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import VolumeShare
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import CancelRejected, OrderAccepted, OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, Side, TimeInForce
from tests.adapters.sim.exchanges import OPEN, PPB, an_exchange, send
from tests.builders import SECOND, a_trade, an_order, at
from tests.fakes import BAND, TICKS

SYMBOLS = ("005930", "000660")
PRICES = st.sampled_from([*range(74_700, 75_400, 100), *range(74_700, 75_400, 100), 52_400, 52_500, 97_500, 97_600])


class Waiting(NamedTuple):
    """One working order before a print, best first."""

    order_id: str
    side: Side
    qty: int
    limit: int
    tif: TimeInForce
    is_taker: bool


class ExchangeMachine(RuleBasedStateMachine):
    """Keeps its own book of what was ordered, filled and ended."""

    @initialize(
        slippage=st.integers(0, 3),
        rule=st.sampled_from(["through", "touch"]),
        share=st.sampled_from([PPB // 10, PPB // 3, PPB]),
        sketched=st.booleans(),
    )
    def begin(self, slippage: int, rule: str, share: int, sketched: bool) -> None:  # noqa: FBT001
        self.exchange: SimExchange = an_exchange(slippage=slippage, rule=rule, share=share, sketched=sketched)
        self.volume = VolumeShare(share)
        self.sketched = sketched
        self.now = OPEN
        self.orders: dict[str, OrderRequest] = {}
        self.filled: dict[str, int] = {}
        self.over: set[str] = set()
        self.halted: set[str] = set()
        self.last: dict[str, Trade] = {}
        self.left: dict[str, int] = {}

    def tick(self) -> int:
        self.now += SECOND
        return self.now

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        side=st.sampled_from(Side),
        qty=st.integers(0, 30),
        price=PRICES,
        kind=st.sampled_from(OrderKind),
        tif=st.sampled_from(TimeInForce),
    )
    def submit(self, symbol: str, side: Side, qty: int, price: int, kind: OrderKind, tif: TimeInForce) -> None:
        order = an_order(f"Q{len(self.orders)}", symbol=symbol, side=side, qty=qty, price=price, kind=kind, tif=tif)
        now = self.tick()
        last = self.last.get(symbol)
        answer, *more = self.exchange.submit(now, order, BAND, TICKS, last)
        self.orders[order.order_id] = order
        self.filled[order.order_id] = 0
        is_fine = self.exchange.phase in {Phase.CONTINUOUS, Phase.CLOSING_AUCTION, Phase.OPENING_AUCTION}
        is_fine = is_fine and qty > 0 and (kind is OrderKind.MARKET or BAND.contains(price))
        assert isinstance(answer, OrderAccepted if is_fine else OrderRejected)
        if not is_fine:
            self.over.add(order.order_id)
        if more:
            assert self.sketched
            assert last is not None
            self.check(more, last, {order.order_id})

    @rule(symbol=st.sampled_from(SYMBOLS), price=PRICES, qty=st.integers(0, 60), auction=st.booleans())
    def trade(self, symbol: str, price: int, qty: int, auction: bool) -> None:  # noqa: FBT001
        trade = Trade(self.tick(), symbol, price, qty, auction)
        waiting = [
            Waiting(
                each.request.order_id, each.request.side, each.remaining, each.limit, each.request.tif, each.is_taker
            )
            for each in sorted(self.exchange.books.get(symbol, ()), key=lambda each: self.claim(each.request))
        ]
        outputs = self.exchange.on_trade(trade)
        self.last[symbol] = trade
        self.left[symbol] = self.volume.available(qty)
        if symbol in self.halted or not qty or (self.exchange.phase is not Phase.CONTINUOUS and not auction):
            assert not outputs
        self.check(outputs, trade, {each.order_id for each in waiting})
        self.check_priority(waiting, outputs)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.orders)))
        (answer,) = self.exchange.cancel(self.tick(), order_id)
        assert isinstance(answer, CancelRejected if order_id in self.over else OrderCanceled)
        self.check([answer], None, {order_id})

    @rule(symbol=st.sampled_from(SYMBOLS))
    def halt(self, symbol: str) -> None:
        self.exchange.halt(symbol)
        self.halted.add(symbol)

    @rule(symbol=st.sampled_from(SYMBOLS))
    def resume(self, symbol: str) -> None:
        self.exchange.resume(symbol)
        self.halted.discard(symbol)

    @rule(phase=st.sampled_from([Phase.CONTINUOUS, Phase.CONTINUOUS, Phase.CLOSING_AUCTION, Phase.CLOSED]))
    def move_on(self, phase: Phase) -> None:
        outputs = self.exchange.on_phase(self.tick(), phase)
        self.check(outputs, None, set(self.orders))
        if phase is Phase.CLOSED:
            assert self.over == set(self.orders)

    def check(self, outputs: Sequence[Event], trade: Trade | None, known: set[str]) -> None:
        for event in outputs:
            assert isinstance(event, OrderFilled | OrderCanceled | OrderExpired | CancelRejected)
            assert event.order_id in known
            if isinstance(event, CancelRejected):
                continue
            assert event.order_id not in self.over, "nothing happens to an order that is over"
            order = self.orders[event.order_id]
            if isinstance(event, OrderFilled):
                assert trade is not None
                self.check_fill(event, order, trade)
            else:
                assert event.qty == order.qty - self.filled[event.order_id] > 0
                self.over.add(event.order_id)
        for order_id in known & self.filled.keys():
            if self.orders[order_id].tif is TimeInForce.FOK:
                assert self.filled[order_id] in {0, self.orders[order_id].qty}

    def check_fill(self, fill: OrderFilled, order: OrderRequest, trade: Trade) -> None:
        assert BAND.contains(fill.price)
        assert TICKS.on_grid(fill.price)
        if order.kind is OrderKind.LIMIT:
            assert fill.price <= order.price if order.side is Side.BUY else fill.price >= order.price
        if trade.auction:
            assert fill.price == trade.price
        self.left[fill.symbol] -= fill.qty
        assert self.left[fill.symbol] >= 0, "no more than our share of the print"
        self.filled[fill.order_id] += fill.qty
        assert 0 < fill.qty <= self.filled[fill.order_id] <= order.qty
        if self.filled[fill.order_id] == order.qty:
            self.over.add(fill.order_id)

    def claim(self, order: OrderRequest) -> tuple[bool, int, int]:
        """Market orders first, then the better limit, then the earlier order."""
        price = -order.price if order.side is Side.BUY else order.price
        return (order.kind is OrderKind.LIMIT, price if order.kind is OrderKind.LIMIT else 0, int(order.order_id[1:]))

    def check_priority(self, waiting: Sequence[Waiting], outputs: Sequence[Event]) -> None:
        """Only an order that already has all it wanted lets a worse one of its side fill; equal limits may differ."""
        got: Counter[str] = Counter()
        for event in outputs:
            if isinstance(event, OrderFilled):
                got[event.order_id] += event.qty
        for better, worse in combinations(waiting, 2):
            if better.side is worse.side and got[worse.order_id] and better.tif is not TimeInForce.FOK:
                assert got[better.order_id] == better.qty or (worse.is_taker and better.limit == worse.limit)


ExchangeMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
test_no_sequence_of_orders_and_prints_breaks_a_rule = ExchangeMachine.TestCase


@given(
    side=st.sampled_from(Side),
    wishes=st.lists(st.tuples(st.sampled_from([74_800, 74_900, 75_000]), st.integers(1, 9)), min_size=1, max_size=6),
    volumes=st.lists(st.integers(0, 20), max_size=6),
)
def test_prints_serve_resting_orders_by_price_then_time(
    side: Side, wishes: list[tuple[int, int]], volumes: list[int]
) -> None:
    exchange = an_exchange(share=PPB // 2)
    away = 75_500 if side is Side.BUY else 74_500
    for number, (price, qty) in enumerate(wishes):
        send(exchange, an_order(f"Q{number}", side=side, price=price, qty=qty), last=a_trade(away, clock="09:59"))
    served: Counter[str] = Counter()
    for minute, volume in enumerate(volumes):
        through = Trade(at("10:00") + minute, SYMBOLS[0], 150_000 - away, volume)
        for event in exchange.on_trade(through):
            assert isinstance(event, OrderFilled)
            served[event.order_id] += event.qty
    left = sum(max(volume // 2, 1) for volume in volumes if volume)
    for number in sorted(range(len(wishes)), key=lambda each: wishes[each][0] * (-1 if side is Side.BUY else 1)):
        assert served[f"Q{number}"] == min(left, wishes[number][1])
        left -= served[f"Q{number}"]

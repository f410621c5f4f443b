"""The KIS broker under the real engines on virtual time; the test plays KIS: it answers, and sends notices."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from qbtrade.adapters.kis.broker import KisBroker
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.events import Action, Notice, Stage
from qbtrade.adapters.kis.outcomes import Accepted, Failed, OrderOutcome, Unconfirmed
from qbtrade.adapters.kis.parse.account import Balance, Holding
from qbtrade.adapters.kis.parse.orders import LiveOrder, OrderAck, OrderHistory, OrderRow, UnreadRow
from qbtrade.adapters.kis.totals import Accounted, everything
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import instrument_for, load_rules
from qbtrade.app.wiring import Engines, Setup, risk_limits
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import KST, NS, kst_date
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, OrderStatus, Side
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.ports import Broker, Clock, MarketView
from tests.adapters.kis.desk import an_environment
from tests.builders import SAMSUNG, at

HYNIX = "000660"
PRICE = 75_000
TOLD = (
    ev.OrderAccepted, ev.OrderRejected, ev.OrderNotSent, ev.OrderUnconfirmed, ev.OrderAbandoned, ev.OrderFilled,
    ev.OrderResolved,
    ev.OrderCanceled, ev.CancelRejected, ev.OrderExpired, ev.Alert, ev.OrderDenied,
)  # fmt: skip
LOST = Unconfirmed("timeout")


class _Go(Event, frozen=True):
    """Something that happens on the bus, as an answer in the inbox would."""

    what: Callable[[], None]


class _Nowhere:
    """A journal that keeps nothing."""

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        """Forget them."""

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        """Forget them."""

    def close(self) -> None:
        """Nothing to close."""


class OrderRig:
    """Engines and broker, and what KIS would say when it is asked.

    rows: what the history shows; live: works beside what it shows as open; unread: rows that cannot be read; totals:
    (ordered, filled, KRW) where there are no rows; held: shares in the balance, costs: KRW paid for them, sides: what
    it says of the day, None for just the totals' KRW. Orders and cancels wait in `sent` until
    the test answers; questions are answered as time passes. is_torn: a row stood on two pages; hides_live: the list of
    live orders lacks rows. late: names of questions that are not answered yet. fails: what a
    question meets instead, or "".
    """

    def __init__(self, speaks: Dialect = "real", clock: str = "10:00") -> None:
        self.clock, self.bus = SimClock(at(clock)), Bus()
        self.rows = list[OrderRow]()
        self.unread = list[UnreadRow]()
        self.live = list[LiveOrder]()
        self.is_torn = self.hides_live = False
        self.totals, self.held, self.fails = (0, 0, 0), dict[str, int](), ""
        self.costs, self.late = dict[str, int](), set[str]()
        self.sides: tuple[int, int] | None = None  # KRW that the balance says were bought and sold today
        self.sent = list[tuple[Call[Any], Callable[[OrderOutcome], None]]]()
        self.heard, self.asked = list[Event](), list[str]()
        self._questions = list[tuple[Call[Any], Callable[[Any], None]]]()
        self._speaks: Dialect = speaks
        self.engines = Engines(self.bus, self.clock, self._setup(), _Nowhere(), self._make_broker)
        self.bus.subscribe_all(TOLD, self.heard.append)
        self.bus.subscribe(_Go, lambda event: event.what())
        self.broker.begin(self.history(), self.accounted())
        self.engines.hours.start()
        self.trade(PRICE)
        self.trade(PRICE, HYNIX)

    def _setup(self) -> Setup:
        rules, symbols = load_rules(), (SAMSUNG, HYNIX)
        limits = msgspec.structs.replace(
            risk_limits(SimulationPlan(), 140_527), max_budget=5_000_000, position_share=500_000_000
        )
        return Setup(
            rules=rules, instruments=tuple(instrument_for(rules, symbol) for symbol in symbols), interval=60 * NS,
            limits=limits, cash=10_000_000, bases=dict.fromkeys(symbols, PRICE),
        )  # fmt: skip

    def _make_broker(self, bus: Bus, clock: Clock, _market: MarketView) -> Broker:
        self.broker = KisBroker(bus, clock, self, an_environment(self._speaks))  # type: ignore[arg-type]
        return self.broker

    # what the broker does

    def ask(self, call: Call[Any], then: Callable[[Any], None]) -> None:
        """A question waits until time passes."""
        self.asked.append(call.name)
        self._questions.append((call, then))

    def order(self, call: Call[Any], then: Callable[[OrderOutcome], None]) -> None:
        """An order or cancel waits for the test."""
        self.sent.append((call, then))

    def history(self) -> OrderHistory:
        """What is told of the day's orders."""
        if self._speaks == "paper":
            return OrderHistory((), *self.totals)
        ordered = sum(row.qty for row in self.rows) or self.totals[0]
        return OrderHistory(tuple(self.rows), ordered, *self.totals[1:], tuple(self.unread), self.is_torn)

    def balance(self) -> Balance:
        """What is told of the account."""
        bought, sold = self.sides or (self.totals[2], 0)
        return msgspec.structs.replace(a_balance(self.held, self.costs), bought=bought, sold=sold)

    def accounted(self) -> Accounted:
        """All that is told, as what is no news."""
        return everything(self.history(), self.balance())

    def _told(self, call: Call[Any]) -> object:
        if self.fails:
            return Failed(self.fails)
        match call.name:
            case "inquire-balance":
                return self.balance()
            case "inquire-psbl-rvsecncl":
                shown = () if self.hides_live else (row for row in self.rows if row.open_qty)
                return (*map(live_order, shown), *self.live)
            case _:
                return self.history()

    # what the test does

    def submit(self, order: OrderRequest, outcome: OrderOutcome | None = None) -> None:
        """Wish for an order, and answer it when an outcome is given."""
        self.bus.publish(ev.SubmitOrder(self.clock.now(), order))
        if outcome is not None:
            self.answer(outcome)

    def answer(self, outcome: OrderOutcome) -> str:
        """Answer the oldest order or cancel; what it was."""
        call, then = self.sent.pop(0)
        self.bus.publish(_Go(self.clock.now(), lambda: then(outcome)))
        return call.name

    def notice(self, number: str, stage: Stage, qty: int, price: int = PRICE, **more: Any) -> None:
        """A notice of this second."""
        fields = {
            "account": "1234567801", "original_no": "", "symbol": SAMSUNG, "side": Side.BUY, "action": Action.NEW,
            "order_qty": 0, **more,
        }  # fmt: skip
        self.bus.publish(
            Notice(ts=self.clock.now() // NS * NS, order_no=number, stage=stage, qty=qty, price=price, **fields)
        )

    def confirm_cancel(self, number: str, qty: int, *, of: str, side: Side = Side.BUY) -> None:
        """The notice that a cancel took out so many shares."""
        self.notice(number, Stage.CONFIRMED, qty, 0, action=Action.CANCEL, original_no=of, side=side)

    def trade(self, price: int, symbol: str = SAMSUNG) -> None:
        """A trade of the market."""
        self.bus.publish(Trade(self.clock.now(), symbol, price, 10))

    def wait(self, seconds: int) -> None:
        """Let time pass, second by second, and answer every question on the way."""
        for _ in range(seconds):
            self.clock.advance(self.clock.now() + NS)
            while answered := [each for each in self._questions if each[0].name not in self.late]:
                call, then = answered[0]
                self._questions.remove(answered[0])
                told = self._told(call)
                self.bus.publish(_Go(self.clock.now(), lambda then=then, told=told: then(told)))  # type: ignore[misc]

    def row(self, number: str, qty: int, **more: Any) -> OrderRow:
        """A row of today's orders, sent now: nothing filled, nothing open."""
        now = self.clock.now()
        fields = {
            "day": kst_date(now), "at": datetime.fromtimestamp(now // NS, KST).time(), "branch": "06010",
            "original_no": "", "symbol": SAMSUNG, "side": Side.BUY, "code": "00", "price": PRICE, "filled_qty": 0,
            "filled_amount": 0, "open_qty": 0, "canceled_qty": 0, "rejected_qty": 0, **more,
        }  # fmt: skip
        return OrderRow(order_no=number, qty=qty, **fields)

    # what came of it

    def status(self, order_id: str = "Q1") -> OrderStatus:
        """Of one order."""
        order = self.engines.orders.get(order_id)
        assert order is not None
        return order.status

    def holding(self, symbol: str = SAMSUNG) -> int:
        """Shares in our book."""
        return self.engines.portfolio.qty(symbol)

    def alarms(self) -> list[str]:
        """Codes of all alerts so far."""
        return [event.code for event in self.heard if isinstance(event, ev.Alert)]

    def fills(self) -> list[tuple[str, int, int]]:
        """(order id, shares, price) of every fill."""
        return [(each.order_id, each.qty, each.price) for each in self.heard if isinstance(each, ev.OrderFilled)]


def live_order(row: OrderRow) -> LiveOrder:
    """The same order in the list of those that work."""
    names = set(LiveOrder.__struct_fields__) - {"open_qty"}
    return LiveOrder(open_qty=row.open_qty, **{name: getattr(row, name) for name in names})


def taken(number: str) -> Accepted:
    """The broker took it under this number."""
    return Accepted(OrderAck(number, "06010", None))


def a_balance(held: dict[str, int], costs: dict[str, int]) -> Balance:
    """Shares by symbol, what they cost, and no money."""
    holdings = tuple(
        Holding(symbol=symbol, name="", qty=qty, sellable=qty, cost=costs.get(symbol, 0), last=0, credit=False)
        for symbol, qty in held.items()
    )
    return Balance(
        holdings=holdings,
        cash=0,
        deposit=0,
        tomorrow=0,
        stock_value=0,
        net_assets=0,
        bought=0,
        sold=0,
        costs=0,
        loans=0,
    )

"""A journal's events as trades: one for each wish, with all orders that it took and what they brought."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

import msgspec

from qbtrade.domain.events import (
    BookCorrected,
    Check,
    OrderAbandoned,
    OrderApproved,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotSent,
    OrderRejected,
    OrderSending,
    OrderUnconfirmed,
    PositionChanged,
    RiskStateChanged,
    SessionStarted,
    Signal,
    StrategyFailed,
    SubmitOrder,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, Purpose, Side


class State(msgspec.Struct, frozen=True):
    """Where a session stands with one symbol. open: orders of it that may still fill. cash: KRW, of the account."""

    qty: int = 0
    cost: int = 0
    open: int = 0
    cash: int = 0


class Deal(msgspec.Struct):
    """One wish and what came of it. ts, price, qty, reference: of its first order. state: as it was asked for.

    denied: the rule that stopped it, or "". checks: what risk saw. sent: when its first order left, filled_at: when
    its first share came, UTC ns, 0 for never. filled: shares; amount: KRW. trouble: types of events that tell of a
    refusal or a lost answer. adopted: an order of an earlier session. risk: why trading was narrowed then, or "".
    """

    order_id: str
    symbol: str
    side: Side
    purpose: Purpose
    ts: int
    qty: int
    price: int
    reference: int
    state: State
    risk: str = ""
    denied: str = ""
    checks: tuple[Check, ...] = ()
    sent: int = 0
    filled_at: int = 0
    filled: int = 0
    amount: int = 0
    trouble: tuple[str, ...] = ()
    adopted: bool = False


class Course(msgspec.Struct):
    """How a session went.

    states: of each symbol, as (ts, state), in order. corrected, failed: when others changed the book of a symbol, ""
    for cash, and when the strategy failed.
    """

    deals: list[Deal] = []
    signals: list[Signal] = []
    states: dict[str, list[tuple[int, State]]] = {}
    corrected: list[tuple[int, str]] = []
    failed: list[tuple[int, str]] = []

    def states_in(self, symbol: str, start: int, end: int) -> list[State]:
        """Where it stood with a symbol from `start` to `end`, UTC ns; the first as it was before."""
        known = self.states.get(symbol, [])
        first = bisect_right(known, start, key=lambda each: each[0])
        before = known[first - 1][1] if first else State()
        return [before, *(state for at, state in known[first:] if at <= end)]


def course(events: Iterable[Event], started: SessionStarted) -> Course:
    """Read a journal from its first row on."""
    reader = _Reader(started)
    for event in events:
        reader.read(event)
    return reader.course


class _Reader:
    def __init__(self, started: SessionStarted) -> None:
        self.course = Course()
        self._cash, self._now = started.cash, started.ts
        self._held = {symbol: (held.qty, held.cost) for symbol, held in started.held.items()}
        self._leftovers = {left.order_id for left in started.leftovers}
        self._deal_of = dict[str, Deal]()  # by order
        self._open = Counter[str]()
        self._working = dict[str, int]()  # shares that may still fill, by order
        self._risk = dict[str, str]()
        for symbol in self._held:
            self._note(symbol)

    def read(self, event: Event) -> None:
        self._now = max(self._now, event.ts)
        match event:
            case Signal():
                self.course.signals.append(event)
            case SubmitOrder(_ts, order):
                self._submit(event.ts, order)
            case RiskStateChanged(_ts, symbol, state, reason):
                self._risk[symbol] = "" if state == "ACTIVE" else reason
            case PositionChanged() | BookCorrected():
                self._book(event)
            case StrategyFailed(ts, symbol):
                self.course.failed.append((ts, symbol))
            case _:
                self._follow(event)

    def _book(self, event: PositionChanged | BookCorrected) -> None:
        self._held[event.symbol], self._cash = (event.qty, event.cost), event.cash
        if isinstance(event, BookCorrected):
            self.course.corrected.append((event.ts, event.symbol))
        self._note(event.symbol)

    def _submit(self, ts: int, order: OrderRequest) -> None:
        before = self._deal_of.get(order.repriced_from)
        if before is not None:
            self._deal_of[order.order_id] = before
            return
        deal = Deal(
            order.order_id, order.symbol, order.side, order.purpose, ts, order.qty, order.price, order.reference,
            self._state(order.symbol), self._risk.get(order.symbol) or self._risk.get("", ""),
            adopted=order.order_id in self._leftovers,
        )  # fmt: skip
        self._deal_of[order.order_id] = deal
        self.course.deals.append(deal)

    def _follow(self, event: Event) -> None:
        """One step in the life of an order."""
        match event:
            case OrderApproved(_ts, order, checks):
                deal = self._deal_of[order.order_id]
                deal.checks = deal.checks or checks
            case OrderDenied(_ts, order_id, _symbol, reason, checks):
                deal = self._deal_of[order_id]
                deal.denied, deal.checks = reason, checks
            case OrderSending(ts, order):
                deal = self._deal_of[order.order_id]
                deal.sent = deal.sent or ts
                self._opened(order)
            case OrderFilled(ts, order_id, _symbol, _side, price, qty) if order_id in self._deal_of:
                deal = self._deal_of[order_id]
                deal.filled_at = deal.filled_at or ts
                deal.filled, deal.amount = deal.filled + qty, deal.amount + price * qty
                self._shrink(order_id, qty)
            case OrderRejected() | OrderNotSent() | OrderUnconfirmed() | OrderAbandoned():
                deal = self._deal_of[event.order_id]
                deal.trouble += (str(event.__struct_config__.tag),)
                if not isinstance(event, OrderUnconfirmed):
                    self._ended(event.order_id)
            case OrderCanceled() | OrderExpired() if event.order_id in self._deal_of:
                self._ended(event.order_id)
            case _:
                pass

    def _opened(self, order: OrderRequest) -> None:
        self._working[order.order_id] = order.qty
        self._open[order.symbol] += 1
        self._note(order.symbol)

    def _shrink(self, order_id: str, qty: int) -> None:
        left = self._working.get(order_id, 0) - qty
        if left > 0:
            self._working[order_id] = left
        else:
            self._ended(order_id)

    def _ended(self, order_id: str) -> None:
        if self._working.pop(order_id, None) is not None:
            symbol = self._deal_of[order_id].symbol
            self._open[symbol] -= 1
            self._note(symbol)

    def _state(self, symbol: str) -> State:
        qty, cost = self._held.get(symbol, (0, 0))
        return State(qty, cost, self._open[symbol], self._cash)

    def _note(self, symbol: str) -> None:
        self.course.states.setdefault(symbol, []).append((self._now, self._state(symbol)))

"""The orders of one session as its journal tells them, and what the broker shows of one that is unknown."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow, Sender
from qbtrade.adapters.kis.search import BY_HAND, whether_by_hand
from qbtrade.adapters.kis.sent import Sent, Trace, traces_of_rows
from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.order_rows import OrderRows
from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, OrderStatus
from qbtrade.errors import BrokerError, LockedError, UsageError
from qbtrade.kernel.bus import Bus

UNKNOWN = frozenset({OrderStatus.UNCONFIRMED, OrderStatus.ABANDONED})


class KnownOrder(msgspec.Struct):
    """One order. request: as it was sent, at sent_at; number: the broker's, "" while unknown.

    after: highest number that the broker was known to have given when it left.
    before: shares filled before this session. since: when its state began. told: the answer to it named its number.
    resolved: a person said what became of it.
    """

    order_id: str
    request: OrderRequest
    sent_at: int
    since: int
    status: OrderStatus = OrderStatus.NEW
    number: str = ""
    filled: int = 0
    before: int = 0
    reason: str = ""
    told: bool = False
    resolved: bool = False
    after: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows what became of it."""
        return self.status in UNKNOWN and not self.number and not self.resolved


class Known(msgspec.Struct):
    """What a journal tells. settled: numbers of orders of earlier sessions; answered: those that KIS itself named.

    asked: what the session asked a person about orders that somebody else seems to have made, word for word.
    """

    orders: dict[str, KnownOrder]
    settled: frozenset[str]
    answered: frozenset[str] = frozenset()
    asked: set[str] = set()

    def of_others(self, order: KnownOrder) -> frozenset[str]:
        """Numbers that belong to other orders of qb."""
        mine = {each.number for each in self.orders.values() if each is not order}
        return self.settled | (mine - {""})


def known_orders(journal: Path) -> Known:
    """Every order that a session sent or looked for, oldest first. Raises: FileError, JournalError."""
    return known_among(read_events(journal))


def known_among(events: Iterable[Event]) -> Known:
    """Every order of which the events of a session tell, oldest first."""
    bus, known, before = Bus(), Known({}, frozenset()), dict[str, ev.Leftover]()
    rows = OrderRows(bus)
    for event in events:
        bus.publish(event)
        if isinstance(event, ev.SessionStarted):
            known.settled, known.answered = frozenset(event.settled), frozenset(event.answered)
            before = {left.order_id: left for left in event.leftovers}
        elif isinstance(event, ev.Alert) and event.code == BY_HAND:
            known.asked.add(event.text)
        else:
            _follow(known.orders, event, before)
    for order_id, order in known.orders.items():
        row = rows.orders[order_id]
        order.status, order.filled, order.reason = OrderStatus(row["status"]), row["filled_qty"], row["reason"]
    return known


def _follow(orders: dict[str, KnownOrder], event: Event, before: Mapping[str, ev.Leftover]) -> None:
    match event:
        case ev.OrderSending():
            order_id, left = event.order.order_id, before.get(event.order.order_id)
            orders[order_id] = (
                KnownOrder(order_id, left.order, left.sent_at, event.ts, before=left.filled, after=left.after) if left
                else KnownOrder(order_id, event.order, event.ts, event.ts, after=event.after)
            )  # fmt: skip
        case ev.OrderAccepted() if event.order_id in orders:
            order = orders[event.order_id]
            order.told = order.since == order.sent_at
            order.number, order.since = event.broker_order_id, event.ts
        case ev.OrderResolved() if event.order_id in orders:
            orders[event.order_id].resolved = True
        case _other:
            order_id = getattr(event, "order_id", "")
            if order_id in orders:
                orders[order_id].since = event.ts


def answer_for(
    known: Known, order: KnownOrder, number: str, history: OrderHistory, environment: Environment, *, run_id: str,
    reason: str, given: int, not_mine: Collection[str] = (),
) -> Answer:  # fmt: skip
    """What a person says of an order, when the broker's orders of today do not speak against it.

    number: "" for one that does not exist; not_mine: numbers that look like it, and that the person made.
    given: machine time, UTC ns. Raises: BrokerError, LockedError, UsageError.
    """
    branch, aside = "", tuple[str, ...]()
    if number:
        row = row_of(known, order, number, history)
        branch, evidence = row.branch, f"order {number} of {row.at:%H:%M:%S}: {row.filled_qty} filled"
    elif environment.capabilities.order_rows:
        aside = tuple(trace.number for trace in strangers(known, order, history, environment, not_mine))
        evidence = f"{len(history.rows)} orders at KIS, none of them it"
    else:
        evidence = "KIS names no orders here"
    return Answer(run_id, order.order_id, number, branch, aside, reason, evidence, given)


def row_of(known: Known, order: KnownOrder, number: str, history: OrderHistory) -> OrderRow:
    """The broker's row of a number that a person names, which has to look like the order. Raises: UsageError."""
    if number in known.of_others(order):
        raise UsageError("number {number} is that of another order of qb", number=number, hint="See `qb orders`")
    row = next((row for row in history.rows if row.order_no == number), None)
    if row is None:
        raise UsageError("KIS has no order {number} today", number=number, hint="The KIS app shows today's orders")
    (trace,) = traces_of_rows([row]) or (None,)
    if trace is None or not trace.may_be(Sent(order.request, order.sent_at)):  # who looks knows better than numbers
        raise UsageError(
            "order {number} at KIS is not order {order_id}: symbol, side, shares, price, kind or time differ",
            number=number, order_id=order.order_id, hint="Compare `qb orders` with the KIS app",
        )  # fmt: skip
    return row


def strangers(
    known: Known, order: KnownOrder, history: OrderHistory, environment: Environment, not_mine: Collection[str] = ()
) -> tuple[Trace, ...]:  # fmt: skip
    """Orders that look like one that is to be said not to exist, and others made, as sender, time or a person says.

    Raises: LockedError when one looks like it that may be ours, BrokerError when the list may lack one, UsageError for
    a number of which the person need not say that.
    """
    if history.is_torn or history.unread:
        raise BrokerError("KIS's list of today's orders is not whole", hint="Ask again in a moment")
    others = known.of_others(order)
    alike = [
        trace for trace in traces_of_rows(history.rows)
        if trace.looks_like(_sent(order)) and trace.number not in others
    ]  # fmt: skip
    if stray := sorted(set(not_mine) - {trace.number for trace in alike}):
        raise UsageError(
            "order {number} does not look like order {order_id}, or is another one of qb",
            number=stray[0], order_id=order.order_id, hint="--not-mine names those that qb takes for it",
        )  # fmt: skip
    for trace in alike:
        if trace.number in not_mine:
            continue
        was_asked = whether_by_hand(trace.number, order.order_id) in known.asked
        ours = _senders(known, history.rows, environment, was_asked=was_asked)
        if not (trace.is_older(_sent(order)) or any(sender.differs(trace.sender) for sender in ours)):
            raise LockedError(
                "order {number} at KIS looks like order {order_id}: it cannot be said to be gone",
                hint="--number {number}, if it is the same order; --gone --not-mine {number}, if you made it yourself",
                number=trace.number, order_id=order.order_id,
            )  # fmt: skip
    return tuple(alike)


def _senders(known: Known, rows: Iterable[OrderRow], environment: Environment, *, was_asked: bool) -> set[Sender]:
    """How rows of orders look that KIS told us the numbers of, or else that earlier sessions knew.

    Nothing unless they all look the same: what was only found may be another's. So it was when the session asked a
    person about the very order, because it is not like each of them and of its own finds: they are measured as there.
    """
    if environment.order_sender:
        return {Sender(environment.order_sender)}
    makers = {row.order_no: row.sender for row in rows if row.sender}

    def who_made(numbers: Iterable[str]) -> set[Sender]:
        return {makers[number] for number in numbers if number in makers}

    certain = who_made(known.answered.union(order.number for order in known.orders.values() if order.told))
    knew = who_made(known.settled)
    if was_asked and not certain:
        return knew | who_made(order.number for order in known.orders.values())
    found = certain or knew
    return found if len(found) == 1 else set()


def _sent(order: KnownOrder) -> Sent:
    return Sent(order.request, order.sent_at, after=order.after)

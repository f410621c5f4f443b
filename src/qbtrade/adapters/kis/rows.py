"""Evidence by rows: the orders of the day, each by its number, and the list of those that work.

An order of which complete lists show nothing for long does not exist. Source: PROTOCOL 5.4, 5.5.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.own import Own
from qbtrade.adapters.kis.parse.orders import LiveOrder, OrderHistory, OrderRow
from qbtrade.adapters.kis.search import Search
from qbtrade.adapters.kis.sent import Sent, fills_of, traces_of_live, traces_of_rows
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.domain.events import Level
from qbtrade.ports import Clock

TOGETHER: Final = 10 * NS
"""So far apart two lists may be that show together that an order is not there."""
Done = Callable[[str], None]
"""Told when a look is over: what kept it from being complete, in words, or ""."""


class Evidence(Protocol):
    """A way to find out at the broker what became of our orders."""

    @property
    def every(self) -> int:
        """The time in ns between two looks without a reason."""
        ...

    @property
    def is_unsettled(self) -> bool:
        """Whether the last look left something open that the next one may settle."""
        ...

    def look(self, done: Done) -> None:
        """Ask, tell what it means, and call `done`."""
        ...

    def unbooked(self, found: OrderHistory) -> str:
        """What an answer tells of our orders that is not booked, in words, or ""."""
        ...


class Rows:
    """What rows tell. without: reads the totals, asked for at that time, of an answer that has shares but no row."""

    every: Final = 5 * NS

    def __init__(
        self, own: Own, search: Search, clock: Clock, caller: Caller, environment: Environment,
        without: Callable[[OrderHistory, int, Done], None],
    ) -> None:  # fmt: skip
        self._own, self._search, self._clock, self._caller = own, search, clock, caller
        self._environment, self._without = environment, without
        self._needs_live = environment.capabilities.amendable_orders
        self._seen = frozenset[str]()

    @property
    def is_unsettled(self) -> bool:
        """Every look stands for itself."""
        return False

    def look(self, done: Done) -> None:
        """Ask for the day's orders."""
        now = self._clock.now()
        today = kst_date(now)
        self._caller.ask(calls.order_history(self._environment, today, today), partial(self._on_history, now, done))

    def unbooked(self, found: OrderHistory) -> str:
        """Rows that tell something else than our book, or are not there."""
        if found.lacks_rows:
            return "KIS tells of orders and names none of them"
        if found.is_torn:
            return "the list moved while it was read"
        if any(self._own.owner(row.order_no) or not row.order_no for row in found.unread):
            return "a row of ours cannot be read"
        rows = {row.order_no: row for row in found.rows}
        for sent in self._own.all():
            row = rows.get(sent.number) if sent.number else None
            told = (row.filled_qty - sent.before, row.filled_amount - sent.before_amount) if row else (0, 0)
            if sent.number and told != (sent.filled, sent.amount):
                return f"KIS tells other fills of order {sent.number} than we have"
        return ""

    def _on_history(self, asked_at: int, done: Done, found: OrderHistory | Failed) -> None:
        if isinstance(found, Failed):
            done(found.reason)
        elif found.lacks_rows:
            self._without(found, asked_at, done)
        else:
            self._use(found, asked_at, done)

    def _use(self, found: OrderHistory, asked_at: int, done: Done) -> None:
        self._search.begin_look(asked_at)
        problem = use_rows(self._own, self._search, found)
        if self._is_complete(found) and self._search.looked() and self._needs_live:
            then = partial(self._on_live, asked_at, done, problem, _open(found))
            self._caller.ask(calls.live_orders(self._environment), then)
            return
        self._give_up()
        done(problem)

    def _is_complete(self, found: OrderHistory) -> bool:
        """Whether an order that is not in it is not at the broker: a row that was there once must be there again."""
        numbers = {row.order_no for row in found.rows} | {row.order_no for row in found.unread}
        is_whole = self._seen <= numbers and not found.is_torn
        self._seen |= numbers
        return is_whole and all(self._own.is_taken(row.order_no) for row in found.unread)

    def _on_live(
        self, asked_at: int, done: Done, problem: str, works: frozenset[str], found: tuple[LiveOrder, ...] | Failed
    ) -> None:  # fmt: skip
        """works: numbers that a list of live orders has, unless it moved while it was turned over.

        An order that came and filled between both lists is in neither: they prove nothing when they are far apart.
        """
        if isinstance(found, Failed):
            done(found.reason)
            return
        numbers = [row.order_no for row in found]
        self._search.look_at(traces_of_live(found, self._clock.now()))
        if self._clock.now() - asked_at <= TOGETHER:
            if works.issubset(numbers) and len(set(numbers)) == len(numbers):
                self._search.not_among_live()
            self._give_up()
        done(problem)

    def _give_up(self) -> None:
        for sent in self._search.hopeless(needs_live=self._needs_live):
            self._search.rest(sent)
            self._own.abandon(sent)


def _open(found: OrderHistory) -> frozenset[str]:
    """Orders that work, as rows tell it."""
    return frozenset(row.order_no for row in found.rows if row.open_qty and not row.original_no)


def use_rows(own: Own, search: Search, found: OrderHistory) -> str:
    """Book and end by rows; what kept one of ours from being read, or ""."""
    problems = list[str]()
    for row in found.rows:
        sent = own.owner(row.order_no)
        if sent is not None and not _use_row(own, sent, row):
            problems.append(f"the row of order {row.order_no} has shares without a plausible amount")
    for unread in found.unread:
        text = f"KIS's row of order {unread.order_no or 'without number'} cannot be read: {unread.problem}"
        own.alarm("row-unread", text, level=Level.WARNING)
        if own.owner(unread.order_no) is not None:
            problems.append(text)
    traces = traces_of_rows(found.rows)
    search.look_at(traces)
    if not own.awaiting:
        missing = search.missing()
        own.rule_out(trace.number for trace in traces if not any(map(trace.looks_like, missing)))
    return "; ".join(problems)


def still_work(own: Own, found: OrderHistory) -> tuple[str, ...]:
    """Numbers of orders of ours that have ended here, and of which a row says that they work."""
    ended = {sent.number for sent in own.all() if sent.number and sent.over}
    return tuple(sorted(row.order_no for row in found.rows if row.open_qty and row.order_no in ended))


def _use_row(own: Own, sent: Sent, row: OrderRow) -> bool:
    """False when the row cannot be believed."""
    sent.branch = sent.branch or row.branch
    missing = row.filled_qty - sent.before - sent.filled
    if missing > 0:
        amount = row.filled_amount - sent.before_amount - sent.amount
        if not sent.could_cost(missing, amount):
            return False
        sent.by_rows = True
        for price, qty in fills_of(missing, amount):
            own.fill(sent, price, qty)
    if sent.over:
        return True
    if row.rejected_qty and not (row.filled_qty and row.open_qty):
        own.refuse(sent)
    elif not row.open_qty and own.closed_at:
        own.expire(sent)
    elif not row.open_qty and row.canceled_qty:
        _use_gone(own, sent)
    return True


def _use_gone(own: Own, sent: Sent) -> None:
    """An order that nobody here canceled is looked at twice: just before our close the broker's may have ended it."""
    if sent.cancels:
        own.cancel(sent, "asked")
    elif sent.gone_at:
        own.cancel(sent, "canceled-elsewhere")
    else:
        own.miss(sent)

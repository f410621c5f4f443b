"""The search for orders whose answer never came: what at the broker may be one of them, and when to stop looking."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from qbtrade.adapters.kis.events import Notice
from qbtrade.adapters.kis.own import Own
from qbtrade.adapters.kis.sent import Sent, Trace, trace_of_notice
from qbtrade.domain.calendar import NS

ENOUGH_LOOKS: Final = 5
ROWS_LATE: Final = 10 * NS
"""A list that is asked for so long after a notice has the row that tells who made its order, where rows tell that."""
TURN: Final = 2 * NS
TURNS: Final = 9
"""A notice waits for such a list for so many turns at most; turns, not time: a machine that sleeps asks for no list."""
KEPT: Final = 256
"""Notices of numbers that nobody owns."""
BY_HAND: Final = "perhaps-by-hand"
"""The code of the question whether somebody else made an order."""


def whether_by_hand(number: str, order_id: str) -> str:
    """The question whether somebody else made the order of this number, which looks like a lost one."""
    return f"order {number} looks like unconfirmed order {order_id}, but KIS says that somebody else made it"


class Search:
    """Orders without a number: sought, or given up but perhaps to turn up; and notices that nobody owns.

    accept: takes an order, and number and branch of the trace that it left. give_up_after: ns for which an order is
    looked for, at least, with complete answers, before it counts as one that does not exist. tells_rows: whether the
    broker names the day's orders.
    """

    def __init__(
        self, own: Own, accept: Callable[[Sent, str, str], bool], give_up_after: int, *, tells_rows: bool
    ) -> None:
        self._own, self._accept, self._give_up_after, self._tells_rows = own, accept, give_up_after, tells_rows
        self._sought = list[Sent]()
        self._given_up = list[Sent]()
        self._kept: deque[Notice] = deque(maxlen=KEPT)
        self._asked = set[Sent]()
        self._looked_at = self._turns = 0
        self._waits_since = dict[str, int]()  # the turn, by number
        self._shown = dict[str, Trace]()  # by rows, which tell who made an order; notices and live orders do not

    def __bool__(self) -> bool:
        return bool(self._sought)

    def is_urgent(self, now: int) -> bool:
        """Whether an order is looked for and has not been for long."""
        return any(now - sent.sought_at < 2 * self._give_up_after for sent in self._sought)

    @property
    def has_given_up(self) -> bool:
        """Whether an order may turn up that nobody waits for any more."""
        return any(sent.remaining for sent in self._given_up)

    def missing(self) -> tuple[Sent, ...]:
        """Orders that may be at the broker without our knowing, or may still get there."""
        return tuple(sent for sent in (*self._sought, *self._given_up, *self._own.awaiting) if sent.remaining)

    def add(self, sent: Sent, now: int) -> None:
        """Begin to look for an order."""
        sent.sought_at = now
        self._sought.append(sent)

    def found(self, sent: Sent) -> None:
        """It has its number."""
        for orders in (self._sought, self._given_up):
            if sent in orders:
                orders.remove(sent)

    def rest(self, sent: Sent) -> None:
        """Look for it no longer; a trace that it left is its own all the same."""
        if sent in self._sought:  # else that was decided before, and it turned up all the same
            self._sought.remove(sent)
            self._given_up.append(sent)

    def is_missing(self, sent: Sent) -> bool:
        """Whether it is unknown what became of it; an order that awaits its answer is not among these."""
        return sent in self._sought or sent in self._given_up

    def close(self, sent: Sent) -> None:
        """A person says that it does not exist."""
        if sent in self._sought:
            self.rest(sent)

    # notices that nobody owns

    def keep(self, notice: Notice) -> None:
        """Somebody may own it later."""
        self._kept.append(notice)
        if self._tells_rows:
            self._waits_since.setdefault(notice.order_no, self._turns)

    def early(self, number: str) -> list[Notice]:
        """Take out the notices of an order that has its number now."""
        early = [notice for notice in self._kept if number in {notice.order_no, notice.original_no}]
        for notice in early:
            self._kept.remove(notice)
        return early

    def let_go(self) -> list[Notice]:
        """Take out the notices that cannot be of a missing order."""
        if self._own.awaiting:
            return []
        wanted = {(sent.request.symbol, sent.request.side) for sent in (*self._sought, *self._given_up)}
        foreign = [notice for notice in self._kept if (notice.symbol, notice.side) not in wanted]
        for notice in foreign:
            self._kept.remove(notice)
        return foreign

    # traces

    def look_at(self, traces: Iterable[Trace]) -> None:
        """Give what nobody owns to orders that it fits, where there are not more traces than orders.

        While an order of the same looks awaits its answer, nothing is given away: the answer may name the number.
        """
        kept = filter(None, map(trace_of_notice, reversed(self._kept)))  # its first one waits longest
        told = (*kept, *traces)
        self._shown.update((trace.number, trace) for trace in told if not trace.is_hint)
        known = (*told, *self._shown.values())  # a notice, or the list of live orders, is but a part of what is known
        free = {each.number: each for each in known if not self._own.is_taken(each.number)}
        for orders in (self._sought, self._given_up):
            for sent in tuple(orders):
                self._learn()
                self._compare(sent, orders, free)

    def _learn(self) -> None:
        """Rows tell who makes our orders, also of numbers that became ours only behind them, as the last one found."""
        for trace in self._shown.values():
            self._own.learn(trace.number, trace.sender)

    def _compare(self, sent: Sent, orders: list[Sent], free: dict[str, Trace]) -> None:
        alike = [trace for trace in free.values() if trace.looks_like(sent)]
        fitting = [trace for trace in alike if trace.may_be(sent)]
        sent.alike.update(trace.number for trace in alike)
        if not fitting or any(fitting[0].looks_like(other) for other in self._own.awaiting):
            return
        ours = [trace for trace in fitting if not self._own.is_foreign(trace.sender)]
        if any(self._has_to_wait(trace) for trace in ours):
            return
        rivals = [each for each in orders if fitting[0].may_be(each)]
        possible = ours if self._own.knows_sender else fitting  # the order that taught it may have been another's
        if not ours:
            self._ask_whether_by_hand(sent, fitting)
        elif len(possible) > len(rivals):
            self._ask_which(sent, len(possible))
        else:
            trace = free.pop(ours[0].number)
            self._accept(sent, trace.number, trace.branch)

    def _has_to_wait(self, trace: Trace) -> bool:
        """Only rows tell who made an order, and who makes ours; where there are any they are awaited, not for ever."""
        if not self._tells_rows:
            return False
        if not trace.is_hint:
            return self._own.will_know_sender(self._looked_at - ROWS_LATE)
        if self._looked_at >= trace.ts + ROWS_LATE:
            return False
        return self._turns - self._waits_since.setdefault(trace.number, self._turns) < TURNS

    def is_waiting(self) -> bool:
        """Whether a number waits for a list, so that turns are to be counted."""
        return any(self._turns - since < TURNS for since in self._waits_since.values())

    def turn(self) -> None:
        """A turn has gone by: rows may not be told for minutes."""
        self._turns += 1

    def _ask_which(self, sent: Sent, count: int) -> None:
        self._asked.add(sent)
        order_id = sent.request.order_id
        text = f"{count} orders at the broker look like unconfirmed order {order_id}"
        action = f"see in the KIS app which one qb sent, then `qb orders resolve {order_id} --number NUMBER`"
        self._own.alarm("which-is-ours", text, action)

    def _ask_whether_by_hand(self, sent: Sent, fitting: list[Trace]) -> None:
        self._asked.add(sent)
        order_id = sent.request.order_id
        for trace in fitting:
            action = f"if qb sent it after all: `qb orders resolve {order_id} --number {trace.number}`"
            self._own.alarm(BY_HAND, whether_by_hand(trace.number, order_id), action)

    # giving up

    def begin_look(self, asked_at: int) -> None:
        """A complete list, asked for at that time, is about to be looked at."""
        self._looked_at = asked_at
        for sent in self._sought:
            sent.alike.clear()

    def looked(self) -> bool:
        """Count a complete look; True when the list of live orders should be asked, too."""
        for sent in self._sought:
            sent.looks = 0 if sent.alike else sent.looks + 1
        return any(sent.looks >= ENOUGH_LOOKS and not sent.is_not_live for sent in self._sought)

    def not_among_live(self) -> None:
        """The live orders were looked at."""
        for sent in self._sought:
            sent.is_not_live = not sent.alike

    def hopeless(self, *, needs_live: bool) -> list[Sent]:
        """Orders that left no trace for long. One with a look-alike that nobody owns is not among them.

        The last list has to have been asked for so late: its answer may have waited for a machine that slept.
        """
        old = [sent for sent in self._sought if self._looked_at - sent.sent_at >= self._give_up_after]
        for sent in old:
            if sent.alike and sent not in self._asked:
                self._ask_which(sent, len(sent.alike))
        return [
            sent for sent in old
            if not sent.alike and sent.looks >= ENOUGH_LOOKS and (sent.is_not_live or not needs_live)
        ]  # fmt: skip

"""Canceling what works until KIS has shown twice that nothing does: from outside of a session, and at its end."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from qbtrade.adapters.kis.cancels import NOTHING_LEFT
from qbtrade.adapters.kis.outcomes import Accepted, OrderOutcome, Refused
from qbtrade.adapters.kis.parse.orders import OrderRow
from qbtrade.app.live.asking import Asking, Working
from qbtrade.domain.calendar import NS
from qbtrade.errors import BrokerError

LOOKS: Final = 2
"""Complete reads in a row that have to show nothing: one alone may come from before an order was listed."""
PAUSE: Final = 1.0
"""Machine seconds between two rounds of cancels."""
LATE: Final = 6 * NS
"""Market time from the last order to the read that counts: longer than an order may be missing from the list."""
PERSISTS: Final = 45.0
"""Machine seconds after which no new round begins, and what still works is named."""

UNREAD: Final = "?"
"""In the place of what a row does not tell."""


class Canceled(msgspec.Struct, frozen=True):
    """One order that worked when it was looked for. qty: shares. done: it works no more."""

    order_no: str
    symbol: str
    side: str
    qty: int
    done: bool
    reason: str


class Sweep:
    """Rounds of looks and cancels. wants: which orders are meant; quiet_since: since when nobody has sent one."""

    def __init__(self, desk: Asking, wants: Callable[[Working], bool], quiet_since: int) -> None:
        self._desk, self._wants, self._quiet_since = desk, wants, quiet_since
        self._began = desk.clock.now()
        self._seen: dict[str, Working] = {}
        self._left: dict[str, str] = {}  # why an order may still work, by number
        self._reasons: dict[str, str] = {}

    def found(self) -> tuple[Canceled, ...]:
        """Every order that worked at any look, and what became of it."""
        unread = (_of_unread(number) for number in self._left if number not in self._seen)
        return tuple(
            Canceled(
                each.order_no, each.symbol, each.side, each.qty, each.order_no not in self._left,
                self._left.get(each.order_no, ""),
            )
            for each in (*self._seen.values(), *unread)
        )  # fmt: skip

    def by_rows(self) -> None:
        """Until two complete reads in a row show nothing. Raises: BrokerError when the first one fails."""
        clean = 0
        while clean < LOOKS:
            working = self._look()
            if working == ():  # rows that cannot be read cannot be canceled either: they are named
                clean += 1
                if clean < LOOKS:
                    self._desk.wait(self._until_listed())
            elif self._is_too_late():
                return
            else:
                clean = 0
                self._cancel(working or ())
                self._desk.wait(PAUSE)

    def _look(self) -> tuple[Working, ...] | None:
        """What works; None when KIS does not tell. Raises: BrokerError when it never did."""
        try:
            history = self._desk.history()
        except BrokerError as error:
            if not self._seen:
                raise
            self._left |= dict.fromkeys(self._seen, error.message)
            return None
        working = self._wanted(_of_rows(history.rows))
        self._seen |= {order.order_no: order for order in working if order.order_no not in self._seen}
        self._left = {order.order_no: self._reasons.get(order.order_no, "") for order in working}
        unread = (row for row in history.unread if self._wants(_of_unread(row.order_no)))
        self._left |= {row.order_no or UNREAD: row.problem for row in unread}
        return working

    def _cancel(self, working: Iterable[Working]) -> None:
        outcomes = self._desk.cancel(working)
        self._reasons = {order.order_no: _reason(outcomes.get(order.order_no)) for order in working}
        self._left |= self._reasons

    def by_numbers(self, working: Iterable[Working]) -> None:
        """Where no rows are told: until a second cancel is refused because nothing is left to cancel."""
        left = self._wanted(working)
        self._seen = {order.order_no: order for order in left}
        while left:
            outcomes = self._desk.cancel(left)
            left = tuple(order for order in left if not _is_gone(outcomes.get(order.order_no)))
            self._left = {order.order_no: _reason(outcomes.get(order.order_no)) for order in left}
            if left and self._is_too_late():
                return
            if left:
                self._desk.wait(PAUSE)

    def _wanted(self, working: Iterable[Working]) -> tuple[Working, ...]:
        return tuple(filter(self._wants, working))

    def _until_listed(self) -> float:
        """Machine seconds until an order that was sent last is in the list."""
        clock = self._desk.clock
        return max(self._quiet_since + LATE - clock.now(), 0) / NS / clock.speed

    def _is_too_late(self) -> bool:
        clock = self._desk.clock
        return clock.now() - self._began > PERSISTS * NS * clock.speed


def _of_rows(rows: Iterable[OrderRow]) -> Iterable[Working]:
    return (
        Working(row.order_no, row.branch, row.code, row.symbol, row.side.value, row.open_qty)
        for row in rows if row.open_qty
    )  # fmt: skip


def _of_unread(number: str) -> Working:
    """What is known of an order whose row cannot be read."""
    return Working(number or UNREAD, "", "", UNREAD, UNREAD, 0)


def _is_gone(outcome: OrderOutcome | None) -> bool:
    return isinstance(outcome, Refused) and outcome.code in NOTHING_LEFT


def _reason(outcome: OrderOutcome | None) -> str:
    """Why an order still works after a cancel."""
    if outcome is None:
        return "no answer in time"
    return "the cancel was taken, and it works all the same" if isinstance(outcome, Accepted) else outcome.reason

"""Canceling what works on an account from outside its session, until KIS has shown twice that nothing does."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis.calls import CODES
from qbtrade.adapters.kis.cancels import NOTHING_LEFT
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.outcomes import Accepted, OrderOutcome, Refused
from qbtrade.adapters.kis.parse.orders import OrderRow
from qbtrade.app.live.carried import left_open
from qbtrade.app.live.desk import Desk, Working
from qbtrade.domain.calendar import NS
from qbtrade.domain.order import Side
from qbtrade.errors import BrokerError
from qbtrade.kernel.clock import Stopwatch

LOOKS: Final = 2
"""Complete reads in a row that have to show nothing: one alone may come from before an order was listed."""
PAUSE: Final = 1.0
"""Machine seconds between two rounds of cancels."""
LATE: Final = 6 * NS
"""Market time between two reads that show nothing: longer than an order may be missing from the list."""
PERSISTS: Final = 45.0
"""Machine seconds after which no new round begins, and what still works is named."""


class Canceled(msgspec.Struct, frozen=True):
    """One order that worked when an account was halted. qty: shares. done: it works no more."""

    order_no: str
    symbol: str
    side: str
    qty: int
    done: bool
    reason: str


def cancel_everything(
    home: Path, environment: Environment, run_id: str, *, only: Side | None = None
) -> tuple[Canceled, ...]:
    """Cancel what works on the account, whoever sent it, again and again until it works no more.

    run_id: of the last session, whose journal names its orders where the broker does not. only: of one side.
    Raises: BrokerError when KIS named nothing at all, FileError, JournalError.
    """
    with Desk(home, environment) as desk:
        sweep = _Sweep(desk, only)
        if environment.capabilities.order_rows:
            sweep.by_rows()
        else:
            desk.history()
            sweep.by_numbers(_of_journal(home, run_id))
        return sweep.found()


class _Sweep:
    """Rounds of looks and cancels."""

    def __init__(self, desk: Desk, only: Side | None) -> None:
        self._desk, self._only, self._watch = desk, only, Stopwatch()
        self._seen: dict[str, Working] = {}
        self._left: dict[str, str] = {}  # why an order may still work, by number
        self._reasons: dict[str, str] = {}

    def found(self) -> tuple[Canceled, ...]:
        """Every order that worked at any look, and what became of it."""
        unread = (Working(number, "", "", "?", "?", 0) for number in self._left if number not in self._seen)
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
                self._desk.wait(LATE / NS / self._desk.clock.speed if clean < LOOKS else 0)
            elif self._watch.seconds() > PERSISTS:
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
        self._left |= {row.order_no or "?": row.problem for row in history.unread}
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
            if left and self._watch.seconds() > PERSISTS:
                return
            self._desk.wait(PAUSE if left else 0)

    def _wanted(self, working: Iterable[Working]) -> tuple[Working, ...]:
        return tuple(order for order in working if self._only is None or order.side == self._only.value)


def _of_rows(rows: Iterable[OrderRow]) -> Iterable[Working]:
    return (
        Working(row.order_no, row.branch, row.code, row.symbol, row.side.value, row.open_qty)
        for row in rows if row.open_qty
    )  # fmt: skip


def _of_journal(home: Path, run_id: str) -> Iterable[Working]:
    """What our own journal knows."""
    return (
        Working(
            left.number, "", CODES[left.order.kind, left.order.tif], left.order.symbol, left.order.side.value,
            left.remaining,
        )
        for left in left_open(home, run_id) if left.number
    )  # fmt: skip


def _is_gone(outcome: OrderOutcome | None) -> bool:
    return isinstance(outcome, Refused) and outcome.code in NOTHING_LEFT


def _reason(outcome: OrderOutcome | None) -> str:
    """Why an order still works after a cancel."""
    if outcome is None:
        return "no answer in time"
    return "the cancel was taken, and it works all the same" if isinstance(outcome, Accepted) else outcome.reason

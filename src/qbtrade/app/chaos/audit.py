"""Reads the journals of a virtual world row by row and names the promises that the session itself broke."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from qbtrade.adapters.emulator.orders import Action, Entry
from qbtrade.app.chaos.excuse import taken
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import (
    Alert,
    CancelRejected,
    Check,
    FeedLost,
    FeedRestored,
    OrderAbandoned,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderCanceling,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderNotSent,
    OrderRejected,
    OrderResolved,
    OrderSending,
    OrderUnconfirmed,
    SessionEnded,
    SessionStarted,
    SubmitOrder,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, Purpose, Side

WAIT: Final = 60 * NS
"""An order is looked for so long before it may be given up."""
SHOWN: Final = 30 * NS
"""An order is among KIS's rows by then, and one look at them was complete."""
ASKED_AGAIN: Final = 45 * NS
"""A cancel that came to nothing is asked for again by then."""
RESOLVED: Final = 150 * NS
"""An order whose answer was lost is found or given up by then, where rows are told and nothing goes wrong any more."""
PATIENCE: Final = 15 * NS
"""An order that a session wants canceled at its end is waited for so long, at least."""
LEFT: Final = "L"
"""How ids begin of orders that an earlier session let out."""
ASKS: Final = frozenset({"which-is-ours", "perhaps-by-hand"})
"""Alerts that leave to a person what became of an order."""
ENDS: Final = (OrderRejected, OrderNotSent, OrderCanceled, OrderExpired, OrderDenied)
NO_LIMITS: Final = frozenset({"whitelist", "market-phase", "symbol-halted", "tick-grid", "price-band", "sell-qty"})
"""Why a protective sell may be refused: it cannot be executed, or there is nothing to sell."""
GUARDING: Final = frozenset({Purpose.PROTECT, Purpose.FLATTEN})


class _Order:
    """An order as the rows so far tell it. Times are UTC ns, 0 for never."""

    def __init__(self, request: OrderRequest) -> None:
        self.request, self.left = request, request.qty
        self.sent_at = self.cancel_by = self.unknown_since = 0
        self.is_over = self.is_unknown = self.is_taken = self.is_gone = False


class _Wish:
    """What was known when an order was judged. buying: KRW of open buys; rivals: unknown orders of its kind."""

    def __init__(self, request: OrderRequest, buying: int, cash: int, rivals: int, *, is_blind: bool) -> None:
        self.request, self.buying, self.cash = request, buying, cash
        self.rivals, self.is_blind = rivals, is_blind


class _GivenUp(NamedTuple):
    """An order that was given up for lost at a time."""

    request: OrderRequest
    sent_at: int
    ts: int


class Audit:
    """One journal. broken: promises, in words. claimed: since when a number at KIS is that of an order of ours."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.given_up: list[_GivenUp] = []
        self.claimed: dict[str, int] = {}
        self._orders: dict[str, _Order] = {}
        self._wishes: dict[str, _Wish] = {}
        self._first_sent: dict[str, int] = {}
        self._cash = self._now = self._stops_at = 0
        self._is_blind = self._has_asked = False

    def read(self, rows: Iterable[Event]) -> None:
        """Look at every row, oldest first."""
        rows = tuple(rows)
        last = max((row.ts for row in rows), default=0)
        wakes = {row.ts for row in rows if isinstance(row, Alert) and row.code == "stood-still"}
        for row in rows:
            self._cash = getattr(row, "cash", self._cash)
            if row.ts in wakes:  # the sleep is told a few rows after the first one of that moment
                self._woke(row.ts)
            if row.ts < last:  # a kill as the machine wakes leaves no row that tells of the sleep
                self._overdue(row.ts)
            self._now = row.ts
            self._stops_at = self._stops_at or (row.ts if getattr(row, "reason", "") == "session-stopped" else 0)
            self._has_asked |= isinstance(row, Alert) and row.code in ASKS
            match row:
                case SessionStarted() | SessionEnded():
                    self._bound(row)
                case FeedLost() | FeedRestored():
                    self._is_blind = isinstance(row, FeedLost)
                case SubmitOrder():
                    self._wish(row.order)
                case OrderApproved(order=order, checks=checks):
                    self._judge(self._wishes[order.order_id], checks)
                    self._approved(self._wishes.pop(order.order_id))
                case OrderDenied(order_id=order_id, checks=checks):
                    self._judge(self._wishes[order_id], checks)
                    self._denied(self._wishes.pop(order_id), row.reason)
                case OrderSending(order=order):
                    self._orders.setdefault(order.order_id, _Order(order)).sent_at = row.ts
                case _other:
                    self._live(row)

    def _bound(self, row: SessionStarted | SessionEnded) -> None:
        """A session begins with what was left; before it ends, orders whose number is known are waited for."""
        if isinstance(row, SessionStarted):
            self._first_sent = {left.order_id: left.sent_at for left in row.leftovers}
            self.claimed = dict.fromkeys(row.settled, row.ts)
            return
        waited = row.ts - self._stops_at
        if self._stops_at and waited < PATIENCE:
            for order_id, order in self._orders.items():
                if order.is_taken and order.left and not order.is_over:
                    self.broken.append(f"the session ended {waited / NS:.1f} s after it canceled order {order_id}")

    # judging

    def _wish(self, request: OrderRequest) -> None:
        open_ones = [each for each in self._orders.values() if not each.is_over and each.left]
        buying = sum(each.left * each.request.price for each in open_ones if each.request.side is Side.BUY)
        kind = request.symbol, request.side
        rivals = sum(each.is_unknown and (each.request.symbol, each.request.side) == kind for each in open_ones)
        self._wishes[request.order_id] = _Wish(request, buying, self._cash, rivals, is_blind=self._is_blind)

    def _judge(self, wish: _Wish, checks: tuple[Check, ...]) -> None:
        """Whether the gate counted at least what the rows before it tell."""
        values = {check.rule: check.value for check in checks}
        if values.get("unconfirmed-lock", wish.rivals) < wish.rivals:
            self.broken.append(
                f"the gate counted {values['unconfirmed-lock']} orders of {wish.rivals} without an answer"
            )
        if wish.is_blind and not values.get("session-state", 1):
            self.broken.append("the gate did not count with market data that was lost")
        held_by = values.keys() - NO_LIMITS
        if wish.request.purpose in GUARDING and held_by:
            self.broken.append(f"a protective sell was measured by what may hold it back: {', '.join(sorted(held_by))}")
        if wish.request.side is Side.BUY:
            self._judge_money(wish, values)

    def _judge_money(self, wish: _Wish, values: dict[str, int]) -> None:
        bound = wish.buying + wish.request.qty * wish.request.price
        if values.get("budget", bound) < bound:
            self.broken.append(f"the gate counted {values['budget']:,} won at work where open buys alone are {bound:,}")
        left = wish.cash - bound
        if values.get("cash-reserve", left) > left:
            self.broken.append(f"the gate saw {values['cash-reserve']:,} won of cash where open buys leave {left:,}")

    def _approved(self, wish: _Wish) -> None:
        order = wish.request
        if wish.rivals and order.purpose not in GUARDING and order.order_id[0] != LEFT:
            self.broken.append(f"{order.side} {order.symbol} was let out beside an order whose fate was unknown")
        if wish.is_blind and order.side is Side.BUY:
            self.broken.append("a buy was let out while market data was lost")

    def _denied(self, wish: _Wish, reason: str) -> None:
        if wish.request.purpose in GUARDING and reason not in NO_LIMITS:
            self.broken.append(f"a protective sell was held back: {reason}")

    # what became of it

    def _live(self, row: Event) -> None:
        order = self._orders.get(getattr(row, "order_id", ""))
        if order is None:
            return
        match row:
            case OrderUnconfirmed():
                order.is_unknown, order.unknown_since = True, row.ts
            case OrderAccepted(broker_order_id=number):
                self.claimed.setdefault(number, row.ts)
                order.is_taken, order.is_unknown = True, False
                order.is_over = order.is_over and not order.is_gone
            case OrderFilled(qty=qty):
                order.left, order.is_unknown = order.left - qty, False
            case OrderAbandoned():
                sent_at = self._first_sent.get(row.order_id, order.sent_at)
                order.unknown_since = 0
                self.given_up.append(_GivenUp(order.request, sent_at, row.ts))
                if row.ts - sent_at < WAIT:
                    self.broken.append(f"order {row.order_id} was given up after {(row.ts - sent_at) / NS:.1f} s")
            case OrderResolved(number=""):  # by a person, whose answer frees symbol and side
                order.is_unknown, order.unknown_since = False, 0
                order.is_over = order.is_gone = True
                self.given_up = [each for each in self.given_up if each.request is not order.request]
            case CancelRejected():
                order.cancel_by = row.ts + ASKED_AGAIN if order.is_taken else 0
            case OrderCanceling():
                order.cancel_by = 0
            case _other:
                order.is_over = order.is_over or isinstance(row, ENDS)

    def unresolved(self, healed: int) -> Iterator[str]:
        """Orders of which nobody knows anything long after everything has healed, unless a person was asked."""
        for order_id, order in self._orders.items():
            is_late = order.unknown_since > 0 and max(order.unknown_since, healed) + RESOLVED < self._now
            if order.is_unknown and is_late and not order.is_over and not self._has_asked:
                yield f"order {order_id} was still unknown {RESOLVED // NS} s after everything had healed"

    def _woke(self, now: int) -> None:
        """A machine that sleeps asks for nothing."""
        for order in self._orders.values():
            if order.cancel_by:
                order.cancel_by = max(order.cancel_by, now + ASKED_AGAIN)

    def _overdue(self, now: int) -> None:
        for order_id, order in self._orders.items():
            if 0 < order.cancel_by < now and order.left and not order.is_over:
                order.cancel_by = 0
                self.broken.append(f"the cancel of order {order_id} came to nothing and was not asked for again")


def audited(
    journals: Collection[Iterable[Event]], entries: Iterable[Entry], healed: int = 0, foreign: Collection[int] = ()
) -> Iterator[str]:
    """What the journals tell of broken promises.

    entries: the orders that KIS has; foreign: numbers of those that others made. healed: since when nothing goes wrong,
    UTC ns; 0 where KIS tells no rows.
    """
    orders = [entry for entry in entries if entry.action is Action.NEW and entry.number not in foreign]
    claimed: dict[str, int] = {}
    audit = Audit()
    for rows in journals:
        audit = Audit()
        audit.read(rows)
        yield from audit.broken
        claimed = audit.claimed | claimed
        for each in audit.given_up:
            for entry in orders:
                if _overlooked(each, entry) and claimed.get(str(entry.number), each.ts) >= each.ts:
                    yield f"an order was given up for lost that KIS had had for {(each.ts - entry.ts) / NS:.0f} s"
    if healed:
        yield from audit.unresolved(healed)
    if wrong := sorted(each.number for each in taken(journals, foreign) if int(each.number) in foreign):
        yield f"orders of others were taken for ours: {', '.join(wrong)}"


def _overlooked(lost: _GivenUp, entry: Entry) -> bool:
    """Whether KIS had it before it was given up, for long enough to be seen."""
    order, ticket = lost.request, entry.ticket
    looks = order.symbol, order.side, order.qty, order.price
    is_alike = looks == (ticket.symbol, ticket.side, ticket.qty, ticket.price)
    return is_alike and lost.sent_at <= entry.ts <= lost.ts - SHOWN

"""Evidence where the broker tells no rows: the day's totals say how much was filled, the balance says of what.

Shares that the totals have and we have not are booked only where the balance leaves one order that can own them.
Source: PROTOCOL 5.5, 5.6.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.own import Own
from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.rows import Done, use_rows
from qbtrade.adapters.kis.search import Search
from qbtrade.adapters.kis.sent import Sent, fills_of
from qbtrade.adapters.kis.split import Part, explain
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.domain.events import Level
from qbtrade.domain.order import Side
from qbtrade.ports import Clock

SETTLED: Final[Mapping[Side, int]] = {Side.BUY: 10 * NS, Side.SELL: 3 * NS}
"""What filled before an order was said to be gone is in the totals by then: they lag by seconds (PROTOCOL 5.6).

A stop-loss does not wait so long: when its shares are gone, the next sale is refused.
"""
CLOSING: Final = 60 * NS
"""After the close: the auction ends up to 30 s late, and its fills are told later still."""
LATE: Final = 60 * NS
"""So long after an order was said to have ended, a fill of it may still come to light."""
PUZZLED: Final = 5
"""Looks at the same missing shares before a person is told."""
LAG: Final = 30 * NS
"""A balance may be so far behind the totals; KIS's was seen to lag more than 5 s behind a fill (PROTOCOL 5.6)."""


class _Missing(msgspec.Struct, frozen=True):
    """Shares and KRW that the totals have and we have not."""

    qty: int
    amount: int


class Accounted(msgspec.Struct, frozen=True):
    """What is accounted for when a session begins: shares and KRW that the day filled, shares held by symbol.

    bought: the part of that amount that was paid for buys, where it is known.
    """

    qty: int
    amount: int
    held: dict[str, int]
    bought: int | None = None


def everything(history: OrderHistory, balance: Balance) -> Accounted:
    """All that the broker tells."""
    agrees = balance.bought + balance.sold == history.filled_amount
    return Accounted(history.filled_qty, history.filled_amount, balance.held, balance.bought if agrees else None)


class Totals:
    """What totals and balance tell. Before `begin` nothing is booked by them."""

    every: Final = 15 * NS

    def __init__(self, own: Own, search: Search, clock: Clock, caller: Caller, environment: Environment) -> None:
        self._own, self._search, self._clock = own, search, clock
        self._caller, self._environment = caller, environment
        self._qty = self._amount = 0
        self._held: dict[str, int] | None = None
        self._bought: int | None = None
        self._missing, self._puzzled = _Missing(0, 0), 0
        self._seen, self._seen_at = (_Missing(0, 0), dict[str, int]()), 0

    def begin(self, accounted: Accounted) -> None:
        """Nothing of this is missing."""
        self._qty, self._amount, self._held = accounted.qty, accounted.amount, dict(accounted.held)
        self._bought = accounted.bought

    @property
    def is_unsettled(self) -> bool:
        """Whether shares are missing, or orders wait for totals to say that nothing of them is."""
        working = self._own.working()
        waits = any(sent.gone_at or sent.cuts or self._own.closed_at for sent in working)
        return waits or bool(self._ended(LATE // 2)) or (self._missing.qty > 0 and self._puzzled < PUZZLED)

    def unbooked(self, found: OrderHistory) -> str:
        """Totals that differ from ours."""
        missing = self._compare(found)
        return "" if missing == _Missing(0, 0) else "KIS tells other totals of the day than we have"

    def look(self, done: Done) -> None:
        """Ask for the day's totals."""
        now = self._clock.now()
        today = kst_date(now)
        self._caller.ask(calls.order_history(self._environment, today, today), partial(self._on_history, now, done))

    def _on_history(self, asked_at: int, done: Done, found: OrderHistory | Failed) -> None:
        if isinstance(found, Failed):
            done(found.reason)
        else:
            self.use(found, asked_at, done)

    def use(self, found: OrderHistory, asked_at: int, done: Done) -> None:
        """Believe rows that are there all the same; then see whether anything is missing, twice the same."""
        problem = use_rows(self._own, self._search, found)
        missing, before = self._compare(found), self._missing
        self._missing = missing
        if missing.qty <= 0:
            self._puzzled = 0
            if missing == _Missing(0, 0):  # totals that lack what notices told may lack what nobody told, too
                self._settle(asked_at)
        elif missing.amount <= 0:
            problem = problem or "the totals have shares without an amount"
        elif missing == before:
            self._caller.ask(calls.balance(self._environment), partial(self._on_balance, done, found))
            return
        self._expire(CLOSING * 2)
        done(problem)

    def _compare(self, found: OrderHistory) -> _Missing:
        orders = self._own.all()
        qty = found.filled_qty - self._qty - sum(sent.filled for sent in orders)
        return _Missing(qty, found.filled_amount - self._amount - sum(sent.amount for sent in orders))

    # nothing is missing

    def _settle(self, asked_at: int) -> None:
        """End what is known to be gone, for no fill of it is missing."""
        for sent in self._own.working():
            if sent.gone_at and asked_at - sent.gone_at >= SETTLED[sent.request.side]:
                self._own.cancel(sent, "asked" if sent.cancels else "canceled-elsewhere")
        self._expire(CLOSING)

    def _expire(self, grace: int) -> None:
        if self._own.closed_at and self._clock.now() - self._own.closed_at >= grace:
            for sent in self._own.working():
                self._own.expire(sent)

    # something is missing

    def _on_balance(self, done: Done, found: OrderHistory, balance: Balance | Failed) -> None:
        if isinstance(balance, Failed):
            done(balance.reason)
            return
        missing = self._compare(found)  # a notice may have come meanwhile
        moved, agrees = self._moved(balance), balance.bought + balance.sold == found.filled_amount
        if missing.qty > 0 and not (
            (missing.amount > 0 and (self._stays(missing, moved) or agrees) and self._explain(missing, moved))
            or (agrees and self._explain_parts(missing, moved, balance))
        ):
            self._puzzled += 1
            if self._puzzled >= PUZZLED:
                text = f"the broker filled {missing.qty:,} shares more today than this session knows of"
                self._own.alarm("totals-disagree", text)
        else:
            self._missing, self._puzzled = _Missing(0, 0), 0
        self._expire(CLOSING * 2)
        done("")

    def _stays(self, missing: _Missing, moved: dict[str, int]) -> bool:
        """Whether the balance has shown the same for long: one that lags shows our own sale as shares that came."""
        now = self._clock.now()
        if not self._puzzled or self._seen != (missing, moved):
            self._seen, self._seen_at = (missing, moved), now
        return now - self._seen_at >= LAG

    def _moved(self, balance: Balance) -> dict[str, int]:
        """Shares by symbol that came, or went (negative), beyond our books."""
        if self._held is None:
            return {}
        moved = balance.held
        for symbol, qty in self._held.items():
            moved[symbol] = moved.get(symbol, 0) - qty
        for sent in self._own.all():
            symbol, booked = sent.request.symbol, _signed(sent.request.side, sent.filled)
            moved[symbol] = moved.get(symbol, 0) - booked
        return {symbol: qty for symbol, qty in moved.items() if qty}

    def _paid(self, balance: Balance) -> int | None:
        """KRW for buys that we lack, where a balance that agrees with the totals tells it."""
        ours = (sent.amount for sent in self._own.all() if sent.request.side is Side.BUY)
        return None if self._bought is None else balance.bought - self._bought - sum(ours)

    def _explain(self, missing: _Missing, moved: dict[str, int]) -> bool:
        """Book what one order alone can own, or leave to others what is theirs; False when neither is certain."""
        if sum(map(abs, moved.values())) != missing.qty:
            return False
        if moved == self._told_elsewhere() or not any(map(self._candidates, moved, moved.values())):
            self._leave(missing, moved)
            return True
        if len(moved) > 1:
            return False
        ((symbol, qty),) = moved.items()
        if symbol in {notice.symbol for notice in self._own.elsewhere}:
            return False
        owner = self._owner(self._candidates(symbol, qty), missing)
        if owner is None:
            return False
        self._book(owner, missing)
        return True

    def _explain_parts(self, missing: _Missing, moved: dict[str, int], balance: Balance) -> bool:
        """Book what filled of several orders, where one way alone explains shares and totals."""
        able, paid = self._possible(), self._paid(balance)
        if paid is None or self._own.elsewhere:
            return False
        told = explain(
            [_part(sent) for sent in able], moved, missing.qty,
            {Side.BUY: paid, Side.SELL: missing.amount - paid}, balance,
        )  # fmt: skip
        if told is None:
            return False
        filled = [(sent, _Missing(*fill)) for sent, fill in zip(able, told.fills, strict=True) if fill[0]]
        if not all(self._fits(sent, part) and sent not in self._own.awaiting for sent, part in filled):
            return False
        for sent, part in filled:
            self._book(sent, part)
        if told.estimates:
            symbols = ", ".join(sorted({able[each].request.symbol for each in told.estimates}))
            count = len(told.estimates)
            text = f"{count} orders of {symbols} filled, and KIS tells only the sum: what each cost is an estimate"
            self._own.alarm("sum-shared", text, level=Level.INFO)
        return True

    def _book(self, owner: Sent, missing: _Missing) -> None:
        owner.by_rows = True
        for price, shares in fills_of(missing.qty, missing.amount):
            self._own.fill(owner, price, shares)
        if not owner.number:
            self._search.rest(owner)

    def _possible(self) -> tuple[Sent, ...]:
        """Orders that could have filled: working, just ended, or there without our knowing."""
        return (*self._own.working(), *self._ended(LATE), *self._search.missing())

    def _candidates(self, symbol: str, qty: int) -> list[Sent]:
        """Orders that could have moved these shares."""
        side = Side.BUY if qty > 0 else Side.SELL
        return [sent for sent in self._possible() if (sent.request.symbol, sent.request.side) == (symbol, side)]

    def _ended(self, ago: int) -> list[Sent]:
        """Orders with a number that ended since then, with shares of which nobody said that they were taken out."""
        since = self._clock.now() - ago
        ended = (sent for sent in self._own.all() if sent.number and sent.over and sent.ended_at >= since)
        return [sent for sent in ended if sent.remaining > sent.cut]

    def _owner(self, candidates: list[Sent], missing: _Missing) -> Sent | None:
        """The only one that can. Where others may have filled in part it has to be gone, and to lack just these.

        One that awaits its answer can, and is none: the answer will tell.
        """
        fitting = [sent for sent in candidates if self._fits(sent, missing)]
        if len(fitting) != 1:
            return None
        (owner,) = fitting
        is_whole = owner.was_gone and missing.qty == owner.remaining
        is_sure = (is_whole or len(candidates) == 1) and owner not in self._own.awaiting
        return owner if is_sure else None

    def _fits(self, sent: Sent, missing: _Missing) -> bool:
        """Whether it can own them; without a number only by all of its shares, so that nothing of it is left."""
        fits = missing.qty <= sent.remaining - sent.cut if sent.number else missing.qty == sent.remaining
        return fits and _could_cost(sent, missing)

    def _told_elsewhere(self) -> dict[str, int]:
        told: dict[str, int] = {}
        for notice in self._own.elsewhere:
            told[notice.symbol] = told.get(notice.symbol, 0) + _signed(notice.side, notice.qty)
        return told

    def _leave(self, missing: _Missing, moved: dict[str, int]) -> None:
        """Others traded; count from here."""
        self._qty, self._amount = self._qty + missing.qty, self._amount + missing.amount
        self._own.elsewhere.clear()
        self._bought = None  # nobody said on which side of these that was
        for symbol, qty in moved.items():
            if self._held is not None:
                self._held[symbol] = self._held.get(symbol, 0) + qty
            text = f"{symbol}: {qty:+,} shares were traded by others than this session"
            self._own.alarm("traded-elsewhere", text, level=Level.WARNING)


def _could_cost(sent: Sent, missing: _Missing) -> bool:
    """Whether the price is one that this order takes: a limit is never passed."""
    limit = sent.request.price * missing.qty
    if limit and (missing.amount > limit if sent.request.side is Side.BUY else missing.amount < limit):
        return False
    return sent.could_cost(missing.qty, missing.amount)


def _part(sent: Sent) -> Part:
    is_whole, request = not sent.number, sent.request
    most = sent.remaining if is_whole else sent.remaining - sent.cut
    return Part(request.symbol, request.side, most, request.price, sent.price, is_whole)


def _signed(side: Side, qty: int) -> int:
    return qty if side is Side.BUY else -qty

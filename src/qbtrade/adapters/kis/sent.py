"""Our orders as the broker has them: numbers, totals, and whether a trace at the broker may be one of them."""

from collections.abc import Iterable
from typing import Final

import msgspec

from qbtrade.adapters.kis.calls import CODES
from qbtrade.adapters.kis.events import Action, Notice, Stage
from qbtrade.adapters.kis.parse.orders import LiveOrder, OrderRow, Sender
from qbtrade.domain.calendar import NS, kst_date, kst_ns
from qbtrade.domain.order import OrderKind, OrderRequest, Side

EARLIER: Final = 15 * NS
"""How far the broker's clock may be behind ours: more than preflight lets pass."""
LIMITS: Final = frozenset({"00", "11", "12"})
"""Kinds that one of our limit orders may have in a list: IOC and FOK may stand in a field of their own."""
MARKETS: Final = frozenset({"01", "13", "14"})
FAR: Final = 2
"""No fill is so many times dearer or cheaper than its order: the limits of a day are 30 % around one price."""


class Sent:
    """One order on its way or at the broker. Money in KRW, times UTC ns.

    after: highest number that the broker was known to have given when it left, "" where that is not known.
    number, branch: the broker's, "" while unknown. before, before_amount: filled before this session adopted it.
    filled, amount: booked; noticed: shares told by notices. cancel_at: when the cancel under way was asked for, 0 for
    none; cancels: how many were asked for. cuts: shares taken out, by the number of the cancel; gone_at: when the
    broker said that nothing is left, 0 for never; ended_at: when we said how it ended. sought_at: since when it is
    looked for; looks: at complete rows without a trace of it; is_not_live: the list of live orders did not have it;
    alike: numbers that look like it and have no owner. by_rows: rows or totals told of fills that notices may still
    tell. is_answered: the answer to our own request named its number; is_shown: a row told of it. was_gone: nothing was
    left for our first cancel.
    """

    __slots__ = (
        "after", "alike", "amount", "before", "before_amount", "branch", "by_rows", "cancel_at", "cancels", "cuts",
        "ended_at", "filled", "gone_at", "heard", "is_answered", "is_not_live", "is_shown", "looks", "noticed",
        "number", "over", "request", "sent_at", "sought_at", "was_gone",
    )  # fmt: skip

    def __init__(
        self, request: OrderRequest, sent_at: int, before: int = 0, before_amount: int = 0, after: str = ""
    ) -> None:  # fmt: skip
        self.request, self.sent_at, self.after = request, sent_at, after
        self.before, self.before_amount = before, before_amount
        self.number = self.branch = ""
        self.filled = self.amount = self.noticed = self.looks = 0
        self.cancel_at = self.cancels = self.gone_at = self.ended_at = self.sought_at = 0
        self.over = self.is_not_live = self.by_rows = self.is_answered = self.is_shown = self.was_gone = False
        self.heard = set[tuple[int, int, int]]()
        self.alike = set[str]()
        self.cuts: dict[str, int] = {}

    @property
    def remaining(self) -> int:
        """Shares that may still fill."""
        return self.request.qty - self.filled

    @property
    def cut(self) -> int:
        """Shares that the broker confirmed to be taken out."""
        return sum(self.cuts.values())

    @property
    def code(self) -> str:
        """KIS's code of its kind."""
        return CODES[self.request.kind, self.request.tif]

    @property
    def price(self) -> int:
        """Its limit, or the price from which it was sized, KRW; 0 where neither is known."""
        return self.request.price or self.request.reference

    def could_cost(self, qty: int, amount: int) -> bool:
        """Whether so many of its shares may have filled for so many KRW."""
        price = self.price
        return amount > 0 and (not price or qty * price <= FAR * amount <= FAR * FAR * qty * price)


class Trace(msgspec.Struct, frozen=True):
    """An order number that nobody owns yet, and what is known of it. price: KRW, -1 where it is not told.

    code: its kind, "" where that is not told. sender: who made it. is_hint: only a notice or the list of live orders
    has told of it, neither of which says who made it.
    """

    number: str
    branch: str
    symbol: str
    side: Side
    qty: int
    price: int
    ts: int
    code: str = ""
    sender: Sender = Sender()
    is_hint: bool = False

    def looks_like(self, sent: Sent) -> bool:
        """Whether symbol, side, shares and price are those of this order."""
        request = sent.request
        price = request.price if request.kind is OrderKind.LIMIT else 0
        looks = (request.symbol, request.side, request.qty + sent.before)
        return (self.symbol, self.side, self.qty) == looks and self.price in {price, -1}

    def may_be(self, sent: Sent) -> bool:
        """Whether it looks exactly like this order, kind included, and is not older."""
        kinds = {"", *(LIMITS if sent.request.kind is OrderKind.LIMIT else MARKETS)}
        return self.looks_like(sent) and not self.is_older(sent) and self.code in kinds

    def is_older(self, sent: Sent) -> bool:
        """Whether the broker had it before this order left, however far its clock is behind ours.

        Numbers grow, as far as is known: one that was given by then, in an earlier second, needs no such distance.
        """
        second, was_given = sent.sent_at - sent.sent_at % NS, 0 < _number(self.number) <= _number(sent.after)
        return self.ts < (second if was_given else second - EARLIER)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def traces_of_rows(rows: Iterable[OrderRow]) -> list[Trace]:
    """New orders among rows of the history."""
    return [
        Trace(
            row.order_no, row.branch, row.symbol, row.side, row.qty, row.price, kst_ns(row.day, row.at), row.code,
            row.sender,
        )
        for row in rows if not row.original_no
    ]  # fmt: skip


def traces_of_live(rows: Iterable[LiveOrder], now: int) -> list[Trace]:
    """Orders among those that can still be changed."""
    today = kst_date(now)
    return [
        Trace(
            row.order_no, row.branch, row.symbol, row.side, row.qty, row.price, kst_ns(today, row.at), row.code,
            is_hint=True,
        )
        for row in rows if not row.original_no
    ]  # fmt: skip


def trace_of_notice(notice: Notice) -> Trace | None:
    """The new order that a notice speaks of; None when it speaks of something else."""
    if notice.action is not Action.NEW:
        return None
    is_fill = notice.stage is Stage.FILLED
    qty = notice.order_qty if is_fill else notice.order_qty or notice.qty
    price = -1 if is_fill else notice.price
    return Trace(notice.order_no, "", notice.symbol, notice.side, qty, price, notice.ts, is_hint=True)


def fills_of(qty: int, amount: int) -> tuple[tuple[int, int], ...]:
    """(price, qty) of at most two fills that make up exactly so many shares and KRW."""
    price, dearer = divmod(amount, qty)
    return tuple((each, shares) for each, shares in ((price, qty - dearer), (price + 1, dearer)) if shares)

"""Watches a virtual world from outside while it lives and names every broken promise: by requests and journals."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from qbtrade.adapters.emulator.orders import Action
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.app.chaos.account import Account
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.fills import Fills
from qbtrade.app.chaos.law import breach
from qbtrade.app.plan import Limits
from qbtrade.app.status import Status
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.domain.events import (
    Alert,
    CancelRejected,
    FeedLost,
    OrderAbandoned,
    OrderApproved,
    OrderNotSent,
    OrderRejected,
    OrderSending,
    OrderUnconfirmed,
    RiskState,
    RiskStateChanged,
)
from qbtrade.domain.message import Event
from qbtrade.domain.money import PPB
from qbtrade.domain.order import OrderKind, Side

HALT_SEEN_AFTER: Final = NS // 2
"""Within which a halt from outside is heeded."""
HALT_MEANT_AFTER: Final = NS // 20
"""Within which a halt that the session itself decided on holds back what has not left yet."""
SIDES: Final = {"TTTC0011U": "SELL", "TTTC0012U": "BUY", "VTTC0011U": "SELL", "VTTC0012U": "BUY"}
NEVER: Final = frozenset({"APBK0506", "APBK0011", "APBK0010", "APBK0963", "APBK3009"})
"""Refusals of orders that the risk gate may not let out: off the grid, outside the band, no shares, no such code."""
RARE: Final = (
    OrderUnconfirmed,
    OrderAbandoned,
    OrderNotSent,
    OrderRejected,
    CancelRejected,
    FeedLost,
    RiskStateChanged,
)
LOSS_KNOWN_AFTER: Final = 120 * NS
"""Realized at KIS so long ago, a loss is known to qb whatever the network did."""
SLACK: Final = 200_000
"""Won by which cash may be below the reserve of the day's first equity: what prices and costs take from equity."""
SECRET: Final = ("authorization", "appkey", "appsecret")
Looks = tuple[str, str, str, str]
"""Side, symbol, shares and limit of an order, as text."""


class Judge:
    """broken: promises, in words; exceeded: limits, which count unless qb was misled about an order.

    halted_at: since when trading is halted from outside, or 0.
    woke_at: when the machine slept last, the time at which it wakes. bases: yesterday's closes of the stocks that may
    be traded, KRW. secrets: what must not be told. best: highest prices since a time, KRW by symbol, where they matter.
    """

    def __init__(
        self, account: Account, disk: Disk, limits: Limits, now: Callable[[], int],
        bases: Mapping[str, int], secrets: Iterable[str], best: Callable[[int], Mapping[str, int]] = lambda _since: {},
    ) -> None:  # fmt: skip
        self._account, self._disk, self._limits = account, disk, limits
        self._bases, self._worth = dict(bases), account.start
        self.broken, self.exceeded = list[str](), list[str]()
        self.halted_at = self.woke_at = 0
        self._now, self._best = now, best
        self._fills = Fills(lambda: account.core.entries)
        self._sent = set[str]()
        self._secrets = set(secrets)
        self._lost_at = self._seen = self._paid = 0  # paid: KRW from outside before today
        self._size = (0, 0)

    def dawn(self, bases: Mapping[str, int]) -> None:
        """A new day begins. bases: from which prices count, KRW."""
        self._bases.update(bases)
        cash, cost, shares = self._account.worth()
        self._lost_at, self._paid = 0, self._account.paid
        self._worth = cash + min(cost, sum(qty * bases.get(symbol, 0) for symbol, qty in shares.items()))

    def born(self) -> None:
        """A new process begins."""
        self._sent.clear()
        self._fills.born()

    def on_written(self) -> None:
        """The session has written something down."""
        self.broken += self._fills.invented(self._disk.journals[-1])

    def on_sent(self, request: HttpRequest) -> None:
        """An order request is about to leave: its intent is on disk, and nothing forbids it."""
        side = SIDES.get(request.headers["tr_id"])
        if side is None:
            return
        self._secrets |= {request.headers[name].removeprefix("Bearer ") for name in SECRET}
        body = json.loads(request.body)
        looks = (side, body["PDNO"], body["ORD_QTY"], body["ORD_UNPR"])
        intent = self._intent(looks)
        if intent:
            self._sent.add(intent)
        else:
            self.broken.append(f"a request left without an intent of its own on disk: {' '.join(looks)}")
        base = self._bases.get(body["PDNO"])
        why = breach(self._now(), side, int(body["ORD_UNPR"]), base) if base else "a symbol that nobody named"
        if why:
            self.broken.append(f"an order left that no rule may let out: {' '.join(looks)}, {why}")
        if body["PDNO"] in self._account.frozen:
            self.broken.append(f"an order left for shares of which nobody knew what they were: {' '.join(looks)}")
        if side == "BUY" and self.halted_at:
            self.broken.append("a buy left while trading was halted")

    def on_handed(self, request: HttpRequest) -> None:
        """The session wants an order request to leave, whether or not it is let out."""
        if SIDES.get(request.headers["tr_id"]) != "BUY":
            return
        now, since = self._now(), self._halted_inside()
        if self.halted_at and now - max(self.halted_at, self.woke_at) > HALT_SEEN_AFTER:
            self.broken.append("a buy was handed over while trading was halted")
        if self._day_is_over():
            self.broken.append("a buy was handed over after the day's loss had ended the day")
        if since and now - since > HALT_MEANT_AFTER:
            self.broken.append("a buy was handed over after the session had halted itself")
        if self._lost_at and now - self._lost_at > LOSS_KNOWN_AFTER and self._has_lost():
            self.exceeded.append("a buy was handed over long after KIS had booked the loss that ends the day")

    def _intent(self, looks: Looks) -> str:
        """The id of an intent of this process that looks so and for which nothing left yet, or ""."""
        journal = self._disk.journals[-1]
        used = self._sent | {row.order_id for row in journal.read() if isinstance(row, OrderNotSent)}
        for row in journal.on_disk():
            if isinstance(row, OrderSending) and row.order.order_id not in used and row.order.order_id[0] != "L":
                order = row.order
                price = 0 if order.kind is OrderKind.MARKET else order.price
                if (order.side.value, order.symbol, str(order.qty), str(price)) == looks:
                    return order.order_id
        return ""

    def _day_is_over(self) -> bool:
        today = kst_date(self._now())
        return any(
            isinstance(row, RiskStateChanged) and row.state is RiskState.HALTED and row.reason == "daily-loss"
            and kst_date(row.ts) == today
            for journal in self._disk.journals for row in journal.read()
        )  # fmt: skip

    def _halted_inside(self) -> int:
        """Since when the newest session says that it is halted, or 0."""
        rows = self._disk.journals[-1].read() if self._disk.journals else ()
        states = [row for row in rows if isinstance(row, RiskStateChanged) and not row.symbol]
        return states[-1].ts if states and states[-1].state is RiskState.HALTED else 0

    def on_answered(self, body: bytes) -> None:
        """KIS answered an order request, whether or not the answer arrives."""
        try:
            code = json.loads(body).get("msg_cd", "")
        except (ValueError, AttributeError):
            return
        if code in NEVER:
            self.broken.append(f"an order reached KIS that no rule may let out: {code}")

    def on_picture(self, status: Status) -> None:
        """The session was looked at."""
        self.on_text(msgspec.json.encode(status).decode())

    def on_text(self, text: str) -> None:
        """A text leaves the process: no secret may stand in it."""
        if any(secret in text for secret in self._secrets if secret):
            self.broken.append("a key, a secret, a token or a whole account number was shown")

    def look(self) -> None:
        """Look at the account after a request has arrived; only an order gives a reason for a second look."""
        size = len(self._account.core.entries), len(self._account.foreign)
        if size == self._size:
            return
        self._size = size
        account = self._account
        entries = [entry for entry in account.ours() if entry.action is Action.NEW]
        if len(entries) == self._seen:
            return
        self._seen = len(entries)
        buys = [entry for entry in entries if entry.ticket.side is Side.BUY]
        limits, (cash, cost, shares) = self._limits, account.worth()
        if account.unsaid:
            cost = account.cost({symbol: qty for symbol, qty in shares.items() if symbol not in account.unsaid})
        bound = sum(entry.remaining * entry.limit for entry in buys if entry.is_open)
        at_work = bound + cost
        if at_work > limits.max_budget:
            self.exceeded.append(f"money at work is {at_work:,}, the limit {limits.max_budget:,}")
        today = sum(entry.day == kst_date(self._now()) for entry in buys)
        if today > limits.max_entries:
            self.exceeded.append(f"{today} entries of a day, the limit is {limits.max_entries}")
        left, began = cash + self._paid - bound, account.start + self._paid
        if left < began * limits.cash_share // PPB - SLACK and not account.raided:
            self.exceeded.append(f"cash fell to {left:,}, below the reserve")
        self._lost_at = (self._lost_at or self._now()) if self._has_lost() else 0
        approved = sum(isinstance(row, OrderApproved) for journal in self._disk.journals for row in journal.read())
        if len(entries) > approved:
            self.exceeded.append(f"KIS has {len(entries)} orders, the journals {approved} approved ones")

    def _has_lost(self) -> bool:
        """Whether KIS has booked a loss that ends the day, whatever the shares that are held have gained by then.

        A gain makes up for it, and a price that qb knows is at most so old as a loss that it may not know of.
        """
        cash, cost, shares = self._account.worth()
        if self._account.raided or cash + cost - self._worth > -self._limits.daily_loss:
            return False
        best = self._best(self._now() - LOSS_KNOWN_AFTER)
        worth = max(cost, sum(qty * best.get(symbol, 0) for symbol, qty in shares.items()))
        return cash + worth - self._worth <= -self._limits.daily_loss

    def sometimes(self) -> Counter[str]:
        """How often what the journals tell happened, by event and reason."""
        found = Counter[str]()
        for journal in self._disk.journals:
            for row in journal.read():
                found[f"event {row.__class__.__name__}"] += isinstance(row, RARE)
                found[f"alert {getattr(row, 'code', '')}"] += isinstance(row, Alert)
        return found

    def leaks(self, journals: Iterable[Iterable[Event]]) -> Iterator[str]:
        """Secrets in what was written down."""
        told = b"".join(msgspec.json.encode(tuple(rows)) for rows in journals)
        if any(secret.encode() in told for secret in self._secrets if secret):
            yield "a journal holds a key, a secret, a token or a whole account number"

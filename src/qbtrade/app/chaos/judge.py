"""Watches a virtual world from outside and names every broken promise: by requests, journals and the broker's books."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.orders import Action, Entry
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.excuse import indistinct, just_come, strays, unexcused
from qbtrade.app.chaos.fills import Fills
from qbtrade.app.chaos.law import Becomes, books, breach, cost_of, costs
from qbtrade.app.chaos.resolved import Sight
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
    foreign: numbers of orders that others made, paid: KRW that came. raided: symbols of which others sold shares of qb,
    or of which one that a night left was in part theirs.
    is_misled: somebody told qb that an order of others was its own; misnamed: numbers of such orders.
    """

    def __init__(
        self, core: Emulator, disk: Disk, limits: Limits, cash: int, now: Callable[[], int],
        bases: Mapping[str, int], secrets: Iterable[str], best: Callable[[int], Mapping[str, int]] = lambda _since: {},
    ) -> None:  # fmt: skip
        self._core, self._disk, self._limits, self._cash = core, disk, limits, cash
        self._bases, self._worth = dict(bases), cash
        self.broken, self.exceeded = list[str](), list[str]()
        self.halted_at = self.woke_at = self.paid = 0
        self.foreign, self.misnamed = set[int](), set[int]()
        self.raided = set[str]()
        self.is_misled = False
        self._now, self._best = now, best
        self._fills = Fills(lambda: core.entries)
        self._sent = set[str]()
        self._secrets = set(secrets)
        self._lost_at = self._seen = self._excused = 0
        self._size = (0, 0)
        self._nights, self._frozen = list[Becomes](), set[str]()
        self._strays = list[Entry]()

    def dawn(self, bases: Mapping[str, int], becomes: Iterable[Becomes], frozen: Iterable[str]) -> None:
        """A new day begins. bases: from which prices count, KRW. becomes: what became of shares overnight.

        frozen: stocks of qb of whose shares nobody can say yet what they have become.
        """
        tonight = list(becomes)
        ours, every = (books(entries, 0, self._nights)[1] for entries in (self._ours(), self._core.entries))
        for each in tonight:
            if every.get(each.symbol, 0) * each.new % each.old and every[each.symbol] != ours.get(each.symbol):
                self.raided.add(each.symbol)
        self._bases.update(bases)
        self._nights += tonight
        cash, cost, shares = self._account()
        self._frozen = {symbol for symbol in self._frozen | set(frozen) if shares.get(symbol)}
        self._lost_at, self._worth = (
            0,
            cash + min(cost, sum(qty * bases.get(symbol, 0) for symbol, qty in shares.items())),
        )

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
        if body["PDNO"] in self._frozen:
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
        size = len(self._core.entries), len(self.foreign)
        if size == self._size:
            return
        self._size = size
        entries = [entry for entry in self._ours() if entry.action is Action.NEW]
        if len(entries) == self._seen:
            return
        self._seen = len(entries)
        buys = [entry for entry in entries if entry.ticket.side is Side.BUY]
        limits, (cash, cost, shares) = self._limits, self._account()
        unsaid = self.raided | self._frozen  # others may buy back what they sold: whose shares those are is open then
        if unsaid:
            cost = cost_of(
                self._ours(), {name: qty for name, qty in shares.items() if name not in unsaid}, self._nights
            )
        bound = sum(entry.remaining * entry.limit for entry in buys if entry.is_open)
        at_work = bound + cost
        if at_work > limits.max_budget:
            self.exceeded.append(f"money at work is {at_work:,}, the limit {limits.max_budget:,}")
        today = sum(entry.day == kst_date(self._now()) for entry in buys)
        if today > limits.max_entries:
            self.exceeded.append(f"{today} entries of a day, the limit is {limits.max_entries}")
        if cash - bound < self._cash * limits.cash_share // PPB - SLACK and not self.raided:
            self.exceeded.append(f"cash fell to {cash - bound:,}, below the reserve")
        self._lost_at = (self._lost_at or self._now()) if self._has_lost() else 0
        approved = sum(isinstance(row, OrderApproved) for journal in self._disk.journals for row in journal.read())
        if len(entries) > approved:
            self.exceeded.append(f"KIS has {len(entries)} orders, the journals {approved} approved ones")

    def _ours(self) -> Iterator[Entry]:
        return (entry for entry in self._core.entries if entry.number not in self.foreign)

    def _account(self) -> tuple[int, int, dict[str, int]]:
        """Cash, what shares cost, KRW, and shares, as if nobody else had traded or moved money."""
        ledger = self._core.ledger
        if not self.foreign:
            held = {symbol: position for symbol, position in ledger.positions.items() if position.qty}
            cost = sum(position.cost for position in held.values())
            return ledger.cash - self.paid, cost, {symbol: position.qty for symbol, position in held.items()}
        cash, shares = books(self._ours(), self._cash, self._nights)
        left = {symbol: min(qty, ledger.held(symbol)) for symbol, qty in shares.items()}
        return cash, cost_of(self._ours(), left, self._nights), left

    def _has_lost(self) -> bool:
        """Whether KIS has booked a loss that ends the day, whatever the shares that are held have gained by then.

        A gain makes up for it, and a price that qb knows is at most so old as a loss that it may not know of.
        """
        cash, cost, shares = self._account()
        if self.raided or cash + cost - self._worth > -self._limits.daily_loss:
            return False
        best = self._best(self._now() - LOSS_KNOWN_AFTER)
        worth = max(cost, sum(qty * best.get(symbol, 0) for symbol, qty in shares.items()))
        return cash + worth - self._worth <= -self._limits.daily_loss

    def sometimes(self) -> Counter[str]:
        """How often what the journals tell happened, by event and reason."""
        found = Counter[str]({"worked on after the end, named, its number never told": self._excused})
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

    def forgive(self, sight: Sight, healed: int, *, told_who: bool) -> None:
        """Take orders of others for ours where qb could not tell them apart. told_who: somebody said who qb is.

        healed: since when nothing goes wrong, UTC ns.
        """
        journals = [journal.read() for journal in self._disk.journals]
        mistaken = indistinct(journals, self._core.entries, self.foreign, sight, told_who=told_who)
        self.foreign -= mistaken
        self._strays = strays(journals, self._ours(), mistaken | self.misnamed, healed)
        self.is_misled |= bool(mistaken)

    def compare(self, cash: int, positions: dict[str, int], own: dict[str, int]) -> None:
        """The book after everything has healed. positions: all of them; own: those that qb bought.

        KIS's costs of a day are estimates: what others gain or lose within them is found by the next start.
        """
        true_cash, theirs = books(self._core.entries, self._cash + self.paid, self._nights)
        loose = Counter[str]()
        for stray in self._strays:
            loose[stray.ticket.symbol] += stray.filled
        if any(abs(positions.get(each, 0) - theirs.get(each, 0)) > loose[each] for each in positions.keys() | theirs):
            self.broken.append(f"shares: {positions} in the book, {theirs} at the broker")
        rounded = costs(self._core.entries, kst_date(self._now())) if self.foreign or self._strays else 0
        if abs(cash - true_cash) > rounded + sum(stray.amount for stray in self._strays):
            self.broken.append(f"cash: {cash:,} in the book, {true_cash:,} at the broker")
        bought = books(self._ours(), 0, self._nights)[1]
        unsaid = self.raided | self._frozen  # of which it is open how many of the shares there are qb's
        sides = ({symbol: qty for symbol, qty in each.items() if symbol not in unsaid} for each in (own, bought))
        if len({tuple(sorted(each.items())) for each in sides}) > 1 and not self.is_misled:
            self.broken.append(f"shares of qb: {own} in the book, {bought} by its orders at the broker")
        self._compare_orders()

    def _compare_orders(self) -> None:
        journals = [journal.read() for journal in self._disk.journals]
        ours = [entry for entry in self._ours() if entry.action is Action.CANCEL]
        cut = [entry.original for entry in ours if entry.original in self.foreign]
        if cut:
            self.broken.append(f"orders of others were canceled: {cut}")
        left = [entry for entry in self._ours() if entry.remaining and entry.action is not Action.CANCEL]
        left = [entry for entry in left if not just_come(entry, journals, self._now())]
        if self.is_misled:  # the true one is nobody's
            left = []
        if self._core.side == "paper":
            guilty = unexcused(left, journals[-1])
            self._excused += len(left) - len(guilty)
            left = guilty
        if left:
            numbers = [entry.number for entry in left]
            self.broken.append(f"orders still work at the broker after the end: {numbers}")

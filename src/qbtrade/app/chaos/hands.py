"""Others in the account of a virtual world: a person with KIS's app, a second program on another machine, money moved.

Sometimes their order is exactly like one of ours. A person who is asked which is whose looks into the app, and answers
as `qb orders resolve` does.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from qbtrade.adapters.emulator.desk import API_ADDRESS, HAND_ADDRESS, entry_id
from qbtrade.adapters.emulator.notices import BRANCH
from qbtrade.adapters.emulator.orders import Action, Entry
from qbtrade.adapters.emulator.wire import Reply, Request
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow, Sender
from qbtrade.app.chaos.account import Account
from qbtrade.app.chaos.audit import ASKS
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.fate import Board
from qbtrade.app.chaos.market import BASES, OTHERS
from qbtrade.app.chaos.world import World
from qbtrade.app.live.known_orders import Known, KnownOrder, answer_for, known_among
from qbtrade.domain.calendar import KST, MINUTE, NS, kst_date
from qbtrade.domain.events import Alert
from qbtrade.domain.money import PPB
from qbtrade.domain.order import Side
from qbtrade.errors import QbError

MOST: Final = 4
"""Trades of one kind of others in a day."""
LOOKS_EVERY: Final = 15 * NS
"""How often the person looks whether qb asks something."""
THINKS: Final = 90 * NS
"""The person answers by then, or later when qb does not take the answer yet."""
SOON: Final = 20 * NS
"""An order exactly like ours comes by then."""
ALIKE: Final = 2
"""One order of ours in so many has such a twin."""
WRONG: Final = 8
"""One answer in so many says that qb sent what it did not."""
AWAY: Final = (0, 96, 104)
"""Percent of the close at which others order: at the market, through it, or where an order works on."""
GRID: Final = 500
"""KRW, on the grid at every price."""
PAID: Final = 3_000_000
"""KRW that come or go at once, at most."""
CHANNELS: Final = {"second-machine": "api", "by-hand": "hts"}
SIDES: Final = {"TTTC0011U": Side.SELL, "TTTC0012U": Side.BUY}


class Hands:
    """Draws what others do in an account, and does it."""

    def __init__(
        self, world: World, disk: Disk, board: Board, account: Account, environment: Environment,
        symbols: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._world, self._disk, self._board, self._account = world, disk, board, account
        self._environment, self._symbols = environment, symbols
        self._rng = Random(f"{world.plan.seed}:hands")
        self._channels, self._ends = list[str](), 0
        self._due: dict[tuple[str, str], int] = {}

    def draw(self, begins: int) -> None:
        """Plan what others do on a day that begins now."""
        world, rng = self._world, self._rng
        self._ends = begins + world.plan.trouble * MINUTE
        self._channels.clear()
        if self._happens("payment"):
            world.at(rng.randrange(begins, self._ends), partial(self._pay, rng.randrange(-PAID, PAID)))
        if world.plan.side == "paper":
            return
        self._channels += [channel for name, channel in CHANNELS.items() if self._happens(name)]
        for channel in self._channels:
            for _ in range(rng.randrange(1, MOST)):
                world.at(rng.randrange(begins, self._ends), partial(self._trade, channel))
        if self._channels:
            world.at(begins + LOOKS_EVERY, self._look)
            world.at(self._ends, self._withdraw)
        if "hts" in self._channels and rng.getrandbits(1):
            for symbol in OTHERS:
                world.at(begins + NS, partial(self._place, "hts", symbol, Side.BUY, 1, 0))

    def _happens(self, name: str) -> bool:
        happens = self._rng.randrange(PPB) < self._world.plan.rate(name)
        self._world.sometimes[name] += happens
        return happens

    # trading

    def on_sent(self, request: HttpRequest) -> None:
        """An order of ours leaves; perhaps somebody enters the same by hand."""
        side = SIDES.get(request.headers["tr_id"])
        if not self._channels or side is None or self._world.now >= self._ends or self._rng.randrange(ALIKE):
            return
        body = msgspec.json.decode(request.body, type=dict[str, str])
        channel, shares = self._rng.choice(self._channels), int(body["ORD_QTY"])
        place = partial(self._place, channel, body["PDNO"], side, shares, int(body["ORD_UNPR"]))
        due = self._world.now + self._rng.randrange(SOON)
        if due < self._ends:  # what works on is withdrawn then, and nobody would withdraw this
            self._world.at(due, place)

    def _trade(self, channel: str) -> None:
        rng, symbol = self._rng, self._rng.choice(self._symbols)
        side = Side.BUY if rng.randrange(3) else Side.SELL
        price = BASES[symbol] * rng.choice(AWAY) // 100 // GRID * GRID
        self._place(channel, symbol, side, rng.randrange(1, 9), price)

    def _place(self, channel: str, symbol: str, side: Side, qty: int, price: int) -> None:
        """Others sell what is theirs, but sometimes what is qb's."""
        theirs = side is Side.BUY or self._free(symbol) >= qty
        if not theirs and self._rng.randrange(MOST):
            return

        def on_taken(told: dict[str, Any]) -> None:
            if "number" in told:
                self._account.foreign.add(int(told["number"]))
                self._account.raided |= set() if theirs else {symbol}
                self._world.sometimes[f"others' {side.value.lower()} ({channel})"] += 1

        asked = {"symbol": symbol, "side": side.value, "qty": qty, "price": price, "channel": channel}
        self._control("POST", "orders", asked, on_taken)

    def _withdraw(self) -> None:
        """When everything heals others let nothing work on: no look could see what filled just before the end."""

        def on_taken(told: dict[str, Any]) -> None:
            if "number" in told:
                self._account.foreign.add(int(told["number"]))

        for entry in self._others():
            if entry.remaining and entry.action is Action.NEW:
                self._control("DELETE", "orders", {"number": entry.number}, on_taken)

    def _free(self, symbol: str) -> int:
        """Shares of others that no order of theirs sells."""
        entries = [entry for entry in self._others() if entry.ticket.symbol == symbol]
        bought = sum(entry.filled for entry in entries if entry.ticket.side is Side.BUY)
        return bought - sum(entry.filled + entry.remaining for entry in entries if entry.ticket.side is Side.SELL)

    def _others(self) -> list[Entry]:
        return [entry for entry in self._world.core.entries if entry.number in self._account.foreign]

    def _pay(self, krw: int) -> None:
        self._account.paid += krw
        self._control("PUT", "cash", {"krw": krw})

    def _control(
        self, method: str, what: str, said: dict[str, Any], then: Callable[[dict[str, Any]], None] = lambda _told: None
    ) -> None:
        """Tell the local KIS what others do; then: hears its answer before anybody looks at the account."""

        def on_reply(reply: Reply) -> None:
            if reply.answer is not None:
                then(msgspec.json.decode(reply.answer.body))

        self._world.request(Request(method, f"/emulator/{what}", {}, {}, msgspec.json.encode(said)), on_reply)

    # answering

    def _look(self) -> None:
        """See what the newest session asks, and answer what it asked a while ago."""
        world = self._world
        world.at(world.now + LOOKS_EVERY, self._look)
        journal = self._disk.journals[-1] if self._disk.journals else None
        asks = {row.text for row in journal.read() if isinstance(row, Alert) and row.code in ASKS} if journal else ()
        if journal is None or not asks:
            return
        known = known_among(journal.read())
        for order in known.orders.values():
            if order.is_unknown and any(f"order {order.order_id}" in text for text in asks):
                due = self._due.setdefault((journal.name, order.order_id), world.now + self._rng.randrange(THINKS))
                if world.now >= max(due, order.sent_at + self._environment.limits.give_up_after_ns):
                    self._answer(journal.name, known, order)

    def _answer(self, run_id: str, known: Known, order: KnownOrder) -> None:
        """Say what the app shows: which order qb sent, or that there is none. Now and then that is a mistake."""
        others, looks = self._account.foreign, order.request
        alike = [
            entry for entry in self._today()
            if entry.action is Action.NEW and str(entry.number) not in known.of_others(order)
            and (entry.ticket.symbol, entry.ticket.side, entry.ticket.qty, entry.ticket.price)
            == (looks.symbol, looks.side, looks.qty + order.before, looks.price)
        ]  # fmt: skip
        is_wrong = not self._rng.randrange(WRONG) and self._world.now < self._ends  # that is a fault, too, and heals
        meant = [entry.number for entry in alike if (entry.number in others) is is_wrong]
        number = str(meant[0]) if meant else ""
        try:
            answer = answer_for(
                known, order, number, self._rows(), self._environment, run_id=run_id, reason="seen in the app",
                given=self._world.now, not_mine=() if number else [str(entry.number) for entry in alike],
            )  # fmt: skip
        except QbError as error:  # as anybody whom `qb orders resolve` refuses, the person tries again
            self._world.note("unresolved", error.message)
            return
        self._board.given[run_id, order.order_id] = answer
        self._world.sometimes[f"answered {'with a number' if number else 'gone'}{', wrongly' * is_wrong}"] += 1
        may_come = not number and self._world.plan.rate("arrives-late") > 0
        self._account.is_misled |= is_wrong or may_come
        if is_wrong and number:
            others.discard(int(number))
            self._account.misnamed.add(int(number))

    def _today(self) -> list[Entry]:
        return [entry for entry in self._world.core.entries if entry.day == kst_date(self._world.now)]

    def _rows(self) -> OrderHistory:
        """The day's orders as the app shows them."""
        rows = [
            OrderRow(
                day=entry.day, at=datetime.fromtimestamp(entry.ts / NS, KST).time(), branch=BRANCH["real"],
                order_no=str(entry.number), original_no=str(entry.original or ""), symbol=entry.ticket.symbol,
                side=entry.ticket.side, code=entry.ticket.code, qty=entry.ticket.qty, price=entry.ticket.price,
                filled_qty=entry.filled, filled_amount=entry.amount, open_qty=entry.remaining, canceled_qty=entry.gone,
                rejected_qty=entry.rejected,
                sender=Sender(entry_id(entry), HAND_ADDRESS if entry.by_hand else API_ADDRESS),
            )
            for entry in self._today()
        ]  # fmt: skip
        return OrderHistory(tuple(rows), 0, 0, 0)

"""One symbol traded by crossings, told again from raw prints by one small agenda: what a rehearsal over bars must have done.

No engine, bus or exchange: a heap of moments and one record. It knows limit orders, one share of a print's volume, stop-losses
that are priced anew every two seconds, remainders that end after ten, and nothing that a single symbol cannot meet.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Final

import msgspec

SECOND: Final = 1_000_000_000
BILLION: Final = 1_000_000_000
LATENCY: Final = 50_000_000
PATIENCE: Final = 2 * SECOND
LIFETIME: Final = 10 * SECOND


class Day(msgspec.Struct, frozen=True):
    """One session. ends: of the continuous phase; steps: (price from which it holds, tick); fee, duty: ppb."""

    opens: int
    ends: int
    steps: tuple[tuple[int, int], ...]
    fee: int
    duty: int
    lower: int
    upper: int

    def tick(self, price: int) -> int:
        """The tick at a price."""
        return max(step for step in self.steps if step[0] <= price)[1]

    def above(self, price: int) -> int:
        """The next grid price above."""
        tick = self.tick(price)
        return price // tick * tick + tick

    def below(self, price: int) -> int:
        """The next grid price below."""
        return (price - 1) // self.tick(price - 1) * self.tick(price - 1)


class Money(msgspec.Struct, frozen=True):
    """What the session was given. share, reserve, stop: ppb."""

    cash: int = 10_000_000
    budget: int = 100_000
    share: int = 50_000_000
    reserve: int = 200_000_000
    stop: int = 30_000_000
    most: int = 100_000


class Ticket(msgspec.Struct):
    """One order on its way or in the book."""

    is_buy: bool
    qty: int
    limit: int
    purpose: str
    made: int
    left: int = 0
    is_taker: bool = True
    is_working: bool = False
    is_doomed: bool = False
    amount: int = 0


class Walk:
    """The walk through one symbol's prints. signals, orders, fills: what happened, in order."""

    def __init__(self, days: Iterable[Day], money: Money) -> None:
        self.money, self.cash = money, money.cash
        self.signals: list[tuple[int, str]] = []
        self.orders: list[tuple[int, str, int, int, str]] = []
        self.denied: list[tuple[int, str, str]] = []
        self.fills: list[tuple[int, str, int, int, str]] = []
        self.qty = self.cost = self.realized = self.level = self.day_start = 0
        self.wish = ""
        self.is_leaving = self.is_stopping = False
        self.tickets: list[Ticket] = []
        self.last = self.volume = self.spare = 0
        self._alarm = self._serial = self.now = 0
        self._agenda: list[tuple[int, int, int, str, tuple[object, ...]]] = []
        for day in days:
            self._static(day.opens, "morning", day)
            self._static(day.ends, "evening")

    def add_print(self, ts: int, price: int, qty: int) -> None:
        """A trade that the tape shows."""
        self._agenda.append((ts, 1, len(self._agenda), "tape", (price, qty)))

    def add_crossing(self, ts: int, side: int) -> None:
        """The end of a bar. side: 1 when the averages crossed upwards, -1 downwards, else 0."""
        self._static(ts, "bar", side)

    def _static(self, ts: int, name: str, *args: object) -> None:
        self._agenda.append((ts, 0, len(self._agenda), name, args))

    def _later(self, ts: int, name: str, *args: object) -> None:
        self._serial += 1
        heappush(self._agenda, (ts, 0, self._serial, name, args))

    def run(self) -> None:
        """Go through every moment."""
        self._serial = len(self._agenda)
        heapify(self._agenda)
        while self._agenda:
            self.now, _, _, name, args = heappop(self._agenda)
            getattr(self, f"_{name}")(*args)

    # the day

    def _morning(self, day: Day) -> None:
        self.day = day
        self.day_start = self.cash + self.qty * self.last
        self._arm()

    def _evening(self) -> None:
        if self.is_stopping and self.tickets[0].limit != self._lowest_stop():  # into the auction, which no bar shows
            self.orders.append((self.now + LATENCY, "SELL", self.qty, self._lowest_stop(), "PROTECT"))
        self.tickets.clear()
        self.is_stopping, self.level = False, 0

    def _bar(self, side: int) -> None:
        if self.wish == "BUY":
            self.wish = ""
        if side > 0:
            self.is_leaving = False
        is_busy = bool(self.qty or self.tickets)
        if side > 0 and not is_busy:
            self.wish = "BUY"
            self.signals.append((self.now, "BUY"))
        elif side < 0 and is_busy and self.wish != "SELL":
            self.wish, self.is_leaving = "SELL", True
            self.signals.append((self.now, "SELL"))
        if self.is_leaving and not self.wish:
            self.wish = "SELL"

    # the tape

    def _tape(self, price: int, qty: int) -> None:
        self.last, self.volume = price, qty
        self.spare = max(qty // 10, 1) if qty else 0
        for ticket in [each for each in self.tickets if each.is_working]:
            self._match(ticket)
        selling = sum(ticket.left for ticket in self.tickets if not ticket.is_buy)
        if self.level and not self.is_stopping and price <= self.level:
            self.is_stopping = True
            self._protect()
        wish, self.wish = self.wish, ""
        if wish == "BUY":
            self._enter()
        elif wish and not self.qty:
            self.is_leaving = False
        elif wish and self.qty > selling:
            self._leave(self.qty - selling)

    def _match(self, ticket: Ticket) -> None:
        """Take from the newest print what the ticket may have of it."""
        if not self.volume or not self.day.lower <= self.last <= self.day.upper:
            return
        taken = self._taken(ticket)
        if ticket.is_taker and not taken:
            ticket.is_taker = False  # the market moved away
        is_through = self.last < ticket.limit if ticket.is_buy else self.last > ticket.limit
        price = taken if ticket.is_taker else ticket.limit if is_through else 0
        qty = min(ticket.left, self.spare) if price else 0
        if qty:
            self.spare -= qty
            self._book(ticket, price, qty)

    def _taken(self, ticket: Ticket) -> int:
        """What a share costs or brings at once, one tick beyond the print; 0 when the limit forbids it."""
        if ticket.is_buy:
            price = self.day.above(self.last)
            return price if price <= ticket.limit else 0
        price = self.day.below(self.last)
        return price if price >= ticket.limit else 0

    def _book(self, ticket: Ticket, price: int, qty: int) -> None:
        fee, duty, before, after = self.day.fee, self.day.duty, ticket.amount, ticket.amount + price * qty
        ticket.amount, ticket.left = after, ticket.left - qty
        self.cash -= after * fee // BILLION - before * fee // BILLION
        if ticket.is_buy:
            self.cash, self.qty, self.cost = self.cash - price * qty, self.qty + qty, self.cost + price * qty
        else:
            self.cash += price * qty - (after * duty // BILLION - before * duty // BILLION)
            given = self.cost * qty // self.qty
            self.qty, self.cost, self.realized = self.qty - qty, self.cost - given, self.realized + price * qty - given
        self.fills.append((self.now, "BUY" if ticket.is_buy else "SELL", qty, price, ticket.purpose))
        if not ticket.left:
            self.tickets.remove(ticket)
        if not self.qty:
            self.is_stopping, self.level = False, 0
        self._arm()

    # orders

    def _enter(self) -> None:
        money, day = self.money, self.day
        limit = min(day.above(day.above(day.above(self.last - 1))), day.upper)
        equity = self.cash + self.qty * self.last
        budget = money.budget + min(self.realized, 0)
        free = max(self.cash - -(-equity * money.reserve // BILLION), 0) * BILLION // (BILLION + day.fee)
        bounds = {"budget": budget, "position-share": self.day_start * money.share // BILLION, "cash-reserve": free}
        qty = max(1, min(money.most, *(bound // limit for bound in bounds.values())))
        refusal = next((name for name, bound in bounds.items() if qty * limit > bound), "")
        if refusal:
            self.denied.append((self.now, "BUY", refusal))
        else:
            self._send(Ticket(True, qty, limit, "ENTRY", self.now))

    def _leave(self, qty: int) -> None:
        if self.is_stopping:  # the stop-loss saw the same print first and offers every share
            self.denied.append((self.now, "SELL", "sell-qty"))
        else:
            day = self.day
            limit = max(day.below(day.below(day.below(self.last + 1))), day.lower)
            self._send(Ticket(False, qty, limit, "EXIT", self.now))

    def _stop_price(self) -> int:
        return max(self.day.below(self.day.below(self.last)), self._lowest_stop())

    def _lowest_stop(self) -> int:
        return self.day.above(max(-(-self.last * 97 // 100), self.day.lower) - 1)

    def _send(self, ticket: Ticket) -> None:
        ticket.left = ticket.qty
        self.tickets.append(ticket)
        self.orders.append((self.now, "BUY" if ticket.is_buy else "SELL", ticket.qty, ticket.limit, ticket.purpose))
        self._later(self.now + LATENCY, "arrive", ticket)

    def _arrive(self, ticket: Ticket) -> None:
        if ticket not in self.tickets:
            return
        ticket.is_working, ticket.is_taker = True, bool(self._taken(ticket))
        if ticket.purpose != "PROTECT":
            self._later(self.now + LIFETIME, "expire", ticket)
        if ticket.is_taker and self.now < self.day.ends:
            self._match(ticket)

    def _expire(self, ticket: Ticket) -> None:
        if ticket in self.tickets and not ticket.is_doomed:
            ticket.is_doomed = True
            self._later(self.now + LATENCY, "end", ticket)

    def _end(self, ticket: Ticket) -> None:
        if ticket in self.tickets:
            self.tickets.remove(ticket)
            if self.is_stopping:
                self._protect()

    # the stop-loss

    def _arm(self) -> None:
        if self.qty and not self.is_stopping:
            self.level = self.cost * (BILLION - self.money.stop) // (self.qty * BILLION)

    def _protect(self) -> None:
        self._send(Ticket(False, self.qty, self._stop_price(), "PROTECT", self.now))
        self._set_alarm()

    def _set_alarm(self) -> None:
        self._alarm += 1
        self._later(self.now + PATIENCE, "look_again", self._alarm)

    def _look_again(self, alarm: int) -> None:
        if alarm == self._alarm and self.is_stopping:
            self._set_alarm()
            for ticket in self.tickets:
                if ticket.limit != self._stop_price():
                    self._expire(ticket)

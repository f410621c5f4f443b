"""One symbol traded by crossings, told again from raw prints by one small agenda: what a rehearsal must have done.

No engine, bus or exchange: a heap of moments and one record. It knows limit orders, a tenth of each print's volume,
stop-losses that are priced anew every two seconds, remainders that end after ten, and nothing that a single symbol
cannot meet.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Final

from tests.oracle.tickets import BILLION, Day, Money, Ticket

LATENCY: Final = 50_000_000
PATIENCE: Final = 2_000_000_000
LIFETIME: Final = 10_000_000_000


class Walk:
    """The walk through one symbol's prints. signals, orders, denied, fills: what happened, in order."""

    def __init__(self, days: Iterable[Day], money: Money) -> None:
        self.money, self.cash = money, money.cash
        self.signals: list[tuple[int, str]] = []
        self.orders: list[tuple[int, str, int, int, str]] = []
        self.denied: list[tuple[int, str, str]] = []
        self.fills: list[tuple[int, str, int, int, str]] = []
        self.qty = self.cost = self.realized = self.level = self.day_start = self.entries = 0
        self.wish = ""
        self.is_leaving = self.is_stopping = self.stands = False
        self.tickets: list[Ticket] = []
        self.last = self.volume = self.spare = self.now = 0
        self._alarm = self._serial = 0
        self._agenda: list[tuple[int, int, int, str, tuple[object, ...]]] = []
        for day in days:
            self._plan(day.opens, "morning", day)
            self._plan(day.ends, "evening")
            self._plan(day.closes, "night")

    def add_print(self, ts: int, price: int, qty: int, *, auction: bool, stands: bool) -> None:
        """A trade that the tape shows.

        stands: it stands for more that follow, so that who arrives then trades at once.
        """
        self._agenda.append((ts, 1, len(self._agenda), "tape", (price, qty, auction, stands)))

    def add_crossing(self, ts: int, side: int) -> None:
        """The end of a bar. side: 1 when the averages crossed upwards, -1 downwards, else 0."""
        self._plan(ts, "bar", side)

    def _plan(self, ts: int, name: str, *args: object) -> None:
        self._agenda.append((ts, 0, len(self._agenda), name, args))

    def _later(self, delay: int, name: str, *args: object) -> None:
        self._serial += 1
        heappush(self._agenda, (self.now + delay, 0, self._serial, name, args))

    def run(self) -> None:
        """Go through every moment; what was planned comes before the prints of its moment."""
        self._serial = len(self._agenda)
        heapify(self._agenda)
        while self._agenda:
            self.now, _, _, name, args = heappop(self._agenda)
            getattr(self, f"_{name}")(*args)

    # the day

    def _morning(self, day: Day) -> None:
        self.day, self.entries = day, 0
        self.day_start = self.cash + self.qty * self.last
        self._arm()

    def _evening(self) -> None:
        """The closing auction begins: a stop-loss that could not sell goes into it as low as it may."""
        if self.is_stopping:
            self._reprice()

    def _night(self) -> None:
        self.tickets.clear()
        self.is_stopping, self.level = False, 0

    def _bar(self, side: int) -> None:
        if self.wish == "BUY":
            self.wish = ""
        if side > 0:
            self.is_leaving = False
        for ticket in self.tickets if side < 0 else ():
            if ticket.is_buy:
                self._doom(ticket)
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

    def _tape(self, price: int, qty: int, auction: bool, stands: bool) -> None:  # noqa: FBT001 - called by name
        """The print is handed out first, but whoever decides on it still sees the books without what it gave."""
        self.last, self.volume, self.spare, self.stands = price, qty, max(qty // 10, 1) if qty else 0, stands
        is_auction = self.now >= self.day.ends
        given: list[tuple[Ticket, int, int]] = []
        for ticket in sorted((each for each in self.tickets if each.is_working), key=lambda each: each.rank):
            if auction or not is_auction:
                given += self._match(ticket, auction=auction)
        decided = [] if is_auction else self._decide()
        for ticket, paid, shares in given:
            self._book(ticket, paid, shares)
        for ticket in decided:
            self._send(ticket)
        if given:
            self._look_at_position()

    def _decide(self) -> list[Ticket]:
        selling = sum(ticket.left for ticket in self.tickets if not ticket.is_buy)
        decided: list[Ticket] = []
        if self.level and not self.is_stopping and self.last <= self.level:
            self.is_stopping = True
            self._set_alarm()
            for ticket in self.tickets:
                self._doom(ticket)
            if self.qty > selling:
                decided.append(self._protection(self.qty - selling))
        wish, self.wish = self.wish, ""
        if wish == "BUY":
            decided += self._entry()
        elif wish and not self.qty:
            self.is_leaving = False
        elif wish and self.qty > selling:
            day, free = self.day, self.qty - selling
            if decided:  # the stop-loss saw the same print and offers every share
                self.denied.append((self.now, "SELL", "sell-qty"))
            else:
                decided.append(
                    Ticket("SELL", free, max(day.below(self.last + 1, 3), day.lowest(self.last)), "EXIT", free)
                )
        return decided

    def _match(self, ticket: Ticket, *, auction: bool) -> list[tuple[Ticket, int, int]]:
        """Take from the newest print what the ticket may have of it."""
        price = ticket.price_at(self.day, self.last, auction=auction) if self.volume else 0
        qty = min(ticket.left, self.spare) if price else 0
        self.spare -= qty
        return [(ticket, price, qty)] if qty else []

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
        self.fills.append((self.now, ticket.side, qty, price, ticket.purpose))
        if not ticket.left:
            self.tickets.remove(ticket)

    # orders

    def _entry(self) -> list[Ticket]:
        money, day = self.money, self.day
        limit = min(day.above(self.last - 1, 3), day.highest(self.last), day.upper)
        equity = self.cash + self.qty * self.last
        free = max(self.cash - -(-equity * money.reserve // BILLION), 0) * BILLION // (BILLION + day.fee)
        bounds = {
            "budget": money.budget + min(self.realized, 0),
            "position-share": self.day_start * money.share // BILLION,
            "cash-reserve": free,
        }
        qty = max(1, min(money.most, *(bound // limit for bound in bounds.values())))
        refusals = ["entries-per-day"] * (self.entries >= money.entries)
        refusals += [name for name, bound in bounds.items() if qty * limit > bound]
        if refusals:
            self.denied.append((self.now, "BUY", refusals[0]))
            return []
        self.entries += 1
        return [Ticket("BUY", qty, limit, "ENTRY", qty)]

    def _send(self, ticket: Ticket) -> None:
        self.tickets.append(ticket)
        self.orders.append((self.now, ticket.side, ticket.qty, ticket.limit, ticket.purpose))
        self._later(LATENCY, "arrive", ticket)

    def _arrive(self, ticket: Ticket) -> None:
        if ticket not in self.tickets:
            return
        is_open = self.now < self.day.ends
        ticket.is_working, ticket.is_taker = True, not is_open or ticket.reaches(ticket.taken(self.day, self.last))
        if ticket.purpose != "PROTECT":
            self._later(LIFETIME, "doom", ticket)
        if ticket.is_doomed:
            self._later(LATENCY, "end", ticket)
        if self.stands and ticket.is_taker and is_open:
            given = self._match(ticket, auction=False)
            for each in given:
                self._book(*each)
            if given:
                self._look_at_position()

    def _doom(self, ticket: Ticket) -> None:
        """Ask to cancel what remains, as soon as the order has arrived."""
        if ticket in self.tickets and not ticket.is_doomed:
            ticket.is_doomed = True
            if ticket.is_working:
                self._later(LATENCY, "end", ticket)

    def _end(self, ticket: Ticket) -> None:
        if ticket in self.tickets:
            self.tickets.remove(ticket)
            self._offer_what_is_free()

    # the stop-loss

    def _arm(self) -> None:
        self.level = self.cost * (BILLION - self.money.stop) // (self.qty * BILLION) if self.qty else 0

    def _look_at_position(self) -> None:
        if not self.qty:
            self.is_stopping, self.level = False, 0
        elif not self.is_stopping:
            self._arm()
        self._offer_what_is_free()

    def _offer_what_is_free(self) -> None:
        free = self.qty - sum(ticket.left for ticket in self.tickets if not ticket.is_buy)
        if self.is_stopping and free:
            self._send(self._protection(free))

    def _protection(self, qty: int) -> Ticket:
        self._set_alarm()
        return Ticket("SELL", qty, self._stop_price(), "PROTECT", qty)

    def _stop_price(self) -> int:
        lowest = self.day.lowest(self.last)
        return lowest if self.now >= self.day.ends else max(self.day.below(self.last, 2), lowest)

    def _set_alarm(self) -> None:
        self._alarm += 1
        self._later(PATIENCE, "look_again", self._alarm)

    def _look_again(self, alarm: int) -> None:
        if alarm == self._alarm and self.is_stopping:
            self._set_alarm()
            self._reprice()

    def _reprice(self) -> None:
        for ticket in self.tickets:
            if ticket.purpose == "PROTECT" and ticket.limit != self._stop_price():
                self._doom(ticket)

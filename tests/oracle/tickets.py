"""What a walk through prints is told and keeps: days with their rules, money, orders."""

import msgspec

BILLION = 1_000_000_000


class Day(msgspec.Struct, frozen=True):
    """One session, UTC ns. ends: of the continuous phase. steps: (price from which it holds, tick); fee, duty: ppb."""

    opens: int
    ends: int
    closes: int
    steps: tuple[tuple[int, int], ...]
    fee: int
    duty: int
    lower: int
    upper: int

    def tick(self, price: int) -> int:
        """The tick at a price."""
        return max(step for step in self.steps if step[0] <= price)[1]

    def above(self, price: int, ticks: int = 1) -> int:
        """So many grid prices above."""
        for _ in range(ticks):
            price = price // self.tick(price) * self.tick(price) + self.tick(price)
        return price

    def below(self, price: int, ticks: int = 1) -> int:
        """So many grid prices below."""
        for _ in range(ticks):
            price = (price - 1) // self.tick(price - 1) * self.tick(price - 1)
        return price

    def highest(self, last: int) -> int:
        """The highest price at which an entry may buy: 3 % above the last."""
        return self.below(last * 103 // 100 + 1)

    def lowest(self, last: int) -> int:
        """The lowest price at which anything may be sold: 3 % below the last, inside the price limits."""
        return self.above(max(-(-last * 97 // 100), self.lower) - 1)


class Money(msgspec.Struct, frozen=True):
    """What the session was given, KRW. share, reserve, stop: ppb. entries: a day."""

    cash: int
    budget: int
    share: int
    reserve: int
    stop: int
    most: int
    entries: int


class Ticket(msgspec.Struct, eq=False):
    """One order on its way or in the book. left: shares that may still fill; amount: KRW traded so far."""

    side: str
    qty: int
    limit: int
    purpose: str
    left: int
    amount: int = 0
    is_taker: bool = True
    is_working: bool = False
    is_doomed: bool = False

    @property
    def is_buy(self) -> bool:
        """Whether it is a buy."""
        return self.side == "BUY"

    @property
    def rank(self) -> tuple[bool, int]:
        """Sells before buys, the keener before the others; what is equal stays in its order."""
        return self.is_buy, -self.limit if self.is_buy else self.limit

    def reaches(self, price: int) -> bool:
        """Whether the limit allows it."""
        return price <= self.limit if self.is_buy else price >= self.limit

    def price_at(self, day: Day, last: int, *, auction: bool) -> int:
        """What a print of `last` gives it, 0 for nothing; it rests from when the market has moved beyond its limit."""
        if not day.lower <= last <= day.upper:
            return 0
        if auction:
            return last if self.reaches(last) else 0
        self.is_taker = self.is_taker and self.reaches(self.taken(day, last))
        if self.is_taker:
            return self.taken(day, last)
        return self.limit if self.reaches(last) and last != self.limit else 0

    def taken(self, day: Day, last: int) -> int:
        """The price of taking: one tick beyond the print."""
        return day.above(last) if self.is_buy else day.below(last)

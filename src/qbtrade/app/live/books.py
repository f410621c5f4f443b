"""Our book while a session begins: what earlier ones left, brought up to what the broker tells."""

from collections.abc import Callable

from msgspec.structs import replace

from qbtrade.app.live.carried import Carried
from qbtrade.domain.events import Leftover
from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side

CostsOf = Callable[[str], Costs]


class Books:
    """Our book while it is brought up to date. paid, qty, amount: costs, shares and KRW of what was booked.

    bought: the part of that KRW that was paid for buys.
    """

    def __init__(self, found: Carried, costs_of: CostsOf) -> None:
        self.positions, self.cash, self.profit = dict(found.positions), (found.cash or 0) + found.aside, found.profit
        self.paid = self.qty = self.amount = self.bought = 0
        self._costs_of = costs_of

    def held(self, symbol: str) -> int:
        """Shares of ours."""
        return self.positions.get(symbol, (0, 0))[0]

    def effect(self, left: Leftover, amount: int) -> tuple[int, int]:
        """What so many more KRW of an order do to cash, and what they cost."""
        costs, total = self._costs_of(left.order.symbol), left.amount + amount
        paid = costs.commission(total) - costs.commission(left.amount)
        if left.order.side is Side.BUY:
            return -amount - paid, paid
        paid += costs.tax(total) - costs.tax(left.amount)
        return amount - paid, paid

    def book(self, left: Leftover, qty: int, amount: int) -> Leftover:
        """Book so many more shares and KRW of an order."""
        change, paid = self.effect(left, amount)
        held, cost = self.positions.get(left.order.symbol, (0, 0))
        gained = -paid
        if left.order.side is Side.BUY:
            self.positions[left.order.symbol] = (held + qty, cost + amount)
            self.bought += amount
        else:
            sold = min(qty, held)
            released = cost * sold // held if held else 0
            self.positions[left.order.symbol] = (held - sold, cost - released)
            gained += amount - released
        self.cash, self.profit, self.paid = self.cash + change, self.profit + gained, self.paid + paid
        self.qty, self.amount = self.qty + qty, self.amount + amount
        return replace(left, filled=left.filled + qty, amount=left.amount + amount)

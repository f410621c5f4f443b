"""Positions and the account, to the won."""

import msgspec

from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side


class Position:
    """Shares of one symbol, what they cost without fees, and the gross profit taken so far; KRW."""

    __slots__ = ("cost", "qty", "realized")

    def __init__(self) -> None:
        self.qty = 0
        self.cost = 0
        self.realized = 0

    def buy(self, price: int, qty: int) -> None:
        """Take `qty` shares at `price` KRW. Raises: ValueError unless qty is positive."""
        if qty <= 0:
            raise ValueError(f"cannot buy {qty}")
        self.qty += qty
        self.cost += price * qty

    def sell(self, price: int, qty: int) -> int:
        """Give up `qty` shares at `price` KRW; the gross profit of it. Raises: ValueError if more than held."""
        if not 0 < qty <= self.qty:
            raise ValueError(f"cannot sell {qty} of {self.qty}")
        released = self.cost * qty // self.qty  # the remainder stays in cost; nothing is lost
        realized = price * qty - released
        self.qty -= qty
        self.cost -= released
        self.realized += realized
        return realized


class Booking(msgspec.Struct, frozen=True):
    """What one fill paid and earned, KRW. realized: gross."""

    commission: int
    tax: int
    realized: int


class Account:
    """D+2 cash and positions. Always: cash + total_cost() == deposits + realized - commission - tax."""

    def __init__(self, cash: int) -> None:
        self.cash = cash
        self.deposits = cash
        self.realized = 0
        self.commission = 0
        self.tax = 0
        self.positions: dict[str, Position] = {}
        self._cost = 0
        self._traded: dict[str, int] = {}

    def total_cost(self) -> int:
        """What all shares held cost, without fees."""
        return self._cost

    def adopt(self, symbol: str, qty: int, cost: int) -> None:
        """Begin with shares that were bought before, at what they cost, KRW."""
        position = self.positions.setdefault(symbol, Position())
        position.qty, position.cost = position.qty + qty, position.cost + cost
        self.deposits += cost
        self._cost += cost

    def correct(self, symbol: str, qty: int, cost: int, cash: int) -> None:
        """Hold what is there: so many shares of a symbol ("" for none in question), and cash, KRW."""
        before = self.cash + self._cost
        if symbol:
            position = self.positions.setdefault(symbol, Position())
            self._cost += cost - position.cost
            position.qty, position.cost = qty, cost
        self.cash = cash
        self.deposits += self.cash + self._cost - before

    def resume(self, order_id: str, amount: int) -> None:
        """Go on with an order of which so many KRW were booked before: its costs are cut to the won on the whole."""
        self._traded[order_id] = amount

    def fill(self, order_id: str, symbol: str, side: Side, price: int, qty: int, costs: Costs) -> Booking:
        """Book one execution. Raises: ValueError for a sale of more than is held.

        Costs are cut to the won on the order's running total; each fill pays what its total adds.
        """
        position = self.positions.get(symbol)
        if position is None:
            position = Position()
        amount, cost = price * qty, position.cost
        before = self._traded.get(order_id, 0)
        after = before + amount
        commission = costs.commission(after) - costs.commission(before)
        tax = realized = 0
        if side is Side.BUY:
            position.buy(price, qty)
            self.cash -= amount
        else:
            realized = position.sell(price, qty)
            tax = costs.tax(after) - costs.tax(before)
            self.cash += amount
        self.positions[symbol] = position
        self._cost += position.cost - cost
        self._traded[order_id] = after
        self.cash -= commission + tax
        self.realized += realized
        self.commission += commission
        self.tax += tax
        return Booking(commission, tax, realized)

"""The account at the broker: positions, and cash by the day on which it settles."""

from collections.abc import Callable
from datetime import date

import msgspec

from qbtrade.domain.calendar import Calendar
from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side
from qbtrade.domain.portfolio import Account, Position


class Turnover(msgspec.Struct):
    """Shares and KRW of one day."""

    bought_qty: int = 0
    sold_qty: int = 0
    bought: int = 0
    sold: int = 0
    costs: int = 0

    def add(self, side: Side, qty: int, amount: int, costs: int) -> None:
        """Count one fill."""
        if side is Side.BUY:
            self.bought_qty, self.bought = self.bought_qty + qty, self.bought + amount
        else:
            self.sold_qty, self.sold = self.sold_qty + qty, self.sold + amount
        self.costs += costs


class Ledger:
    """Books fills to the won. costs_of: rates of a symbol by trading day."""

    def __init__(self, cash: int, calendar: Calendar, costs_of: Callable[[str, date], Costs]) -> None:
        self._account = Account(cash)
        self._calendar, self._costs_of = calendar, costs_of
        self._unsettled: dict[date, int] = {}
        self._days: dict[tuple[date, str], Turnover] = {}

    def fill(self, day: date, order_id: str, symbol: str, side: Side, price: int, qty: int) -> None:
        """Book one execution of a trading day."""
        before = self._account.cash
        booking = self._account.fill(order_id, symbol, side, price, qty, self._costs_of(symbol, day))
        settles = self._calendar.settlement_day(day)
        self._unsettled[settles] = self._unsettled.get(settles, 0) + self._account.cash - before
        for key in (symbol, ""):
            self.turnover(day, key).add(side, qty, price * qty, booking.commission + booking.tax)

    def pay_in(self, krw: int) -> None:
        """Money comes, or goes with a negative number; it has settled."""
        self._account.correct("", 0, 0, self._account.cash + krw)

    def exchange(self, symbol: str, shares: tuple[int, int]) -> None:
        """Shares become so many for so many, at the same cost; no fraction is paid out."""
        position = self._account.positions.get(symbol)
        if position is not None:
            qty = position.qty * shares[0] // shares[1]
            self._account.correct(symbol, qty, position.cost if qty else 0, self._account.cash)

    def turnover(self, day: date, symbol: str = "") -> Turnover:
        """What a day traded in one symbol, or in all."""
        return self._days.setdefault((day, symbol), Turnover())

    @property
    def cash(self) -> int:
        """D+2 cash, KRW."""
        return self._account.cash

    @property
    def positions(self) -> dict[str, Position]:
        """Everything ever held, by symbol; also what was sold out."""
        return self._account.positions

    def held(self, symbol: str) -> int:
        """Shares held."""
        position = self._account.positions.get(symbol)
        return position.qty if position else 0

    def cash_on(self, day: date) -> int:
        """KRW that have settled by the end of a day."""
        return self._account.cash - sum(amount for settles, amount in self._unsettled.items() if settles > day)

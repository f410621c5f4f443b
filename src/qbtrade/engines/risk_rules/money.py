"""Rules about won: loss of the day, money at work, one position, cash."""

from typing import ClassVar

from qbtrade.domain.events import Check
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.money import PPB
from qbtrade.engines.risk_rules.case import ENTRIES, VOLUNTARY, Case, Rule
from qbtrade.ports import OrderView, PositionView


class DailyLoss(Rule):
    """The day's loss stays below its limit; reaching it is too much."""

    slug: ClassVar = "daily-loss"
    binds: ClassVar = VOLUNTARY

    def __init__(self, limits: RiskLimits, positions: PositionView) -> None:
        self._limit, self._positions = limits.loss_limit, positions

    def check(self, case: Case) -> Check:
        """Loss against its limit."""
        limit, loss = self._limit, case.loss
        return Check(self.slug, limit, loss, limit - loss, "KRW", loss < limit)

    def in_use(self, now: int) -> tuple[int, int, str]:
        """Loss so far."""
        del now
        return max(-self._positions.day_profit(), 0), self._limit, "KRW"


class Budget(Rule):
    """Cost of positions and open buys stay within the budget, which the session's losses shrink."""

    slug: ClassVar = "budget"
    binds: ClassVar = ENTRIES

    def __init__(self, limits: RiskLimits, positions: PositionView, orders: OrderView) -> None:
        self._budget, self._positions, self._orders = limits.max_budget, positions, orders

    def check(self, case: Case) -> Check:
        """Money at work, with this order, against what the losses left of the budget."""
        limit, value = self._limit(), self._positions.total_cost() + case.buying
        return Check(self.slug, limit, value, limit - value, "KRW", value <= limit)

    def in_use(self, now: int) -> tuple[int, int, str]:
        """Money at work."""
        del now
        return self._positions.total_cost() + self._orders.buying(), self._limit(), "KRW"

    def _limit(self) -> int:
        realized = self._positions.session_realized()
        return self._budget + realized if realized < 0 else self._budget


class PositionShare(Rule):
    """One symbol's cost and open buys stay within a share of the day's first equity."""

    slug: ClassVar = "position-share"
    binds: ClassVar = ENTRIES

    def __init__(self, limits: RiskLimits, positions: PositionView, symbols: tuple[str, ...]) -> None:
        self._share, self._positions, self._symbols = limits.position_share, positions, symbols

    def check(self, case: Case) -> Check:
        """Money in this symbol, with this order, against its share."""
        limit, value = self._limit(), self._positions.cost(case.order.symbol) + case.buying_here
        return Check(self.slug, limit, value, limit - value, "KRW", value <= limit)

    def in_use(self, now: int) -> tuple[int, int, str]:
        """Cost of the largest position."""
        del now
        return max(map(self._positions.cost, self._symbols)), self._limit(), "KRW"

    def _limit(self) -> int:
        return self._positions.day_start_equity() * self._share // PPB


class Cash(Rule):
    """Cash never falls below zero, even when every open buy fills at its limit and pays its commission."""

    slug: ClassVar = "cash"
    binds: ClassVar = ENTRIES

    def check(self, case: Case) -> Check:
        """Cash left against zero."""
        left = case.cash_left
        return Check(self.slug, 0, left, left, "KRW", left >= 0)


class CashReserve(Rule):
    """A share of equity stays cash, even when every open buy fills at its limit and pays its commission."""

    slug: ClassVar = "cash-reserve"
    binds: ClassVar = ENTRIES

    def __init__(self, limits: RiskLimits, positions: PositionView, orders: OrderView) -> None:
        self._share, self._commission_ppb = limits.cash_share, limits.commission_ppb
        self._positions, self._orders = positions, orders

    def check(self, case: Case) -> Check:
        """Cash left against the reserve."""
        reserve = -(-self._positions.equity() * self._share // PPB)
        left = case.cash_left
        return Check(self.slug, reserve, left, left - reserve, "KRW", left >= reserve)

    def in_use(self, now: int) -> tuple[int, int, str]:
        """Money that is no longer free cash, against the share of equity that need not be cash."""
        del now
        equity = self._positions.equity()
        left = cash_left(self._positions, self._orders.buying(), self._commission_ppb)
        return equity - left, equity * (PPB - self._share) // PPB, "KRW"


def cash_left(positions: PositionView, buying: int, commission_ppb: int) -> int:
    """D+2 cash when `buying` KRW and their commission have been paid."""
    return positions.cash() - buying - commission_of(buying, commission_ppb)


def commission_of(amount: int, commission_ppb: int) -> int:
    """The most that `amount` KRW of one order may still cost in commission: rounding its total may add a won."""
    return -(-amount * commission_ppb // PPB)

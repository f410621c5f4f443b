"""Rules about what may be traded at all, and how many shares of it."""

from typing import ClassVar

from qbtrade.domain.events import Check
from qbtrade.domain.limits import RiskLimits
from qbtrade.engines.risk_rules.case import ENTRIES, LEAVE, SALES, VOLUNTARY, Case, Claim, Rule
from qbtrade.ports import PositionView


class Whitelist(Claim):
    """Only the session's symbols are traded; of others nothing else is known, so nothing else is checked."""

    slug: ClassVar = "whitelist"

    def __init__(self, symbols: tuple[str, ...]) -> None:
        super().__init__()
        self._symbols = frozenset(symbols)

    def check(self, case: Case) -> Check:
        """Whether it is a symbol of the session."""
        return self.yes if case.order.symbol in self._symbols else self.no


class SessionState(Rule):
    """ACTIVE (0) lets all pass, REDUCING (1) sells, HALTED (2) protective ones; the worse of account and symbol."""

    slug: ClassVar = "session-state"
    binds: ClassVar = VOLUNTARY

    def check(self, case: Case) -> Check:
        """State against the worst one that this order may pass."""
        limit, severity = 1 if case.intent is LEAVE else 0, case.severity
        return Check(self.slug, limit, severity, limit - severity, "state", severity <= limit)


class OrderQty(Rule):
    """An entry is for at least one share and not more than the limit."""

    slug: ClassVar = "order-qty"
    binds: ClassVar = ENTRIES

    def __init__(self, limits: RiskLimits) -> None:
        self._limit = limits.max_order_qty

    def check(self, case: Case) -> Check:
        """Shares asked for."""
        return between_one_and(self.slug, self._limit, case.order.qty)


class SellQty(Rule):
    """We sell what we hold and have not yet offered; never short."""

    slug: ClassVar = "sell-qty"
    binds: ClassVar = SALES

    def __init__(self, positions: PositionView) -> None:
        self._positions = positions

    def check(self, case: Case) -> Check:
        """Shares asked for against shares that are free."""
        return between_one_and(self.slug, self._positions.qty(case.order.symbol) - case.selling, case.order.qty)


class UnconfirmedLock(Rule):
    """While the fate of an order is unknown, or it was given up for lost, no other of its symbol and side is sent."""

    slug: ClassVar = "unconfirmed-lock"
    binds: ClassVar = VOLUNTARY

    def check(self, case: Case) -> Check:
        """Orders whose fate is unknown."""
        count = case.unconfirmed
        return Check(self.slug, 0, count, -count, "orders", count == 0)


def between_one_and(slug: str, limit: int, qty: int) -> Check:
    """Measure a quantity; without a share, the distance is to the first one."""
    distance = limit - qty if qty > 0 else qty - 1
    return Check(slug, limit, qty, distance, "shares", distance >= 0)

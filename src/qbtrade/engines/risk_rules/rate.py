"""Rules about how often: entries a day, orders a minute, the same order twice."""

from collections import deque
from typing import ClassVar

from qbtrade.domain.calendar import MINUTE
from qbtrade.domain.events import Check
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.order import OrderRequest, OrderStatus
from qbtrade.engines.risk_rules.case import ENTER, ENTRIES, VOLUNTARY, Case, Rule
from qbtrade.ports import OrderView

CAME_TO_NOTHING = frozenset({OrderStatus.REJECTED, OrderStatus.NOT_SENT})


class EntriesPerDay(Rule):
    """So many entries are approved a KST day, whatever becomes of them."""

    slug: ClassVar = "entries-per-day"
    binds: ClassVar = ENTRIES

    def __init__(self, limits: RiskLimits) -> None:
        self._limit, self._count = limits.max_entries, 0

    def check(self, case: Case) -> Check:
        """Entries with this one."""
        del case
        limit, count = self._limit, self._count + 1
        return Check(self.slug, limit, count, limit - count, "orders", count <= limit)

    def remember(self, case: Case) -> None:
        """Count an entry."""
        if case.intent is ENTER:
            self._count += 1

    def carry(self, entries: int) -> None:
        """Go on counting."""
        self._count += entries

    def new_day(self) -> None:
        """Start from none."""
        self._count = 0

    def in_use(self, now: int) -> tuple[int, int, str]:
        """Entries so far."""
        del now
        return self._count, self._limit, "orders"


class OrderRate(Rule):
    """So many orders are approved in any minute; sells count but are never held up."""

    slug: ClassVar = "order-rate"
    binds: ClassVar = ENTRIES

    def __init__(self, limits: RiskLimits) -> None:
        self._limit = limits.orders_per_minute
        self._approved: deque[int] = deque()

    def check(self, case: Case) -> Check:
        """Orders of the last minute with this one."""
        limit, count = self._limit, self._recent(case.now) + 1
        return Check(self.slug, limit, count, limit - count, "orders", count <= limit)

    def remember(self, case: Case) -> None:
        """Count an order."""
        self._approved.append(case.now)

    def in_use(self, now: int) -> tuple[int, int, str]:
        """Orders of the last minute."""
        return self._recent(now), self._limit, "orders"

    def _recent(self, now: int) -> int:
        approved = self._approved
        while approved and approved[0] <= now - MINUTE:
            approved.popleft()
        return len(approved)


class Duplicate(Rule):
    """Symbol, side, price and quantity are not the same twice within the window, unless the first was refused."""

    slug: ClassVar = "duplicate"
    binds: ClassVar = VOLUNTARY

    def __init__(self, limits: RiskLimits, orders: OrderView) -> None:
        self._window, self._orders = limits.duplicate_window, orders
        self._approved: deque[tuple[int, OrderRequest]] = deque()

    def check(self, case: Case) -> Check:
        """Twins of this order in the window."""
        self._forget(case.now)
        order = case.order
        twins = 0
        for _, other in self._approved:
            if other.price == order.price and other.qty == order.qty and self._is_twin(order, other):
                twins += 1
        return Check(self.slug, 0, twins, -twins, "orders", twins == 0)

    def remember(self, case: Case) -> None:
        """Keep an order for the length of the window."""
        self._approved.append((case.now, case.order))

    def _is_twin(self, order: OrderRequest, other: OrderRequest) -> bool:
        if other.symbol != order.symbol or other.side is not order.side:
            return False
        fate = self._orders.get(other.order_id)
        return fate is None or fate.status not in CAME_TO_NOTHING

    def _forget(self, now: int) -> None:
        approved = self._approved
        while approved and approved[0][0] <= now - self._window:
            approved.popleft()

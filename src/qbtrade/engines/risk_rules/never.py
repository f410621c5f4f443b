"""Whether the limits can ever admit a single share, told before a run."""

import msgspec

from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.money import PPB
from qbtrade.engines.risk_rules.money import commission_of


class CanNeverTrade(msgspec.Struct, frozen=True):
    """The first limit that one share breaks, and the smallest budget and equity (all cash), KRW, that admit one.

    min_equity: 0 when no equity does, because a share of a whole is the obstacle or a count is zero.
    """

    reason: str
    min_budget: int
    min_equity: int


def why_never(limits: RiskLimits, *, cash: int, equity: int, price: int) -> CanNeverTrade | None:
    """What keeps a first share at `price` KRW from ever being bought with nothing held; None when it can be bought.

    price: the last one for limit orders, the upper price limit for market orders.
    """
    due = price + commission_of(price, limits.commission_ppb)
    obstacles = {
        "order-qty": limits.max_order_qty < 1,
        "order-rate": limits.orders_per_minute < 1,
        "entries-per-day": limits.max_entries < 1,
        "budget": price > limits.max_budget,
        "position-share": price > equity * limits.position_share // PPB,
        "cash": cash < due,
        "cash-reserve": cash - due < -(-equity * limits.cash_share // PPB),
    }
    reason = next((slug for slug, stands in obstacles.items() if stands), "")
    if not reason:
        return None
    return CanNeverTrade(reason, price, _smallest_equity(limits, price, due))


def _smallest_equity(limits: RiskLimits, price: int, due: int) -> int:
    free_share = PPB - limits.cash_share
    counts = (limits.max_order_qty, limits.orders_per_minute, limits.max_entries)
    if min(*counts, limits.position_share, free_share) <= 0:
        return 0
    return max(-(-price * PPB // limits.position_share), -(-due * PPB // free_share))

"""How many shares an entry may buy."""

from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.money import PPB


def shares(
    limits: RiskLimits,
    price: int,
    *,
    at_work: int,
    in_symbol: int,
    spendable: int,
    equity: int,
    day_start: int,
    realized: int,
) -> int:
    """Whole shares at `price` KRW that every money rule admits, at least 0. All money in KRW.

    at_work: cost of positions and open buys; in_symbol: the same of this symbol; spendable: cash not promised, fees
    included, to open buys; equity: now; day_start: when the day began; realized: by the session, of which only a loss
    narrows the budget.
    """
    reserve = -(-equity * limits.cash_share // PPB)
    room = max(spendable - reserve, 0)
    return max(
        min(
            (limits.max_budget + min(realized, 0) - at_work) // price,
            (day_start * limits.position_share // PPB - in_symbol) // price,
            room * PPB // (price * (PPB + limits.commission_ppb)),
            limits.max_order_qty,
        ),
        0,
    )

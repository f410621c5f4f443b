"""What a session may risk."""

import msgspec

from qbtrade.domain.money import PPB


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one session. Money in KRW, shares of a whole and rates in ppb, times in ns.

    max_budget: money at work. daily_loss: 0 means half of max_budget. stop_loss: below the average cost; 0 for none.
    position_share: of the day's first equity, for one symbol. cash_share: of equity, kept as cash. max_entries: a day.
    collar: how far from the last trade a limit may lie. commission_ppb: the dearest rate among the session's symbols.
    """

    max_budget: int
    daily_loss: int
    stop_loss: int
    position_share: int
    cash_share: int
    max_entries: int
    max_order_qty: int
    collar: int
    orders_per_minute: int
    stale_after: int
    duplicate_window: int
    commission_ppb: int

    @property
    def loss_limit(self) -> int:
        """The loss of a day that halts trading, KRW, at least 1."""
        return self.daily_loss or max(self.max_budget // 2, 1)


def highest_buy(last: int, collar: int) -> int:
    """The highest limit, KRW, at which the collar still lets us buy."""
    return last * (PPB + collar) // PPB


def lowest_sell(last: int, collar: int) -> int:
    """The lowest limit, KRW, at which the collar still lets us sell; at least 1."""
    return max(-(-last * (PPB - collar) // PPB), 1)

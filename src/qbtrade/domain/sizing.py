"""How many shares an entry may buy."""

import msgspec


class Sizing(msgspec.Struct, frozen=True):
    """The money rules that bound an entry. Money in KRW, shares of equity in ppb.

    max_budget: money at work. position_share: of the day's first equity in one symbol. cash_share: of it that stays cash.
    """

    max_budget: int
    position_share: int
    cash_share: int
    commission_ppb: int
    max_order_qty: int

    def shares(self, price: int, *, at_work: int, in_symbol: int, spendable: int, equity: int, realized: int) -> int:
        """Whole shares at `price` that every bound admits, at least 0.

        at_work: cost of positions and open buys, in_symbol: the same of this symbol, spendable: cash not promised to open
        buys, equity: at the day's start, realized: of the session (only a loss narrows the budget).
        """
        fee = price * self.commission_ppb // 1_000_000_000 + 1
        bounds = (
            (self.max_budget + min(realized, 0) - at_work) // price,
            (equity * self.position_share // 1_000_000_000 - in_symbol) // price,
            (spendable - equity * self.cash_share // 1_000_000_000) // (price + fee),
            self.max_order_qty,
        )
        return max(min(bounds), 0)

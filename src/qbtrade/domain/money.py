"""Whole won: what a trade costs besides its price."""

from typing import Final

import msgspec

PPB: Final = 10**9


def charge(amount: int, ppb: int) -> int:
    """A share of an amount in KRW, cut to the won."""
    return amount * ppb // PPB


class Costs(msgspec.Struct, frozen=True):
    """Rates of one order, in parts per billion of the amount traded. tax_ppb: taken on sells only."""

    commission_ppb: int
    tax_ppb: int

    def commission(self, amount: int) -> int:
        """The broker's fee on a traded amount, KRW."""
        return charge(amount, self.commission_ppb)

    def tax(self, amount: int) -> int:
        """The state's tax on a sold amount, KRW."""
        return charge(amount, self.tax_ppb)

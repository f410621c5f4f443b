"""The day's totals, where the broker tells no rows: what they hold beyond our books."""

from collections.abc import Collection

import msgspec

from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.sent import Sent


class Missing(msgspec.Struct, frozen=True):
    """Shares and KRW that the broker filled and we did not book. owner: the one order that they can belong to.

    stays: it was so at the last look already, so that no notice on its way explains it.
    """

    qty: int
    amount: int
    owner: Sent | None
    stays: bool


class Totals:
    """Compares looks at the totals."""

    def __init__(self) -> None:
        self._qty = self._amount = self._before = 0

    def begin(self, found: OrderHistory) -> None:
        """Nothing of this is ours."""
        self._qty, self._amount = found.filled_qty, found.filled_amount

    def missing(self, found: OrderHistory, booked: Collection[Sent]) -> Missing | None:
        """What the whole day filled beyond our books; None when that is nothing."""
        qty = found.filled_qty - self._qty - sum(sent.filled for sent in booked)
        amount = found.filled_amount - self._amount - sum(sent.amount for sent in booked)
        before, self._before = self._before, max(qty, 0)
        if qty <= 0 or amount <= 0:
            return None
        able = [sent for sent in booked if not sent.over and sent.remaining >= qty]
        return Missing(qty, amount, able[0] if len(able) == 1 else None, stays=before == qty)

"""Orders as the broker keeps them: what was asked, what became of it, and what the customer is told of it."""

from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from qbtrade.domain.order import OrderKind, Side, TimeInForce

DAY, IOC, FOK = TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK
LIMIT, MARKET = OrderKind.LIMIT, OrderKind.MARKET
OPPOSITE: Final = frozenset({"03", "15", "16"})
"""Order codes whose limit is the best price of the other side."""
OWN: Final = "04"
"""The order code whose limit is the best price of its own side."""
CONDITIONAL: Final = "02"
"""The order code that turns into a market order in the closing auction."""
TERMS: Final = {
    "00": (LIMIT, DAY), "01": (MARKET, DAY), CONDITIONAL: (LIMIT, DAY), "03": (LIMIT, DAY), OWN: (LIMIT, DAY),
    "11": (LIMIT, IOC), "12": (LIMIT, FOK), "13": (MARKET, IOC), "14": (MARKET, FOK),
    "15": (LIMIT, IOC), "16": (LIMIT, FOK),
}  # fmt: skip
"""What the exchange makes of the order codes that the local KIS takes."""


class Action(StrEnum):
    """What an order number stands for; the values are RCTF_CLS."""

    NEW = "0"
    AMEND = "1"
    CANCEL = "2"


class Ticket(msgspec.Struct, frozen=True):
    """What was asked for. code: ORD_DVSN. price: KRW, 0 for a market order. venue: EXCG_ID_DVSN_CD."""

    symbol: str
    side: Side
    code: str
    qty: int
    price: int
    venue: str = "KRX"

    @property
    def kind(self) -> OrderKind:
        """LIMIT or MARKET."""
        return TERMS[self.code][0]

    @property
    def tif(self) -> TimeInForce:
        """DAY, IOC or FOK."""
        return TERMS[self.code][1]


class Entry(msgspec.Struct):
    """One order number. limit: KRW that bind cash per share. original: of what an amend or cancel is meant for, or 0.

    shown: UTC ns from which the order lists have it. filled_at: of its last fill, UTC ns. is_open: it may still fill.
    by_hand: made in HTS or app.
    """

    number: int
    ticket: Ticket
    ts: int
    day: date
    limit: int
    action: Action = Action.NEW
    original: int = 0
    shown: int = 0
    filled: int = 0
    amount: int = 0
    gone: int = 0
    rejected: int = 0
    filled_at: int = 0
    is_open: bool = True
    by_hand: bool = False

    @property
    def remaining(self) -> int:
        """Shares that may still fill."""
        return self.ticket.qty - self.filled - self.gone - self.rejected if self.is_open else 0


def order_row(entry: Entry) -> dict[str, int | str]:
    """An order as it truly is, whatever the lists show. price: KRW, 0 for a market order; amount: KRW of its fills."""
    ticket = entry.ticket
    return {
        "number": entry.number, "symbol": ticket.symbol, "side": ticket.side.value, "qty": ticket.qty,
        "price": ticket.price, "filled": entry.filled, "amount": entry.amount, "remaining": entry.remaining,
    }  # fmt: skip


class Tale(StrEnum):
    """What a notice tells."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FILLED = "filled"
    CONFIRMED = "confirmed"
    CUT = "cut"


class Notice(msgspec.Struct, frozen=True):
    """One piece of news about an order. qty, price: of this piece of news."""

    ts: int
    tale: Tale
    entry: Entry
    qty: int
    price: int

"""What a rule is, and what it is told about the order that it judges."""

from abc import ABC, abstractmethod
from enum import IntEnum
from typing import ClassVar, Final

import msgspec

from qbtrade.domain.events import Check
from qbtrade.domain.order import GUARDING, OrderKind, OrderRequest, Side

BUY: Final = Side.BUY
LIMIT: Final = OrderKind.LIMIT


class Intent(IntEnum):
    """What an order does to our risk: any buy enters; a sell leaves, or protects when it must get out."""

    ENTER = 0
    LEAVE = 1
    PROTECT = 2


ENTER: Final = Intent.ENTER
LEAVE: Final = Intent.LEAVE
PROTECT: Final = Intent.PROTECT
EVERY: Final = frozenset(Intent)
VOLUNTARY: Final = frozenset({ENTER, LEAVE})
ENTRIES: Final = frozenset({ENTER})
SALES: Final = frozenset({LEAVE, PROTECT})


def intent_of(order: OrderRequest) -> Intent:
    """What this order does to our risk."""
    if order.side is BUY:
        return ENTER
    return PROTECT if order.purpose in GUARDING else LEAVE


class Case(msgspec.Struct, frozen=True, gc=False):
    """One order and what several rules ask about it. Money in KRW.

    last: price of the newest trade, 0 without one. age: of that trade, ns. price: the limit; of a market order what
    a share may cost. buying: all open buys with this order; buying_here: those of its symbol.
    cash_left: D+2 cash when these and their commission have been paid. selling: shares in other open sells of its
    symbol. unconfirmed: other orders of its symbol and side whose fate is unknown. severity: of the risk state.
    loss: of this day.
    """

    order: OrderRequest
    intent: Intent
    now: int
    last: int
    age: int
    price: int
    buying: int
    buying_here: int
    cash_left: int
    selling: int
    unconfirmed: int
    severity: int
    loss: int


class Rule(ABC):
    """One reason to say no.

    slug: its name in reports. binds: the intents that it judges. priced: True when it judges limit orders only.
    """

    slug: ClassVar[str]
    binds: ClassVar[frozenset[Intent]] = EVERY
    priced: ClassVar[bool] = False

    @abstractmethod
    def check(self, case: Case) -> Check | None:
        """Measure the order; None when there is nothing to measure against."""

    def remember(self, case: Case) -> None:  # noqa: B027 - most rules keep nothing
        """Learn that the order was approved."""

    def carry(self, entries: int) -> None:  # noqa: B027 - likewise
        """Learn how many entries earlier sessions of this day made."""

    def new_day(self) -> None:  # noqa: B027 - likewise
        """Forget what counts by the KST day."""

    def in_use(self, now: int) -> tuple[int, int, str] | None:
        """How much of a limit of the whole session is used: (used, limit, unit)."""
        del now
        return None


class Claim(Rule):
    """A rule without a measure: something has to be so. 1 yes, 0 no."""

    def __init__(self) -> None:
        self.yes = Check(self.slug, 1, 1, 0, "yes", passed=True)
        self.no = Check(self.slug, 1, 0, -1, "yes", passed=False)

"""What is traded: symbols, tick sizes and the daily price band."""

import re
from bisect import bisect_right
from datetime import date
from enum import StrEnum
from math import lcm
from typing import Final

import msgspec

from qbtrade.domain.money import charge
from qbtrade.errors import UsageError

BAND_PPB: Final = 300_000_000

_SYMBOL: Final = re.compile(r"Q?[0-9A-Z]{6}")
_BEYOND: Final = 2**63


class Market(StrEnum):
    """Where an instrument is listed."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"


class Kind(StrEnum):
    """What decides tax and tick table besides the market."""

    STOCK = "STOCK"
    ETF = "ETF"
    ETN = "ETN"


class Instrument(msgspec.Struct, frozen=True):
    """One thing that can be traded."""

    symbol: str
    market: Market
    kind: Kind
    name: str = ""


def parse_symbol(text: str) -> str:
    """Check and upper-case a symbol: six letters or digits, ETNs with a Q before. Raises: UsageError."""
    symbol = text.strip().upper()
    if not text.isascii() or _SYMBOL.fullmatch(symbol) is None:
        raise UsageError(
            "{text!r} is not a symbol",
            hint="A symbol is six letters or digits, like 005930; an ETN has a Q before",
            text=text,
        )
    return symbol


class TickTable(msgspec.Struct, frozen=True):
    """Price steps. steps: (price from which it holds, tick) in KRW, ascending, the first from 0.

    A boundary price belongs to the higher step, and is a multiple of both ticks.
    """

    steps: tuple[tuple[int, int], ...]

    def size(self, price: int) -> int:
        """The tick at a price, price >= 0."""
        return self.steps[bisect_right(self.steps, (price, _BEYOND)) - 1][1]

    def down(self, price: int) -> int:
        """The highest price on the grid that is not above `price`."""
        return price - price % self.size(price)

    def up(self, price: int) -> int:
        """The lowest price on the grid that is not below `price`."""
        return price + -price % self.size(price)

    def on_grid(self, price: int) -> bool:
        """True when an order may carry this price."""
        return price > 0 and price % self.size(price) == 0

    def step(self, price: int, n: int) -> int:
        """The price `n` ticks away, never below the smallest tick; off the grid, the first one reaches it."""
        lowest = self.steps[0][1]
        for _ in range(n):
            price = self.down(price) + self.size(price)
        for _ in range(-n):
            above = self.up(price)
            price = max(above - self.size(above - 1), lowest)
        return price

    def coarser(self, price: int, tick: int) -> "TickTable":
        """The same, but around `price` only what is a multiple of `tick` > 0 as well."""
        start = self.steps[bisect_right(self.steps, (price, _BEYOND)) - 1][0]
        return TickTable(tuple((since, lcm(size, tick) if since == start else size) for since, size in self.steps))


class PriceBand(msgspec.Struct, frozen=True):
    """Lowest and highest price of a day, KRW, both tradable."""

    base: int
    lower: int
    upper: int

    def contains(self, price: int) -> bool:
        """True from limit to limit."""
        return self.lower <= price <= self.upper


class DayTerms(msgspec.Struct, frozen=True):
    """Which prices an order may carry on one day."""

    day: date
    band: PriceBand
    ticks: TickTable


def price_band(base: int, ticks: TickTable, width_ppb: int = BAND_PPB) -> PriceBand:
    """The day's limits around a base price > 0, never narrower than one tick (unverified, matters below 17 KRW).

    The width is cut to the tick of the base price, then each limit to the tick of its own price.
    Source: KRX market business regulations, price limits.
    """
    tick = ticks.size(base)
    width = charge(base, width_ppb)
    width = max(width - width % tick, tick)
    lower = max(ticks.up(base - width), ticks.steps[0][1])
    return PriceBand(base, lower, ticks.down(base + width))

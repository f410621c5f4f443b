"""What market data knows of one symbol."""

from typing import Final

from qbtrade.domain.instrument import Instrument, PriceBand, TickTable
from qbtrade.domain.market import Quote, Trade

EVERYTHING: Final = 2**62


class Book:
    """What is known of one symbol. A bar is open while `bar_end` is not 0."""

    __slots__ = (
        "band", "bar_end", "bar_high", "bar_low", "bar_open", "bar_start", "bar_volume", "base", "ceiling", "count",
        "day_end", "day_open", "floor", "halted", "instrument",
        "is_rebased", "quote", "room", "strange", "strange_count", "ticks", "trade",
        "ts", "wake", "watches", "whole_from",
    )  # fmt: skip

    def __init__(self, instrument: Instrument, base: int) -> None:
        self.instrument = instrument
        self.base = base
        self.band: PriceBand | None = None
        self.ticks: TickTable | None = None
        self.day_open = self.day_end = 0
        self.trade: Trade | None = None
        self.quote: Quote | None = None
        self.halted = ""  # by the venue
        self.is_rebased = False  # halted by us, for good: its prices follow another base
        self.room = 0  # KRW that a price may lie off the base
        self.ts = 0
        self.count = 0
        self.floor = EVERYTHING  # an ordinary price is above floor and below ceiling
        self.ceiling = 0
        self.watches: dict[str, int] = {}
        self.wake = False
        self.whole_from = 0  # bars that begin earlier lack trades and are not published
        self.strange = 0
        self.strange_count = 0
        self.bar_start = self.bar_end = 0
        self.bar_open = self.bar_high = self.bar_low = self.bar_volume = 0

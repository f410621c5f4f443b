"""What market data knows of one symbol."""

from datetime import date
from typing import Final

from qbtrade.domain.instrument import DayTerms, Instrument, PriceBand, TickTable
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.money import PPB
from qbtrade.domain.rules import Rules

EVERYTHING: Final = 2**62


class Book:
    """What is known of one symbol. A bar is open while `bar_end` is not 0."""

    __slots__ = (
        "band", "bar_end", "bar_high", "bar_low", "bar_open", "bar_start", "bar_volume", "base", "ceiling",
        "closed", "count",
        "day_end", "day_open", "floor", "halted", "instrument",
        "is_rebased", "quote", "room", "strange", "strange_count", "terms", "ticks",
        "trade", "ts", "wake", "watches", "whole_from",
    )  # fmt: skip

    def __init__(self, instrument: Instrument, base: int, terms: DayTerms | None) -> None:
        self.instrument = instrument
        self.base = base
        self.terms = terms  # of one day, as the venue told them
        self.band: PriceBand | None = terms.band if terms else None
        self.ticks: TickTable | None = terms.ticks if terms else None
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
        self.bar_start = self.bar_end = self.closed = 0  # closed: up to where bars were closed
        self.bar_open = self.bar_high = self.bar_low = self.bar_volume = 0

    def begin(self, today: date, rules: Rules, rounded: int) -> None:
        """Keep to the prices of a new day: those that the venue told, else the rules'. rounded: ppb of room more."""
        if self.terms and self.terms.day == today:
            band = self.band = self.terms.band
            self.ticks = self.terms.ticks
            self.room = max(band.upper - self.base, self.base - band.lower) + self.ticks.size(band.upper)
            return
        self.ticks = rules.ticks(self.instrument, today)
        self.band = rules.band(self.instrument, today, self.base) if self.base else None
        width = rules.band_row(self.instrument, today).ppb + rounded
        self.room = self.base * width // PPB + 2

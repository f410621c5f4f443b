"""Which prices an order may carry today: what KIS tells, held against our own rules."""

from datetime import date

import msgspec

from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.domain.instrument import DayTerms, Instrument, PriceBand
from qbtrade.domain.rules import Rules


class Differs(msgspec.Struct, frozen=True):
    """KIS and our rules say different things. code: slug. text: words."""

    code: str
    text: str


class Told(msgspec.Struct, frozen=True):
    """The terms of a day, and how KIS differs from our rules."""

    terms: DayTerms
    differences: tuple[Differs, ...]


def terms_of(rules: Rules, instrument: Instrument, day: date, price: Price) -> Told:
    """KIS's price limits count, unless they cannot be; of two ticks, orders keep to both."""
    symbol, found = instrument.symbol, list[Differs]()
    table, last = rules.ticks(instrument, day), price.last or price.base
    if price.tick != table.size(last):
        text = f"{symbol}: KIS tells a tick of {price.tick:,} at {last:,} won, the rules give {table.size(last):,}"
        found.append(Differs("tick-differs", text))
    ticks = table.coarser(last, price.tick) if price.tick > 0 else table
    band = rules.band(instrument, day, price.base)
    if (price.lower, price.upper) != (band.lower, band.upper):
        text = (
            f"{symbol}: KIS tells limits of {price.lower:,} to {price.upper:,} won, "
            f"the rules give {band.lower:,} to {band.upper:,}"
        )
        found.append(Differs("price-limits-differ", text))
    if 0 < price.lower <= min(price.base, last) <= max(price.base, last) <= price.upper:
        band = PriceBand(price.base, ticks.up(price.lower), ticks.down(price.upper))
    return Told(DayTerms(day, band, ticks), tuple(found))

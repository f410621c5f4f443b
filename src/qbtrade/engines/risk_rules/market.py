"""Rules about the market: whether it trades, how fresh our picture is, and which prices may be sent."""

from typing import ClassVar, Final

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Check
from qbtrade.domain.limits import RiskLimits, highest_buy, lowest_sell
from qbtrade.engines.risk_rules.case import BUY, LIMIT, PROTECT, VOLUNTARY, Case, Claim, Rule
from qbtrade.ports import MarketView

CONTINUOUS: Final = Phase.CONTINUOUS
CLOSING_AUCTION: Final = Phase.CLOSING_AUCTION


class MarketPhase(Claim):
    """Orders go out in the continuous phase; protective sells in the closing auction, too."""

    slug: ClassVar = "market-phase"

    def __init__(self, market: MarketView) -> None:
        super().__init__()
        self._market = market

    def check(self, case: Case) -> Check:
        """Whether the phase suits the order."""
        phase = self._market.phase()
        suits = phase is CONTINUOUS or (phase is CLOSING_AUCTION and case.intent is PROTECT)
        return self.yes if suits else self.no


class SymbolHalt(Claim):
    """Nothing is sent for a symbol that the venue, or our own plausibility check, has halted."""

    slug: ClassVar = "symbol-halted"

    def __init__(self, market: MarketView) -> None:
        super().__init__()
        self._market = market

    def check(self, case: Case) -> Check:
        """Whether the symbol trades."""
        return self.no if self._market.halted(case.order.symbol) else self.yes


class StaleData(Rule):
    """The last trade is young enough to decide upon. Without a trade the age counts from time zero."""

    slug: ClassVar = "stale-data"
    binds: ClassVar = VOLUNTARY

    def __init__(self, limits: RiskLimits) -> None:
        self._limit = limits.stale_after

    def check(self, case: Case) -> Check:
        """Age of the last trade."""
        limit, age = self._limit, case.age
        return Check(self.slug, limit, age, limit - age, "ns", age <= limit)


class TickGrid(Rule):
    """A limit is a positive multiple of the tick size."""

    slug: ClassVar = "tick-grid"
    priced: ClassVar = True

    def __init__(self, market: MarketView) -> None:
        self._market = market

    def check(self, case: Case) -> Check:
        """How far the limit lies above the grid, or below one won."""
        price = case.price
        off = price % self._market.ticks(case.order.symbol).size(price) if price > 0 else 1 - price
        return Check(self.slug, 0, off, -off, "KRW", off == 0)


class DailyBand(Rule):
    """A limit lies within the day's price limits; a market buy needs a price for its margin."""

    slug: ClassVar = "price-band"

    def __init__(self, market: MarketView) -> None:
        self._market = market

    def check(self, case: Case) -> Check | None:
        """Distance to the nearer price limit."""
        band = self._market.band(case.order.symbol)
        price = case.price
        if case.order.kind is not LIMIT:
            return Check(self.slug, 1, price, price - 1, "KRW", price >= 1) if case.order.side is BUY else None
        if band is None:
            return None
        above, below = price - band.lower, band.upper - price
        if above < below:
            return Check(self.slug, band.lower, price, above, "KRW", above >= 0)
        return Check(self.slug, band.upper, price, below, "KRW", below >= 0)


class PriceCollar(Rule):
    """A limit is not much worse than the last trade: buys not far above it, sells not far below."""

    slug: ClassVar = "price-collar"
    binds: ClassVar = VOLUNTARY
    priced: ClassVar = True

    def __init__(self, limits: RiskLimits) -> None:
        self._collar = limits.collar

    def check(self, case: Case) -> Check:
        """Limit against the last trade, give or take the collar."""
        price = case.price
        if case.order.side is BUY:
            highest = highest_buy(case.last, self._collar)
            return Check(self.slug, highest, price, highest - price, "KRW", price <= highest)
        lowest = lowest_sell(case.last, self._collar)
        return Check(self.slug, lowest, price, price - lowest, "KRW", price >= lowest)

"""Market rules that change over time, as dated rows: tick sizes, price band, tax, commission, instruments."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeVar

from qbtrade.domain.calendar import Calendar, Row
from qbtrade.domain.instrument import Instrument, Kind, Market, PriceBand, TickTable, price_band
from qbtrade.errors import ConfigError


class MarketRow(Row, frozen=True, kw_only=True):
    """A row for some markets and kinds of instrument."""

    markets: tuple[Market, ...]
    kinds: tuple[Kind, ...]


class TickRow(MarketRow, frozen=True, kw_only=True):
    """Price steps: (price from which it holds, tick), KRW."""

    steps: tuple[tuple[int, int], ...]


class RateRow(MarketRow, frozen=True, kw_only=True):
    """A share of an amount or price: tax, commission or width of the price band."""

    ppb: int


R = TypeVar("R", bound=MarketRow)


class Rules:
    """What holds for an instrument on a day."""

    def __init__(
        self,
        calendar: Calendar,
        *,
        ticks: Iterable[TickRow],
        bands: Iterable[RateRow],
        taxes: Iterable[RateRow],
        commissions: Iterable[RateRow],
        instruments: Iterable[Instrument],
    ) -> None:
        self.calendar = calendar
        self._ticks, self._bands = tuple(ticks), tuple(bands)
        self._taxes, self._commissions = tuple(taxes), tuple(commissions)
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        self._tables: dict[tuple[Market, Kind, date], TickTable] = {}

    def instrument(self, symbol: str) -> Instrument | None:
        """What is shipped about a symbol."""
        return self._instruments.get(symbol)

    def ticks(self, instrument: Instrument, day: date) -> TickTable:
        """Tick sizes of a day. Raises: ConfigError when no row covers it."""
        key = (instrument.market, instrument.kind, day)
        if key not in self._tables:
            self._tables[key] = TickTable(self.tick_row(instrument, day).steps)
        return self._tables[key]

    def band(self, instrument: Instrument, day: date, base: int) -> PriceBand:
        """Price limits of a day around its base price, KRW. Raises: ConfigError when no row covers it."""
        return price_band(base, self.ticks(instrument, day), self.band_row(instrument, day).ppb)

    def tax_ppb(self, instrument: Instrument, settlement_day: date) -> int:
        """Tax on a sale that settles that day. Raises: ConfigError when no row covers it."""
        return self.tax_row(instrument, settlement_day).ppb

    def commission_ppb(self, instrument: Instrument) -> int:
        """The broker's newest rate. Raises: ConfigError when there is none."""
        return self.commission_row(instrument).ppb

    def tick_row(self, instrument: Instrument, day: date) -> TickRow:
        """The tick row in force."""
        return _row("tick table", self._ticks, instrument, day)

    def band_row(self, instrument: Instrument, day: date) -> RateRow:
        """The price band row in force."""
        return _row("price band", self._bands, instrument, day)

    def tax_row(self, instrument: Instrument, settlement_day: date) -> RateRow:
        """The tax row in force for that settlement day."""
        return _row("tax", self._taxes, instrument, settlement_day)

    def commission_row(self, instrument: Instrument) -> RateRow:
        """The newest commission row."""
        return _row("commission", self._commissions, instrument, self.calendar.last)


def _row(what: str, rows: Sequence[R], instrument: Instrument, day: date) -> R:
    for row in rows:
        if instrument.market in row.markets and instrument.kind in row.kinds and row.holds_on(day):
            return row
    raise ConfigError(
        "no {what} for {market} {kind} on {day}", what=what, market=instrument.market, kind=instrument.kind, day=day
    )

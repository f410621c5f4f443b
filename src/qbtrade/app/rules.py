"""Loads the shipped market rules and answers what holds for one symbol on one day."""

import tomllib
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

import msgspec

from qbtrade.domain.calendar import Calendar, HoursRow, YearRow
from qbtrade.domain.instrument import Instrument, Kind, Market, PriceBand, parse_symbol
from qbtrade.domain.rules import RateRow, Rules, TickRow
from qbtrade.errors import UnknownNameError, UsageError

EXAMPLE_BASE: Final = 75_000


class _CalendarFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hours: tuple[HoursRow, ...]
    years: tuple[YearRow, ...]


class _RulesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ticks: tuple[TickRow, ...]
    bands: tuple[RateRow, ...]
    taxes: tuple[RateRow, ...]
    commissions: tuple[RateRow, ...]


class _ListingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    since: date = msgspec.field(name="from")
    source: str
    names: dict[Market, dict[Kind, dict[str, str]]]

    def instruments(self) -> Iterable[Instrument]:
        for market, kinds in self.names.items():
            for kind, names in kinds.items():
                for symbol, name in names.items():
                    yield Instrument(symbol, market, kind, name)


class RulesView(msgspec.Struct, frozen=True):
    """What holds for one instrument on one day, with the rows that say so.

    closed: why the venue is closed, or "" on a trading day; then hours, settlement_day and tax are None.
    band_example: the limits around a base price of 75,000 KRW.
    """

    day: date
    instrument: Instrument
    closed: str
    next_day: date
    hours: HoursRow | None
    ticks: TickRow
    band: RateRow
    band_example: PriceBand
    commission: RateRow
    settlement_day: date | None
    tax: RateRow | None


@cache
def load_rules() -> Rules:
    """The shipped rules, read once."""
    calendar = _read("calendar.toml", _CalendarFile)
    rows = _read("rules.toml", _RulesFile)
    return Rules(
        Calendar(calendar.years, calendar.hours),
        ticks=rows.ticks,
        bands=rows.bands,
        taxes=rows.taxes,
        commissions=rows.commissions,
        instruments=_read("instruments.toml", _ListingFile).instruments(),
    )


def instrument_for(rules: Rules, symbol: str, market: str = "", kind: str = "") -> Instrument:
    """What a symbol is: as said by the user, else as shipped; ETNs tell by their Q.

    Raises: UsageError when the symbol is malformed or nothing is known about it.
    """
    symbol = parse_symbol(symbol)
    known = rules.instrument(symbol)
    if known is None and symbol.startswith("Q"):
        known = Instrument(symbol, Market.KOSPI, Kind.ETN)
    if known is None and not (market and kind):
        raise UsageError(
            "market and kind of {symbol} are not known",
            hint="Say --market KOSPI|KOSDAQ|KONEX and --kind STOCK|ETF|ETN",
            symbol=symbol,
        )
    return Instrument(
        symbol,
        _parse(Market, "market", market) if market or known is None else known.market,
        _parse(Kind, "kind", kind) if kind or known is None else known.kind,
        known.name if known else "",
    )


def rules_for(day: date, symbol: str, market: str = "", kind: str = "") -> RulesView:
    """Everything that holds for a symbol on a day. Raises: UsageError, ConfigError."""
    rules = load_rules()
    calendar = rules.calendar
    instrument = instrument_for(rules, symbol, market, kind)
    closed = calendar.why_closed(day)
    settlement_day = None if closed else calendar.settlement_day(day)
    return RulesView(
        day=day,
        instrument=instrument,
        closed=closed,
        next_day=calendar.next_day(day),
        hours=None if closed else calendar.hours_row(day),
        ticks=rules.tick_row(instrument, day),
        band=rules.band_row(instrument, day),
        band_example=rules.band(instrument, day, EXAMPLE_BASE),
        commission=rules.commission_row(instrument),
        settlement_day=settlement_day,
        tax=rules.tax_row(instrument, settlement_day) if settlement_day else None,
    )


T = TypeVar("T")
N = TypeVar("N", bound=StrEnum)


def _read(name: str, shape: type[T]) -> T:
    rows: dict[str, Any] = tomllib.loads(files("qbtrade.data").joinpath(name).read_text(encoding="utf-8"))
    return msgspec.convert(rows, shape)


def _parse(names: type[N], what: str, text: str) -> N:
    name = text.strip().upper()
    if name not in names.__members__:
        raise UnknownNameError(what, text, names.__members__)
    return names[name]

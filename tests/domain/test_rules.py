from datetime import date

import pytest

from qbtrade.domain.calendar import Calendar, YearRow
from qbtrade.domain.instrument import Instrument, Kind, Market, TickTable
from qbtrade.domain.rules import RateRow, Rules, TickRow
from qbtrade.errors import ConfigError

STOCK = Instrument("005930", Market.KOSPI, Kind.STOCK)
ETF = Instrument("069500", Market.KOSPI, Kind.ETF)
YEAR = YearRow(since=date(2024, 1, 1), until=date(2024, 12, 31), source="made", closed={}, late={})


def a_rate(ppb: int, since: str, until: str | None = None, kind: Kind = Kind.STOCK) -> RateRow:
    return RateRow(
        since=date.fromisoformat(since),
        until=date.fromisoformat(until) if until else None,
        source="made",
        markets=(Market.KOSPI,),
        kinds=(kind,),
        ppb=ppb,
    )


def some_rules(*taxes: RateRow) -> Rules:
    ticks = TickRow(
        since=date(2024, 1, 1), source="made", markets=(Market.KOSPI,), kinds=(Kind.STOCK,), steps=((0, 1), (100, 10))
    )
    return Rules(
        Calendar([YEAR], []),
        ticks=[ticks],
        bands=[a_rate(300_000_000, "2024-01-01")],
        taxes=taxes,
        commissions=[a_rate(1, "2024-01-01", "2024-06-30"), a_rate(2, "2024-07-01")],
        instruments=[STOCK],
    )


def test_a_row_holds_on_its_first_and_its_last_day() -> None:
    rules = some_rules(a_rate(7, "2024-02-01", "2024-02-29"), a_rate(8, "2024-03-01"))
    days = [date(2024, 2, 1), date(2024, 2, 29), date(2024, 3, 1), date(2030, 1, 1)]
    assert [rules.tax_ppb(STOCK, day) for day in days] == [7, 7, 8, 8]


@pytest.mark.parametrize(("instrument", "day"), [(STOCK, date(2024, 1, 31)), (ETF, date(2024, 2, 1))])
def test_what_no_row_covers_is_refused_by_name(instrument: Instrument, day: date) -> None:
    rules = some_rules(a_rate(7, "2024-02-01"))
    with pytest.raises(ConfigError, match=f"no tax for KOSPI {instrument.kind} on {day}"):
        rules.tax_ppb(instrument, day)


def test_commission_is_the_newest_rate() -> None:
    assert some_rules().commission_ppb(STOCK) == 2


def test_ticks_and_band_come_from_their_rows() -> None:
    rules = some_rules()
    assert rules.ticks(STOCK, date(2024, 5, 2)) == TickTable(((0, 1), (100, 10)))
    band = rules.band(STOCK, date(2024, 5, 2), 100)
    assert (band.lower, band.upper) == (70, 130)


def test_an_instrument_is_known_by_its_symbol_or_not_at_all() -> None:
    assert some_rules().instrument("005930") is STOCK
    assert some_rules().instrument("000660") is None

import csv
import tomllib
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from qbtrade.app.rules import instrument_for, load_rules, rules_for
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.errors import ConfigError, UnknownNameError, UsageError
from tests.shared_data import shared

RULES = load_rules()
LISTED = [(market, Kind.STOCK) for market in Market] + [(Market.KOSPI, Kind.ETF), (Market.KOSPI, Kind.ETN)]


def of(market: Market, kind: Kind = Kind.STOCK) -> Instrument:
    return Instrument("000000", market, kind)


def test_the_rules_are_read_once() -> None:
    assert load_rules() is load_rules()


@pytest.mark.parametrize("market", [Market.KOSPI, Market.KOSDAQ])
@pytest.mark.parametrize(
    ("settles", "ppb"),
    [
        ("2018-01-02", 3_000_000),
        ("2019-06-02", 3_000_000),
        ("2019-06-03", 2_500_000),
        ("2020-12-31", 2_500_000),
        ("2021-01-01", 2_300_000),
        ("2022-12-31", 2_300_000),
        ("2023-01-01", 2_000_000),
        ("2023-12-31", 2_000_000),
        ("2024-01-01", 1_800_000),
        ("2024-12-31", 1_800_000),
        ("2025-01-01", 1_500_000),
        ("2025-12-31", 1_500_000),
        ("2026-01-01", 2_000_000),
        ("2028-01-04", 2_000_000),
    ],
)
def test_tax_on_sales_changes_with_the_settlement_day(market: Market, settles: str, ppb: int) -> None:
    assert RULES.tax_ppb(of(market), date.fromisoformat(settles)) == ppb


@pytest.mark.parametrize(
    ("settles", "ppb"), [("2019-06-02", 3_000_000), ("2019-06-03", 1_000_000), ("2026-07-01", 1_000_000)]
)
def test_konex_has_its_own_tax(settles: str, ppb: int) -> None:
    assert RULES.tax_ppb(of(Market.KONEX), date.fromisoformat(settles)) == ppb


@pytest.mark.parametrize("kind", [Kind.ETF, Kind.ETN])
def test_funds_and_notes_pay_no_tax_and_a_higher_commission(kind: Kind) -> None:
    for year in range(2018, 2028):
        assert RULES.tax_ppb(of(Market.KOSPI, kind), date(year, 6, 1)) == 0
    assert RULES.commission_ppb(of(Market.KOSPI, kind)) == 146_527
    assert RULES.commission_ppb(of(Market.KOSDAQ)) == 140_527


@pytest.mark.parametrize(
    ("trade", "ppb"),
    [
        ("2019-05-29", 3_000_000),
        ("2019-05-30", 2_500_000),
        ("2020-12-28", 2_500_000),
        ("2020-12-29", 2_300_000),
        ("2024-12-26", 1_800_000),
        ("2024-12-27", 1_500_000),
        ("2025-12-26", 1_500_000),
        ("2025-12-29", 2_000_000),
    ],
)
def test_the_last_sales_of_a_rate_are_two_trading_days_before_it_ends(trade: str, ppb: int) -> None:
    settles = RULES.calendar.settlement_day(date.fromisoformat(trade))
    assert RULES.tax_ppb(of(Market.KOSPI), settles) == ppb


@pytest.mark.parametrize(("market", "kind"), LISTED)
def test_every_trading_day_has_one_rule_of_each_sort(market: Market, kind: Kind) -> None:
    instrument = of(market, kind)
    day = RULES.calendar.first
    while day <= date(2027, 12, 31):
        assert RULES.tick_row(instrument, day).source
        assert RULES.band_row(instrument, day).source
        assert RULES.tax_row(instrument, day).source
        day += timedelta(days=1)


@pytest.mark.parametrize("sort", ["ticks", "bands", "taxes", "commissions"])
@pytest.mark.parametrize(("market", "kind"), LISTED)
def test_rows_of_a_sort_neither_overlap_nor_leave_gaps(sort: str, market: Market, kind: Kind) -> None:
    shipped = tomllib.loads(files("qbtrade.data").joinpath("rules.toml").read_text(encoding="utf-8"))
    rows = [row for row in shipped[sort] if market in row["markets"] and kind in row["kinds"]]
    assert rows[0]["from"] == RULES.calendar.first
    assert [row["to"] + timedelta(1) for row in rows[:-1]] == [row["from"] for row in rows[1:]]
    assert "to" not in rows[-1]


def test_the_tick_reform_joined_the_markets() -> None:
    for market in Market:
        assert RULES.ticks(of(market), date(2023, 1, 25)) == RULES.ticks(of(Market.KOSPI), date(2023, 1, 25))
    kospi, kosdaq, konex = (RULES.ticks(of(market), date(2023, 1, 24)) for market in Market)
    assert kospi != kosdaq == konex
    assert (kospi.size(100_000), kosdaq.size(100_000)) == (500, 100)


def test_only_konex_has_a_narrower_band() -> None:
    ppb = {market: RULES.band_row(of(market), date(2024, 5, 2)).ppb for market in Market}
    assert ppb == {Market.KOSPI: 300_000_000, Market.KOSDAQ: 300_000_000, Market.KONEX: 150_000_000}


# instruments


@pytest.mark.parametrize(
    "folder", ["daily_2018_2026", "daily_adjusted_to_2023", "intraday5m_2020", "intraday60m_2019_2020"]
)
def test_every_recorded_symbol_is_known(folder: str) -> None:
    symbols = {path.stem for path in Path(shared(folder)).glob("*.csv")} - {"KOSPI200"}
    assert symbols
    assert [symbol for symbol in sorted(symbols) if RULES.instrument(symbol) is None] == []


def test_shipped_stocks_are_listed_where_the_exchange_says() -> None:
    checked = 0
    with shared("universe_2026/symbols.csv").open() as file:
        for row in csv.DictReader(file):
            known = RULES.instrument(row["code"])
            if known:
                checked += 1
                assert known.market == row["market"].split()[0], known
                assert known.kind is Kind.STOCK
    assert checked == 56


def test_a_known_symbol_needs_no_words_and_words_win() -> None:
    assert instrument_for(RULES, "005930") == Instrument("005930", Market.KOSPI, Kind.STOCK, "Samsung Electronics")
    assert instrument_for(RULES, "069500").kind is Kind.ETF
    moved = instrument_for(RULES, "068270", market="kosdaq")
    assert (moved.market, moved.kind, moved.name) == (Market.KOSDAQ, Kind.STOCK, "Celltrion")


def test_an_etn_tells_by_its_symbol() -> None:
    assert instrument_for(RULES, "q500001") == Instrument("Q500001", Market.KOSPI, Kind.ETN)


@pytest.mark.parametrize(("market", "kind"), [("", ""), ("KOSPI", ""), ("", "ETF")])
def test_an_unknown_symbol_needs_market_and_kind(market: str, kind: str) -> None:
    with pytest.raises(UsageError, match=r"market and kind of 999999 are not known\. Say --market .* and --kind"):
        instrument_for(RULES, "999999", market, kind)


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("kind", Kind)
def test_an_unknown_symbol_is_what_the_user_says(market: Market, kind: Kind) -> None:
    assert instrument_for(RULES, "999999", market.lower(), kind.lower()) == Instrument("999999", market, kind)


@pytest.mark.parametrize(
    ("market", "kind", "said"),
    [("kosdak", "STOCK", "market 'kosdak'.*'KOSDAQ'"), ("KOSPI", "fund", "kind 'fund'.*Known")],
)
def test_a_market_or_kind_that_does_not_exist_is_refused(market: str, kind: str, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        instrument_for(RULES, "999999", market, kind)


# the view


def test_the_view_of_a_trading_day_over_the_end_of_a_year() -> None:
    view = rules_for(date(2024, 12, 27), "005930")
    assert (view.closed, view.next_day, view.settlement_day) == ("", date(2024, 12, 30), date(2025, 1, 2))
    assert view.tax
    assert view.hours
    assert (view.tax.ppb, view.tax.since, view.tax.until) == (1_500_000, date(2025, 1, 1), date(2025, 12, 31))
    assert view.ticks.since == date(2023, 1, 25)
    assert (view.band_example.lower, view.band_example.upper) == (52_500, 97_500)
    assert view.commission.ppb == 140_527


def test_a_closed_day_has_neither_hours_nor_settlement() -> None:
    view = rules_for(date(2024, 12, 31), "005930")
    assert view.closed == "Year-end closing"
    assert (view.hours, view.settlement_day, view.tax) == (None, None, None)


@pytest.mark.parametrize("day", [date(2017, 12, 28), date(2028, 1, 8)])
def test_days_without_a_calendar_are_refused(day: date) -> None:
    with pytest.raises(ConfigError, match="no trading calendar"):
        rules_for(day, "005930")


def test_a_kind_that_a_market_does_not_list_has_no_rules() -> None:
    with pytest.raises(ConfigError, match="no tick table for KONEX ETF"):
        rules_for(date(2024, 5, 2), "999999", "KONEX", "ETF")

import csv
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.app.rules import load_rules
from qbtrade.domain.instrument import Instrument, Kind, Market, PriceBand, TickTable, parse_symbol, price_band
from qbtrade.errors import UsageError
from tests.shared_data import shared

OLD, NEW = date(2023, 1, 24), date(2023, 1, 25)
RULES = load_rules()


def table(market: Market, kind: Kind, day: date) -> TickTable:
    return RULES.ticks(Instrument("000000", market, kind), day)


OLD_KOSPI = table(Market.KOSPI, Kind.STOCK, OLD)
OLD_KOSDAQ = table(Market.KOSDAQ, Kind.STOCK, OLD)
SINCE_2023 = table(Market.KOSDAQ, Kind.STOCK, NEW)
OLD_ETF = table(Market.KOSPI, Kind.ETF, date(2023, 12, 1))
NEW_ETF = table(Market.KOSPI, Kind.ETF, date(2024, 1, 2))
TABLES = st.sampled_from([OLD_KOSPI, OLD_KOSDAQ, SINCE_2023, OLD_ETF, NEW_ETF])
PRICES = st.integers(1, 2_000_000)


@pytest.mark.parametrize("text", ["005930", " 005930 ", "0126z0", "q500001", "Q500001"])
def test_a_symbol_is_six_letters_or_digits_or_an_etn(text: str) -> None:
    assert parse_symbol(text) == text.strip().upper()


@pytest.mark.parametrize(
    "text", ["", "5930", "0059300", "A005930", "00593 ", "00-930", "\uff10\uff105930", "ß5930", "005930\n1"]
)
def test_anything_else_is_no_symbol(text: str) -> None:
    with pytest.raises(UsageError, match="is not a symbol"):
        parse_symbol(text)


@pytest.mark.parametrize(
    ("ticks", "price", "below", "size"),
    [
        (OLD_KOSPI, 1_000, 1, 5),
        (OLD_KOSPI, 5_000, 5, 10),
        (OLD_KOSPI, 10_000, 10, 50),
        (OLD_KOSPI, 50_000, 50, 100),
        (OLD_KOSPI, 100_000, 100, 500),
        (OLD_KOSPI, 500_000, 500, 1_000),
        (OLD_KOSDAQ, 1_000, 1, 5),
        (OLD_KOSDAQ, 5_000, 5, 10),
        (OLD_KOSDAQ, 10_000, 10, 50),
        (OLD_KOSDAQ, 50_000, 50, 100),
        (OLD_KOSDAQ, 100_000, 100, 100),
        (OLD_KOSDAQ, 500_000, 100, 100),
        (SINCE_2023, 2_000, 1, 5),
        (SINCE_2023, 5_000, 5, 10),
        (SINCE_2023, 20_000, 10, 50),
        (SINCE_2023, 50_000, 50, 100),
        (SINCE_2023, 200_000, 100, 500),
        (SINCE_2023, 500_000, 500, 1_000),
        (OLD_ETF, 2_000, 5, 5),
        (NEW_ETF, 2_000, 1, 5),
    ],
)
def test_the_boundary_price_belongs_to_the_higher_step(ticks: TickTable, price: int, below: int, size: int) -> None:
    assert (ticks.size(price - 1), ticks.size(price)) == (below, size)
    assert ticks.step(price, -1) == price - below
    assert ticks.step(price, 1) == price + size
    assert ticks.step(price - below, 1) == price


def test_nothing_is_no_price() -> None:
    assert not SINCE_2023.on_grid(0)
    assert SINCE_2023.on_grid(1)


def test_every_boundary_lies_on_both_grids() -> None:
    for ticks in (OLD_KOSPI, OLD_KOSDAQ, SINCE_2023, OLD_ETF, NEW_ETF):
        assert ticks.steps[0][0] == 0
        for (start, tick), (following, larger) in pairwise(ticks.steps):
            assert start < following
            assert following % tick == following % larger == 0


@given(TABLES, PRICES)
def test_rounding_encloses_the_price_and_lands_on_the_grid(ticks: TickTable, price: int) -> None:
    down, up = ticks.down(price), ticks.up(price)
    assert down <= price <= up
    assert ticks.on_grid(up)
    assert ticks.on_grid(down) or down == 0
    assert ticks.on_grid(price) == (down == price == up)
    assert up == price or up == ticks.step(price, 1)


@given(TABLES, PRICES, st.integers(0, 40))
def test_steps_up_and_down_are_inverse(ticks: TickTable, price: int, n: int) -> None:
    start = ticks.up(price)
    assert ticks.step(ticks.step(start, n), -n) == start


@given(TABLES, PRICES, st.integers(-40, 40))
def test_a_step_stays_on_the_grid_and_above_nothing(ticks: TickTable, price: int, n: int) -> None:
    away = ticks.step(price, n)
    assert ticks.on_grid(away) or n == 0
    assert (away > price) == (n > 0) or away == ticks.steps[0][1]


@given(TABLES, PRICES)
def test_no_price_on_the_grid_is_passed_over(ticks: TickTable, price: int) -> None:
    low, high = ticks.down(price), ticks.step(price, 1)
    assert not any(ticks.on_grid(between) for between in range(low + 1, high))


def test_many_steps_cross_bands_like_a_walk_over_all_prices() -> None:
    grid = [price for price in range(1, 60_000) if SINCE_2023.on_grid(price)]
    start = grid.index(4_990)
    assert [SINCE_2023.step(4_990, n) for n in range(-200, 200)] == grid[start - 200 : start + 200]


@pytest.mark.parametrize(
    ("base", "ticks", "lower", "upper"),
    [
        (128_500, OLD_KOSPI, 90_000, 167_000),
        (111_000, OLD_KOSPI, 78_000, 144_000),
        (75_000, SINCE_2023, 52_500, 97_500),
        (29_750, SINCE_2023, 20_850, 38_650),
        (539_000, SINCE_2023, 378_000, 700_000),
        (9_540, SINCE_2023, 6_680, 12_400),
        (1, SINCE_2023, 1, 2),
        (5, OLD_ETF, 5, 10),
    ],
)
def test_price_bands(base: int, ticks: TickTable, lower: int, upper: int) -> None:
    assert price_band(base, ticks) == PriceBand(base, lower, upper)


@given(TABLES, PRICES)
def test_price_limits_lie_on_the_grid_and_within_30_percent(ticks: TickTable, price: int) -> None:
    base = ticks.up(price)
    band = price_band(base, ticks)
    assert ticks.on_grid(band.lower)
    assert ticks.on_grid(band.upper)
    assert band.contains(base)
    assert not band.contains(band.lower - 1)
    assert not band.contains(band.upper + 1)
    tick = ticks.size(base)
    assert band.upper - base <= max(base * 3 // 10, tick)
    assert base - band.lower <= max(base * 3 // 10, tick)


@given(TABLES, PRICES)
def test_a_base_off_the_grid_has_a_band_too(ticks: TickTable, base: int) -> None:
    band = price_band(base, ticks)
    assert 0 < band.lower <= band.upper
    assert ticks.on_grid(band.lower)
    assert ticks.on_grid(band.upper)


@pytest.mark.parametrize("symbol", ["005930", "000100", "035900", "053800"])
def test_recorded_prices_of_2020_lie_on_the_earlier_grid(symbol: str) -> None:
    instrument = RULES.instrument(symbol)
    assert instrument is not None
    ticks = RULES.ticks(instrument, date(2020, 2, 18))
    with shared(f"intraday5m_2020/{symbol}.csv").open() as file:
        prices = {int(row[name]) for row in csv.DictReader(file) for name in ("open", "high", "low", "close")}
    assert [price for price in prices if not ticks.on_grid(price)] == []


def test_recorded_days_of_2026_stay_within_the_band_of_the_day_before_and_reach_it() -> None:
    closes: dict[str, int] = {}
    beyond, at_limit = [], 0
    with shared("universe_2026/daily_top250.csv").open() as file:
        for row in csv.DictReader(file):
            low, high, base = int(row["low"]), int(row["high"]), closes.get(row["code"])
            closes[row["code"]] = int(row["close"])
            if base is None or row["open"] == "0":
                continue
            assert SINCE_2023.on_grid(int(row["close"]))
            band = price_band(base, SINCE_2023)
            at_limit += high == band.upper
            if not (band.contains(low) and band.contains(high)):
                beyond.append(row)
    assert beyond == []
    assert at_limit == 9


def test_a_coarser_grid_around_a_price_suits_both_ticks_and_leaves_the_rest() -> None:
    both = TickTable(((0, 1), (2_000, 5), (5_000, 10))).coarser(3_000, 2)
    assert [both.size(price) for price in (1_999, 2_000, 4_999, 5_000)] == [1, 10, 10, 10]
    assert (both.down(3_007), both.up(3_007)) == (3_000, 3_010)

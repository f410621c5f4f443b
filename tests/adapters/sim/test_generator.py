"""The made market: what holds for every seed and scenario."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qbtrade.adapters.sim.generator import MockMarket
from qbtrade.adapters.sim.scenarios import SCENARIOS
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import MINUTE, TradingDay, kst_date
from qbtrade.domain.events import SymbolHalted, SymbolResumed
from qbtrade.domain.instrument import TickTable, price_band
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.errors import UnknownNameError, UsageError
from tests.fakes import TICKS

CALENDAR = load_rules().calendar
FIRST = date(2026, 11, 18)  # then the day of the college exam, which opens at 10:00, then a plain Friday


def trading_days(count: int, first: date = FIRST) -> list[TradingDay]:
    days = [first]
    while len(days) < count:
        days.append(CALENDAR.next_day(days[-1]))
    return [CALENDAR.trading_day(day) for day in days]


def a_market(
    scenario: str = "calm",
    *,
    seed: int = 0,
    days: int = 1,
    ticks: int = 2_000,
    price: int = 0,
    volatility: int = 15_000_000,
    table: TickTable = TICKS,
    symbol: str = "005930",
) -> MockMarket:
    return MockMarket(
        symbol, trading_days(days), ticks=ticks, price=price, volatility=volatility,
        scenario=scenario, tick_table=lambda _: table, seed=seed,
    )  # fmt: skip


def trades(events: object) -> list[Trade]:
    assert isinstance(events, MockMarket | list)
    return [event for event in events if isinstance(event, Trade)]


def closes(market: MockMarket) -> list[int]:
    """The last price of each minute."""
    return list({trade.ts // MINUTE: trade.price for trade in trades(market)}.values())


def crossings(prices: list[int], fast: int = 5, slow: int = 20) -> int:
    above = [
        sum(prices[end - fast : end]) * slow > sum(prices[end - slow : end]) * fast
        for end in range(slow, len(prices) + 1)
    ]
    return sum(before is not after for before, after in pairwise(above))


@given(
    scenario=st.sampled_from(sorted(SCENARIOS)),
    seed=st.integers(0, 2**32),
    days=st.integers(1, 3),
    ticks=st.integers(2, 3_000),
    price=st.sampled_from([0, 3, 1_003, 4_998, 75_000, 999_000]),
    volatility=st.sampled_from([0, 15_000_000, 200_000_000]),
)
@settings(max_examples=60, deadline=None)
def test_every_made_print_is_on_the_grid_in_the_band_in_a_phase_and_in_order(
    scenario: str, seed: int, days: int, ticks: int, price: int, volatility: int
) -> None:
    market = a_market(scenario, seed=seed, days=days, ticks=ticks, price=price, volatility=volatility)
    base = market.base
    events = list(market)
    for day in trading_days(days):
        today = [event for event in events if kst_date(event.ts) == day.day]
        band = price_band(base, TICKS)
        assert [event.ts for event in today] == sorted(event.ts for event in today)
        prints = trades(today)
        assert prints[0].ts == day.open
        assert prints[-1].ts == day.close - 1
        assert prints[0].auction
        assert prints[-1].auction
        assert all(day.open <= trade.ts < day.continuous_end for trade in prints[:-1])
        assert all(TICKS.on_grid(trade.price) and band.contains(trade.price) and trade.qty > 0 for trade in prints)
        base = prints[-1].price
    assert {kst_date(event.ts) for event in events} == {day.day for day in trading_days(days)}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("ticks", [2, 3, 100, 5_000])
def test_a_day_has_as_many_trades_as_asked_for(scenario: str, ticks: int) -> None:
    made = len(trades(a_market(scenario, ticks=ticks)))
    assert made == ticks if ticks > 3 else ticks <= made <= ticks + 1  # the auction after a halt comes in any case


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_one_seed_makes_one_market_and_another_seed_another(scenario: str) -> None:
    market = a_market(scenario, seed=1, days=2)
    assert list(market) == list(market) == list(a_market(scenario, seed=1, days=2))
    assert list(market) != list(a_market(scenario, seed=2, days=2))


def test_symbols_of_one_seed_go_their_own_ways() -> None:
    assert closes(a_market(symbol="005930")) != closes(a_market(symbol="000660"))


def test_the_made_prices_are_the_same_on_every_machine() -> None:
    prints = trades(a_market(seed=20, ticks=1_000))
    assert [(trade.price, trade.qty) for trade in prints[:4]] == [
        (74_500, 3_025),
        (74_500, 112),
        (74_500, 49),
        (74_600, 48),
    ]
    assert prints[-1].price == 74_100


def test_the_first_day_opens_at_the_price_asked_for_or_near_75_000() -> None:
    assert trades(a_market(price=12_345))[0].price == 12_340
    opens = [trades(a_market(seed=seed, ticks=2))[0].price for seed in range(30)]
    assert all(74_000 <= price <= 76_000 for price in opens)
    assert len(set(opens)) > 5


def test_calm_days_move_about_as_much_as_their_volatility_says() -> None:
    moves = []
    for seed in range(150):
        prints = trades(a_market(seed=seed, ticks=400))
        moves.append((prints[-1].price - prints[0].price) / prints[0].price)
    assert 0.012 < (sum(move * move for move in moves) / len(moves)) ** 0.5 < 0.018


def test_trading_is_busiest_at_both_ends_of_the_day() -> None:
    day = trading_days(1)[0]
    hours = [0] * 7
    for trade in trades(a_market(ticks=10_000))[:-1]:
        hours[(trade.ts - day.open) // (60 * MINUTE)] += 1
    assert min(hours[0], hours[5]) > 1.5 * max(hours[2:4])


def test_large_moves_come_in_clusters() -> None:
    together = apart = 0.0
    for seed in range(40):
        prices = closes(a_market(seed=seed, ticks=6_000))[60:320]  # without the ends, which are wild anyway
        moves = [abs(after - before) for before, after in pairwise(prices)]
        mean = sum(moves) / len(moves)
        together += sum((a - mean) * (b - mean) for a, b in pairwise(moves)) / len(moves)
        apart += sum((a - mean) ** 2 for a in moves) / len(moves)
    assert together / apart > 0.05


def test_neighbouring_prints_bounce_by_one_tick() -> None:
    steps = [abs(after.price - before.price) for before, after in pairwise(trades(a_market(ticks=20_000)))]
    assert sum(step == 100 for step in steps) > len(steps) // 10
    assert sum(step <= 100 for step in steps) > len(steps) * 95 // 100


def test_averages_cross_some_twenty_times_a_calm_day() -> None:
    counts = [crossings(closes(a_market(seed=seed, ticks=20_000))) for seed in range(8)]
    assert all(8 <= count <= 45 for count in counts)


def test_a_trend_rises_about_four_percent_and_its_averages_still_cross() -> None:
    made = [closes(a_market("trend", seed=seed)) for seed in range(20)]
    gains = [prices[-1] / prices[0] - 1 for prices in made]
    assert 0.03 < sum(gains) / len(gains) < 0.05
    assert all(crossings(prices) >= 8 for prices in made)


def test_a_crash_falls_by_more_than_a_tenth_around_a_volatility_interruption() -> None:
    market = a_market("crash", seed=3)
    (halted,) = [event for event in market if isinstance(event, SymbolHalted)]
    (resumed,) = [event for event in market if isinstance(event, SymbolResumed)]
    assert halted.reason == resumed.reason == "vi"
    assert resumed.ts - halted.ts == 2 * MINUTE
    before = [trade.price for trade in trades(market) if trade.ts < halted.ts - 5 * MINUTE]
    after = [trade.price for trade in trades(market) if trade.ts > resumed.ts + 10 * MINUTE]
    assert after[0] < before[-1] * 0.91


def test_limit_up_reaches_the_upper_limit_and_stays_there_with_few_trades() -> None:
    market = a_market("limit-up", seed=3)
    upper = price_band(market.base, TICKS).upper
    prints = trades(market)
    noon = trading_days(1)[0].open + 180 * MINUTE
    locked = [trade for trade in prints if trade.ts > noon]
    assert {trade.price for trade in locked} == {upper}
    assert len(locked) < len(prints) // 10


@pytest.mark.parametrize(("scenario", "reason", "minutes"), [("halt", "circuit-breaker", 30), ("crash", "vi", 2)])
def test_nothing_trades_during_a_halt_and_an_auction_ends_it(scenario: str, reason: str, minutes: int) -> None:
    events: list[Event] = list(a_market(scenario))
    start = next(index for index, event in enumerate(events) if isinstance(event, SymbolHalted))
    halted, resumed, auction = events[start : start + 3]
    assert isinstance(halted, SymbolHalted)
    assert halted.reason == reason
    assert isinstance(resumed, SymbolResumed)
    assert resumed.ts == halted.ts + minutes * MINUTE
    assert isinstance(auction, Trade)
    assert auction.auction
    assert auction.ts == resumed.ts


@pytest.mark.parametrize("scenario", ["crash", "limit-up", "halt"])
def test_the_event_happens_on_the_first_day_and_calm_ones_follow(scenario: str) -> None:
    day = trading_days(2)[1]
    market = a_market(scenario, days=2)
    later = [event for event in market if event.ts >= day.open]
    assert not [event for event in later if isinstance(event, SymbolHalted)]
    prices = [trade.price for trade in trades(later)]
    assert min(prices) * 1.2 > max(prices)


def test_a_new_day_opens_with_a_gap() -> None:
    auctions = [trade.price for trade in trades(a_market(days=5)) if trade.auction]
    assert sum(close != opening for close, opening in zip(auctions[1::2], auctions[2::2], strict=False)) >= 3


def test_an_unknown_scenario_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'crash'"):
        a_market("crsh")


def test_a_day_needs_two_prints() -> None:
    with pytest.raises(UsageError, match="at least 2 ticks, not 1"):
        a_market(ticks=1)

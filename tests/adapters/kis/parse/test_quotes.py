from datetime import date, time
from itertools import pairwise

from qbtrade.adapters.kis.parse import quotes
from qbtrade.adapters.kis.parse.envelope import Page
from qbtrade.domain.calendar import MINUTE
from tests.adapters.kis.captured import own, recorded
from tests.builders import at

YESTERDAY = date(2026, 11, 19)
RECORDED_DAY = date(2026, 5, 27)


def test_the_recorded_price_tells_todays_limits() -> None:
    found = quotes.price(recorded("inquire_price_000660_2022"))
    assert (found.last, found.base, found.upper, found.lower, found.tick) == (128_500, 128_500, 167_000, 90_000, 500)
    assert (found.market, found.status, found.warning) == ("KOSPI200", "55", "00")
    assert not any((found.halted, found.vi, found.caution, found.overheated, found.liquidation, found.managed))


def test_the_recorded_book_is_told_best_first() -> None:
    found = quotes.book(recorded("inquire_asking_price_005930_20260527"))
    assert (found.asks[0], found.bids[0]) == (quotes.Level(307_500, 2588), quotes.Level(307_000, 20_697))
    assert (len(found.asks), len(found.bids), found.at) == (10, 10, time(15, 8, 22))


def test_empty_levels_of_a_book_are_left_out() -> None:
    levels = {"askp1": "75100", "askp_rsqn1": "5", "askp2": "0", "askp_rsqn2": "0", "bidp1": "", "bidp_rsqn1": ""}
    blocks = {"output1": {"aspr_acpt_hour": "090000", **levels}, "output2": {"antc_cnpr": ""}}
    page = Page("inquire-asking-price-exp-ccn", True, "", "", blocks)  # noqa: FBT003 (a struct)
    found = quotes.book([page])
    assert (found.asks, found.bids, found.expected) == ((quotes.Level(75_100, 5),), (), 0)


def test_recorded_conclusions_come_oldest_first() -> None:
    found = quotes.conclusions(recorded("inquire_ccnl_005930_20260527"))
    assert found[0] == quotes.Conclusion(time(15, 8, 21), 307_000, 21)
    assert any(each.price == 307_250 for each in found)  # a mid-price trade, off the grid


def test_conclusions_up_to_a_time_know_both_names_of_the_price() -> None:
    found = quotes.timed_conclusions(own("time_conclusions"))
    assert [(each.at, each.price, each.qty) for each in found] == [
        (time(10), 75_000, 3),
        (time(10, 0, 1), 75_100, 7),
    ]


def test_minute_bars_come_oldest_first_and_begin_at_their_time() -> None:
    first, auction = quotes.minute_bars("005930", own("past_minutes"))
    assert (first.start, first.ts) == (at("15:19", YESTERDAY), at("15:20", YESTERDAY))
    assert (first.open, first.high, first.low, first.close, first.volume) == (74_900, 75_200, 74_800, 75_100, 310)
    assert (auction.start, auction.symbol) == (at("15:30", YESTERDAY), "005930")


def test_recorded_minute_bars_are_a_minute_apart() -> None:
    found = quotes.minute_bars("005930", recorded("inquire_time_itemchartprice_005930_20260527"))
    assert len(found) == 30
    assert found[-1].start == at("15:30", RECORDED_DAY)
    assert all(later.start - earlier.start == MINUTE for earlier, later in pairwise(found))


def test_recorded_daily_bars_come_oldest_first() -> None:
    found = quotes.daily_bars(recorded("inquire_daily_itemchartprice_005930_202605"))
    assert [bar.day for bar in found] == sorted(bar.day for bar in found)
    assert found[-1] == quotes.DailyBar(RECORDED_DAY, 321_500, 323_000, 306_000, 307_000, 30_186_066)

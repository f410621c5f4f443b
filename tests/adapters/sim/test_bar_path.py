"""The path inside a bar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.adapters.sim.bar_path import BarRow, play, prints
from tests.builders import MINUTE, SAMSUNG


def a_row(
    first: int = 100,
    high: int = 110,
    low: int = 95,
    last: int = 105,
    *,
    start: int = 0,
    volume: int = 43,
    symbol: str = SAMSUNG,
) -> BarRow:
    return (start, start + MINUTE, symbol, first, high, low, last, volume)


@pytest.mark.parametrize(
    ("first", "high", "low", "last", "path"),
    [
        (100, 110, 95, 105, [100, 95, 110, 105]),  # the low is nearer
        (100, 103, 95, 96, [100, 103, 95, 96]),  # the high is nearer
        (100, 105, 95, 100, [100, 95, 105, 100]),  # as near: the low comes first
        (100, 100, 100, 100, [100, 100, 100, 100]),
    ],
)
def test_the_nearer_extreme_is_visited_first(first: int, high: int, low: int, last: int, path: list[int]) -> None:
    assert [trade.price for trade in prints(a_row(first, high, low, last))] == path


def test_prints_stand_at_the_start_the_thirds_and_the_last_nanosecond() -> None:
    assert [trade.ts for trade in prints(a_row(start=MINUTE))] == [
        MINUTE,
        MINUTE + MINUTE // 3,
        MINUTE + 2 * MINUTE // 3,
        2 * MINUTE - 1,
    ]


@pytest.mark.parametrize(
    ("volume", "split"), [(0, [0, 0, 0, 0]), (3, [0, 0, 0, 3]), (43, [10, 10, 10, 13]), (44, [11, 11, 11, 11])]
)
def test_the_volume_is_split_in_four_and_the_remainder_goes_to_the_close(volume: int, split: list[int]) -> None:
    assert [trade.qty for trade in prints(a_row(volume=volume))] == split


def test_bars_that_start_together_are_played_side_by_side() -> None:
    rows = [a_row(symbol="000660"), a_row(symbol="005930"), a_row(symbol="005930", start=MINUTE)]
    assert [trade.symbol for trade in play(rows)] == ["000660", "005930"] * 4 + ["005930"] * 4


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["000660", "005930"]), st.lists(st.integers(1, 999), min_size=4)),
        max_size=20,
    )
)
def test_played_bars_are_in_order_and_fold_back_into_themselves(bars: list[tuple[int, str, list[int]]]) -> None:
    rows = [
        a_row(min(prices[0], prices[1]), max(prices), min(prices), prices[0], start=minute * MINUTE, symbol=symbol)
        for minute, symbol, prices in sorted(bars)
    ]
    trades = list(play(rows))
    assert [trade.ts for trade in trades] == sorted(trade.ts for trade in trades)
    for row in rows:
        mine = prints(row)
        assert (mine[0].price, mine[-1].price) == (row[3], row[6])
        assert (max(trade.price for trade in mine), min(trade.price for trade in mine)) == (row[4], row[5])
        assert sum(trade.qty for trade in mine) == row[7]
        assert not any(trade.auction for trade in mine)

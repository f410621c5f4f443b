"""The worked example signals crossings, and nothing else."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.errors import UsageError
from qbtrade.strategies.averages import Sma
from qbtrade.strategies.sma_cross import Cross, CrossParams, SmaCross, TickCross
from tests.builders import SAMSUNG, a_bar, a_trade


class Wishes:
    """A desk that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked = list[tuple[str, dict[str, object]]]()

    def now(self) -> int:
        return 0

    def last(self, symbol: str) -> int:
        del symbol
        return 0

    def position(self, symbol: str) -> int:
        del symbol
        return 0

    def buy(self, symbol: str, reason: str, **values: object) -> None:
        del symbol, reason
        self.asked.append(("buy", values))

    def sell(self, symbol: str, reason: str, **values: object) -> None:
        del symbol, reason
        self.asked.append(("sell", values))


def crossings(prices: list[int], fast: int = 2, slow: int = 4) -> list[tuple[int, int]]:
    cross = Cross(Sma(fast), Sma(slow))
    found = [(n, cross.add(price)) for n, price in enumerate(prices)]
    return [(n, side) for n, side in found if side]


def test_a_rise_after_equal_averages_is_a_crossing() -> None:
    assert crossings([100] * 4 + [110] * 4 + [90] * 4) == [(4, 1), (8, -1)]


def test_where_the_averages_first_stand_is_no_crossing() -> None:
    assert crossings([100, 101, 102, 103, 104]) == []


def test_touching_without_passing_is_no_crossing() -> None:
    assert crossings([100, 100, 110, 110, 110, 110, 130]) == []


@given(st.lists(st.integers(1, 200), max_size=80))
def test_crossings_alternate(prices: list[int]) -> None:
    sides = [side for _, side in crossings(prices)]
    assert all(a == -b for a, b in pairwise(sides))


@pytest.mark.parametrize(("fast", "slow"), [(0, 5), (5, 5), (6, 5)])
def test_lengths_that_cannot_cross_are_refused(fast: int, slow: int) -> None:
    with pytest.raises(UsageError, match="smaller than"):
        CrossParams(fast, slow)


def test_bars_are_followed_by_close() -> None:
    desk = Wishes()
    strategy = SmaCross(desk, (SAMSUNG,), CrossParams(2, 4))
    for close in [100] * 4 + [110, 110, 90, 80]:
        strategy.on_bar(a_bar(close))
    assert desk.asked == [
        ("buy", {"fast": "105.00", "slow": "102.50", "close": 110}),
        ("sell", {"fast": "100.00", "slow": "102.50", "close": 90}),
    ]
    assert strategy.warm_up() == 5


def test_the_tick_version_follows_every_trade_and_no_bar() -> None:
    desk = Wishes()
    strategy = TickCross(desk, (SAMSUNG,), CrossParams(2, 4, "ema"))
    strategy.on_bar(a_bar(1))
    for price in [100] * 4 + [110]:
        strategy.on_trade(a_trade(price))
    assert [side for side, _ in desk.asked] == ["buy"]
    assert strategy.warm_up() == 0

"""The assumptions of the simulated venue, one by one."""

from random import Random

import pytest

from qbtrade.adapters.sim.models import FixedLatency, RandomRefusals, TickSlippage, VolumeShare, fill_rule
from qbtrade.errors import UnknownNameError
from tests.fakes import TICKS

FIVE_PERCENT = 50_000_000


def test_every_request_takes_the_same_time() -> None:
    assert FixedLatency(50).arrival(1_000) == 1_050


@pytest.mark.parametrize(
    ("printed", "count", "buys_at", "sells_at"),
    [
        (75_000, 0, 75_000, 75_000),
        (75_000, 1, 75_100, 74_900),
        (75_000, 3, 75_300, 74_700),
        (50_000, 1, 50_100, 49_950),  # the tick changes at 50,000
        (49_950, 2, 50_100, 49_850),
        (75_050, 0, 75_100, 75_000),  # a print off the grid
        (75_050, 1, 75_100, 75_000),
    ],
)
def test_a_taker_pays_some_ticks_beyond_the_print(printed: int, count: int, buys_at: int, sells_at: int) -> None:
    slippage = TickSlippage(count)
    assert slippage.price(printed, TICKS, buy=True) == buys_at
    assert slippage.price(printed, TICKS, buy=False) == sells_at


@pytest.mark.parametrize(
    ("name", "printed", "fills_a_buy", "fills_a_sell"),
    [
        ("through", 74_900, True, False),
        ("through", 75_000, False, False),
        ("through", 75_100, False, True),
        ("touch", 74_900, True, False),
        ("touch", 75_000, True, True),
        ("touch", 75_100, False, True),
    ],
)
def test_fill_rules_differ_at_the_limit(name: str, printed: int, fills_a_buy: bool, fills_a_sell: bool) -> None:  # noqa: FBT001
    rule = fill_rule(name)
    assert rule.fills(75_000, printed, buy=True) is fills_a_buy
    assert rule.fills(75_000, printed, buy=False) is fills_a_sell


def test_an_unknown_fill_rule_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'through'"):
        fill_rule("trough")


@pytest.mark.parametrize(("qty", "available"), [(0, 0), (1, 1), (9, 1), (10, 1), (29, 2), (1_000, 100)])
def test_a_tenth_of_a_print_is_ours_and_at_least_one_share(qty: int, available: int) -> None:
    assert VolumeShare(100_000_000).available(qty) == available


def test_refusals_follow_their_rate_and_their_seed() -> None:
    refusals, again = RandomRefusals(FIVE_PERCENT, Random(7)), RandomRefusals(FIVE_PERCENT, Random(7))
    drawn = [refusals.refuses() for _ in range(10_000)]
    assert drawn == [again.refuses() for _ in range(10_000)]
    assert 400 < sum(drawn) < 600


def test_a_rate_of_zero_draws_nothing() -> None:
    rng = Random(7)
    assert not RandomRefusals(0, rng).refuses()
    assert rng.random() == Random(7).random()

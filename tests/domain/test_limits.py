from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qbtrade.domain.limits import highest_buy, lowest_sell
from qbtrade.domain.money import PPB
from tests.engines.bench import LOOSE

prices = st.integers(1, 10**9)
collars = st.integers(0, PPB)


def test_half_of_the_budget_is_the_daily_loss_unless_another_is_given() -> None:
    assert replace(LOOSE, max_budget=100_001, daily_loss=0).loss_limit == 50_000
    assert replace(LOOSE, max_budget=100_001, daily_loss=7).loss_limit == 7


def test_even_the_smallest_budget_does_not_start_halted() -> None:
    assert replace(LOOSE, max_budget=1, daily_loss=0).loss_limit == 1


def test_a_collar_is_a_share_of_the_last_price_on_both_sides() -> None:
    assert (highest_buy(75_000, 30_000_000), lowest_sell(75_000, 30_000_000)) == (77_250, 72_750)
    assert (highest_buy(99, 30_000_000), lowest_sell(99, 30_000_000)) == (101, 97)


def test_the_lowest_sell_is_at_least_one_won() -> None:
    assert lowest_sell(75_000, PPB) == lowest_sell(75_000, 2 * PPB) == 1


@given(last=prices, collar=collars)
def test_the_collar_is_exact_to_the_won(last: int, collar: int) -> None:
    high, low = highest_buy(last, collar), lowest_sell(last, collar)
    assert high * PPB <= last * (PPB + collar) < (high + 1) * PPB
    assert low == 1 or (low - 1) * PPB < last * (PPB - collar) <= low * PPB

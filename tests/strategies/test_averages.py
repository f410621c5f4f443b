"""Running averages equal those computed from scratch."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from qbtrade.strategies.averages import Ema, Sma, average

PRICES = st.lists(st.integers(1, 1_000_000), min_size=1, max_size=60)


@given(PRICES, st.integers(1, 20))
def test_sma_is_the_mean_of_the_last_prices(prices: list[int], length: int) -> None:
    sma = Sma(length)
    for price in prices:
        sma.add(price)
    window = prices[-length:]
    assert sma.value == sum(window) / len(window)
    assert sma.ready == (len(prices) >= length)


@given(PRICES, st.integers(1, 20))
def test_ema_starts_from_the_mean_and_follows_its_weight(prices: list[int], length: int) -> None:
    ema = Ema(length)
    for price in prices:
        ema.add(price)
    assert ema.ready == (len(prices) >= length)
    if not ema.ready:
        return
    exact = Fraction(sum(prices[:length]), length)
    for price in prices[length:]:
        exact += (price - exact) * Fraction(2, length + 1)
    assert abs(Fraction(ema.value) - exact) < Fraction(1, 1_000_000)


def test_an_average_is_picked_by_name() -> None:
    assert isinstance(average("sma", 5), Sma)
    assert isinstance(average("ema", 5), Ema)

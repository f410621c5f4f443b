from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.money import Costs, charge

AMOUNTS = st.integers(0, 10**15)
RATES = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("amount", "ppb", "won"),
    [
        (75_000, 140_527, 10),
        (71_160, 140_527, 9),  # 9.9999 won
        (71_161, 140_527, 10),
        (100_000, 1_500_000, 150),
        (99_999, 1_500_000, 149),
        (0, 140_527, 0),
        (10**15, 10**9, 10**15),
    ],
)
def test_a_charge_is_cut_to_the_won(amount: int, ppb: int, won: int) -> None:
    assert charge(amount, ppb) == won


@given(AMOUNTS, RATES)
def test_a_charge_is_the_floor_of_the_exact_share(amount: int, ppb: int) -> None:
    exact = Fraction(amount) * Fraction(ppb, 10**9)
    assert 0 <= exact - charge(amount, ppb) < 1


@given(AMOUNTS, RATES, RATES)
def test_costs_keep_commission_and_tax_apart(amount: int, commission_ppb: int, tax_ppb: int) -> None:
    costs = Costs(commission_ppb, tax_ppb)
    assert costs.commission(amount) == charge(amount, commission_ppb)
    assert costs.tax(amount) == charge(amount, tax_ppb)

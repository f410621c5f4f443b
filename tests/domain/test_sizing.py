"""An entry is as large as the tightest money rule admits."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.sizing import shares

LIMITS = RiskLimits(
    max_budget=300_000, daily_loss=0, stop_loss=0, position_share=50_000_000, cash_share=200_000_000, max_entries=10,
    max_order_qty=100, collar=0, orders_per_minute=30, stale_after=60, duplicate_window=0, commission_ppb=140_527,
)  # fmt: skip
CASH = 10_000_000


def sized(price: int = 75_000, *, max_order_qty: int = 100, **changed: int) -> int:
    limits = msgspec.structs.replace(LIMITS, max_order_qty=max_order_qty)
    money = {
        "at_work": 0,
        "in_symbol": 0,
        "spendable": CASH,
        "equity": CASH,
        "day_start": CASH,
        "realized": 0,
    } | changed
    return shares(limits, price, **money)


def test_the_budget_binds_first_in_a_small_session() -> None:
    assert sized(75_000) == 4
    assert sized(75_001) == 3


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"at_work": 150_000}, 2),
        ({"realized": -100_000}, 2),
        ({"realized": 100_000}, 4),
        ({"in_symbol": 400_000}, 1),
        ({"in_symbol": 500_001}, 0),
        ({"day_start": 3_000_000}, 2),
        ({"spendable": 2_000_000}, 0),
        ({"spendable": 2_075_011}, 1),
        ({"spendable": 2_075_010}, 0),
    ],
)
def test_every_money_rule_can_bind(changed: dict[str, int], expected: int) -> None:
    assert sized(**changed) == expected


def test_an_order_is_never_larger_than_allowed() -> None:
    assert sized(100, max_order_qty=7) == 7


@given(st.integers(1, 10**6), st.integers(0, 10**7), st.integers(0, 10**7))
def test_what_is_sized_fits_and_one_share_more_does_not(price: int, at_work: int, spendable: int) -> None:
    def fits(qty: int) -> bool:
        due = price * qty
        fee = -(-due * LIMITS.commission_ppb // 10**9)
        return at_work + due <= 300_000 and due <= 500_000 and spendable - due - fee >= 2_000_000 and qty <= 100

    qty = sized(price, at_work=at_work, spendable=spendable)
    assert qty == 0 or fits(qty)
    assert not fits(qty + 1)

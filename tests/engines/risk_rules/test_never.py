"""What is said before a run that could never buy a single share."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from qbtrade.domain.limits import RiskLimits
from qbtrade.engines.risk_rules import CanNeverTrade, why_never
from tests.builders import an_order
from tests.engines.bench import LOOSE, Bench

USUAL = replace(
    LOOSE, max_budget=100_000, position_share=50_000_000, cash_share=200_000_000, max_entries=10, commission_ppb=140_527
)


def test_the_usual_limits_admit_a_share_of_the_usual_account() -> None:
    assert why_never(USUAL, cash=10_000_000, equity=10_000_000, price=75_000) is None


def test_a_budget_below_one_share_is_named_with_the_smallest_that_works() -> None:
    limits = replace(USUAL, max_budget=74_999)
    verdict = why_never(limits, cash=10_000_000, equity=10_000_000, price=75_000)
    assert verdict == CanNeverTrade("budget", 75_000, 1_500_000)
    assert why_never(replace(limits, max_budget=75_000), cash=10_000_000, equity=10_000_000, price=75_000) is None


def test_an_equity_whose_share_is_below_one_share_is_named() -> None:
    verdict = why_never(USUAL, cash=1_499_999, equity=1_499_999, price=75_000)
    assert verdict == CanNeverTrade("position-share", 75_000, 1_500_000)
    assert why_never(USUAL, cash=1_500_000, equity=1_500_000, price=75_000) is None


def test_cash_that_cannot_pay_price_and_commission_is_named() -> None:
    verdict = why_never(USUAL, cash=75_010, equity=10_000_000, price=75_000)
    assert verdict is not None
    assert verdict.reason == "cash"
    no_reserve = replace(USUAL, position_share=10**9, cash_share=0)
    assert why_never(no_reserve, cash=75_011, equity=75_011, price=75_000) is None


def test_cash_that_cannot_keep_its_reserve_is_named() -> None:
    limits = replace(USUAL, position_share=10**9)
    assert why_never(limits, cash=93_763, equity=93_763, price=75_000) == CanNeverTrade("cash-reserve", 75_000, 93_764)
    assert why_never(limits, cash=93_764, equity=93_764, price=75_000) is None


def test_a_count_of_zero_admits_nothing_whatever_the_money() -> None:
    for reason, limits in {
        "entries-per-day": replace(USUAL, max_entries=0),
        "order-rate": replace(USUAL, orders_per_minute=0),
        "order-qty": replace(USUAL, max_order_qty=0),
        "position-share": replace(USUAL, position_share=0),
        "cash-reserve": replace(USUAL, cash_share=10**9),
    }.items():
        verdict = why_never(limits, cash=10**9, equity=10**9, price=75_000)
        assert verdict == CanNeverTrade(reason, 75_000, 0)
    assert (
        why_never(
            replace(USUAL, max_entries=1, orders_per_minute=1, max_order_qty=1), cash=10**9, equity=10**9, price=75_000
        )
        is None
    )


def usual_limits() -> st.SearchStrategy[RiskLimits]:
    share = st.integers(1, 10**9)
    return st.builds(
        lambda budget, position, cash, commission: replace(
            USUAL, max_budget=budget, position_share=position, cash_share=cash, commission_ppb=commission
        ),
        st.integers(1, 10**6),
        share,
        st.integers(0, 999_999_999),
        st.integers(0, 10_000_000),
    )


@given(limits=usual_limits(), equity=st.integers(0, 10**7), price=st.integers(1, 10**6))
def test_the_smallest_amounts_work_and_one_won_less_does_not(limits: RiskLimits, equity: int, price: int) -> None:
    verdict = why_never(limits, cash=equity, equity=equity, price=price)
    if verdict is None:
        return
    budget, least = verdict.min_budget, verdict.min_equity
    enough = replace(limits, max_budget=budget)
    assert why_never(enough, cash=least, equity=least, price=price) is None
    assert why_never(enough, cash=least - 1, equity=least - 1, price=price) is not None
    assert why_never(replace(limits, max_budget=budget - 1), cash=least, equity=least, price=price) is not None


@given(limits=usual_limits(), equity=st.integers(0, 10**7), lots=st.integers(1, 970))
def test_it_says_never_exactly_when_the_gate_would_deny_a_first_share(
    limits: RiskLimits, equity: int, lots: int
) -> None:
    bench = Bench(cash=equity, **asdict(limits))
    bench.market.price_band = None
    never = why_never(limits, cash=equity, equity=equity, price=lots * 100)
    verdict = bench.submit(an_order(price=lots * 100))
    assert getattr(verdict, "reason", "") == (never.reason if never else "")

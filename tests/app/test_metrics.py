"""Metrics: whole numbers by hand, and None where a number would mean nothing."""

from datetime import timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.app.metrics import FEWEST_DAYS, YEAR, break_even, drawdown, sharpe
from qbtrade.app.report import build
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Terms
from tests.builders import SAMSUNG, TODAY
from tests.recordings import Recording, a_traded_day

HOUR_OF_3_5 = 285_714_285  # ppb: one hour of three and a half


@pytest.mark.parametrize(
    ("equities", "deepest"),
    [
        ([100], (0, 0)),
        ([100, 110, 120], (0, 0)),
        ([100, 90, 95], (10, 100_000_000)),
        ([100, 200, 150, 400, 330], (70, 250_000_000)),  # the deepest in won is not the deepest as a share
    ],
)
def test_drawdown_is_the_deepest_fall_below_an_earlier_peak(equities: list[int], deepest: tuple[int, int]) -> None:
    assert drawdown(equities) == deepest


def test_sharpe_of_too_few_days_is_none_with_the_reason() -> None:
    assert sharpe([100] * FEWEST_DAYS) == (None, "needs 20 trading days, had 19")


def test_sharpe_of_an_account_that_never_moved_is_none_with_the_reason() -> None:
    assert sharpe([100] * (FEWEST_DAYS + 1)) == (None, "daily returns never varied")


@given(st.lists(st.integers(-50_000, 50_000), min_size=FEWEST_DAYS, max_size=60, unique=True))
def test_sharpe_agrees_with_the_textbook(profits: list[int]) -> None:
    daily = list(accumulate(profits, initial=10_000_000))
    returns = [Fraction(after, before) - 1 for before, after in pairwise(daily)]
    mean = sum(returns) / len(returns)
    variance = sum((each - mean) ** 2 for each in returns) / (len(returns) - 1)
    found, reason = sharpe(daily)
    assert found is not None
    assert found / 1e9 == pytest.approx(float(mean) / sqrt(variance) * sqrt(YEAR), rel=1e-6, abs=1e-6)
    assert reason == ""


def test_break_even_is_rounded_up_to_won_and_to_ticks() -> None:
    # 75,000 x (2 x 0.0140527 % + 0.2 %) = 171.08
    terms = {"069500": Terms(5, 140_527, 0), SAMSUNG: Terms(100, 140_527, 2_000_000)}
    assert break_even({SAMSUNG: 75_000, "069500": 40_000}, terms) == [
        {"symbol": SAMSUNG, "last": 75_000, "tick": 100, "cost": 172, "ticks": 2},
        {"symbol": "069500", "last": 40_000, "tick": 5, "cost": 12, "ticks": 3},
    ]


def test_traded_day_has_its_metrics_by_hand() -> None:
    metrics = build(a_traded_day().events)["metrics"]
    assert metrics["profit"] == 1_373
    assert metrics["return_ppb"] == 137_300
    assert metrics["win_rate_ppb"] == 500_000_000
    assert metrics["profit_factor_ppb"] == 1_654 * 10**9 // 671
    assert metrics["turnover"] == 150_000 + 152_000 + 76_000 + 75_500 + 75_000
    assert metrics["turnover_ppb"] == 52_850_000
    assert metrics["average_holding_ns"] == 45 * 60 * 10**9
    assert metrics["exposure_ppb"] == 4 * 10**9 * 10**9 * 3600 // (6 * 3600 * 10**9 + 1800 * 10**9)
    assert metrics["trading_days"] == 1


def test_session_without_orders_claims_nothing() -> None:
    metrics = build(Recording().start().end().events)["metrics"]
    nothing = ("win_rate_ppb", "profit_factor_ppb", "sharpe_ppb", "average_holding_ns")
    assert [metrics[name] for name in nothing] == [None] * 4
    assert [metrics[name] for name in ("profit", "max_drawdown", "exposure_ppb", "turnover")] == [0] * 4


def test_exposure_counts_only_the_time_in_which_the_venue_is_open() -> None:
    tomorrow = TODAY + timedelta(days=3)
    recording = Recording().start("09:00").buy("10:00", "Q1", 75_000).phase("10:30", Phase.CLOSED)
    recording.phase("09:00", Phase.CONTINUOUS, tomorrow).sell("09:30", "Q2", 75_000, day=tomorrow)
    recording.phase("11:00", Phase.CLOSED, tomorrow).end("18:00", tomorrow)
    assert build(recording.events)["metrics"]["exposure_ppb"] == HOUR_OF_3_5


def test_session_without_phases_counts_from_its_first_to_its_last_event() -> None:
    recording = Recording().start()
    del recording.events[1]
    recording.buy("10:00", "Q1", 75_000).end("13:00")
    assert build(recording.events)["metrics"]["exposure_ppb"] == 750_000_000


def test_days_without_a_mark_keep_the_equity_of_the_day_before() -> None:
    recording = Recording()
    recording.start(day=TODAY - timedelta(days=FEWEST_DAYS - 1))
    for back in reversed(range(FEWEST_DAYS)):
        day = TODAY - timedelta(days=back)
        recording.phase("09:00", Phase.CONTINUOUS, day)
        if back % 2:
            recording.mark("10:00", 10_000_000 + back, day)
        recording.phase("15:30", Phase.CLOSED, day)
    metrics = build(recording.end().events)["metrics"]
    assert metrics["trading_days"] == FEWEST_DAYS
    assert metrics["sharpe_ppb"] is not None
    assert metrics["sharpe_reason"] == ""

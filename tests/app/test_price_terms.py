"""KIS's price limits and ticks count; where they differ from our rules, that is said."""

from typing import Any

import pytest

from qbtrade.app.price_terms import terms_of
from qbtrade.app.rules import load_rules
from qbtrade.domain.instrument import DayTerms, PriceBand
from tests.adapters.kis.prices import a_price
from tests.builders import SAMSUNG, TODAY

RULES = load_rules()


def told(**changes: Any) -> tuple[DayTerms, dict[str, str]]:
    """What an order may carry when KIS says so."""
    instrument = RULES.instrument(SAMSUNG)
    assert instrument is not None
    found = terms_of(RULES, instrument, TODAY, a_price(**changes))
    return found.terms, {each.code: each.text for each in found.differences}


def test_where_both_agree_nothing_is_said() -> None:
    terms, differences = told()
    assert (terms.day, terms.band, differences) == (TODAY, PriceBand(75_000, 52_500, 97_500), {})
    assert terms.ticks.size(75_000) == 100


@pytest.mark.parametrize(("lower", "upper"), [(60_000, 90_000), (30_000, 300_000), (52_500, 97_400)])
def test_other_limits_count_and_are_said(lower: int, upper: int) -> None:
    terms, differences = told(lower=lower, upper=upper)
    assert terms.band == PriceBand(75_000, lower, upper)
    assert differences == {
        "price-limits-differ": f"005930: KIS tells limits of {lower:,} to {upper:,} won, "
        "the rules give 52,500 to 97,500"
    }


@pytest.mark.parametrize(
    "limits", [{"upper": 0}, {"lower": 0}, {"lower": 80_000}, {"upper": 70_000}, {"last": 99_000}, {"last": 52_000}]
)
def test_limits_that_cannot_be_leave_ours_standing(limits: dict[str, int]) -> None:
    changes = {"upper": 97_400, "lower": 52_600} | limits
    terms, differences = told(**changes)
    assert terms.band == PriceBand(75_000, 52_500, 97_500)
    assert "price-limits-differ" in differences


@pytest.mark.parametrize(("tick", "size"), [(500, 500), (1_000, 1_000), (50, 100), (5, 100), (0, 100), (-1, 100)])
def test_of_two_ticks_orders_keep_to_both(tick: int, size: int) -> None:
    terms, differences = told(tick=tick)
    assert (terms.ticks.size(75_000), terms.ticks.size(49_950)) == (size, 50)
    assert differences == {"tick-differs": f"005930: KIS tells a tick of {tick:,} at 75,000 won, the rules give 100"}


def test_limits_off_the_coarser_grid_move_inward() -> None:
    terms, _ = told(tick=1_000, lower=52_500, upper=97_500)
    assert terms.band == PriceBand(75_000, 53_000, 97_000)

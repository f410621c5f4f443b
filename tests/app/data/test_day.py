"""Rows of one day by themselves."""

from datetime import date, time

import pytest

from qbtrade.app.data.day import look_at
from qbtrade.app.data.finding import Row
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import DAY, MINUTE, kst_ns
from tests.app.data.series import FIRST, a_series, codes, daily, flat, found, minutes

NINE = kst_ns(FIRST, time(9))


def test_a_day_as_it_should_be_has_no_findings() -> None:
    assert found(a_series(), minutes()) == []
    assert found(a_series(DAY), daily([75_000, 75_100, 74_900])) == []
    assert found(a_series(0), [flat(NINE), flat(NINE), flat(NINE + 1)]) == []


@pytest.mark.parametrize(
    ("row", "code", "at"),
    [
        (flat(NINE - MINUTE), "hours", "08:59:00"),
        (flat(kst_ns(FIRST, time(21))), "hours", "21:00:00"),
        (flat(NINE + MINUTE // 2), "misplaced", "09:00:30"),
        (flat(NINE), "disorder", "09:00:00"),
        (flat(NINE + 2 * MINUTE), "duplicate", "09:02:00"),
        (Row(NINE + 3 * MINUTE, 75_000, 74_900, 74_900, 74_900, 1), "impossible", "09:03:00"),
        (Row(NINE + 3 * MINUTE, 75_000, 75_000, 75_100, 75_100, 1), "impossible", "09:03:00"),
        (flat(NINE + 3 * MINUTE, 0), "impossible", "09:03:00"),
        (flat(NINE + 3 * MINUTE, volume=-1), "impossible", "09:03:00"),
    ],
)
def test_a_row_that_cannot_be_is_named_with_its_time(row: Row, code: str, at: str) -> None:
    rows = [flat(NINE), flat(NINE + 2 * MINUTE), row]

    assert codes(found(a_series(), rows, until=NINE)) == [("2026-11-02", at, code, 1)]


def test_rows_of_the_same_fault_are_counted_together() -> None:
    rows = [flat(NINE), flat(NINE), flat(NINE), flat(NINE + MINUTE)]

    (finding,) = found(a_series(), rows, until=NINE)

    assert (finding.text, finding.count, finding.is_wrong) == ("2 rows with a time that was there before", 2, True)


def test_rows_of_a_closed_day_or_of_another_are_named() -> None:
    saturday = date(2026, 11, 7)
    holiday = found(a_series(), minutes(saturday))
    _day, foreign = look_at(a_series(), FIRST, minutes(date(2026, 11, 3)), load_rules())

    assert codes(holiday) == [("2026-11-07", "", "holiday", 381)]
    assert "Saturday" in holiday[0].text
    assert [(each.code, each.count) for each in foreign] == [("foreign", 381)]


def test_prices_lie_on_the_tick_grid_or_in_the_middle_of_two_ticks() -> None:
    before = date(2025, 2, 28)
    series, at = a_series(), kst_ns(before, time(9))

    assert found(series, [flat(NINE, 75_050)], until=NINE) == []  # the tick is 100
    assert codes(found(series, [flat(NINE, 75_051)], until=NINE)) == [("2026-11-02", "09:00:00", "off-grid", 4)]
    assert found(series, [flat(NINE, 3_267)], until=NINE) == []  # half of 5, in whole won
    assert codes(found(series, [flat(at, 75_050)], until=at)) == [("2025-02-28", "09:00:00", "off-grid", 4)]


def test_a_price_without_a_trade_may_lie_anywhere() -> None:
    assert found(a_series(), [flat(NINE, 75_051, volume=0)], until=NINE) == []


def test_the_closing_auction_may_stand_at_its_end_and_trades_a_little_later() -> None:
    close = kst_ns(FIRST, time(15, 30))

    assert found(a_series(), [*minutes()[:-1], flat(close)]) == []
    assert found(a_series(0), [flat(NINE + n * MINUTE) for n in range(380)] + [flat(close + 25 * 10**9)]) == []

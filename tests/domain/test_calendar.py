import csv
from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import (
    Calendar,
    DayKind,
    HoursRow,
    Phase,
    PhaseHours,
    YearRow,
    iso_kst,
    kst_date,
    kst_ns,
    parse_ts,
)
from qbtrade.errors import ConfigError
from tests.shared_data import shared

CALENDAR = load_rules().calendar
SPAN_OF_YEARS = st.dates(date(2018, 1, 1), date(2027, 12, 31))


def at(text: str) -> int:
    return parse_ts(text)


def hours_of(day: date) -> list[tuple[str, str, str]]:
    spans = CALENDAR.trading_day(day).spans
    return [(span.phase.value, iso_kst(span.start)[11:16], iso_kst(span.end)[11:16]) for span in spans]


def weekdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5]


# trading days


def test_sessions_are_exactly_the_days_on_which_prices_were_published() -> None:
    with shared("krx_sessions_2000_2026.csv").open() as file:
        published = {date.fromisoformat(row["date"]) for row in csv.DictReader(file)}
    days = [date(2018, 1, 1) + timedelta(n) for n in range((date(2026, 4, 30) - date(2018, 1, 1)).days + 1)]
    assert [day for day in days if CALENDAR.is_trading_day(day)] == sorted(d for d in published if d >= days[0])


def test_holidays_are_those_of_an_independent_calendar() -> None:
    holidays = pytest.importorskip("holidays")
    theirs = holidays.financial_holidays("XKRX", years=range(2018, 2028))
    days = weekdays(date(2018, 1, 1), date(2027, 12, 31))
    assert [d for d in days if not CALENDAR.is_trading_day(d)] == [d for d in days if d in theirs]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2018-05-07", "Children's Day (substitute)"),
        ("2020-08-17", "Temporary public holiday"),
        ("2024-12-31", "Year-end closing"),
        ("2026-05-01", "Labor Day"),
        ("2026-05-25", "Buddha's Birthday (substitute)"),
        ("2026-06-03", "Local elections"),
        ("2026-07-17", "Constitution Day"),
        ("2026-08-17", "Liberation Day (substitute)"),
        ("2026-09-24", "Chuseok holiday"),
        ("2026-09-25", "Chuseok"),
        ("2026-10-05", "National Foundation Day (substitute)"),
        ("2026-10-09", "Hangul Day"),
        ("2026-12-25", "Christmas"),
        ("2026-12-31", "Year-end closing"),
        ("2027-05-03", "Labor Day (substitute)"),
        ("2027-07-19", "Constitution Day (substitute)"),
        ("2027-12-31", "Year-end closing"),
        ("2024-12-28", "Saturday"),
        ("2024-12-29", "Sunday"),
        ("2024-12-30", ""),
    ],
)
def test_a_closed_day_says_why(day: str, why: str) -> None:
    assert CALENDAR.why_closed(date.fromisoformat(day)) == why


def test_every_holiday_has_a_name_and_lies_on_a_weekday_of_its_year() -> None:
    for year in CALENDAR.years:
        for day, name in year.closed.items():
            assert name
            assert day.weekday() < 5
            assert year.holds_on(day)


def test_years_follow_each_other_without_a_gap() -> None:
    for year, following in zip(CALENDAR.years, CALENDAR.years[1:], strict=False):
        assert year.until is not None
        assert following.since == year.until + timedelta(1)
    assert date(2018, 1, 1) == CALENDAR.first
    assert date(2027, 12, 31) <= CALENDAR.last


@pytest.mark.parametrize("day", [date(2017, 12, 28), date(2028, 1, 8), date(1999, 1, 4)])
def test_a_day_outside_the_table_is_refused_with_what_is_covered(day: date) -> None:
    for ask in (CALENDAR.is_trading_day, CALENDAR.trading_day, CALENDAR.settlement_day):
        with pytest.raises(ConfigError, match="covers 2018-01-01 to 2028-01-07"):
            ask(day)
    with pytest.raises(ConfigError):
        CALENDAR.phase_at(kst_ns(day, time(10)))


def test_a_closed_day_has_no_session_and_names_the_next_one() -> None:
    with pytest.raises(ConfigError, match=r"2024-12-31 \(Year-end closing\).*2025-01-02"):
        CALENDAR.trading_day(date(2024, 12, 31))


def test_a_session_is_made_once() -> None:
    assert CALENDAR.trading_day(date(2024, 12, 27)) is CALENDAR.trading_day(date(2024, 12, 27))


@pytest.mark.parametrize(
    ("trade", "settles"),
    [
        ("2024-12-26", "2024-12-30"),
        ("2024-12-27", "2025-01-02"),
        ("2024-12-30", "2025-01-03"),
        ("2019-05-29", "2019-05-31"),
        ("2019-05-30", "2019-06-03"),
        ("2025-12-29", "2026-01-02"),
        ("2027-12-30", "2028-01-04"),
        ("2026-09-22", "2026-09-28"),
    ],
)
def test_a_trade_settles_two_trading_days_later(trade: str, settles: str) -> None:
    assert CALENDAR.settlement_day(date.fromisoformat(trade)) == date.fromisoformat(settles)


@given(SPAN_OF_YEARS, st.integers(1, 5))
def test_going_on_and_back_are_inverse(day: date, n: int) -> None:
    if day < date(2018, 1, 31) or not CALENDAR.is_trading_day(day):
        return
    assert CALENDAR.next_day(CALENDAR.previous_day(day, n), n) == day


@given(SPAN_OF_YEARS)
def test_the_next_day_is_the_nearest_one_that_trades(day: date) -> None:
    following = CALENDAR.next_day(day)
    between = [day + timedelta(n) for n in range(1, (following - day).days)]
    assert CALENDAR.is_trading_day(following)
    assert not any(CALENDAR.is_trading_day(closed) for closed in between)


# hours


@pytest.mark.parametrize(
    ("day", "auction", "opens", "closing_auction", "closes", "after"),
    [
        ("2018-01-03", "08:00", "09:00", "15:20", "15:30", None),
        ("2019-04-26", "08:00", "09:00", "15:20", "15:30", None),
        ("2019-04-29", "08:30", "09:00", "15:20", "15:30", None),
        ("2026-09-11", "08:30", "09:00", "15:20", "15:30", None),
        ("2026-09-14", "08:30", "09:00", "15:20", "15:30", "16:00"),
        ("2019-01-02", "09:00", "10:00", "15:20", "15:30", None),
        ("2020-01-02", "09:30", "10:00", "15:20", "15:30", None),
        ("2027-01-04", "09:30", "10:00", "15:20", "15:30", "16:00"),
        ("2018-11-15", "09:00", "10:00", "16:20", "16:30", None),
        ("2025-11-13", "09:30", "10:00", "16:20", "16:30", None),
        ("2026-11-19", "09:30", "10:00", "16:20", "16:30", "17:00"),
    ],
)
def test_hours_follow_the_date(
    day: str, auction: str, opens: str, closing_auction: str, closes: str, after: str | None
) -> None:
    expected = [
        ("OPENING_AUCTION", auction, opens),
        ("CONTINUOUS", opens, closing_auction),
        ("CLOSING_AUCTION", closing_auction, closes),
    ]
    if after:
        expected.append(("AFTER_MARKET", after, "20:00"))
    assert hours_of(date.fromisoformat(day)) == expected


def test_the_first_trading_day_of_every_year_opens_late_and_closes_as_usual() -> None:
    for year in range(2018, 2028):
        first = CALENDAR.next_day(date(year, 1, 1))
        session = CALENDAR.trading_day(first)
        assert CALENDAR.hours_row(first).kind is DayKind.FIRST_OF_YEAR
        assert (session.open, session.close) == (kst_ns(first, time(10)), kst_ns(first, time(15, 30)))


def test_college_exam_days_move_by_one_hour() -> None:
    days = (
        "2018-11-15 2019-11-14 2020-12-03 2021-11-18 2022-11-17 2023-11-16 2024-11-14 2025-11-13 2026-11-19 2027-11-18"
    )
    exams = [date.fromisoformat(text) for text in days.split()]
    late = [day for year in CALENDAR.years for day, kind in year.late.items() if kind is DayKind.COLLEGE_EXAM]
    assert late == exams
    for day in exams:
        session = CALENDAR.trading_day(day)
        assert session.open == kst_ns(day, time(10))
        assert session.continuous_end == kst_ns(day, time(16, 20))
        assert session.close == kst_ns(day, time(16, 30))


def test_every_trading_day_has_hours_in_order_and_apart() -> None:
    for day in weekdays(CALENDAR.first, CALENDAR.last):
        if CALENDAR.is_trading_day(day):
            session = CALENDAR.trading_day(day)
            edges = [ts for span in session.spans for ts in (span.start, span.end)]
            assert edges == sorted(edges)
            assert kst_date(edges[0]) == kst_date(edges[-1]) == session.day == day
            assert session.open < session.continuous_end < session.close


@pytest.mark.parametrize(
    ("ts", "phase"),
    [
        ("2026-09-14T08:29:59.999999999", Phase.CLOSED),
        ("2026-09-14T08:30", Phase.OPENING_AUCTION),
        ("2026-09-14T08:59:59.999999999", Phase.OPENING_AUCTION),
        ("2026-09-14T09:00", Phase.CONTINUOUS),
        ("2026-09-14T15:19:59.999999999", Phase.CONTINUOUS),
        ("2026-09-14T15:20", Phase.CLOSING_AUCTION),
        ("2026-09-14T15:30", Phase.CLOSED),
        ("2026-09-14T15:59:59.999999999", Phase.CLOSED),
        ("2026-09-14T16:00", Phase.AFTER_MARKET),
        ("2026-09-14T20:00", Phase.CLOSED),
        ("2026-09-11T16:00", Phase.CLOSED),
        ("2026-09-12T10:00", Phase.CLOSED),
        ("2024-12-31T10:00", Phase.CLOSED),
        ("2025-01-02T09:59:59", Phase.OPENING_AUCTION),
        ("2025-11-13T15:59:59", Phase.CONTINUOUS),
    ],
)
def test_phases_begin_and_end_on_the_nanosecond(ts: str, phase: Phase) -> None:
    assert CALENDAR.phase_at(at(ts)) is phase


@given(st.lists(st.integers(kst_ns(date(2024, 12, 20), time(0)), kst_ns(date(2025, 1, 10), time(0))), max_size=20))
def test_the_phase_does_not_depend_on_what_was_asked_before(times: list[int]) -> None:
    fresh = [Calendar(CALENDAR.years, CALENDAR.hours).phase_at(ts) for ts in times]
    assert [CALENDAR.phase_at(ts) for ts in times] == fresh


def test_a_trading_day_without_hours_is_refused() -> None:
    year = YearRow(since=date(2024, 1, 1), until=date(2024, 12, 31), source="made", closed={}, late={})
    phases = (PhaseHours(Phase.CONTINUOUS, time(9), time(15)),)
    hours = HoursRow(since=date(2024, 2, 1), source="made", kind=DayKind.NORMAL, phases=phases)
    with pytest.raises(ConfigError, match="no NORMAL hours for 2024-01-31"):
        Calendar([year], [hours]).trading_day(date(2024, 1, 31))


def test_a_last_year_without_an_end_covers_its_first_day_only() -> None:
    year = YearRow(since=date(2024, 1, 1), source="made", closed={}, late={})
    assert Calendar([year], []).last == date(2024, 1, 1)

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.calendar import DAY, MINUTE, NS, iso_kst, kst_date, kst_ns, parse_ts
from qbtrade.errors import UsageError

HOUR = 60 * MINUTE


@given(st.integers(0, 2**63 - 1))
def test_a_time_survives_being_written_and_read(ts: int) -> None:
    assert parse_ts(iso_kst(ts)) == ts


@given(st.integers(10**17, 2**63 - 1))
def test_nanoseconds_are_read_as_they_are(ts: int) -> None:
    assert parse_ts(f" {ts} ") == ts


@given(st.datetimes(datetime(1970, 1, 2), datetime(2262, 1, 1)))  # noqa: DTZ001 (as users write it)
def test_a_time_without_zone_is_kst(moment: datetime) -> None:
    utc = moment.replace(tzinfo=UTC)
    assert parse_ts(moment.isoformat()) == parse_ts(utc.isoformat()) - 9 * HOUR


@given(st.integers(0, 2**63 - 1))
def test_kst_date_and_midnight_agree(ts: int) -> None:
    midnight = kst_ns(kst_date(ts), time(0))
    assert midnight <= ts < midnight + DAY


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2020-02-18", "2020-02-18T00:00:00+09:00"),
        ("20200218", "2020-02-18T00:00:00+09:00"),
        ("2020-02-18T09:00", "2020-02-18T09:00:00+09:00"),
        ("2020-02-18 09:00:00", "2020-02-18T09:00:00+09:00"),
        ("2020-02-18T00:00:00Z", "2020-02-18T09:00:00+09:00"),
        ("2020-02-18T09:00:00.5", "2020-02-18T09:00:00.5+09:00"),
        ("2020-02-18T00:00:00.123456789Z", "2020-02-18T09:00:00.123456789+09:00"),
        ("2020-02-18T09:00:00,25", "2020-02-18T09:00:00.25+09:00"),
        ("1581984000000000000", "2020-02-18T09:00:00+09:00"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, written: str) -> None:
    assert iso_kst(parse_ts(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2020-13-01", "2020-02-30", "09:00", "-1", "nan", "1581984000", "1581984000000"),
        *("2020-02-18T09:00:00.", "2020-02-18T09:00:00.1234567891", "2020-02-18.5", "2020-02-18T09.5", "20200218.5"),
        *("1969-12-31", "9999-12-31", "9" * 30, "２０２０-02-18"),  # noqa: RUF001 (full-width digits)
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_ts(text)


def test_a_second_has_its_nanoseconds() -> None:
    assert kst_ns(date(1970, 1, 1), time(9, 0, 1, 5)) == NS + 5_000

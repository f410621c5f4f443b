"""A series as a whole: missing days, jumps, limits, adjusted or raw, holes; and real data."""

import csv
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path

import pytest

from qbtrade.adapters.market_store.layout import Basis
from qbtrade.app.data.beside import beside_daily
from qbtrade.app.data.finding import Row, Series
from qbtrade.app.data.holes import Checked, together
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import DAY, MINUTE, kst_date, kst_ns, parse_ts
from qbtrade.domain.instrument import Kind
from tests.app.data.series import FIRST, a_series, checked, codes, daily, flat, found, minutes, trading_days
from tests.shared_data import shared


def test_missing_trading_days_are_one_finding_and_holidays_are_none() -> None:
    rows = daily([75_000] * 10)

    assert codes(found(a_series(DAY), [*rows[:3], *rows[5:]])) == [("2026-11-05", "", "missing-days", 2)]
    assert found(a_series(DAY), rows) == []  # two weekends


def test_a_day_of_which_the_daily_bars_say_that_nothing_traded_is_not_missing() -> None:
    days = trading_days(3)
    rows = [*minutes(days[0]), *minutes(days[2])]

    assert codes(found(a_series(), rows)) == [("2026-11-03", "", "missing-days", 1)]
    assert found(a_series(), rows, quiet=[days[1]]) == []


def test_days_that_nobody_recorded_are_no_fault_of_the_trades() -> None:
    days = trading_days(3)
    (finding,) = found(a_series(0), [*minutes(days[0]), *minutes(days[2])])

    assert (finding.code, finding.is_wrong) == ("missing-days", False)


@pytest.mark.parametrize(
    ("after", "words"),
    [(15_000, "1/5 of it"), (375_000, "5 times it"), (52_000, "-31 %"), (97_600, "+30 %")],
)
def test_an_open_beyond_the_limits_of_the_day_is_a_jump(after: int, words: str) -> None:
    (finding,) = found(a_series(DAY), daily([75_000, after]))

    assert (finding.day, finding.code) == ("2026-11-03", "jump")
    assert f"opens at {after} after 75000, {words}: " in finding.text


def test_the_limits_of_a_day_are_no_jump() -> None:
    assert found(a_series(DAY), daily([75_000, 97_500])) == []
    assert found(a_series(DAY), daily([75_000, 52_500])) == []


def test_a_price_beyond_the_limits_is_named_with_them() -> None:
    first, (ts, *_rest) = daily([75_000, 75_000])

    (finding,) = found(a_series(DAY), [first, Row(ts, 75_000, 98_000, 75_000, 75_000, 10)])

    assert (finding.code, finding.text) == (
        "off-band", "a price of 98000 is beyond the limits of the day, 52500 to 97500",
    )  # fmt: skip


def test_funds_may_move_twice_as_far_and_halted_stocks_for_two_days() -> None:
    fund = a_series(DAY, "122630", kind=Kind.ETF)
    rows = daily([50_000, 25_000, 25_000, 25_000, 25_000])

    assert found(fund, rows) == []
    assert [each.code for each in found(a_series(DAY), [rows[0], rows[4]])] == ["missing-days"]


def test_history_that_was_adjusted_is_told_from_a_few_wrong_prices() -> None:
    adjusted = [51_020 + 7 * number for number in range(20)]
    raw = [53_000 + 100 * number for number in range(20)]
    rows = daily([*adjusted, *raw[:10], 53_333, *raw[11:]])

    (note, finding) = found(a_series(DAY), rows)

    assert (note.code, note.is_wrong, note.day) == ("adjusted", False, "2026-11-27")
    assert (finding.code, finding.is_wrong, finding.count) == ("off-grid", True, 4)


def test_adjusted_prices_under_the_name_of_raw_ones_are_wrong() -> None:
    rows = daily([51_021 + 7 * number for number in range(20)])

    assert [(each.code, each.is_wrong) for each in found(a_series(DAY, basis=Basis.RAW), rows)] == [("adjusted", True)]
    assert found(a_series(DAY, basis=Basis.ADJUSTED), rows) == []


def test_a_stretch_without_rows_is_a_hole_where_there_usually_are_some() -> None:
    busy = [row for day in trading_days(5) for row in minutes(day)]
    holey = [*minutes(FIRST, without=range(60, 80)), *busy[381:]]

    (finding,) = found(a_series(), holey)

    assert (finding.code, finding.time, finding.until, finding.count) == ("hole", "10:00:00", "10:20:00", 20)
    assert found(a_series(), [*minutes(FIRST, without=(60, 61)), *busy[381:]]) == []  # an interruption


def test_a_stock_that_seldom_trades_has_no_holes() -> None:
    rows = [row for day in trading_days(5) for row in minutes(day)[::7]]

    assert found(a_series(), rows) == []


def test_nothing_is_missing_after_now() -> None:
    days = trading_days(5)
    rows = [row for day in days for row in minutes(day)][: 4 * 381 + 60]

    assert [each.code for each in found(a_series(), rows)] == ["hole"]
    assert found(a_series(), rows, until=kst_ns(days[4], time(10))) == []
    assert together([checked(a_series(), rows, running=[days[4]])]) == []
    holey = checked(a_series(), [*rows[:-30], *rows[-10:]], running=[days[4]])
    assert [each.code for each in together([holey])] == ["hole"]


def test_a_standstill_of_the_whole_market_is_a_circuit_breaker() -> None:
    later = [row for day in trading_days(6)[1:] for row in minutes(day)]
    halted = [*minutes(FIRST, without=range(103, 133)), *later]

    def both(other: list[Row]) -> list[tuple[str, bool]]:
        series = [checked(a_series(), halted), checked(a_series(symbol="000660"), other)]
        return [(each.symbol, each.is_wrong) for each in together(series)]

    assert both(halted) == [("005930", False), ("000660", False)]
    assert both([*minutes(FIRST), *later]) == [("005930", True)]


def test_an_unknown_instrument_is_checked_for_all_but_prices() -> None:
    series = Series("999999", "1d", DAY)

    assert found(series, daily([75_001, 15_001])) == []
    assert [each.code for each in found(series, daily([1] * 5)[::4])] == ["missing-days"]


@pytest.mark.parametrize(
    ("basis", "minute", "codes_found"),
    [
        (Basis.RAW, 75_100, []),
        (Basis.RAW, 75_200, ["beyond-day"]),
        (Basis.UNKNOWN, 75_200, []),  # as far as rounding may go
        (Basis.UNKNOWN, 75_300, ["beyond-day"]),
        (Basis.UNKNOWN, 1_500, []),  # of another basis altogether
    ],
)
def test_minutes_lie_within_their_daily_bar(basis: Basis, minute: int, codes_found: list[str]) -> None:
    ts = kst_ns(FIRST, time())
    whole = checked(a_series(DAY, basis=basis), [Row(ts, 75_000, 75_100, 75_000, 75_000, 10)])

    ninth, *_others = minutes(FIRST, minute)
    rows = [ninth, *minutes(FIRST, min(minute, 75_000))[1:]]

    findings = beside_daily([checked(a_series(), rows), whole])

    assert [(each.kind, each.code) for each in findings] == [("1m", code) for code in codes_found]


def test_an_after_market_may_go_beyond_the_daily_bar() -> None:
    whole = checked(a_series(DAY, basis=Basis.RAW), daily([75_000]))
    later = checked(a_series(), [*minutes(), flat(kst_ns(FIRST, time(17)), 76_000)])

    assert list(beside_daily([later, whole])) == []


def rows_of(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ts = parse_ts(row.get("ts") or row["date"])
            if kst_date(ts) >= date(2018, 1, 1):
                yield Row(ts, *(int(row[name]) for name in ("open", "high", "low", "close", "volume")))


def real(folder: str, kind: str, interval: int, symbols: str) -> Iterator[Checked]:
    for symbol in symbols.split():
        series = Series(symbol, kind, interval, load_rules().instrument(symbol))
        yield checked(series, rows_of(shared(f"{folder}/{symbol}.csv")))


def test_real_five_minute_bars_have_the_holes_that_they_have() -> None:
    series = list(real("intraday5m_2020", "5m", 5 * MINUTE, "000100 000660 005380 005930 015760 035900"))
    findings = together(series)

    assert [(each.symbol, *codes([each])[0][:3]) for each in findings if each.is_wrong] == [
        ("000100", "2020-04-03", "", "missing-days"),
        ("000100", "2020-04-08", "", "jump"),
        ("000660", "2020-02-26", "10:25:00", "hole"),
        ("000660", "2020-03-09", "09:00:00", "hole"),
        ("000660", "2020-03-09", "10:00:00", "hole"),
    ]
    breakers = [(each.symbol, each.day, each.time) for each in findings if not each.is_wrong]
    assert breakers == [("005380", "2020-03-19", "12:05:00")]


def test_real_daily_bars_are_told_adjusted_from_raw() -> None:
    series = list(real("daily_2018_2026", "1d", DAY, "000660 005930 034020 047040"))

    assert [(each.symbol, each.day, each.code, each.is_wrong) for each in together(series)] == [
        ("005930", "2018-04-27", "adjusted", False),
        ("034020", "2021-12-29", "adjusted", False),
    ]

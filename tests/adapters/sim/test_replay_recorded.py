"""Real recorded data, where it is present."""

import csv
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import DAY, MINUTE, kst_date, parse_ts
from qbtrade.domain.market import Trade
from qbtrade.errors import RowError
from tests.adapters.sim.files import played, replay
from tests.shared_data import shared

CALENDAR = load_rules().calendar


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_five_minute_bars_of_samsung_are_42_sessions_and_come_back_as_they_are() -> None:
    path = shared("intraday5m_2020/005930.csv")
    rows, opened = rows_of(path), replay(path)
    assert (opened.symbols, opened.interval, opened.rows) == (("005930",), 5 * MINUTE, len(rows))
    assert opened.off_grid == {"005930": 0}
    trades = played(opened)
    assert len({kst_date(trade.ts) for trade in trades}) == 42
    bars: dict[int, list[Trade]] = {}
    for trade in trades:
        bars.setdefault(trade.ts - trade.ts % (5 * MINUTE), []).append(trade)
    for row, (start, mine) in zip(rows, bars.items(), strict=True):
        prices = [trade.price for trade in mine]
        bar = (start, prices[0], max(prices), min(prices), prices[-1], sum(trade.qty for trade in mine))
        names = ("open", "high", "low", "close", "volume")
        assert bar == (parse_ts(row["ts"]), *(int(row[name]) for name in names))


def test_all_five_minute_files_play_together_in_time_order() -> None:
    folder = shared("intraday5m_2020")
    opened = replay(*sorted(folder.glob("*.csv")))
    assert len(opened.symbols) == 14
    trades = played(opened)
    assert len(trades) == 4 * opened.rows
    assert all(before.ts <= after.ts for before, after in pairwise(trades))


@pytest.mark.parametrize("symbol", ["005930", "000660", "035420", "108490"])
def test_daily_bars_of_eight_years_lie_in_their_sessions_and_partly_off_the_grid(symbol: str) -> None:
    path = shared(f"daily_2018_2026/{symbol}.csv")
    opened = replay(path)
    assert opened.interval == DAY
    assert opened.rows == len(rows_of(path))
    assert opened.off_grid[symbol] > 0
    for trade in played(opened):
        day = CALENDAR.trading_day(kst_date(trade.ts))
        assert day.open <= trade.ts < day.continuous_end


def test_days_before_the_calendar_are_refused_or_left_out() -> None:
    path = shared("daily_adjusted_to_2023/005930.csv")
    with pytest.raises(RowError) as caught:
        replay(path)
    assert (caught.value.row, caught.value.column) == (2, "date")
    opened = replay(path, start=parse_ts("2018-01-02"))
    assert kst_date(opened.first) == date(2018, 1, 2)
    assert opened.bad_rows == 0


def test_bars_with_only_a_place_in_their_day_are_refused() -> None:
    with pytest.raises(RowError) as caught:
        replay(shared("intraday60m_2019_2020/005930.csv"))
    assert (caught.value.row, caught.value.column) == (3, "date")

"""Good files: what is read, and what is played."""

from itertools import pairwise
from pathlib import Path

import pytest

from qbtrade.domain.calendar import DAY as DAY_NS
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.market import Trade
from qbtrade.errors import FileError, RowError
from tests.adapters.sim.files import DAY, bars_csv, parquet, played, replay, trades_csv, write
from tests.builders import MINUTE, SECOND, at

NINE = at("09:00")


def test_trades_are_played_as_they_were_printed(tmp_path: Path) -> None:
    opened = replay(trades_csv(tmp_path, "09:00:00,75000,10", "09:00:00,75100,0", "09:00:01.5,75000.0,7"))
    assert (opened.kind, opened.symbols, opened.interval, opened.rows) == ("trades", ("005930",), 0, 3)
    assert (opened.first, opened.last) == (NINE, at("09:00:01.5"))
    assert opened.first_prices == {"005930": 75_000}
    assert played(opened) == [
        Trade(NINE, "005930", 75_000, 10),
        Trade(NINE, "005930", 75_100, 0),
        Trade(at("09:00:01.5"), "005930", 75_000, 7),
    ]


def test_feeds_can_be_played_again(tmp_path: Path) -> None:
    opened = replay(trades_csv(tmp_path, "09:00:00,75000,10"))
    assert played(opened) == played(opened) != []


@pytest.mark.parametrize(
    "text",
    [
        f"{DAY}T09:00:01",
        f"{DAY} 09:00:01",
        f"{DAY}T09:00:01+09:00",
        f"{DAY}T09:00:01.000000000+0900",
        f"{DAY}T00:00:01Z",
        f"{DAY}T02:30:01+02:30",
        "2026-11-19T19:00:01-05:00",
        str(at("09:00:01")),
    ],
)
def test_times_are_iso_8601_or_nanoseconds_and_kst_without_a_zone(tmp_path: Path, text: str) -> None:
    assert played(replay(trades_csv(tmp_path, f" {text} ,75000,1")))[0].ts == at("09:00:01")


def test_nanoseconds_of_a_time_are_kept(tmp_path: Path) -> None:
    assert played(replay(trades_csv(tmp_path, "09:00:00.123456789,75000,1")))[0].ts == NINE + 123_456_789


@pytest.mark.parametrize(
    "moment",
    [
        str(NINE),
        f"TIMESTAMP '{DAY} 09:00:00'",
        f"TIMESTAMP_NS '{DAY} 09:00:00'",
        f"TIMESTAMPTZ '{DAY} 00:00:00+00'",
        f"'{DAY}T09:00:00+09:00'",
    ],
)
def test_parquet_knows_time_in_many_types(tmp_path: Path, moment: str) -> None:
    path = parquet(tmp_path / "005930.parquet", f"SELECT {moment} AS ts, 75000 AS price, 5 AS qty")
    assert played(replay(path)) == [Trade(NINE, "005930", 75_000, 5)]


def test_parquet_numbers_may_be_floats_or_decimals(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "005930.parquet", f"SELECT {NINE} AS ts, 75000.0::DOUBLE AS price, 5::DECIMAL(9, 2) AS qty"
    )
    assert played(replay(path)) == [Trade(NINE, "005930", 75_000, 5)]


def test_column_names_may_have_capitals_and_come_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "Volume, Symbol ,Price,TS,remark", f"5,005930,75000,{DAY}T09:00:00,hello")
    assert played(replay(path)) == [Trade(NINE, "005930", 75_000, 5)]


def test_blank_lines_quotes_and_a_byte_order_mark_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "005930.csv"
    path.write_text(f'\ufeffts,price,qty\r\n\r\n"{DAY}T09:00:00","75000","5"\r\n\r\n', encoding="utf-8")
    assert played(replay(path)) == [Trade(NINE, "005930", 75_000, 5)]


def test_a_path_may_look_like_a_pattern(tmp_path: Path) -> None:
    trades_csv(tmp_path, "09:00:00,70000,1", name="1.csv")
    path = trades_csv(tmp_path, "09:00:00,75000,1", name="[1]*'.csv")
    assert played(replay(path, symbols=["005930"])) == [Trade(NINE, "005930", 75_000, 1)]


def test_prints_of_the_closing_auction_come_late_and_are_played_at_its_end(tmp_path: Path) -> None:
    opened = replay(trades_csv(tmp_path, "15:19:59,75000,1", "15:20:00.1,75000,1", "15:30:12,75300,900"))
    assert [(trade.ts, trade.auction) for trade in played(opened)] == [
        (at("15:19:59"), False),
        (at("15:20:00.1"), False),
        (at("15:30") - 1, True),
    ]


# symbols


def test_a_symbol_column_is_read_and_brings_order_among_several(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.csv",
        "ts,symbol,price,qty",
        "09:00:00,005930,75000,1",
        "09:00:01,000660,200000,2",
        "09:00:02,005930,75100,3",
    )
    opened = replay(path)
    assert opened.symbols == ("000660", "005930")
    assert len(opened.feeds()) == 1
    assert [(trade.symbol, trade.qty) for trade in played(opened)] == [("005930", 1), ("000660", 2), ("005930", 3)]


def test_only_the_symbols_asked_for_are_played(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "ts,symbol,price,qty", "09:00:00,005930,75000,1", "09:00:01,000660,200000,2")
    assert {trade.symbol for trade in played(replay(path, symbols=["000660"]))} == {"000660"}


def test_the_name_of_a_file_names_its_symbol(tmp_path: Path) -> None:
    files = [trades_csv(tmp_path, "09:00:00,75000,1", name=name) for name in ("005930.csv", "q500001.csv")]
    assert replay(*files).symbols == ("005930", "Q500001")
    assert replay(*files, symbols=["005930"]).symbols == ("005930",)


def test_the_one_symbol_asked_for_names_files_that_name_none(tmp_path: Path) -> None:
    files = [
        trades_csv(tmp_path, "09:00:00,75000,1", name="morning.csv"),
        trades_csv(tmp_path, "13:00:00,75000,2", name="noon.csv"),
    ]
    assert [(trade.symbol, trade.qty) for trade in played(replay(*files, symbols=["000660"]))] == [
        ("000660", 1),
        ("000660", 2),
    ]


def test_a_single_file_that_names_none_is_taken_for_the_usual_symbol(tmp_path: Path) -> None:
    path = trades_csv(tmp_path, "09:00:00,75000,1", name="morning.csv")
    assert replay(path, usual="005930").symbols == ("005930",)
    assert replay(trades_csv(tmp_path, "09:00:00,75000,1", name="000660.csv"), usual="005930").symbols == ("000660",)


def test_several_files_are_merged_by_time(tmp_path: Path) -> None:
    files = [
        trades_csv(tmp_path, "09:00:00,75000,1", "09:00:02,75000,3", name="005930.csv"),
        trades_csv(tmp_path, "09:00:01,75000,2", "09:00:03,75000,4", name="000660.csv"),
    ]
    assert [trade.qty for trade in played(replay(*files))] == [1, 2, 3, 4]


def test_a_file_sorted_by_symbol_is_played_by_time(tmp_path: Path) -> None:
    """Long enough that a symbol begins in a batch of rows where little is left for it."""
    path = parquet(
        tmp_path / "x.parquet",
        f"SELECT {NINE} + i * {SECOND // 200} AS ts, printf('%06d', s) AS symbol, 75000 AS price, 1 AS qty"
        " FROM range(7) t(s), range(100000) u(i) ORDER BY s, i",
    )
    opened = replay(path)
    trades = played(opened)
    assert len(opened.feeds()) == 7
    assert len(trades) == opened.rows == 7 * 100_000
    assert all(before.ts <= after.ts for before, after in pairwise(trades))


def test_a_long_choice_of_symbols_keeps_the_order_of_the_rows(tmp_path: Path) -> None:
    """Batches of rows of which few are chosen stand beside batches of which all are."""
    number = "CASE WHEN i // 2048 % 2 = 0 AND i % 2048 > 30 THEN 1 ELSE i % 25 * 2 END"
    path = parquet(
        tmp_path / "x.parquet",
        f"SELECT {NINE} + i * {SECOND // 200} AS ts, printf('%06d', {number}) AS symbol, 75000 AS price, 1 AS qty"
        " FROM range(300000) t(i)",
    )
    trades = played(replay(path, symbols=[f"{number:06d}" for number in range(0, 50, 2)]))
    assert len(trades) > 150_000
    assert all(before.ts <= after.ts for before, after in pairwise(trades))


# bars


def test_bars_are_played_as_four_prints_and_keep_their_interval(tmp_path: Path) -> None:
    opened = replay(
        bars_csv(tmp_path, "09:00:00,100,110,95,105,43", "09:10:00,105,105,105,105,0", "09:15:00,1,1,1,1,1")
    )
    assert (opened.kind, opened.interval, opened.rows) == ("bars", 5 * MINUTE, 3)
    assert (opened.first, opened.last) == (NINE, at("09:20"))
    assert [(trade.ts, trade.price, trade.qty) for trade in played(opened)][:5] == [
        (NINE, 100, 10),
        (NINE + 100 * SECOND, 95, 10),
        (NINE + 200 * SECOND, 110, 10),
        (at("09:05") - 1, 105, 13),
        (at("09:10"), 105, 0),
    ]


def test_a_bar_is_cut_where_continuous_trading_ends(tmp_path: Path) -> None:
    opened = replay(bars_csv(tmp_path, "13:30:00,9,9,9,9,4", "14:30:00,9,9,9,9,4"))
    assert [trade.ts for trade in played(opened)][-4:] == [
        at("14:30"),
        at("14:30") + 50 * MINUTE // 3,
        at("14:30") + 2 * 50 * MINUTE // 3,
        at("15:20") - 1,
    ]


def test_bars_of_the_closing_auction_stay_before_the_close(tmp_path: Path) -> None:
    opened = replay(bars_csv(tmp_path, "15:15:00,9,9,9,9,4", "15:20:00,9,9,9,9,4", "15:30:00,9,9,9,9,4"))
    assert [trade.ts for trade in played(opened)][7:] == [at("15:25") - 1, *[at("15:30") - 1] * 4]


def test_a_daily_bar_is_played_inside_the_continuous_session_of_its_day(tmp_path: Path) -> None:
    path = write(
        tmp_path / "005930.csv", "date,open,high,low,close,volume", "2026-11-18,9,9,9,9,4", "2026-11-19,9,9,9,9,4"
    )
    opened = replay(path)
    exam_day = kst_date(opened.last)
    assert opened.interval == DAY_NS
    assert [trade.ts for trade in played(opened)][4::3] == [at("10:00", exam_day), at("16:20", exam_day) - 1]
    assert opened.last == at("16:20", exam_day)


def test_a_halted_day_stands_at_its_close_without_volume(tmp_path: Path) -> None:
    halted = write(tmp_path / "005930.csv", "date,open,high,low,close,volume", f"{DAY},0,0,0,75000,0")
    assert {(trade.price, trade.qty) for trade in played(replay(halted))} == {(75_000, 0)}
    broken = write(tmp_path / "005930.csv", "date,open,high,low,close,volume", f"{DAY},0,0,0,75000,1")
    with pytest.raises(RowError, match="0 is not a positive price"):
        replay(broken)


def test_a_folder_of_parquet_files_is_one_file_by_their_names(tmp_path: Path) -> None:
    columns = "75000 AS price, 1 AS qty, '005930' AS symbol"
    for name, clock in (("b", "09:00:01"), ("a", "09:00:00")):
        parquet(tmp_path / f"{name}.parquet", f"SELECT '{DAY}T{clock}' AS ts, {columns}")
    assert [trade.ts for trade in played(replay(tmp_path))] == [NINE, at("09:00:01")]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileError, match="is a folder without Parquet files"):
        replay(empty)


def test_bars_of_several_symbols_in_one_file_run_side_by_side(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.csv",
        "ts,symbol,open,high,low,close,volume",
        *(f"09:0{minute}:00,{symbol},9,9,9,9,4" for minute in range(3) for symbol in ("005930", "000660")),
    )
    opened = replay(path)
    assert opened.interval == MINUTE
    assert len(opened.feeds()) == 1
    trades = played(opened)
    assert len(trades) == 24
    assert [trade.ts for trade in trades] == sorted(trade.ts for trade in trades)


# selection and counts


def test_from_and_to_are_half_open_and_rows_outside_are_not_looked_at(tmp_path: Path) -> None:
    path = trades_csv(tmp_path, "1999-01-04T09:00:00,-5,1", "09:00:00,75000,1", "09:00:01,75000,2", "09:00:02,75000,3")
    opened = replay(path, start=NINE + SECOND, end=NINE + 2 * SECOND)
    assert [trade.qty for trade in played(opened)] == [2]
    assert opened.bad_rows == 0


def test_prices_off_the_tick_grid_of_their_day_are_counted_and_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path / "005930.csv",
        "date,open,high,low,close,volume",
        "2023-01-20,15050,15050,15050,15050,4",
        "2023-01-25,15050,15050,15050,15010,4".replace("15050,15050,15050", "15050,15050,15005"),
    )
    opened = replay(path)
    assert opened.off_grid == {"005930": 1}  # 15,005; since 2023-01-25 the tick at 15,010 is 10
    assert len(played(opened)) == 8


def test_the_digest_follows_content_and_selection_not_the_name(tmp_path: Path) -> None:
    one = replay(trades_csv(tmp_path, "09:00:00,75000,1", name="a.csv"), symbols=["005930"])
    same = replay(trades_csv(tmp_path, "09:00:00,75000,1", name="b.csv"), symbols=["005930"])
    other = replay(trades_csv(tmp_path, "09:00:00,75000,2", name="c.csv"), symbols=["005930"])
    named = replay(trades_csv(tmp_path, "09:00:00,75000,1", name="d.csv"), symbols=["000660"])
    assert one.digest == same.digest
    assert len({one.digest, other.digest, named.digest}) == 3

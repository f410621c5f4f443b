"""Bad files: each is refused before anything is played, at its own row and column."""

from pathlib import Path

import pytest

from qbtrade.errors import FileError, RowError
from tests.adapters.sim.files import bars_csv, parquet, played, replay, trades_csv, write
from tests.builders import at

GOOD = "09:00:00,75000,10"
GOOD_BAR = "09:00:00,100,110,90,105,10"


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("noon,75000,1", "ts", "noon is not a time"),
        ("2026-02-30T09:00:00,75000,1", "ts", "2026-02-30T09:00:00 is not a time"),
        ("20261120,75000,1", "ts", "20261120 is not a time"),
        (",75000,1", "ts", "the value is missing"),
        ("2026-11-21T09:00:00,75000,1", "ts", "KRX does not trade on 2026-11-21 (Saturday)"),
        ("1999-01-04T09:00:00,75000,1", "ts", "no trading calendar for 1999-01-04"),
        ("08:29:59,75000,1", "ts", "outside the hours of its session"),
        ("20:00:00,75000,1", "ts", "outside the hours of its session"),
        ("2026-11-20,75000,1", "ts", "outside the hours of its session"),
        ("09:00:01,0,1", "price", "0 is not a positive price"),
        ("09:00:01,-100,1", "price", "-100 is not a positive price"),
        ("09:00:01,nan,1", "price", "nan is not a number"),
        ("09:00:01,inf,1", "price", "inf is not a number"),
        ("09:00:01,abc,1", "price", "abc is not a number"),
        ("09:00:01,,1", "price", "the value is missing"),
        ("09:00:01,75000.5,1", "price", "75000.5 is not whole won"),
        ("09:00:01,1000000001,1", "price", "1000000001 is beyond 1,000,000,000"),
        ("09:00:01,75000,-1", "qty", "-1 is negative"),
        ("09:00:01,75000,NaN", "qty", "NaN is not a number"),
        ("09:00:01,75000,1.5", "qty", "1.5 is not whole shares"),
        ("09:00:01,75000,1e13", "qty", "1e13 is beyond 1,000,000,000,000"),
        ("09:00:01,75000", "qty", "the value is missing"),
        ("09:00:01,75,000,1", "4", "more values than the header has columns: 1"),
        ("08:59:59,75000,1", "ts", "does not come after the time in the rows above"),
    ],
)
def test_a_bad_trade_is_refused_at_its_row_and_column(tmp_path: Path, row: str, column: str, problem: str) -> None:
    path = trades_csv(tmp_path, GOOD, row)
    with pytest.raises(RowError) as caught:
        replay(path)
    error = caught.value
    assert (error.path, error.row, error.column) == (str(path), 3, column)
    assert problem in error.problem


def test_a_row_from_before_the_calendar_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RowError, match="2017-12-28") as caught:
        replay(trades_csv(tmp_path, "2017-12-28T09:00:00,75000,1"))
    assert caught.value.hint.startswith("qb's calendar covers 2018-01-01 to 20")


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("09:05:00,100,104,90,105,10", "high", "104 is below the open, low or close"),
        ("09:05:00,100,89,90,80,10", "high", "89 is below the open, low or close"),
        ("09:05:00,100,110,101,105,10", "low", "101 is above the open or close"),
        ("09:05:00,0,110,90,105,10", "open", "0 is not a positive price"),
        ("09:05:00,100,110,90,105,-1", "volume", "-1 is negative"),
        ("09:00:00,100,110,90,105,10", "ts", "does not come after"),
        ("08:55:00,100,110,90,105,10", "ts", "outside the hours of its session"),
        ("21:00:00,100,110,90,105,10", "ts", "outside the hours of its session"),
    ],
)
def test_a_bad_bar_is_refused_at_its_row_and_column(tmp_path: Path, row: str, column: str, problem: str) -> None:
    with pytest.raises(RowError) as caught:
        replay(bars_csv(tmp_path, GOOD_BAR, row))
    assert (caught.value.row, caught.value.column) == (3, column)
    assert problem in caught.value.problem


def test_the_first_bad_row_is_the_one_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(RowError) as caught:
        replay(trades_csv(tmp_path, GOOD, "09:00:02,75000,1", "09:00:01,75000,1", "09:00:03,-1,1"))
    assert caught.value.row == 4
    with pytest.raises(RowError) as caught:
        replay(trades_csv(tmp_path, GOOD, "09:00:02,-1,1", "09:00:01,75000,1", "09:00:00,75000,1"))
    assert caught.value.row == 3


def test_rows_are_counted_as_lines_of_the_file(tmp_path: Path) -> None:
    path = trades_csv(tmp_path, "", GOOD, "", "", '"09:00:00",1,1'.replace("09:", "2026-11-20T09:"), "09:00:01,-1,1")
    with pytest.raises(RowError) as caught:
        replay(path)
    assert caught.value.row == 7


def test_parquet_rows_are_counted_as_records(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "005930.parquet", f"SELECT {at('09:00')} + i AS ts, 5 - i AS price, 1 AS qty FROM range(10) t(i)"
    )
    with pytest.raises(RowError) as caught:
        replay(path)
    assert (caught.value.row, caught.value.column, caught.value.problem) == (6, "price", "0 is not a positive price")


@pytest.mark.parametrize("symbol", ["5930", "00593000", "samsung", ""])
def test_a_malformed_symbol_is_refused(tmp_path: Path, symbol: str) -> None:
    path = write(tmp_path / "x.csv", "ts,symbol,price,qty", "09:00:00,005930,75000,1", f"09:00:01,{symbol},75000,1")
    with pytest.raises(RowError) as caught:
        replay(path)
    assert (caught.value.row, caught.value.column) == (3, "symbol")


def test_time_goes_back_only_within_a_symbol(tmp_path: Path) -> None:
    rows = ["09:00:02,005930,75000,1", "09:00:01,000660,75000,1", "09:00:03,005930,75000,1"]
    assert len(played(replay(write(tmp_path / "x.csv", "ts,symbol,price,qty", *rows)))) == 3
    with pytest.raises(RowError) as caught:
        replay(write(tmp_path / "x.csv", "ts,symbol,price,qty", *rows, "09:00:00.5,000660,75000,1"))
    assert caught.value.row == 5


def test_bad_rows_can_be_skipped_and_are_counted(tmp_path: Path) -> None:
    path = trades_csv(
        tmp_path,
        GOOD,
        "x,1,1",
        "09:00:05,75000,2",
        "09:00:03,75000,9",
        "09:00:04,75000,9",
        "09:00:06,0,3",
        "09:00:07,75000,4",
    )
    opened = replay(path, skip=True)
    assert (opened.rows, opened.bad_rows) == (3, 4)
    assert [trade.qty for trade in played(opened)] == [10, 2, 4]


def test_bad_rows_of_several_symbols_can_be_skipped(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.csv", "ts,symbol,price,qty",
        "09:00:01,005930,75000,1", "09:00:02,000660,75000,2", "09:00:00,005930,75000,9",
        "09:00:03,?,1,1", "09:00:03,000660,75000,3",
    )  # fmt: skip
    opened = replay(path, skip=True)
    assert (opened.rows, opened.bad_rows) == (3, 2)
    assert [trade.qty for trade in played(opened)] == [1, 2, 3]


def test_repeated_bars_can_be_skipped(tmp_path: Path) -> None:
    path = bars_csv(tmp_path, GOOD_BAR, GOOD_BAR, "09:05:00,100,110,90,105,10")
    opened = replay(path, skip=True)
    assert (opened.rows, opened.bad_rows, len(played(opened))) == (2, 1, 8)


# whole files


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("ts,price,qty\n", "has no rows"),
        ("ts,price\n1,2\n", "has no column qty. Found: ts, price"),
        ("time,price,qty\n1,2,3\n", "has no column ts. Found: time, price, qty"),
        ("ts,open,high,close,volume\n1,2,3,4,5\n", "has no column low"),
        ("ts,ts,price,qty\n1,2,3,4\n", "names a column twice"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_what_was_found(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "005930.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=str(path)) as caught:
        replay(path)
    assert message in str(caught.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "005930.csv"
    garbage.write_bytes(b"\xff\xfe\x00\x01")
    torn = tmp_path / "005930.parquet"
    torn.write_bytes(b"PAR1 and no more")
    late = tmp_path / "000660.csv"
    late.write_bytes(b"ts,price,qty\n" + f"{at('09:00')},1,1\n".encode() * 5 + b"\xff\xfe,1,1\n")
    for path in (garbage, torn, late, tmp_path / "absent.csv", tmp_path):
        with pytest.raises(FileError, match=str(path)):
            replay(path)


def test_a_file_that_names_no_symbol_needs_one(tmp_path: Path) -> None:
    path = trades_csv(tmp_path, GOOD, name="trades.csv")
    with pytest.raises(FileError, match=r"has no column symbol.*--symbol"):
        replay(path)


def test_a_symbol_that_no_file_has_is_missed(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "ts,symbol,price,qty", "09:00:00,005930,75000,1")
    with pytest.raises(FileError, match="no rows of 000660"):
        replay(path, symbols=["005930", "000660"])


def test_a_selection_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no rows of any symbol"):
        replay(trades_csv(tmp_path, GOOD), start=at("10:00"))


def test_trades_and_bars_are_not_mixed(tmp_path: Path) -> None:
    trades = trades_csv(tmp_path, GOOD, name="005930.csv")
    bars = bars_csv(tmp_path, GOOD_BAR, name="000660.csv")
    daily = bars_csv(tmp_path, "2026-11-20,1,1,1,1,1", name="035720.csv")
    for pair in ((trades, bars), (bars, daily)):
        with pytest.raises(FileError, match="mix"):
            replay(*pair)


def test_one_symbol_is_not_told_twice(tmp_path: Path) -> None:
    files = [trades_csv(tmp_path, GOOD, "09:00:05,75000,1", name=name) for name in ("a.csv", "b.csv")]
    with pytest.raises(FileError, match="both hold 005930"):
        replay(*files, symbols=["005930"])


def test_one_bar_does_not_tell_its_interval(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no two bars"):
        replay(bars_csv(tmp_path, GOOD_BAR))

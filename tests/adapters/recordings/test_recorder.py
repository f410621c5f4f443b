"""What a recorder keeps of what a kernel heard, also over crashes, restarts and bad disks."""

import os
import threading
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from qbtrade.adapters.recordings import finished
from qbtrade.adapters.recordings.finished import finish
from qbtrade.adapters.recordings.layout import SymbolDay, recorded
from qbtrade.adapters.recordings.log import Log
from qbtrade.adapters.recordings.recorder import Recorder
from qbtrade.domain.events import FeedLost, FeedRestored, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.errors import FileError, LockedError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep
from tests.builders import MINUTE, SAMSUNG, SECOND, at

DAY: Final = date(2026, 11, 20)
HYNIX: Final = "000660"
OPEN: Final = at("09:00")
PATIENCE: Final = 60.0
DEPTH: Final = tuple(str(1_000 + place) for place in range(40))


def trade(number: int, symbol: str = SAMSUNG) -> Trade:
    return Trade(OPEN + number * SECOND, symbol, 75_000 + number, 2, number == 0, "BUY", 2 * number + 2)


def recorder(folder: Path, *symbols: str, **changes: Any) -> Recorder:
    return Recorder(folder, DAY, symbols or (SAMSUNG,), LiveClock(), **changes)


def record(folder: Path, events: Iterable[Event], **changes: Any) -> Recorder:
    """A whole life of a recorder."""
    found = recorder(folder, **changes)
    bus = Bus()
    found.follow(bus)
    found.begin({SAMSUNG: '{"run":"r"}'})
    for event in events:
        bus.publish(event)
    found.end()
    found.close(PATIENCE)
    return found


def rows(folder: Path, columns: str, kinds: str = "trade", symbol: str = SAMSUNG) -> list[Any]:
    path = SymbolDay(folder, DAY, symbol).parquet
    sql = f"SELECT {columns} FROM read_parquet('{path}') WHERE kind IN ('{kinds}') ORDER BY seq"
    return duckdb.connect().execute(sql).fetchall()


def until(done: Callable[[], bool]) -> None:
    watch = Stopwatch()
    while not done():
        assert watch.seconds() < PATIENCE
        sleep(0.02)


def test_every_trade_is_kept_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    found = record(tmp_path, [trade(0), trade(1)])
    columns = "symbol, ts, price, qty, side, volume, auction"
    assert rows(tmp_path, columns) == [
        (SAMSUNG, OPEN, 75_000, 2, "BUY", 2, True),
        (SAMSUNG, OPEN + SECOND, 75_001, 2, "BUY", 4, False),
    ]
    assert found.is_finished
    assert list(recorded(tmp_path)) == [SymbolDay(tmp_path, DAY, SAMSUNG)]
    assert not SymbolDay(tmp_path, DAY, SAMSUNG).log.exists()


def test_a_quote_is_kept_with_its_ten_levels(tmp_path: Path) -> None:
    record(tmp_path, [Quote(OPEN, SAMSUNG, 74_900, 5, 75_000, 7, DEPTH), Quote(OPEN, SAMSUNG, 1, 2, 3, 4)])
    (whole, short) = rows(tmp_path, "bid, bid_qty, ask, ask_qty, asks, bids, ask_qtys, bid_qtys", "quote")
    levels = [list(range(1_000 + start, 1_010 + start)) for start in (0, 10, 20, 30)]
    assert whole == (74_900, 5, 75_000, 7, *levels)
    assert short == (1, 2, 3, 4, None, None, None, None)


@pytest.mark.parametrize(
    "depth", [DEPTH[:39], ("x", *DEPTH[1:]), ("", *DEPTH[1:]), ('"', *DEPTH[1:]), (",", *DEPTH[1:])]
)
def test_levels_that_mean_nothing_are_left_out_and_the_quote_is_kept(tmp_path: Path, depth: tuple[str, ...]) -> None:
    record(tmp_path, [Quote(OPEN, SAMSUNG, 74_900, 5, 75_000, 7, depth)])
    assert rows(tmp_path, "bid, asks", "quote") == [(74_900, None)]


def test_what_befell_the_stream_and_the_symbol_is_marked(tmp_path: Path) -> None:
    bar = Bar(OPEN + MINUTE, SAMSUNG, OPEN, 1, 4, 1, 2, 100, told=True)
    record(
        tmp_path,
        [FeedLost(OPEN, 'broke, "hard"\n'), FeedRestored(OPEN + 5, 5), SymbolHalted(OPEN, SAMSUNG, "vi", "static, 10"),
         SymbolResumed(OPEN, SAMSUNG, "over"), Trade(OPEN, SAMSUNG, 75_000, 0), bar],
    )  # fmt: skip
    kinds = "lost', 'restored', 'halted', 'resumed', 'price', 'bar"
    assert rows(tmp_path, "kind, price, opened, note", kinds) == [
        ("lost", None, None, 'broke, "hard"'), ("restored", None, None, "5"), ("halted", None, None, "vi: static, 10"),
        ("resumed", None, None, "over"), ("price", 75_000, None, None), ("bar", 2, 1, None),
    ]  # fmt: skip


def test_a_restart_on_the_same_day_goes_on_and_takes_no_trade_twice(tmp_path: Path) -> None:
    record(tmp_path, [trade(0), trade(1)])
    record(tmp_path, [trade(1), trade(2)])
    assert rows(tmp_path, "price") == [(75_000,), (75_001,), (75_002,)]
    numbers = [seq for (seq,) in rows(tmp_path, "seq", "trade', 'begin', 'end")]
    assert numbers == sorted(set(numbers))
    assert len(rows(tmp_path, "note", "begin")) == 2


def test_a_recorder_that_was_killed_leaves_a_log_which_the_next_one_goes_on_with(tmp_path: Path) -> None:
    killed = recorder(tmp_path)
    bus = Bus()
    killed.follow(bus)
    bus.publish(trade(0))
    until(lambda: killed.progress.written == 1)
    os.close(killed._pages[SAMSUNG].log._handle)  # noqa: SLF001 (what the end of a process does)
    record(tmp_path, [trade(0), trade(1)])
    assert rows(tmp_path, "price") == [(75_000,), (75_001,)]


def test_a_file_that_was_finished_although_its_log_is_still_there_has_no_row_twice(tmp_path: Path) -> None:
    day = SymbolDay(tmp_path, DAY, SAMSUNG)
    found = recorder(tmp_path)
    bus = Bus()
    found.follow(bus)
    bus.publish(trade(0))
    until(lambda: found.progress.written == 1)
    log = day.log.read_bytes()
    found.close(PATIENCE)
    day.log.write_bytes(log)  # the process ended between the two
    finish(day)
    assert rows(tmp_path, "price") == [(75_000,)]


def test_of_a_torn_log_the_rest_is_read_and_a_row_says_so(tmp_path: Path) -> None:
    found = recorder(tmp_path)
    bus, day = Bus(), SymbolDay(tmp_path, DAY, SAMSUNG)
    found.follow(bus)
    bus.publish(trade(0))
    until(lambda: found.progress.written == 1)
    bus.publish(trade(1))
    until(lambda: found.progress.written == 2)
    os.close(found._pages[SAMSUNG].log._handle)  # noqa: SLF001
    day.log.write_bytes(day.log.read_bytes()[:-3])
    done = finish(day)
    assert done is not None
    assert done.lost > 0
    assert rows(tmp_path, "price") == [(75_000,)]
    assert rows(tmp_path, "note", "torn") == [(str(done.lost),)]


def test_a_log_that_is_larger_than_the_memory_allowed_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(finished.SETTINGS, "memory_limit", "100MB")
    day, number, depth = SymbolDay(tmp_path, DAY, SAMSUNG), 400_000, " ".join(DEPTH)
    log = Log(day.log)
    for start in range(0, number, 10_000):
        lines = (f"quote,{n + 1},{OPEN - n},{OPEN},,,,,,1,2,3,4,{depth}\n" for n in range(start, start + 10_000))
        log.append("".join(lines).encode())
    log.close()
    done = finish(day)
    assert done is not None
    assert done.rows == number


def test_a_damaged_file_is_named_and_nothing_of_the_log_is_lost(tmp_path: Path) -> None:
    record(tmp_path, [trade(0)])
    day = SymbolDay(tmp_path, DAY, SAMSUNG)
    day.parquet.write_bytes(day.parquet.read_bytes()[:-9])
    found = recorder(tmp_path)
    assert isinstance(found.refused[SAMSUNG], FileError)
    assert str(day.parquet) in str(found.refused[SAMSUNG])
    log = Log(day.log)
    log.append(b"trade,1,2,3\n")
    log.close()
    with pytest.raises(FileError, match="cannot finish"):
        finish(day)
    assert day.log.exists()


def test_a_second_recorder_of_a_symbol_is_refused_and_the_other_symbols_are_recorded(tmp_path: Path) -> None:
    first = recorder(tmp_path, SAMSUNG)
    second = recorder(tmp_path, SAMSUNG, HYNIX)
    assert isinstance(second.refused[SAMSUNG], LockedError)
    bus = Bus()
    second.follow(bus)
    bus.publish(trade(0))
    bus.publish(trade(1, HYNIX))
    second.close(PATIENCE)
    assert rows(tmp_path, "price", symbol=HYNIX) == [(75_001,)]
    first.close(PATIENCE)
    assert not SymbolDay(tmp_path, DAY, SAMSUNG).exists


def test_a_disk_that_stands_still_holds_nobody_up_and_what_is_dropped_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, began, append = threading.Event(), threading.Event(), Log.append

    def slow(log: Log, lines: bytes) -> None:
        began.set()
        goes_on.wait(PATIENCE)
        append(log, lines)

    monkeypatch.setattr(Log, "append", slow)
    found = recorder(tmp_path, bound=10)
    bus = Bus()
    found.follow(bus)
    bus.publish(trade(0))
    assert began.wait(PATIENCE)
    for number in range(1, 31):
        bus.publish(trade(number))
    assert found.progress.dropped == 20
    goes_on.set()
    until(lambda: found.progress.written == 12)  # what waited, and the mark
    bus.publish(trade(31))
    found.close(PATIENCE)
    assert [price for (price,) in rows(tmp_path, "price")] == [*range(75_000, 75_011), 75_031]
    assert rows(tmp_path, "note", "dropped") == [("20",)]


def test_a_disk_that_refuses_is_told_and_gets_everything_when_it_takes_rows_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, is_full = os.pwrite, threading.Event()

    def pwrite(handle: int, content: bytes, at: int) -> int:
        if is_full.is_set():
            raise OSError(28, "No space left on device")
        return write(handle, content, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    is_full.set()
    found = recorder(tmp_path)
    bus = Bus()
    found.follow(bus)
    bus.publish(trade(0))
    until(lambda: found.progress.problem == "No space left on device")
    bus.publish(trade(1))
    is_full.clear()
    until(lambda: found.progress.written == 2 and not found.progress.problem)
    found.close(PATIENCE)
    assert rows(tmp_path, "price") == [(75_000,), (75_001,)]

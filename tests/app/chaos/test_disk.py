"""The virtual disk and SQLite behave the same: what is written, what survives a kill, what a loss of power may take."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.app.chaos.disk import Disk
from qbtrade.domain.events import Alert, Level
from qbtrade.domain.message import Event

WRITES = [(1, False), (2, True), (3, False), (1, False), (2, False)]
SYNCED = 3


def rows(first: int, count: int) -> list[Event]:
    return [Alert(number, Level.INFO, "test", f"row {number}") for number in range(first, first + count)]


def written(append: Callable[..., None]) -> list[Event]:
    kept: list[Event] = []
    for count, durable in WRITES:
        new = rows(len(kept), count)
        append(new, durable=durable)
        kept += new
    return kept


def boundaries() -> set[int]:
    """How many rows may be left after a loss of power."""
    total, found = 0, set[int]()
    for count, _ in WRITES:
        total += count
        if total >= SYNCED:
            found.add(total)
    return found


def test_the_virtual_disk_keeps_whole_writes_after_a_loss_of_power_and_all_of_them_after_a_kill() -> None:
    seen, torn = set[int](), set[int]()
    for seed in range(100):
        disk = Disk()
        journal = disk.create("j", lambda _point: None)
        kept = written(journal.append)
        assert journal.rows == kept
        disk.lose_power(Random(seed))
        assert journal.rows == kept[: len(journal.rows)]
        seen.add(len(journal.rows))
        torn.add(len(journal.torn))
        assert list(journal.read()) == journal.rows
        assert journal.torn == tuple(kept[len(journal.rows) :][: len(journal.torn)])
    assert seen == boundaries()
    assert len(torn) > 1


@pytest.fixture
def torn(tmp_path: Path) -> Iterator[tuple[Path, list[Event]]]:
    """A journal of SQLite whose process is still alive, and its rows."""
    store = SqliteJournal(tmp_path / "whole.sqlite3")
    kept = written(store.append)
    yield tmp_path, kept
    store.close()


def copies(folder: Path) -> Iterator[list[Event]]:
    """What can be read when the log was cut off at any of many places, as by a loss of power."""
    whole = folder / "whole.sqlite3"
    log = whole.with_name(f"{whole.name}-wal")
    size = log.stat().st_size
    for cut in (*range(0, size, max(size // 60, 1)), size):
        copy = folder / f"cut-{cut}.sqlite3"
        shutil.copy(whole, copy)
        copy.with_name(f"{copy.name}-wal").write_bytes(log.read_bytes()[:cut])
        with sqlite3.connect(copy) as connection, suppress(sqlite3.Error):  # what a next start does
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        yield list(read_events(copy))


def test_sqlite_keeps_whole_writes_whatever_is_left_of_its_log(torn: tuple[Path, list[Event]]) -> None:
    folder, kept = torn
    every_write = {sum(count for count, _ in WRITES[:number]) for number in range(len(WRITES) + 1)}
    seen = set[int]()
    for found in copies(folder):
        assert found == kept[: len(found)]
        seen.add(len(found))
    assert seen <= every_write
    assert boundaries() <= seen


def test_what_was_rescued_is_read_behind_the_rows_and_survives_where_it_was_vital(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite3"
    virtual, real = Disk().create("run", lambda _point: None), SqliteJournal(path, rescues=True)
    all_rows = rows(1, 6)
    for journal in (virtual, real):
        journal.append(all_rows[:2], durable=True)
        journal.rescue([(4, all_rows[3])], vital=True)
        journal.append(all_rows[2:3], durable=True)
        journal.rescue([(3, all_rows[2]), (5, all_rows[4])], vital=False)
    assert list(virtual.read()) == list(read_events(path)) == all_rows[:5]
    virtual.lose_power(Random(0))
    assert list(virtual.read()) == list(virtual.on_disk()) == all_rows[:4]
    virtual.append(all_rows[3:6], durable=True)
    real.append(all_rows[3:6], durable=True)
    assert list(virtual.read()) == list(read_events(path)) == all_rows
    real.close()

"""What every journal store promises, held by SQLite and by the model of it that seeded worlds are played on.

A loss of power leaves any beginning of the log: copies of a real one, cut off at and around every edge of its frames,
stand for it.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.adapters.store.verify import verify
from qbtrade.app.chaos.disk import VirtualJournal
from qbtrade.domain.message import Event
from qbtrade.errors import JournalError
from qbtrade.ports import JournalStore
from tests.recordings import a_traded_day

DAY = a_traded_day().events
WRITES = ((1, True), (4, False), (3, True), (9, False), (1, False), (2, True), (1, False), (5, False), (2, False))
"""Rows of each write, and whether it is durable."""
HEADER, FRAME_HEADER = 32, 24
SEEDS = 200


class Kept(Protocol):
    """A store, and what becomes of it."""

    @property
    def store(self) -> JournalStore:
        """What is written to."""
        ...

    def read(self) -> list[Event]:
        """What a reader finds now, which is what a kill leaves."""
        ...

    def without_power(self) -> Iterator[list[Event]]:
        """Everything that a loss of power may leave now."""
        ...

    @contextmanager
    def full(self) -> Iterator[None]:
        """A disk that takes nothing for a while."""
        ...


class Model:
    """The virtual disk's journal."""

    def __init__(self) -> None:
        self.store = VirtualJournal("run", lambda _point: None)

    def read(self) -> list[Event]:
        return list(self.store.read())

    def without_power(self) -> Iterator[list[Event]]:
        rows, writes, synced = list(self.store.rows), list(self.store.writes), self.store.synced
        for seed in range(SEEDS):
            self.store.rows, self.store.writes, self.store.synced = list(rows), list(writes), synced
            self.store.lose_power(Random(seed))
            yield self.read()

    @contextmanager
    def full(self) -> Iterator[None]:
        self.store.is_full = True
        yield
        self.store.is_full = False


class Sqlite:
    """The real one, on a real disk."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "run.sqlite3"
        self.log = folder / "run.sqlite3-wal"
        self.store = SqliteJournal(self.path, is_live=True)
        self.synced = 0

    def read(self) -> list[Event]:
        return list(read_events(self.path))

    def without_power(self) -> Iterator[list[Event]]:
        return (left for cut, left in self.cuts() if cut >= self.synced)

    def cuts(self) -> Iterator[tuple[int, list[Event]]]:
        """Where the log was cut off, and what can be read; the journal that is left is sound."""
        log = self.log.read_bytes()
        for number, (cut, torn) in enumerate(torn_logs(log)):
            copy = self.path.with_name(f"left-{number}.sqlite3")
            copy.write_bytes(self.path.read_bytes())
            copy.with_name(f"{copy.name}-wal").write_bytes(torn)
            left = list(read_events(copy))
            if left:
                assert verify(copy).is_folded
            yield cut, left
            for file in copy.parent.glob(f"{copy.name}*"):
                file.unlink()

    @contextmanager
    def full(self) -> Iterator[None]:
        with closing(sqlite3.connect(self.path)) as other:
            third, refusal = (
                "(SELECT count(*) FROM event) % 3 = 1",
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
            )
            other.execute(f"CREATE TRIGGER full BEFORE INSERT ON event WHEN {third} {refusal}")
            other.commit()
            yield
            other.execute("DROP TRIGGER full")
            other.commit()


def torn_logs(log: bytes) -> Iterator[tuple[int, bytes]]:
    """How much of the log came to the disk whole, and what lies there."""
    page = int.from_bytes(log[8:12], "big")
    frame = FRAME_HEADER + page
    for edge in (0, HEADER // 2, *range(HEADER, len(log) + 1, frame)):
        yield edge, log[:edge]
    for edge in range(HEADER, len(log), frame):
        for within in (1, FRAME_HEADER // 2, FRAME_HEADER, FRAME_HEADER + page // 2, frame - 1):
            yield edge, log[: edge + within]
        half = edge + FRAME_HEADER + page // 2
        yield edge, log[:half].ljust(len(log), b"\0")  # its room was taken, its bytes were not written
        yield edge, log[:half] + bytes(byte ^ 0xFF for byte in log[half : edge + frame]) + log[edge + frame :]


@pytest.fixture(params=["model", "sqlite"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    found: Model | Sqlite = Model() if request.param == "model" else Sqlite(tmp_path)
    yield found
    found.store.close()


def play(kept: Kept, writes: int = len(WRITES)) -> list[int]:
    """Make the first so many writes; how many rows there were after each of them."""
    sizes, total = list[int](), 0
    for count, durable in WRITES[:writes]:
        kept.store.append(DAY[total : total + count], durable=durable)
        total += count
        sizes.append(total)
        if durable and isinstance(kept, Sqlite):
            kept.synced = kept.log.stat().st_size
    return sizes


def may_be_left(writes: int) -> set[int]:
    """How many rows a loss of power may leave behind the last durable write, whole writes alone."""
    sizes = [sum(count for count, _ in WRITES[: number + 1]) for number in range(writes)]
    last_durable = max(number for number in range(writes) if WRITES[number][1])
    return set(sizes[last_durable:])


def test_what_was_written_is_read_in_order(kept: Kept) -> None:
    sizes = play(kept)
    assert kept.read() == DAY[: sizes[-1]]


@pytest.mark.parametrize("writes", range(1, len(WRITES) + 1))
def test_a_loss_of_power_leaves_what_was_durable_and_of_the_rest_whole_writes_in_order(kept: Kept, writes: int) -> None:
    play(kept, writes)
    seen = set[int]()
    for left in kept.without_power():
        assert left == DAY[: len(left)]
        seen.add(len(left))
    assert seen == may_be_left(writes)


def test_a_refused_write_leaves_nothing_and_the_next_goes_on(kept: Kept) -> None:
    play(kept, 3)
    with kept.full(), pytest.raises(JournalError, match="full"):
        kept.store.append(DAY[8:14], durable=True)
    assert kept.read() == DAY[:8]
    kept.store.append(DAY[8:14], durable=True)
    assert kept.read() == DAY[:14]


def test_what_a_refused_write_held_is_rescued_and_read_behind_the_rows(kept: Kept) -> None:
    play(kept, 1)
    kept.store.rescue([(2, DAY[1]), (4, DAY[3])], vital=True)
    assert kept.read() == [DAY[0], DAY[1], DAY[3]]
    kept.store.append(DAY[1:5], durable=True)
    assert kept.read() == DAY[:5]


def test_no_loss_of_power_takes_a_row_from_before_one_that_was_rescued(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_fsync = os.fsync

    def fsync(handle: int) -> None:
        real_fsync(handle)
        if isinstance(kept, Sqlite) and os.path.samestat(os.fstat(handle), kept.log.stat()):
            kept.synced = kept.log.stat().st_size

    monkeypatch.setattr(os, "fsync", fsync)
    written = play(kept, 2)[-1]
    for again in (DAY[written : written + 3], DAY[written + 3 : written + 5]):
        kept.store.rescue([(written + 1, DAY[written])], vital=True)
        assert all(left[:written] == DAY[:written] for left in kept.without_power())
        kept.store.append(again, durable=False)
        written += len(again)


def test_a_closed_store_has_lost_nothing(kept: Kept) -> None:
    sizes = play(kept)
    kept.store.close()
    assert kept.read() == DAY[: sizes[-1]]


def test_wherever_the_log_of_sqlite_ends_it_is_a_sound_beginning_with_all_that_was_durable_before(
    tmp_path: Path,
) -> None:
    kept, durable, total = Sqlite(tmp_path), [(0, 0)], 0
    sizes = {0}
    for count, is_durable in WRITES:
        kept.store.append(DAY[total : total + count], durable=is_durable)
        total += count
        sizes.add(total)
        if is_durable:
            durable.append((kept.log.stat().st_size, total))
    looked = 0
    for cut, left in kept.cuts():
        assert left == DAY[: len(left)]
        assert len(left) in sizes
        assert len(left) >= max(rows for size, rows in durable if size <= cut)
        looked += 1
    kept.store.close()
    assert looked > 100


def test_what_was_rescued_as_vital_outlives_a_loss_of_power_in_the_model_as_on_the_disk(tmp_path: Path) -> None:
    model, real = Model(), Sqlite(tmp_path)
    for kept in (model, real):
        kept.store.append(DAY[:2], durable=True)
        kept.store.rescue([(4, DAY[3])], vital=True)
        kept.store.append(DAY[2:3], durable=True)
        kept.store.rescue([(3, DAY[2]), (5, DAY[4])], vital=False)
    assert model.read() == real.read() == DAY[:5]
    model.store.lose_power(Random(0))
    assert model.read() == list(model.store.on_disk()) == DAY[:4]
    for kept in (model, real):
        kept.store.append(DAY[3:6], durable=True)
        assert kept.read() == DAY[:6]
        kept.store.close()


WRITER = """
import sys
from pathlib import Path
from qbtrade.adapters.store.sqlite import SqliteJournal
from tests.recordings import a_traded_day

first, *rest = a_traded_day().events
journal = SqliteJournal(Path(sys.argv[1]), is_live=True)
journal.append([first], durable=True)
rows = 1
for number in range(1 << 30):
    written = [event for event in rest if "order" not in event.__struct_fields__ or not number]
    for at in range(0, len(written), 5):
        journal.append(written[at : at + 5], durable=at % 2 == 0)
        rows += len(written[at : at + 5])
        print(rows, flush=True)
"""


@pytest.mark.parametrize("patience", [1, 2, 3, 11, 40, 200])
def test_kill_9_leaves_a_sound_journal_with_every_write_that_was_finished(tmp_path: Path, patience: int) -> None:
    path, root = tmp_path / "run.sqlite3", Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(patience)]
        process.send_signal(signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    found = verify(path)
    assert (found.is_folded, found.is_chained) == (True, True)
    assert found.rows >= told[-1]
    assert len(list(read_events(path))) == found.rows

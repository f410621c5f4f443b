"""The virtual disk: what a kill leaves, and what a loss of power. tests/contract holds SQLite to the same."""

from collections.abc import Callable
from random import Random

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

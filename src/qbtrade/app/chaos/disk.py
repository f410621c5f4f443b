"""A virtual disk: journals whose last rows may be gone after a loss of power, as with SQLite's write-ahead log."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random
from typing import Final

from qbtrade.domain.message import Event
from qbtrade.errors import JournalError

READ_ONLY: Final = "Read-only file system"


class VirtualJournal:
    """One journal. Implements ports.JournalStore. at: called with the name of each point where a process may end.

    writes: row counts after each write; synced: rows that survive a loss of power. torn: rows of a write that a loss of
    power left in part, which no reader sees. lost: rows of a process that was killed, which the next one may have read
    before the power went. A full disk still has the room that was taken for rescued rows.
    """

    def __init__(self, name: str, at: Callable[[str], None]) -> None:
        self.name, self._at = name, at
        self.rows: list[Event] = []
        self.writes: list[int] = []
        self.synced = 0
        self.torn: tuple[Event, ...] = ()
        self.lost: tuple[Event, ...] = ()
        self._room: dict[int, Event] = {}
        self._room_synced: frozenset[int] = frozenset()
        self.is_full = self.is_read_only = False

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        """Write in order, all or none. Raises: JournalError on a full disk."""
        rows = tuple(events)
        what = _named(rows, durable=durable)
        self._at(f"before-write {what}")
        if self.is_full or self.is_read_only:
            cause = READ_ONLY if self.is_read_only else "database or disk is full"
            raise JournalError("cannot write journal {path}: {cause}", path=self.name, cause=cause)
        self.rows += rows
        self.torn = ()
        self.writes.append(len(self.rows))
        if durable:
            self.synced = len(self.rows)
        self._at(f"after-write {what}")

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        """Write rows that `append` refused into the room for them. Raises: JournalError on a read-only disk."""
        self._at("before-write rescued rows")
        if self.is_read_only:
            raise JournalError("cannot write {path}: {cause}", path=self.name, cause=READ_ONLY)
        self.synced = len(self.rows)
        self._room.update(rows)
        if vital:
            self._room_synced = frozenset(self._room)
        self._at("after-write rescued rows")

    def read(self) -> tuple[Event, ...]:
        """What a reader finds: the rows, and behind them those that were only rescued."""
        return (*self.rows, *(event for number, event in sorted(self._room.items()) if number > len(self.rows)))

    def on_disk(self) -> tuple[Event, ...]:
        """What a loss of power leaves for certain."""
        rescued = (self._room[number] for number in sorted(self._room_synced) if number > len(self.rows))
        return (*self.rows[: self.synced], *rescued)

    def close(self) -> None:
        """Everything is on disk."""
        self.synced = len(self.rows)
        self._room_synced = frozenset(self._room)

    def lose_power(self, rng: Random) -> None:
        """Keep what was synced, and of the later writes as many as luck will have: whole ones, in order.

        Of the next one a part may be left, whose last page is torn: its checksum fails, so it is as if never written.
        """
        later = [size for size in self.writes if size > self.synced]
        kept = rng.choice([self.synced, *later])
        following = next((size for size in later if size > kept), kept)
        self.torn = tuple(self.rows[kept : kept + rng.randrange(following - kept + 1)])
        self.lost += tuple(self.rows[kept:])
        del self.rows[kept:]
        self.writes = [size for size in self.writes if size <= kept]
        self._room = {number: self._room[number] for number in self._room_synced}


def _named(rows: Iterable[Event], *, durable: bool) -> str:
    """What a write is, as points are named by it."""
    kinds = "+".join(dict.fromkeys(row.__class__.__name__ for row in rows))
    return f"{kinds}, synced" if durable else kinds


class Disk:
    """All journals of one machine, oldest first."""

    def __init__(self) -> None:
        self.journals: list[VirtualJournal] = []
        self._is_full = self._is_read_only = False

    def create(self, name: str, at: Callable[[str], None]) -> VirtualJournal:
        """A new journal, empty. Raises: JournalError on a read-only disk."""
        if self._is_read_only:
            raise JournalError("cannot create journal {path}: {cause}", path=name, cause=READ_ONLY)
        journal = VirtualJournal(name, at)
        journal.is_full = self._is_full
        self.journals.append(journal)
        return journal

    def books(self) -> Iterator[Callable[[], Iterator[Event]]]:
        """Readers of all journals that hold anything, newest first."""
        return (partial(iter, journal.read()) for journal in reversed(self.journals) if journal.rows)

    def fill(self, *, is_full: bool) -> None:
        """Nothing can be written, or everything again."""
        self._is_full = is_full
        for journal in self.journals:
            journal.is_full = is_full

    def protect(self, *, is_read_only: bool) -> None:
        """Let nothing be written any more, or everything again."""
        self._is_read_only = is_read_only
        for journal in self.journals:
            journal.is_read_only = is_read_only

    def lose_power(self, rng: Random) -> None:
        """Every journal loses what was not synced."""
        for journal in self.journals:
            journal.lose_power(rng)

"""What a journal holds behind a number, for whoever passes it on."""

import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from qbtrade.adapters.store.emergency import emergency_path, rescued
from qbtrade.adapters.store.rows import decode
from qbtrade.adapters.store.sqlite import open_journal
from qbtrade.domain.message import Event
from qbtrade.errors import JournalError

Letter = tuple[int, int, bytes, Event | None]
"""Number, time, the event as it was written (of which the hashes are made), and the event itself where it is wanted."""

Stamp = tuple[tuple[int, int], ...]
"""Size and time of the last write, of each file of a journal."""


def letters(path: Path, after: int, most: int, wanted: Collection[type[Event]] = ()) -> Sequence[Letter]:
    """At most `most` rows behind number `after`, in order; what only the emergency file holds comes last.

    wanted: events that are worth decoding, all of them without. Raises: FileError for a missing or foreign file,
    JournalError for a damaged one.
    """
    return [letter for piece in pieces(path, after, most, most, wanted) for letter in piece]


def pieces(
    path: Path, after: int, most: int, size: int, wanted: Collection[type[Event]] = ()
) -> Iterator[Sequence[Letter]]:
    """The same, `size` rows at a time: let go while they are in the processor's cache they take half the time."""
    tags = {str(cls.__struct_config__.tag).encode() for cls in wanted}
    last, left = after, most
    with closing(open_journal(path)) as connection:
        connection.text_factory = bytes
        try:
            rows = connection.execute(
                "SELECT seq, ts, type, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, most)
            )
            while found := rows.fetchmany(size):
                last, left = found[-1][0], left - len(found)
                yield _decoded(path, found, tags)
            more = _rescued(path, last)[:left] if left else []
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error
    if more:
        events = [(seq, body, _event(path, seq, body)) for seq, body in more]
        yield [(seq, event.ts, body, event) for seq, body, event in events]


def last_number(path: Path) -> int:
    """The number of the last row, 0 without one. Raises: as `letters`."""
    with closing(open_journal(path)) as connection:
        try:
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
            return max([int(last), *(seq for seq, _body in _rescued(path, last))])
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error


def stamp(path: Path) -> Stamp:
    """What changes when the journal does; to look at it costs next to nothing. A missing file is left out."""
    found = []
    for name in (str(path), f"{path}-wal", str(emergency_path(path))):
        with suppress(OSError):
            seen = os.stat(name)  # noqa: PTH116 (a third of the time of Path.stat)
            found.append((seen.st_size, seen.st_mtime_ns))
    return tuple(found)


def _rescued(path: Path, after: int) -> list[tuple[int, bytes]]:
    """Each number once, as it was first written."""
    found: dict[int, bytes] = {}
    for seq, body in rescued(path):
        if seq > after:
            found.setdefault(seq, body)
    return sorted(found.items())


def _decoded(path: Path, rows: list[tuple[int, int, bytes, bytes]], tags: Collection[bytes]) -> Sequence[Letter]:
    try:
        return [(seq, ts, body, decode(body) if not tags or tag in tags else None) for seq, ts, tag, body in rows]
    except msgspec.DecodeError:
        return [(seq, ts, body, _event(path, seq, body)) for seq, ts, _tag, body in rows]


def _event(path: Path, seq: int, body: bytes) -> Event:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise JournalError("journal {path}, row {seq}: {cause}", path=path, seq=seq, cause=error) from error

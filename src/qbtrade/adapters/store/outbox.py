"""What a journal holds behind a number, for whoever passes it on."""

import os
import sqlite3
from collections.abc import Collection, Sequence
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
    tags = {str(cls.__struct_config__.tag).encode() for cls in wanted}
    with closing(open_journal(path)) as connection:
        connection.text_factory = bytes
        try:
            rows = connection.execute(
                "SELECT seq, ts, type, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, most)
            ).fetchall()
            if len(rows) < most:
                (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
                left = _rescued(path, max(after, last))[: most - len(rows)]
            else:
                left = []
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error
    try:
        found = [(seq, ts, body, decode(body) if not tags or tag in tags else None) for seq, ts, tag, body in rows]
    except msgspec.DecodeError:
        found = [(seq, ts, body, _event(path, seq, body)) for seq, ts, _tag, body in rows]
    for seq, body in left:
        event = _event(path, seq, body)
        found.append((seq, event.ts, body, event))
    return found


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


def _event(path: Path, seq: int, body: bytes) -> Event:
    try:
        return decode(body)
    except msgspec.DecodeError as error:
        raise JournalError("journal {path}, row {seq}: {cause}", path=path, seq=seq, cause=error) from error

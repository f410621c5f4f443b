"""What a journal holds behind a number, for whoever passes it on."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from qbtrade.adapters.store.emergency import rescued
from qbtrade.adapters.store.rows import decode
from qbtrade.adapters.store.sqlite import open_journal
from qbtrade.domain.message import Event
from qbtrade.errors import JournalError


class Letter(NamedTuple):
    """One row. body: the event as it was written, which the journal's hashes are made of."""

    seq: int
    body: bytes
    event: Event


def letters(path: Path, after: int, most: int) -> Sequence[Letter]:
    """At most `most` rows behind number `after`, in order; what only the emergency file holds comes last.

    Raises: FileError for a missing or foreign file, JournalError for a damaged one.
    """
    with closing(open_journal(path)) as connection:
        connection.text_factory = bytes
        try:
            rows = connection.execute(
                "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (after, most)
            ).fetchall()
            if len(rows) < most:
                (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
                rows += _rescued(path, max(after, last))[: most - len(rows)]
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error
    return [Letter(seq, body, _event(path, seq, body)) for seq, body in rows]


def last_number(path: Path) -> int:
    """The number of the last row, 0 without one. Raises: as `letters`."""
    with closing(open_journal(path)) as connection:
        try:
            (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
            return max([int(last), *(seq for seq, _body in _rescued(path, last))])
        except (sqlite3.DatabaseError, OSError) as error:
            raise JournalError("journal {path} is damaged: {cause}", path=path, cause=error) from error


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

"""Rows of a journal: how an event is laid down, how it is read back, and what chains each row to the one before it."""

from collections.abc import Callable, Iterable
from functools import reduce
from hashlib import sha256
from operator import attrgetter, or_
from typing import Final

import msgspec

from qbtrade.domain.events import SessionStarted, type_of
from qbtrade.domain.message import Event

SCHEMA_VERSION: Final = 2
"""Layout of the file, as the schema below says it. A reader refuses a newer one."""
CHAINED_SINCE: Final = 2
"""The first layout whose rows are chained."""
SCHEMA: Final = """
CREATE TABLE meta (schema_version INTEGER NOT NULL) STRICT;
INSERT INTO meta VALUES (2);
CREATE TABLE event (
    seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, type TEXT NOT NULL,
    symbol TEXT NOT NULL, order_id TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_stays_as_it_is BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
COLUMNS: Final = 6
"""What a row holds besides its number."""
INSERT: Final = "INSERT INTO event (ts, type, symbol, order_id, body, hash) VALUES "
ROW: Final = "(?, ?, ?, ?, ?, ?)"

encode: Final = msgspec.json.Encoder().encode
decode: Final[Callable[[str | bytes], Event]] = msgspec.json.Decoder(reduce(or_, type_of.values())).decode


def _field(event_type: type[Event], name: str) -> Callable[[Event], str]:
    if name in event_type.__struct_fields__:
        return attrgetter(name)
    if "order" in event_type.__struct_fields__:
        return attrgetter(f"order.{name}")
    return lambda _: ""


_KEYS: Final[dict[type[Event], tuple[str, Callable[[Event], str], Callable[[Event], str]]]] = {
    cls: (str(tag), _field(cls, "symbol"), _field(cls, "order_id")) for tag, cls in type_of.items()
}


def keys(event: Event) -> tuple[int, str, str, str]:
    """By what a row is found: time, type, symbol and order."""
    tag, symbol, order_id = _KEYS[event.__class__]
    return event.ts, tag, symbol(event), order_id(event)


def genesis(first: Event | None) -> bytes:
    """What the first row is chained to: the id of its session."""
    session = first.session_id if isinstance(first, SessionStarted) else ""
    return sha256(b"qbtrade journal\0" + session.encode()).digest()


def link(before: bytes, body: bytes) -> bytes:
    """The hash of a row, over that of the row before it and the whole event."""
    return sha256(before + body).digest()


def laid_down(events: Iterable[Event], before: bytes) -> tuple[list[int | str | bytes], bytes]:
    """Cells of all rows, in the order of COLUMNS, and the hash of the last one. before: of the row before the first.

    An empty `before` is that of a journal without rows.
    """
    cells: list[int | str | bytes] = []
    for event in events:
        tag, symbol, order_id = _KEYS[event.__class__]
        body = encode(event)
        before = link(before or genesis(event), body)
        cells += (event.ts, tag, symbol(event), order_id(event), body.decode(), before)
    return cells, before

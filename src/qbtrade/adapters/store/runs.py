"""What many sessions did, run by run, for figures over months; and how it is read from journals."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from qbtrade.adapters.store.sqlite import last_event, read_events
from qbtrade.domain.events import SessionEnded, SessionStarted
from qbtrade.domain.message import Event, EventType
from qbtrade.errors import QbError

TOLD: Final = frozenset(
    {EventType.POSITION_CHANGED, EventType.ORDER_DENIED, EventType.EQUITY_MARKED, EventType.BOOK_CORRECTED}
)
"""Types of the events that a run tells."""


class Run(NamedTuple):
    """One run. worth: its equity at the start. events: those of TOLD, in order."""

    started: SessionStarted
    worth: int
    is_finished: bool
    events: Iterable[Event]


class Unreadable(NamedTuple):
    """A journal that tells nothing. problem: why."""

    run_id: str
    problem: str


def head_within(path: Path, start: int, end: int) -> SessionStarted | None:
    """How a run began that touches [start, end), UTC ns of market time. Raises: FileError, JournalError."""
    first = next(read_events(path), None)
    if not isinstance(first, SessionStarted) or first.ts >= end:
        return None
    last = last_event(path)
    return first if last and last.ts >= start else None


def from_journals(journals: Iterable[Path], start: int, end: int) -> Iterator[Run | Unreadable]:
    """The runs that touch [start, end), UTC ns of market time, in the order of the files."""
    for path in journals:
        try:
            started = head_within(path, start, end)
            if started:
                is_finished = isinstance(last_event(path), SessionEnded)
                yield Run(started, started.worth, is_finished, list(read_events(path, TOLD)))
        except QbError as error:
            yield Unreadable(path.stem, error.message)

"""Whether this version of qb has had a day on KIS's paper server, before orders with real money."""

from collections.abc import Iterable, Iterator
from typing import Final

from qbtrade import __version__
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.live.carried import Journal
from qbtrade.app.live.halting import BOOKS_DISAGREE, ORDER_LEFT
from qbtrade.app.live.reconciling import NOT_COMPARED
from qbtrade.app.live.winding import STOPPED
from qbtrade.domain.calendar import MINUTE
from qbtrade.domain.events import Alert, OrderFilled, Outcome, RiskStateChanged, SessionEnded, SessionStarted
from qbtrade.domain.message import Event
from qbtrade.errors import FileError, JournalError

LONG: Final = 300 * MINUTE
"""Market time from the first row to the last: a day, and not a try."""
_LEFT_OPEN: Final = frozenset({BOOKS_DISAGREE, NOT_COMPARED, ORDER_LEFT})
"""Alerts of an end that left something open."""


def had_paper_day(books: Iterable[Journal]) -> bool:
    """Whether a session of this version had fills there, for hours, and ended by itself with nothing left open.

    A journal that cannot be read proves nothing.
    """
    return any(_is_one(read) for read in books)


def _is_one(read: Journal) -> bool:
    try:
        rows = read()
        started = next(rows, None)
        return isinstance(started, SessionStarted) and _was_there(started) and _is_in_order(started.ts, rows)
    except (FileError, JournalError):
        return False


def _was_there(started: SessionStarted) -> bool:
    return started.is_at_kis and (started.mode, started.version) == (EnvKind.PAPER, __version__)


def _is_in_order(since: int, rows: Iterator[Event]) -> bool:
    has_filled = has_left = False
    last: Event | None = None
    for row in rows:
        match row:
            case OrderFilled():
                has_filled = True
            case RiskStateChanged(reason=reason) if reason == STOPPED:
                has_left = False  # what was told before was about the day
            case Alert(code=code) if code in _LEFT_OPEN:
                has_left = True
            case _other:
                pass
        last = row
    is_over = isinstance(last, SessionEnded) and last.outcome is Outcome.DONE and last.ts - since >= LONG
    return is_over and has_filled and not has_left

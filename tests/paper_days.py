"""The journal of a session on paper, as real money wants to see one."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from qbtrade import __version__
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.home import create, journals_dir
from qbtrade.domain.events import OrderFilled, Outcome, SessionEnded, SessionStarted
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from tests.builders import SAMSUNG, at

BEGAN, STOPS, ENDED = at("09:00"), at("15:20"), at("15:31")
FILLED = OrderFilled(STOPS, "Q1", SAMSUNG, Side.BUY, 75_000, 1)


def a_paper_day(*between: Event, outcome: Outcome = Outcome.DONE, **started: Any) -> tuple[Event, ...]:
    """Its first row, others, and its last row."""
    first = SessionStarted(
        BEGAN, "S", "R", __version__, "paper", (SAMSUNG,), "sma_cross", {}, 0, "KIS", 60, 1, {}, is_at_kis=True
    )
    return replace(first, **started), *(between or (FILLED,)), SessionEnded(ENDED, outcome, "", {}, {}, {})


def keep_paper_day(home: Path) -> None:
    """Let one be the oldest journal of a home."""
    create(home)
    store = SqliteJournal(journals_dir(home) / "20260101-090000-000000.sqlite3")
    store.append(a_paper_day(), durable=True)
    store.close()

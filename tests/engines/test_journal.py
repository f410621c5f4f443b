"""The journal decides what is written, and when."""

from collections.abc import Iterable

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Alert, EquityMarked, Level, OrderSending, Outcome, PhaseChanged, SessionEnded
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.engines.journal import MARK_EVERY, WRITTEN, Journal
from tests.builders import an_order

ALERT = Alert(1, Level.INFO, "code", "text")


class Pages:
    """A store that keeps each append apart."""

    def __init__(self) -> None:
        self.pages = list[tuple[list[Event], bool]]()

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        self.pages.append((list(events), durable))

    def close(self) -> None:
        """Nothing to let go of."""


def an_end(ts: int) -> SessionEnded:
    return SessionEnded(ts, Outcome.DONE, "", {}, {}, {})


def test_trades_are_not_written() -> None:
    assert Trade not in WRITTEN


def test_rows_are_collected_into_batches() -> None:
    pages = Pages()
    journal = Journal(pages, durable=True, batch=3)
    for _ in range(7):
        journal.on_event(ALERT)
    assert [len(rows) for rows, _ in pages.pages] == [3, 3]
    journal.flush()
    journal.flush()
    assert [len(rows) for rows, _ in pages.pages] == [3, 3, 1]


def test_an_intent_is_durable_at_once_with_everything_before_it() -> None:
    pages = Pages()
    journal = Journal(pages, durable=True)
    journal.on_event(ALERT)
    journal.on_intent(OrderSending(2, an_order()))
    assert pages.pages == [([ALERT, OrderSending(2, an_order())], True)]


def test_a_rehearsal_batches_its_intents() -> None:
    pages = Pages()
    journal = Journal(pages, durable=False, batch=2)
    journal.on_intent(OrderSending(2, an_order()))
    assert pages.pages == []
    journal.on_intent(OrderSending(3, an_order("Q2")))
    assert [durable for _, durable in pages.pages] == [False]


def test_marks_are_thinned_to_one_a_minute_and_the_newest_is_kept_at_the_end() -> None:
    pages = Pages()
    journal = Journal(pages, durable=False)
    marks = [EquityMarked(MARK_EVERY + offset, offset, 0, 0) for offset in (0, 1, 2, MARK_EVERY, MARK_EVERY + 1)]
    for mark in marks:
        journal.on_mark(mark)
    journal.on_ended(an_end(9 * MARK_EVERY))
    assert pages.pages == [([marks[0], marks[3], marks[4], an_end(9 * MARK_EVERY)], True)]


def test_the_newest_mark_is_written_before_the_phase_changes_so_that_each_day_keeps_its_last_one() -> None:
    pages = Pages()
    journal = Journal(pages, durable=False)
    marks = [EquityMarked(MARK_EVERY + offset, offset, 0, 0) for offset in (0, 1, 2)]
    for mark in marks:
        journal.on_mark(mark)
    closing = PhaseChanged(2 * MARK_EVERY, Phase.CLOSED, "2026-11-20")
    journal.on_phase(closing)
    journal.on_ended(an_end(9 * MARK_EVERY))
    assert pages.pages == [([marks[0], marks[2], closing, an_end(9 * MARK_EVERY)], True)]

"""The journal decides what is written, and when."""

from collections.abc import Iterable

import pytest

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    Alert,
    EquityMarked,
    JournalLost,
    Level,
    OrderCanceling,
    OrderNotSent,
    OrderSending,
    Outcome,
    PhaseChanged,
    SessionEnded,
)
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest, Purpose, Side
from qbtrade.engines.journal import MARK_EVERY, UNPROTECTED, WHOLE_AGAIN, WRITTEN, IntentGate, Journal
from qbtrade.errors import JournalError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import an_order
from tests.fakes import FakeBroker

ALERT = Alert(1, Level.INFO, "code", "text")


class Pages:
    """A store that keeps each append apart, and refuses them while it is told to."""

    def __init__(self) -> None:
        self.pages = list[tuple[list[Event], bool]]()
        self.rescued = dict[int, Event]()
        self.is_full = self.is_dead = False

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        if self.is_full:
            raise JournalError("the disk is full")
        self.pages.append((list(events), durable))

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        if self.is_dead:
            raise JournalError("the disk is dead")
        self.rescued |= rows
        self.vital = vital

    def close(self) -> None:
        """Nothing to let go of."""


def an_end(ts: int) -> SessionEnded:
    return SessionEnded(ts, Outcome.DONE, "", {}, {}, {})


def test_trades_are_not_written() -> None:
    assert Trade not in WRITTEN


def test_rows_are_collected_into_batches() -> None:
    pages = Pages()
    journal = Journal(pages, Bus(), durable=True, batch=3)
    for _ in range(7):
        journal.on_event(ALERT)
    assert [len(rows) for rows, _ in pages.pages] == [3, 3]
    journal.flush()
    journal.flush()
    assert [len(rows) for rows, _ in pages.pages] == [3, 3, 1]


def test_an_intent_is_durable_at_once_with_everything_before_it() -> None:
    pages = Pages()
    journal = Journal(pages, Bus(), durable=True)
    journal.on_event(ALERT)
    journal.on_intent(OrderSending(2, an_order()))
    assert pages.pages == [([ALERT, OrderSending(2, an_order())], True)]


def test_a_rehearsal_batches_its_intents() -> None:
    pages = Pages()
    journal = Journal(pages, Bus(), durable=False, batch=2)
    journal.on_intent(OrderSending(2, an_order()))
    assert pages.pages == []
    journal.on_intent(OrderSending(3, an_order("Q2")))
    assert [durable for _, durable in pages.pages] == [False]


def test_marks_are_thinned_to_one_a_minute_and_the_newest_is_kept_at_the_end() -> None:
    pages = Pages()
    journal = Journal(pages, Bus(), durable=False)
    marks = [EquityMarked(MARK_EVERY + offset, offset, 0, 0) for offset in (0, 1, 2, MARK_EVERY, MARK_EVERY + 1)]
    for mark in marks:
        journal.on_mark(mark)
    journal.on_ended(an_end(9 * MARK_EVERY))
    assert pages.pages == [([marks[0], marks[3], marks[4], an_end(9 * MARK_EVERY)], True)]


def test_the_newest_mark_is_written_before_the_phase_changes_so_that_each_day_keeps_its_last_one() -> None:
    pages = Pages()
    journal = Journal(pages, Bus(), durable=False)
    marks = [EquityMarked(MARK_EVERY + offset, offset, 0, 0) for offset in (0, 1, 2)]
    for mark in marks:
        journal.on_mark(mark)
    closing = PhaseChanged(2 * MARK_EVERY, Phase.CLOSED, "2026-11-20")
    journal.on_phase(closing)
    journal.on_ended(an_end(9 * MARK_EVERY))
    assert pages.pages == [([marks[0], marks[2], closing, an_end(9 * MARK_EVERY)], True)]


class Desk:
    """A live session's journal with its gate and a broker behind it, on a store that can be broken."""

    def __init__(self) -> None:
        self.bus, self.pages, self.broker, self.heard = Bus(), Pages(), FakeBroker(), list[Event]()
        self.journal = Journal(self.pages, self.bus, durable=True)
        gate = IntentGate(self.bus, SimClock(), self.journal, self.broker)
        self.bus.subscribe_all({JournalLost, Alert, OrderNotSent}, self.journal.on_event)
        self.bus.subscribe_all({JournalLost, Alert, OrderNotSent}, self.heard.append)
        self.bus.subscribe(OrderSending, self.journal.on_intent)
        self.bus.subscribe(OrderCanceling, self.journal.on_intent)
        self.bus.subscribe(OrderSending, lambda event: gate.submit(event.order))
        self.bus.subscribe(OrderCanceling, lambda event: gate.cancel(event.order_id))

    def codes(self) -> list[str]:
        return [event.code if isinstance(event, Alert) else type(event).__name__ for event in self.heard]

    def submitted(self) -> list[str]:
        return [order.order_id for order in self.broker.submitted]


def a_stop(order_id: str = "S1") -> OrderRequest:
    return an_order(order_id, side=Side.SELL, purpose=Purpose.PROTECT)


def test_an_entry_that_cannot_be_written_down_is_not_sent() -> None:
    desk = Desk()
    desk.pages.is_full = True
    desk.bus.publish(OrderSending(1, an_order("Q1")))
    desk.bus.publish(OrderSending(2, an_order("Q2")))
    assert (desk.submitted(), desk.codes()) == ([], ["JournalLost", "OrderNotSent", "OrderNotSent"])
    assert desk.journal.trouble == "the disk is full"


def test_a_cancel_goes_out_without_a_journal() -> None:
    desk = Desk()
    desk.pages.is_full = desk.pages.is_dead = True
    desk.bus.publish(OrderCanceling(1, "Q1", "halted"))
    assert desk.broker.cancels == ["Q1"]


def test_a_protective_sell_goes_out_behind_a_line_in_the_emergency_file() -> None:
    desk = Desk()
    desk.bus.publish(ALERT)
    desk.journal.flush()
    desk.pages.is_full = True
    desk.bus.publish(OrderSending(2, a_stop()))
    assert desk.submitted() == ["S1"]
    assert (desk.pages.rescued[2], desk.pages.rescued[3]) == (
        OrderSending(2, a_stop()),
        JournalLost(2, "the disk is full"),
    )


def test_without_an_emergency_file_it_stays_here_and_an_alarm_names_the_shares_once() -> None:
    desk = Desk()
    desk.pages.is_full = desk.pages.is_dead = True
    for number in range(3):
        desk.bus.publish(OrderSending(2, a_stop(f"S{number}")))
    assert (desk.submitted(), desk.codes().count(UNPROTECTED)) == ([], 1)
    (alarm,) = [event for event in desk.heard if isinstance(event, Alert)]
    assert alarm.text.startswith("005930: 1 shares cannot be sold")


def test_rows_that_were_refused_are_written_in_their_order_as_soon_as_that_works() -> None:
    desk = Desk()
    desk.pages.is_full = True
    desk.bus.publish(OrderSending(1, a_stop()))
    desk.journal.flush()
    desk.pages.is_full = False
    desk.bus.publish(ALERT)
    desk.journal.flush()
    (rows, durable), *_ = desk.pages.pages
    assert (rows, durable) == ([OrderSending(1, a_stop()), JournalLost(1, "the disk is full"), ALERT], True)
    assert (desk.journal.trouble, desk.codes()[-1]) == ("", WHOLE_AGAIN)


def test_a_rehearsal_without_a_journal_ends() -> None:
    pages = Pages()
    journal = Journal(pages, Bus(), durable=False)
    journal.on_event(ALERT)
    pages.is_full = True
    with pytest.raises(JournalError):
        journal.flush()

"""Which sessions on paper open the way to real money."""

from collections.abc import Iterator
from functools import partial

import pytest

from qbtrade.app.live.halting import BOOKS_DISAGREE, ORDER_LEFT
from qbtrade.app.live.paper_day import had_paper_day
from qbtrade.app.live.reconciling import NOT_COMPARED
from qbtrade.domain.events import Alert, Heartbeat, Level, Outcome, RiskState, RiskStateChanged
from qbtrade.domain.message import Event
from qbtrade.errors import JournalError
from tests.builders import at
from tests.paper_days import FILLED, STOPS, a_paper_day

STOPPED = RiskStateChanged(STOPS, "", RiskState.HALTED, "session-stopped", 0, 0)


def counts(*days: tuple[Event, ...]) -> bool:
    return had_paper_day([partial(iter, day) for day in days])


def damaged() -> Iterator[Event]:
    raise JournalError("it cannot be read")


def test_one_that_had_fills_and_ended_in_order_is_enough() -> None:
    assert counts(a_paper_day(mode="real"), a_paper_day(), a_paper_day(outcome=Outcome.FAULT))


def test_none_at_all_and_other_ones_are_not() -> None:
    assert not counts()
    assert not counts(())
    for other in (
        a_paper_day(mode="emulator"), a_paper_day(mode="dry-run"), a_paper_day(version="0.0.1"),
        a_paper_day(is_at_kis=False), a_paper_day(ts=at("10:32")),
        a_paper_day(outcome=Outcome.INTERRUPTED), a_paper_day()[:-1], a_paper_day(Heartbeat(STOPS, {})),
    ):  # fmt: skip
        assert not counts(other), other


@pytest.mark.parametrize("code", [BOOKS_DISAGREE, NOT_COMPARED, ORDER_LEFT])
def test_one_that_left_something_open_at_its_end_is_not(code: str) -> None:
    alert = Alert(STOPS, Level.WARNING, code, "something", "look")
    assert not counts(a_paper_day(FILLED, STOPPED, alert))
    assert counts(a_paper_day(FILLED, alert, STOPPED))


def test_a_journal_that_cannot_be_read_proves_nothing_and_hides_no_other() -> None:
    assert not had_paper_day([damaged])
    assert had_paper_day([damaged, partial(iter, a_paper_day())])

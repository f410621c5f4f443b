"""The emergency file of a journal: room that is there before it is needed, read behind the journal."""

from pathlib import Path

import pytest

from qbtrade.adapters.store.emergency import ROOM, emergency_path
from qbtrade.adapters.store.sqlite import SqliteJournal, last_event, read_events
from qbtrade.domain.events import Alert, Level, OrderAccepted, OrderSending
from qbtrade.domain.message import Event, EventType
from qbtrade.errors import JournalError
from tests.builders import SAMSUNG, an_order

WRITTEN: list[Event] = [Alert(1, Level.INFO, "note", "one"), Alert(2, Level.INFO, "note", "two")]
INTENT, ANSWER = OrderSending(3, an_order()), OrderAccepted(4, "Q1", "0000000017")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite3"


def a_rescue(path: Path, *rows: tuple[int, Event]) -> SqliteJournal:
    """A journal of two rows, and these in its emergency file."""
    journal = SqliteJournal(path, is_live=True)
    journal.append(WRITTEN, durable=True)
    journal.rescue(rows, vital=True)
    return journal


def test_what_was_rescued_is_read_behind_the_journal_also_while_it_is_written(path: Path) -> None:
    journal = a_rescue(path, (3, INTENT))
    assert list(read_events(path)) == [*WRITTEN, INTENT]
    journal.rescue([(4, ANSWER)], vital=False)
    journal.close()
    assert list(read_events(path)) == [*WRITTEN, INTENT, ANSWER]
    assert last_event(path) == ANSWER


def test_it_is_found_by_order_symbol_type_and_time(path: Path) -> None:
    a_rescue(path, (3, INTENT), (4, ANSWER)).close()
    assert list(read_events(path, order_id="Q1")) == [INTENT, ANSWER]
    assert list(read_events(path, symbol=SAMSUNG)) == [INTENT, ANSWER]
    assert list(read_events(path, {EventType.ORDER_SENDING})) == [INTENT]
    assert list(read_events(path, start=2, end=4)) == [WRITTEN[1], INTENT]


def test_a_row_that_the_journal_took_later_is_read_once_and_the_room_is_given_back(path: Path) -> None:
    journal = a_rescue(path, (3, INTENT), (3, INTENT))
    journal.append([INTENT, ANSWER], durable=True)
    assert list(read_events(path)) == [*WRITTEN, INTENT, ANSWER]
    journal.close()
    assert not emergency_path(path).exists()


def test_the_room_is_taken_at_once_for_its_owner_alone_and_given_back_unused(path: Path) -> None:
    journal = SqliteJournal(path, is_live=True)
    found = emergency_path(path).stat()
    assert (found.st_size, found.st_blocks * 512 >= ROOM, found.st_mode & 0o777) == (ROOM, True, 0o600)
    journal.close()
    assert list(path.parent.iterdir()) == [path]


def test_half_of_the_room_is_kept_for_what_is_vital(path: Path) -> None:
    journal = a_rescue(path)
    note = Alert(9, Level.INFO, "note", "x" * (ROOM // 2))
    with pytest.raises(JournalError, match="full"):
        journal.rescue([(3, note)], vital=False)
    journal.rescue([(3, note)], vital=True)
    with pytest.raises(JournalError, match="full"):
        journal.rescue([(4, note)], vital=True)
    journal.close()


def test_a_line_that_was_not_finished_was_never_written(path: Path) -> None:
    a_rescue(path, (3, INTENT), (4, ANSWER)).close()
    emergency = emergency_path(path)
    whole = emergency.read_bytes().rstrip(b"\0")
    for length in range(whole.index(b"\n") + 1, len(whole)):
        emergency.write_bytes(whole[:length].ljust(ROOM, b"\0"))
        assert list(read_events(path)) == [*WRITTEN, INTENT]


def test_a_damaged_line_is_said_and_never_passed_over(path: Path) -> None:
    a_rescue(path, (3, INTENT), (4, ANSWER)).close()
    emergency = emergency_path(path)
    emergency.write_bytes(b"\0" + emergency.read_bytes()[1:])
    with pytest.raises(JournalError, match="line 1 is damaged"):
        list(read_events(path))


def test_without_room_there_is_no_journal(path: Path) -> None:
    emergency_path(path).mkdir()
    with pytest.raises(JournalError, match="cannot write journal"):
        SqliteJournal(path, is_live=True)
    assert not path.exists()


def test_a_journal_without_an_emergency_file_rescues_nothing(path: Path) -> None:
    journal = SqliteJournal(path)
    with pytest.raises(JournalError, match="no emergency file"):
        journal.rescue([(1, INTENT)], vital=True)
    journal.close()

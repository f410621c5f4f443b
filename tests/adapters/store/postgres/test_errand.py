"""An errand ends as its work does, or when its time is over."""

import threading

import pytest

from qbtrade.adapters.store.postgres.errand import within
from qbtrade.errors import DatabaseError, FileError

PATIENCE = 240


def test_it_gives_what_the_work_gives_and_raises_what_it_raises() -> None:
    def fail() -> None:
        raise FileError("it is damaged")

    def break_down() -> None:
        raise ValueError

    assert within(PATIENCE, lambda: 7) == 7
    with pytest.raises(FileError, match="it is damaged"):
        within(PATIENCE, fail)
    with pytest.raises(DatabaseError, match="internal error: ValueError"):
        within(PATIENCE, break_down)


def test_a_server_that_stands_still_is_not_waited_for() -> None:
    never = threading.Event()
    with pytest.raises(DatabaseError, match="does not answer"):
        within(0.1, never.wait)
    never.set()

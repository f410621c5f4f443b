"""What halts a session by itself: counted refusals, and a clock that is not KIS's."""

from email.utils import formatdate

import pytest

from qbtrade.app.live.triggers import Refusals, Skew
from tests.builders import SECOND, at

TEN = at("10:00")


def told(skew: Skew, seconds: float, times: int = 2) -> int:
    """What so many answers in a row come to that KIS dated so many seconds after they arrived."""
    date = formatdate((TEN + int(seconds * SECOND)) // SECOND, usegmt=True)
    return [skew.learn(TEN, date) for _ in range(times)][-1]


def test_so_many_refusals_within_the_window_are_a_storm() -> None:
    refusals = Refusals(3, 60 * SECOND)
    assert [refusals.is_storm(TEN + second * SECOND) for second in (0, 59, 60, 61, 300, 301, 302)] == [
        False, False, False, True, False, False, True,
    ]  # fmt: skip


def test_without_a_limit_nothing_is_a_storm() -> None:
    refusals = Refusals(0, 60 * SECOND)
    assert not any(refusals.is_storm(TEN) for _ in range(100))


@pytest.mark.parametrize(("seconds", "is_too_much"), [(10, False), (12, True), (-20, False), (-22, True)])
def test_an_answer_may_be_as_old_as_its_request_and_no_newer_than_its_arrival(
    seconds: int, *, is_too_much: bool
) -> None:
    assert bool(told(Skew(10 * SECOND, 10 * SECOND), seconds)) is is_too_much


def test_one_answer_alone_proves_nothing() -> None:
    skew = Skew(10 * SECOND, 10 * SECOND)
    assert told(skew, 100, times=1) == 0
    assert told(skew, 0, times=1) == 0
    assert told(skew, 100, times=1) == 0
    assert told(skew, 100, times=1) == 100 * SECOND


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Foo 2026 10:00:00 GMT"])
def test_a_date_that_nobody_understands_says_nothing(text: str) -> None:
    skew = Skew(10 * SECOND, 10 * SECOND)
    assert [skew.learn(TEN, text) for _ in range(3)] == [0, 0, 0]

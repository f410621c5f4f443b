"""Timers fire once, in order of time and then of asking."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.kernel.clock import FOREVER, LiveClock, SimClock
from tests.builders import SECOND


def test_timers_fire_in_order_of_time_and_then_of_asking() -> None:
    clock, fired = SimClock(), list[str]()
    clock.call_at(20, lambda due: fired.append(f"late {due}"))
    clock.call_at(10, lambda due: fired.append(f"a {due}"))
    clock.call_at(10, lambda due: fired.append(f"b {due}"))
    clock.advance(30)
    assert fired == ["a 10", "b 10", "late 20"]
    assert clock.now() == 30
    assert clock.next_due == FOREVER


def test_a_canceled_timer_never_fires() -> None:
    clock, fired = SimClock(), list[int]()
    timer = clock.call_at(10, fired.append)
    timer.cancel()
    clock.advance(30)
    timer.cancel()
    assert fired == []


def test_a_timer_set_by_a_timer_fires_in_the_same_advance_when_it_is_due() -> None:
    clock, fired = SimClock(), list[int]()

    def set_another(due: int) -> None:
        clock.call_at(due + 5, fired.append)

    clock.call_at(10, set_another)
    clock.advance(20)
    assert fired == [15]


def test_a_timer_sees_the_time_at_which_it_was_due() -> None:
    clock, seen = SimClock(), list[int]()
    clock.call_at(10, lambda _: seen.append(clock.now()))
    clock.advance(99)
    assert seen == [10]


@given(st.lists(st.integers(0, 1_000)))
def test_time_never_steps_back(moments: list[int]) -> None:
    clock = SimClock()
    for moment in moments:
        before = clock.now()
        clock.advance(moment)
        assert clock.now() == max(before, moment)


def test_a_live_clock_runs_a_faster_market_from_its_start() -> None:
    clock = LiveClock(start=1_000, speed=1_000_000)
    first = clock.now()
    assert first >= 1_000
    assert clock.now() >= first
    fired = list[int]()
    clock.call_at(1_000, fired.append)
    clock.run_due()
    assert fired == [1_000]
    assert clock.seconds_until_due(0.5) == 0.5


def test_a_live_clock_goes_on_when_the_machine_is_set_and_tells_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = LiveClock()
    twin, before = clock.twin(), clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: time.clock_gettime_ns(time.CLOCK_REALTIME) - 3600 * SECOND)
    assert before <= clock.now() < before + 60 * SECOND
    for each in (clock, twin):
        assert abs(each.drift() + 3600 * SECOND) < 60 * SECOND


def test_a_live_clock_counts_the_time_that_the_machine_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, uptime = LiveClock(speed=2), time.clock_gettime_ns
    before = clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: uptime(time.CLOCK_REALTIME) + 3600 * SECOND)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda which: uptime(which) + 3600 * SECOND)
    assert clock.now() >= before + 7200 * SECOND
    assert abs(clock.drift()) < 60 * SECOND

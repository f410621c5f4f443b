"""The bus is first in, first out, typed, and stops at the first fault."""

import pytest

from qbtrade.domain.events import CancelOrder, Heartbeat
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus


def test_all_subscribers_of_one_event_return_before_the_next_event_starts() -> None:
    bus, seen = Bus(), list[str]()

    def first(event: Heartbeat) -> None:
        seen.append(f"first {event.ts}")
        if event.ts == 1:
            bus.publish(Heartbeat(2))

    bus.subscribe(Heartbeat, first)
    bus.subscribe(Heartbeat, lambda event: seen.append(f"second {event.ts}"))
    bus.publish(Heartbeat(1))
    assert seen == ["first 1", "second 1", "first 2", "second 2"]


def test_an_event_reaches_only_subscribers_of_its_exact_type() -> None:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(Heartbeat, seen.append)
    bus.publish(CancelOrder(1, "Q1", "because"))
    assert seen == []


def test_a_handler_that_raises_ends_the_delivery_and_drops_what_was_queued() -> None:
    bus, seen = Bus(), list[int]()

    def fail(event: Heartbeat) -> None:
        if event.ts == 1:
            bus.publish(Heartbeat(2))
            raise RuntimeError("broken")
        seen.append(event.ts)

    bus.subscribe(Heartbeat, fail)
    with pytest.raises(RuntimeError, match="broken"):
        bus.publish(Heartbeat(1))
    bus.publish(Heartbeat(3))
    assert seen == [3]


def test_delivered_events_are_counted() -> None:
    bus = Bus()
    for ts in range(5):
        bus.publish(Heartbeat(ts))
    assert bus.delivered == 5

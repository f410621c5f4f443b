"""Simulated time follows the data, live time the inbox."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.events import Heartbeat
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, SimClock
from qbtrade.kernel.loop import Inbox, LiveLoop, SimLoop, StopRequest, merge
from tests.builders import a_trade


@given(st.lists(st.lists(st.integers(0, 20)), max_size=4))
def test_feeds_merge_by_time_then_feed_number_then_position(times: list[list[int]]) -> None:
    feeds = [
        [Trade(ts, str(n), position, 1) for position, ts in enumerate(sorted(feed))] for n, feed in enumerate(times)
    ]
    merged = [(e.ts, e.symbol, e.price) for e in merge(feeds) if isinstance(e, Trade)]
    assert merged == sorted(merged)
    assert len(merged) == sum(map(len, times))


def test_a_timer_fires_before_the_trade_of_the_same_instant() -> None:
    bus, clock, seen = Bus(), SimClock(), list[str]()
    bus.subscribe(Trade, lambda t: seen.append(f"trade {t.ts}"))
    clock.call_at(5, lambda due: seen.append(f"timer {due}"))
    SimLoop(bus, clock, StopRequest()).run([a_trade(ts=4), a_trade(ts=5)])
    assert seen == ["trade 4", "timer 5", "trade 5"]


def test_what_one_timer_publishes_is_delivered_before_the_next_timer_fires() -> None:
    bus, clock, seen = Bus(), SimClock(), list[str]()
    bus.subscribe(Heartbeat, lambda e: seen.append(f"heard {e.ts}"))
    clock.call_at(1, lambda due: bus.publish(Heartbeat(due)))
    clock.call_at(2, lambda due: seen.append(f"timer {due}"))
    SimLoop(bus, clock, StopRequest()).advance(10)
    assert seen == ["heard 1", "timer 2"]


def test_a_trade_with_an_older_time_does_not_turn_the_clock_back() -> None:
    bus, clock = Bus(), SimClock()
    SimLoop(bus, clock, StopRequest()).run([a_trade(ts=9), a_trade(ts=4)])
    assert clock.now() == 9


def test_a_stop_request_ends_the_run_with_the_next_timer() -> None:
    bus, clock, stop, seen = Bus(), SimClock(), StopRequest(), list[int]()
    clock.call_at(3, lambda _: None)

    def stop_at_two(trade: Trade) -> None:
        seen.append(trade.ts)
        if trade.ts == 2:
            stop.ask("enough")

    bus.subscribe(Trade, stop_at_two)
    SimLoop(bus, clock, stop).run([a_trade(ts=ts) for ts in (1, 2, 3)])
    assert (seen, stop.reason) == ([1, 2], "enough")
    stop.ask("later")
    assert stop.reason == "enough"


def test_a_pace_is_asked_for_every_event_and_every_timer() -> None:
    clock, paced = SimClock(), list[int]()
    clock.call_at(3, lambda _: None)
    SimLoop(Bus(), clock, StopRequest()).run([a_trade(ts=1), a_trade(ts=5)], paced.append)
    assert paced == [1, 3, 5]


def test_a_paced_run_stops_before_the_next_event() -> None:
    bus, stop, seen = Bus(), StopRequest(), list[int]()
    bus.subscribe(Trade, lambda t: seen.append(t.ts))
    SimLoop(bus, SimClock(), stop).run(
        [a_trade(ts=1), a_trade(ts=2)], lambda ts: stop.ask("enough") if ts == 2 else None
    )
    assert seen == [1]


def test_nothing_behind_a_fault_is_delivered() -> None:
    bus, seen = Bus(), list[int]()

    def fail(trade: Trade) -> None:
        bus.publish(Heartbeat(trade.ts))
        raise RuntimeError("broken")

    bus.subscribe(Trade, fail)
    bus.subscribe(Heartbeat, lambda e: seen.append(e.ts))
    with pytest.raises(RuntimeError, match="broken"):
        SimLoop(bus, SimClock(), StopRequest()).run([a_trade(ts=1)])
    bus.publish(Heartbeat(2))
    assert seen == [2]


def test_a_full_inbox_keeps_the_newest_of_each_key_and_every_answer() -> None:
    inbox = Inbox(size=1)
    assert inbox.offer(Heartbeat(1), "a")
    assert not inbox.offer(Heartbeat(2), "a")
    assert not inbox.offer(Heartbeat(3), "a")
    inbox.put(Heartbeat(4))
    assert (inbox.dropped, len(inbox)) == (1, 3)
    assert [inbox.take(0) for _ in range(4)] == [Heartbeat(1), Heartbeat(4), Heartbeat(3), None]


def test_an_inbox_that_was_emptied_queues_market_data_again() -> None:
    inbox = Inbox(size=1)
    queued = [inbox.offer(Heartbeat(ts), "a") for ts in (1, 2)]
    assert inbox.take(0) == Heartbeat(1)
    assert not inbox.offer(Heartbeat(3), "a")  # never before the older one that waits
    assert inbox.take(0) == Heartbeat(3)
    assert (queued, inbox.offer(Heartbeat(4), "a")) == ([True, False], True)


def test_the_live_loop_serves_inbox_and_timers_until_it_is_asked_to_stop() -> None:
    bus, clock, inbox, stop, seen = Bus(), LiveClock(), Inbox(), StopRequest(), list[object]()
    heard: Callable[[Event], None] = seen.append
    bus.subscribe(Heartbeat, heard)
    clock.call_at(clock.now(), lambda _: seen.append("timer"))
    clock.call_at(clock.now() + 20_000_000, lambda _: stop.ask("done"))
    inbox.put(Heartbeat(7))
    LiveLoop(bus, clock, inbox, stop).run()
    assert seen == ["timer", Heartbeat(7)]


def test_the_live_loop_tells_how_long_it_waited() -> None:
    loop = LiveLoop(Bus(), LiveClock(), Inbox(), StopRequest())
    before = loop.idle()
    assert not loop.run_until(lambda: False, 0.05)
    assert loop.idle() > before

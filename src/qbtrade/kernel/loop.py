"""The two loops: simulated time driven by data, live time driven by an inbox."""

import queue
from collections.abc import Callable, Hashable, Iterable, Iterator
from heapq import heapify, heappop, heapreplace
from typing import Protocol

from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, SimClock, Stopwatch


class StopRequest:
    """A wish to end, from a signal handler or another thread. Reading it costs one attribute."""

    def __init__(self) -> None:
        self.asked = False
        self.reason = ""

    def ask(self, reason: str) -> None:
        """Ask for a safe end. The first reason stays."""
        if not self.asked:
            self.reason = reason
            self.asked = True


def merge(feeds: Iterable[Iterable[Event]]) -> Iterator[Event]:
    """Merge feeds by (ts, feed number, position). One feed passes through untouched."""
    sources = list(feeds)
    return iter(sources[0]) if len(sources) == 1 else _merge(sources)


def _merge(sources: list[Iterable[Event]]) -> Iterator[Event]:
    heads: list[tuple[int, int, Event, Iterator[Event]]] = []
    for number, source in enumerate(sources):
        events = iter(source)
        first = next(events, None)
        if first is not None:
            heads.append((first.ts, number, first, events))
    heapify(heads)
    while heads:
        _, number, event, events = heads[0]
        yield event
        following = next(events, None)
        if following is None:
            heappop(heads)
        else:
            heapreplace(heads, (following.ts, number, following, events))


class SimLoop:
    """Plays data into the bus and moves the clock with it."""

    def __init__(self, bus: Bus, clock: SimClock, stop: StopRequest) -> None:
        self._bus, self._clock, self._stop = bus, clock, stop

    def run(self, events: Iterable[Event], pace: Callable[[int], None] | None = None) -> None:
        """Publish every event at its time, timers between them, until the data ends or a stop is asked for.

        A stop is noticed with the next timer, of which every minute of a session has one. Subscriptions must stand by
        now. pace: called with the ts of each event and timer before its turn, to slow a rehearsal down.
        """
        bus, clock = self._bus, self._clock
        routes, queue, drain = bus.routes, bus.queue, bus.drain
        heard_by, handlers = None, routes[Event]
        delivered = 0
        bus.busy = True  # what a handler publishes waits until the data event has reached everybody
        try:
            for event in events if pace is None else self._paced(events, pace):
                ts = event.ts
                if ts >= clock.next_due:
                    self._advance(ts)
                    if self._stop.asked:
                        return
                elif ts > clock.ts:
                    clock.ts = ts
                if event.__class__ is not heard_by:
                    heard_by = event.__class__
                    handlers = routes[heard_by]
                delivered += 1
                for handler in handlers:
                    handler(event)
                if queue:
                    drain()
        except BaseException:
            queue.clear()  # as the bus does: nothing behind a fault is delivered
            raise
        finally:
            bus.delivered += delivered
            bus.busy = False

    def advance(self, until: int) -> None:
        """Let time pass without data: timers and what they publish."""
        self._bus.busy = True
        try:
            self._advance(until)
        finally:
            self._bus.busy = False

    def _advance(self, until: int) -> None:
        """Move to `until`, timer by timer; what one publishes is delivered before the next fires."""
        clock, bus = self._clock, self._bus
        while clock.next_due <= until:
            clock.fire()
            if bus.queue:
                bus.drain()
        clock.ts = max(clock.ts, until)

    def _paced(self, events: Iterable[Event], pace: Callable[[int], None]) -> Iterator[Event]:
        """Let every event, and every timer before it, wait for its own time."""
        clock, stop = self._clock, self._stop
        for event in events:
            while clock.next_due <= event.ts and not stop.asked:
                due = clock.next_due
                pace(due)
                self._advance(due)
            pace(event.ts)
            if stop.asked:
                return
            yield event


class Inbox:
    """Where other threads hand events to the loop. Bounded: `offer` conflates, `put` never loses.

    size: events that may wait before market data is conflated. dropped: those replaced by a newer one since.
    """

    def __init__(self, size: int = 100_000) -> None:
        self._events: queue.Queue[Event] = queue.Queue()
        self._newest: dict[Hashable, Event] = {}
        self._size = size
        self.dropped = 0

    def offer(self, event: Event, key: Hashable) -> bool:
        """Hand over market data; True when it was queued.

        While the inbox is full, and until the loop has caught up, only the newest event of each key is kept.
        """
        if not self._newest and self._events.qsize() < self._size:
            self._events.put(event)
            return True
        self.dropped += key in self._newest
        self._newest[key] = event
        return False

    def put(self, event: Event) -> None:
        """Hand over an event that may never be lost: orders, fills, halts."""
        self._events.put(event)

    def take(self, timeout: float) -> Event | None:
        """The oldest event, or None after `timeout` seconds; what was kept of conflated data when all else is taken."""
        try:
            return self._events.get_nowait()
        except queue.Empty:
            pass
        if self._newest:
            return self._newest.popitem()[1]
        try:
            return self._events.get(timeout=timeout) if timeout > 0 else None
        except queue.Empty:
            return None

    def __len__(self) -> int:
        return self._events.qsize() + len(self._newest)


class Loop(Protocol):
    """Lets time pass while a session lasts."""

    def run_until(self, done: Callable[[], bool], patience: float) -> bool:
        """Go on until `done` says so; False when it did not within `patience` machine seconds."""
        ...

    def idle(self) -> float:
        """Machine seconds spent waiting so far."""
        ...


class LiveLoop:
    """Waits for the inbox or the next timer, whichever comes first, until a stop is asked for."""

    LONGEST_WAIT = 0.1

    def __init__(self, bus: Bus, clock: LiveClock, inbox: Inbox, stop: StopRequest) -> None:
        self._bus, self._clock, self._inbox, self._stop = bus, clock, inbox, stop
        self._idle = 0.0

    def idle(self) -> float:
        """Machine seconds spent waiting so far."""
        return self._idle

    def run(self) -> None:
        """Run on the calling thread, which owns all state from here on."""
        while not self._stop.asked:
            self._clock.run_due()
            self._turn(self.LONGEST_WAIT)

    def run_until(self, done: Callable[[], bool], patience: float) -> bool:
        """Go on, stop or no stop, until `done` says so; False when it did not within `patience` machine seconds."""
        watch = Stopwatch()
        while not done():
            left = patience - watch.seconds()
            if left <= 0:
                return False
            self._clock.run_due()
            self._turn(min(left, self.LONGEST_WAIT))
        return True

    def _turn(self, longest: float) -> None:
        longest = self._clock.seconds_until_due(longest)
        watch = Stopwatch()
        event = self._inbox.take(longest)
        self._idle += watch.seconds()
        if event is not None:
            self._bus.publish(event)

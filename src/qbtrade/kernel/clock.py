"""Clocks with timers. The only file, beside the transport, that reads the machine's clock."""

import time
from collections.abc import Callable
from heapq import heappop, heappush

import msgspec

FOREVER = 2**63 - 1
_SLEEPLESS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine sleeps: so it is called on Linux, while on macOS the monotonic clock does."""


class Timer(msgspec.Struct, eq=False):
    """One alarm. Fires once unless canceled."""

    fn: Callable[[int], None] | None

    def cancel(self) -> None:
        """Never fire. Harmless when it has fired."""
        self.fn = None


class _Timers:
    """Alarms in order of time, then of asking."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._asked = 0
        self.next_due = FOREVER

    def call_at(self, ts: int, fn: Callable[[int], None]) -> Timer:
        """Call `fn(due)` once when the clock reaches `ts` (UTC ns)."""
        timer = Timer(fn)
        self._asked += 1
        heappush(self._heap, (ts, self._asked, timer))
        self.next_due = self._heap[0][0]
        return timer

    def pop(self) -> tuple[int, Callable[[int], None] | None]:
        """Take the earliest alarm: when it was due, and what it calls, None when it was canceled. There must be one."""
        heap = self._heap
        due, _asked, timer = heappop(heap)
        self.next_due = heap[0][0] if heap else FOREVER
        fn, timer.fn = timer.fn, None
        return due, fn


class SimClock(_Timers):
    """Moves with the data; timers fire between data events, in time order."""

    speed = 1

    def __init__(self, start: int = 0) -> None:
        super().__init__()
        self.ts = start

    def now(self) -> int:
        """UTC ns of simulated market time."""
        return self.ts

    def drift(self) -> int:
        """Nobody sets simulated time."""
        return 0

    def advance(self, until: int) -> None:
        """Fire every timer due at or before `until`, then stand at `until`."""
        while self.next_due <= until:
            self.fire()
        self.ts = max(self.ts, until)

    def fire(self) -> None:
        """Go to the next timer and fire it."""
        heap = self._heap
        due, _asked, timer = heappop(heap)  # as pop does it, without its call: rehearsals fire millions of timers
        self.next_due = heap[0][0] if heap else FOREVER
        fn = timer.fn
        if fn is not None:
            timer.fn = None
            if due > self.ts:  # noqa: PLR1730 (max costs as much as all of this)
                self.ts = due
            fn(due)


class LiveClock(_Timers):
    """The machine's clock; `speed` runs the market's time that many times faster from `start` on.

    It counts from the wall time at which it was made, the time that the machine sleeps included. Nobody sets it: when
    the wall time is set meanwhile, it goes on, and tells by `drift`.
    """

    def __init__(self, *, start: int | None = None, speed: int = 1) -> None:
        super().__init__()
        self._origin = time.time_ns()
        self._start = self._origin if start is None else start
        self.speed = speed
        self._began = _uptime_ns()

    def twin(self) -> "LiveClock":
        """Another clock that always shows the same time and has timers of its own, for another thread."""
        other = LiveClock(start=self._start, speed=self.speed)
        other._origin, other._began = self._origin, self._began
        return other

    def now(self) -> int:
        """UTC ns of market time; never steps back."""
        return self._start + (_uptime_ns() - self._began) * self.speed

    def drift(self) -> int:
        """Ns of machine time by which the wall clock was set forward, negative for back, since this clock was made."""
        return (time.time_ns() - self._origin) - (_uptime_ns() - self._began)

    def run_due(self) -> None:
        """Fire every timer that is due."""
        while self.next_due <= self.now():
            due, fn = self.pop()
            if fn is not None:
                fn(due)

    def seconds_until_due(self, longest: float) -> float:
        """Machine seconds to the next timer, at most `longest`."""
        wait = (self.next_due - self.now()) / self.speed / 1e9
        return min(max(wait, 0.0), longest)


class Stopwatch:
    """Machine seconds since it was made; for the report's `timing` and for pacing, never for decisions."""

    def __init__(self) -> None:
        self._began = time.perf_counter_ns()

    def seconds(self) -> float:
        """Seconds so far."""
        return (time.perf_counter_ns() - self._began) / 1e9


def _uptime_ns() -> int:
    return time.clock_gettime_ns(_SLEEPLESS)


def wall_ns() -> int:
    """The machine's time in UTC ns, for naming runs."""
    return time.time_ns()


def sleep(seconds: float) -> None:
    """Let the machine rest; for pacing a rehearsal."""
    time.sleep(seconds)

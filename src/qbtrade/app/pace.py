"""Slows a rehearsal down to a multiple of market time."""

from qbtrade.kernel.clock import Stopwatch, sleep
from qbtrade.kernel.loop import StopRequest

NIGHT = 5 * 60 * 1_000_000_000  # a gap this long has no market in it and is skipped
SLICE = 0.05


class Pacer:
    """Lets `speed` seconds of market time pass per machine second. slept: machine seconds spent waiting."""

    def __init__(self, speed: int, stop: StopRequest) -> None:
        self._speed, self._stop = speed, stop
        self._watch = Stopwatch()
        self._origin = self._last = 0
        self.slept = 0.0

    def __call__(self, ts: int) -> None:
        """Wait until it is time for an event at `ts` (UTC ns), or until a stop is asked for."""
        if ts - self._last > NIGHT:
            self._watch, self._origin = Stopwatch(), ts
        self._last = ts
        while not self._stop.asked:
            now = self._watch.seconds()
            ahead = (ts - self._origin) / self._speed / 1e9 - now
            if ahead <= 0:
                return
            sleep(min(ahead, SLICE))
            self.slept += self._watch.seconds() - now

"""What may happen on a made day: activity, drift and halts minute by minute, picked by name."""

from collections.abc import Callable
from math import isqrt
from typing import Final

import msgspec

from qbtrade.errors import UnknownNameError

PERCENT: Final = 10_000_000
"""One percent in ppb."""

_EDGE: Final = 160
_MIDDAY: Final = 40


class Halt(msgspec.Struct, frozen=True):
    """Minutes [first, end) without trades, ended by an auction. reason: slug; detail: words."""

    first: int
    end: int
    reason: str
    detail: str


class Script(msgspec.Struct):
    """One day, by minute of the continuous phase.

    activity: relative number of trades. drift: ppb of the price. noise: volatility in percent of the day's mean.
    """

    activity: list[int]
    drift: list[int]
    noise: list[int]
    halts: tuple[Halt, ...] = ()

    def halt(self, halt: Halt) -> None:
        """Take the trades out of a halt's minutes."""
        self.halts = (*self.halts, halt)
        for minute in range(halt.first, min(halt.end, len(self.activity))):
            self.activity[minute] = 0


def calm(minutes: int) -> Script:
    """Five times as many trades at both ends of the day as in its middle, no drift, no event."""
    smile = [_MIDDAY + _EDGE * (2 * minute + 1 - minutes) ** 2 // minutes**2 for minute in range(minutes)]
    mean = sum(smile) // minutes
    return Script(smile, [0] * minutes, [isqrt(10_000 * activity // mean) for activity in smile])


def trend(minutes: int) -> Script:
    """About 4 % up: 40 minutes up, 15 minutes back, again and again."""
    script = calm(minutes)
    cycle, rise = 55, 40
    pace = 4 * PERCENT * cycle // (minutes * (2 * rise - cycle))
    script.drift = [pace if minute % cycle < rise else -pace for minute in range(minutes)]
    return script


def crash(minutes: int) -> Script:
    """A quiet slide, a rebound that draws buyers in, then about 12 % down around 13:00, interrupted for two minutes."""
    script = calm(minutes)
    first = minutes * 240 // 380
    rebound = max(first - 40, 0)
    script.noise[:first] = [30] * first
    script.drift[:rebound] = [-3 * PERCENT // max(rebound, 1)] * rebound
    script.drift[rebound:first] = [24 * PERCENT // 400] * (first - rebound)
    fall = [-6 * PERCENT] + [0] * 2 + [-3 * PERCENT // 2] * 4
    script.drift[first : first + len(fall)] = fall
    for minute in range(first, minutes):
        script.activity[minute] *= 6 if minute < first + len(fall) else 2
    script.halt(Halt(first + 1, first + 3, "vi", "volatility interruption: two minutes of call auction"))
    return script


def limit_up(minutes: int) -> Script:
    """Rises to the upper price limit in the first third of the day and stays there, hardly traded."""
    script = calm(minutes)
    lock = max(minutes * 35 // 100, 1)
    script.drift[:lock] = [32 * PERCENT // lock] * lock
    script.drift[lock:] = [PERCENT] * (minutes - lock)
    script.noise[lock:] = [0] * (minutes - lock)
    script.activity[lock:] = [max(count // 40, 1) for count in script.activity[lock:]]
    return script


def halt(minutes: int) -> Script:
    """Half an hour without trades in the middle of the day, as when a circuit breaker trips."""
    script = calm(minutes)
    first = minutes * 2 // 5
    script.drift[first : first + 1] = [-PERCENT]
    script.halt(Halt(first, first + 30, "circuit-breaker", "market-wide halt: 20 minutes, then 10 of call auction"))
    return script


SCENARIOS: Final[dict[str, Callable[[int], Script]]] = {
    "calm": calm,
    "trend": trend,
    "crash": crash,
    "limit-up": limit_up,
    "halt": halt,
}
EVERY_DAY: Final = frozenset({"calm", "trend"})
"""Scenarios of every day; the others happen on the first day, and calm days follow."""


def scenario_script(name: str) -> Callable[[int], Script]:
    """What writes the script of that scenario for a day of so many minutes. Raises: UnknownNameError."""
    if name not in SCENARIOS:
        raise UnknownNameError("scenario", name, SCENARIOS)
    return SCENARIOS[name]

"""When the stream may connect again: soon after a first loss, ever later while it fails, never too often in an hour."""

from random import Random
from typing import Final

import msgspec

from qbtrade.domain.calendar import MINUTE, NS

PPM: Final = 1_000_000


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How patient we are, in ns of the market clock.

    waits: after the first, second, … failure in a row; the last one stays. in_use: the same while another session
    holds the key. burst, refill: so many connects may come close together, and one more each `refill`. jitter: share
    of a wait, ppm, that chance may add. Source: PROTOCOL 4 (connect loops lead to a block) and 6.8.
    """

    waits: tuple[int, ...] = (NS, 2 * NS, 5 * NS, 10 * NS, 20 * NS, 30 * NS, MINUTE)
    in_use: tuple[int, ...] = (20 * NS, MINUTE, 5 * MINUTE)
    burst: int = 10
    refill: int = MINUTE
    jitter: int = 200_000


class Reconnects:
    """Says when the next connect is due, and counts what was spent. An hour sees `burst + hour / refill` at most."""

    def __init__(self, rng: Random, pace: Pace) -> None:
        self._rng, self._pace = rng, pace
        self._failures = self._in_use = 0
        self._full_at = 0  # when the allowance will be whole again

    def after_failure(self, now: int) -> int:
        """When to try again after a loss or a failed connect."""
        waits = self._pace.waits
        wait = waits[min(self._failures, len(waits) - 1)]
        self._failures += 1
        return now + self._shaken(wait)

    def after_in_use(self, now: int) -> int:
        """When to try again after being told that another session holds the key."""
        waits = self._pace.in_use
        wait = waits[min(self._in_use, len(waits) - 1)]
        self._in_use += 1
        return now + self._shaken(wait)

    def allowed_at(self, at: int) -> int:
        """`at`, or later when the allowance is spent."""
        return max(at, self._full_at - (self._pace.burst - 1) * self._pace.refill)

    def spend(self, now: int) -> None:
        """One connect is made."""
        self._full_at = max(self._full_at, now) + self._pace.refill

    def served(self) -> None:
        """The server took a registration: nobody else holds the key."""
        self._in_use = 0

    def lasted(self) -> None:
        """A connection held: the next loss is a first one."""
        self._failures = 0

    def _shaken(self, wait: int) -> int:
        return wait + wait * self._rng.randrange(self._pace.jitter + 1) // PPM

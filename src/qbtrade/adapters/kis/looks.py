"""When to look at the broker's orders next: one question at a time, soon after something odd, else now and then."""

from collections.abc import Callable
from typing import Final

from qbtrade.domain.calendar import NS
from qbtrade.kernel.clock import FOREVER
from qbtrade.ports import Clock, TimerHandle

SOON: Final = NS
BLIND: Final = 3
"""Looks in a row that failed, before a person is told."""


class Looks:
    """Plans questions. look: asks one; tell `done` when it is answered. blind: told what kept several from success."""

    def __init__(self, clock: Clock, look: Callable[[], None], blind: Callable[[str], None]) -> None:
        self._clock, self._look, self._blind = clock, look, blind
        self._asking, self._due, self._failed = False, FOREVER, 0
        self._timer: TimerHandle | None = None

    def want(self, after: int = SOON) -> None:
        """Look in so many ns, or earlier."""
        due = self._clock.now() + after
        if due < self._due:
            self._due = due
            if not self._asking:
                self._plan()

    def done(self, problem: str, *, again: int) -> None:
        """The answer has come, or a problem instead. again: ns to the next look, 0 for none unless one was wanted."""
        self._asking = False
        self._failed = self._failed + 1 if problem else 0
        if self._failed == BLIND:
            self._blind(problem)
        if again:
            self.want(again)
        if self._due < FOREVER:
            self._plan()

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_at(self._due, self._go)

    def _go(self, _due: int) -> None:
        self._asking, self._due = True, FOREVER
        self._look()

"""When to look at the broker's rows next: one question at a time, soon after something odd, else now and then."""

from collections.abc import Callable

from qbtrade.kernel.clock import FOREVER
from qbtrade.ports import Clock, TimerHandle


class Looks:
    """Plans questions. look: asks one; tell `done` when it is answered. every: ns between two without a reason."""

    def __init__(self, clock: Clock, look: Callable[[], None], *, every: int) -> None:
        self._clock, self._look, self.every = clock, look, every
        self._asking, self._due = False, FOREVER
        self._timer: TimerHandle | None = None

    def want(self, after: int) -> None:
        """Look in so many ns, or earlier."""
        due = self._clock.now() + after
        if due < self._due:
            self._due = due
            if not self._asking:
                self._plan()

    def go_on(self) -> None:
        """Look now and then from here on."""
        self.want(self.every)

    def done(self, *, again: int) -> None:
        """The answer has come. again: ns to the next look, 0 for none unless one was wanted meanwhile."""
        self._asking = False
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

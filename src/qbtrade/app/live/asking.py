"""Asking KIS and waiting for the answer, and canceling by number: what a session and others beside it share."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.call import Call, Priority
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.outcomes import Failed, OrderOutcome
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import BrokerError
from qbtrade.kernel.loop import Loop, StopRequest
from qbtrade.ports import PacedClock

T = TypeVar("T")


class Working(msgspec.Struct, frozen=True):
    """An order to cancel. branch: "" where only the number is known. code: its kind."""

    order_no: str
    branch: str
    code: str
    symbol: str
    side: str
    qty: int


class Asking:
    """Questions and their answers. patience: machine seconds of waiting for one."""

    def __init__(
        self, environment: Environment, clock: PacedClock, caller: Caller, loop: Loop, stop: StopRequest,
        patience: float,
    ) -> None:  # fmt: skip
        self.environment, self.clock, self.caller, self.loop = environment, clock, caller, loop
        self._stop, self._patience = stop, patience

    def ask(self, call: Call[T]) -> T | Failed:
        """Ask and wait, stop or no stop."""
        return self._awaited(self._asked(call), lambda: False)

    def fetch(self, call: Call[T]) -> T:
        """Ask and wait. Raises: BrokerError without an answer, KeyboardInterrupt when a stop is asked for meanwhile."""
        return self.begin(call)()

    def begin(self, call: Call[T], patience: float = 0) -> Callable[[], T]:
        """Ask; what comes back waits for the answer, as `fetch` does. patience: machine seconds, 0 for the usual."""
        stopping, found = self._stop.asked, self._asked(call)

        def answer() -> T:
            told = self._awaited(found, lambda: self._stop.asked is not stopping, patience)
            if isinstance(told, Failed):
                raise BrokerError(
                    "KIS does not answer {call}: {cause}", call=call.name, cause=told.reason,
                    hint="`qb preflight` finds out why",
                )  # fmt: skip
            return told

        return answer

    def _asked(self, call: Call[T]) -> list[T | Failed]:
        found = list[T | Failed]()
        self.caller.ask(call, found.append)
        return found

    def _awaited(self, found: list[T | Failed], is_unwanted: Callable[[], bool], patience: float = 0) -> T | Failed:
        is_over = self.loop.run_until(lambda: bool(found) or is_unwanted(), patience or self._patience)
        if is_over and not found:
            raise KeyboardInterrupt
        return found[0] if found else Failed("no answer in time")

    def history(self) -> OrderHistory:
        """The day's orders; an empty one only where the environment tells no rows. Raises: BrokerError."""
        today = kst_date(self.clock.now())
        answer = self.ask(calls.order_history(self.environment, today, today, priority=Priority.CANCEL))
        tells_rows = self.environment.capabilities.order_rows
        if isinstance(answer, Failed):
            if tells_rows:
                raise BrokerError(
                    "KIS does not name its orders: {cause}", cause=answer.reason, hint="Cancel in the KIS app"
                )
            return OrderHistory((), 0, 0, 0)
        if answer.lacks_rows and tells_rows:
            raise BrokerError("KIS tells of orders and names none of them", hint="Cancel in the KIS app")
        return answer

    def cancel(self, working: Iterable[Working]) -> dict[str, OrderOutcome]:
        """Ask for all cancels at once; what came of each that was answered in time, by number."""
        wanted, outcomes = tuple(working), dict[str, OrderOutcome]()
        for order in wanted:
            call = calls.cancel(self.environment, order.branch, order.order_no, order.code)
            self.caller.order(call, partial(outcomes.__setitem__, order.order_no))
        self.loop.run_until(lambda: len(outcomes) == len(wanted), self._patience)
        return outcomes

    def wait(self, seconds: float) -> None:
        """Let machine time pass."""
        self.loop.run_until(lambda: False, seconds)

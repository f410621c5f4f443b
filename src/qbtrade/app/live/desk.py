"""A connection to KIS beside that of a session: its own sockets, the same token and the same count of calls."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.auth import Auth, OwnToken, TokenStore
from qbtrade.adapters.kis.call import Call, Priority
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.limiter import GrantStore, Limiter, OwnGrants
from qbtrade.adapters.kis.outcomes import Failed, OrderOutcome
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import HttpWorkers
from qbtrade.app.home import kis_dir
from qbtrade.app.live.world import clock_of
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import BrokerError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

T = TypeVar("T")
PATIENCE: Final = 20.0
"""Machine seconds for one answer."""


class Working(msgspec.Struct, frozen=True):
    """An order to cancel. branch: "" where only the number is known. code: its kind."""

    order_no: str
    branch: str
    code: str
    symbol: str
    side: str
    qty: int


def _shared(home: Path, environment: Environment) -> tuple[TokenStore, GrantStore]:
    """What the processes of a key share; our own where the disk does not let us: cancels go out all the same."""
    try:
        return TokenFile(kis_dir(home), environment), GrantFile(kis_dir(home), environment)
    except OSError:
        return OwnToken(), OwnGrants()


class Desk:
    """Asks and cancels. Use it with `with`. Raises: BrokerError when the market's clock is not to be had."""

    def __init__(self, home: Path, environment: Environment) -> None:
        self.environment, self.clock = environment, clock_of(environment)
        bus, inbox = Bus(), Inbox()
        self._workers = HttpWorkers(inbox, self.clock.twin(), readers=1, senders=1)
        tokens, grants = _shared(home, environment)
        limiter, rng = Limiter(environment.limits, grants), Random(environment.key_id)
        rest = Rest(environment, Auth(environment, tokens), limiter, rng, speed=self.clock.speed)
        self._caller = Caller(bus, self.clock, rest, self._workers)
        self._loop = LiveLoop(bus, self.clock, inbox, StopRequest())

    def ask(self, call: Call[T]) -> T | Failed:
        """Ask and wait."""
        found = list[T | Failed]()
        self._caller.ask(call, found.append)
        self._loop.run_until(lambda: bool(found), PATIENCE)
        return found[0] if found else Failed("no answer in time")

    def fetch(self, call: Call[T]) -> T:
        """Ask and wait. Raises: BrokerError without an answer."""
        answer = self.ask(call)
        if isinstance(answer, Failed):
            raise BrokerError(
                "KIS does not answer {call}: {cause}", call=call.name, cause=answer.reason,
                hint="`qb preflight` finds out why",
            )  # fmt: skip
        return answer

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
            self._caller.order(call, partial(outcomes.__setitem__, order.order_no))
        self._loop.run_until(lambda: len(outcomes) == len(wanted), PATIENCE)
        return outcomes

    def wait(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        """Let machine time pass."""
        self._loop.run_until(done, seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._workers.close()

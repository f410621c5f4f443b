"""The KIS client of one session, put together: state machines, threads, inbox and loop."""

from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self, TypeVar

from qbtrade.adapters.kis.auth import Auth
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.limiter import Limiter
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import StreamLimits
from qbtrade.adapters.kis.transport import HttpWorkers, StreamThread
from qbtrade.app.home import kis_dir
from qbtrade.app.live.world import World
from qbtrade.errors import BrokerError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

T = TypeVar("T")
PATIENCE: Final = 60.0
"""Machine seconds for one question before a session."""


class Wire:
    """Everything between the bus and KIS. Close it with `with`."""

    def __init__(self, world: World, home: Path, stop: StopRequest) -> None:
        environment, clock = world.environment, world.clock
        self.world, self._stop = world, stop
        self.bus, self.inbox = Bus(), Inbox()
        self.loop = LiveLoop(self.bus, clock, self.inbox, stop)
        self.auth = Auth(environment, TokenFile(kis_dir(home), environment))
        limiter = Limiter(environment.limits, GrantFile(kis_dir(home), environment))
        rest = Rest(environment, self.auth, limiter, Random(environment.key_id))
        self._workers = HttpWorkers(self.inbox, clock.twin())
        self.caller = Caller(self.bus, clock, rest, self._workers)
        limits = StreamLimits(registrations=environment.limits.registrations)
        stream = Stream(
            environment.cano + environment.product, Random(environment.key_id), limits.at_speed(clock.speed)
        )
        self.stream = StreamThread(stream, environment.ws_url, clock.twin(), self.inbox, speed=clock.speed)

    def fetch(self, call: Call[T]) -> T:
        """Ask and wait. Raises: BrokerError without an answer, KeyboardInterrupt when a stop is asked for meanwhile."""
        found, stopping = list[T | Failed](), self._stop.asked
        self.caller.ask(call, found.append)
        answered = self.loop.run_until(lambda: bool(found) or self._stop.asked is not stopping, PATIENCE)
        if answered and not found:
            raise KeyboardInterrupt
        answer = found[0] if answered else Failed("no answer in time")
        if isinstance(answer, Failed):
            raise BrokerError(
                "KIS does not answer {call}: {cause}", call=call.name, cause=answer.reason,
                hint="`qb preflight` finds out why",
            )  # fmt: skip
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.stream.close()
        self._workers.close()

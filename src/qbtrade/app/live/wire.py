"""The KIS client of one session, put together on the ground that it stands on."""

from random import Random
from types import TracebackType
from typing import Final, Protocol, Self

from qbtrade.adapters.kis.auth import Auth, TokenStore
from qbtrade.adapters.kis.caller import Caller, Outbox
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.feed import StreamPort
from qbtrade.adapters.kis.limiter import GrantStore, Limiter
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import StreamLimits
from qbtrade.app.live.asking import Asking
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Loop, StopRequest
from qbtrade.ports import PacedClock

PATIENCE: Final = 60.0
"""Machine seconds for one question before a session."""


class StreamHandle(StreamPort, Protocol):
    """A stream that runs somewhere."""

    def counts(self) -> dict[str, int]:
        """What was seen since the beginning, by name."""
        ...


class Ground(Protocol):
    """What a wire stands on: this machine with its threads, sockets and files, or a simulated network and disk."""

    environment: Environment
    clock: PacedClock
    bus: Bus
    loop: Loop
    tokens: TokenStore
    grants: GrantStore
    outbox: Outbox

    def stream(self, stream: Stream) -> StreamHandle:
        """Join a stream client to a network."""
        ...

    def close(self) -> None:
        """Take leave of everybody."""
        ...


class Wire(Asking):
    """Everything between the bus and KIS. Close it with `with`."""

    def __init__(self, ground: Ground, stop: StopRequest) -> None:
        environment, clock = ground.environment, ground.clock
        self.bus, self._ground = ground.bus, ground
        self.auth = Auth(environment, ground.tokens)
        limiter, rng = Limiter(environment.limits, ground.grants), Random(environment.key_id)
        rest = Rest(environment, self.auth, limiter, rng, speed=clock.speed)
        super().__init__(environment, clock, Caller(self.bus, clock, rest, ground.outbox), ground.loop, stop, PATIENCE)
        limits = StreamLimits(registrations=environment.limits.registrations).at_speed(clock.speed)
        self.stream = ground.stream(Stream(environment.cano + environment.product, Random(environment.key_id), limits))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._ground.close()

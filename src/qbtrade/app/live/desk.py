"""A connection to KIS beside that of a session: its own sockets, the same token and the same count of calls."""

from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

from qbtrade.adapters.kis.auth import Auth, OwnToken, TokenStore
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.limiter import GrantStore, Limiter, OwnGrants
from qbtrade.adapters.kis.rest import Rest
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import HttpWorkers
from qbtrade.app.home import kis_dir
from qbtrade.app.live.asking import Asking
from qbtrade.app.live.world import clock_of
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

PATIENCE: Final = 20.0
"""Machine seconds for one answer."""


def _shared(home: Path, environment: Environment) -> tuple[TokenStore, GrantStore]:
    """What the processes of a key share; our own where the disk does not let us: cancels go out all the same."""
    try:
        return TokenFile(kis_dir(home), environment), GrantFile(kis_dir(home), environment)
    except OSError:
        return OwnToken(), OwnGrants()


class Desk(Asking):
    """Asks and cancels. Use it with `with`. Raises: BrokerError when the market's clock is not to be had."""

    def __init__(self, home: Path, environment: Environment) -> None:
        clock, bus, inbox, stop = clock_of(environment), Bus(), Inbox(), StopRequest()
        self._workers = HttpWorkers(inbox, clock.twin(), readers=1, senders=1)
        tokens, grants = _shared(home, environment)
        limiter, rng = Limiter(environment.limits, grants), Random(environment.key_id)
        rest = Rest(environment, Auth(environment, tokens), limiter, rng, speed=clock.speed)
        caller, loop = Caller(bus, clock, rest, self._workers), LiveLoop(bus, clock, inbox, stop)
        super().__init__(environment, clock, caller, loop, stop, PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._workers.close()

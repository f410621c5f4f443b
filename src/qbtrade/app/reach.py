"""A way to KIS for commands that have no loop: the environment, the market's clock, and somebody who asks."""

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from qbtrade.adapters.kis.auth import OwnToken
from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.kis.limiter import OwnGrants
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import call_once
from qbtrade.app.asker import Asker
from qbtrade.app.config import Settings
from qbtrade.app.home import kis_dir
from qbtrade.app.kis_account import environment_of, is_local, local_environment
from qbtrade.app.live.world import clock_of
from qbtrade.errors import BrokerError, FileError
from qbtrade.kernel.clock import LiveClock


class Reach(NamedTuple):
    """One KIS, its clock, and a client of it."""

    environment: Environment
    clock: LiveClock
    asker: Asker


def reach(settings: Settings, kind: EnvKind, home: Path, symbols: tuple[str, ...], open_things: ExitStack) -> Reach:
    """A client of the environment that is configured. symbols: of an emulator in this process, where that is meant.

    open_things: what is to be closed afterwards. Raises: ConfigError, FileError, UsageError.
    """
    if is_local(settings, kind):
        return _local(settings, symbols, open_things)
    environment = environment_of(settings, kind)
    clock = _clock_of(environment)
    return Reach(environment, clock, _shared_asker(environment, clock, home))


def _shared_asker(environment: Environment, clock: LiveClock, home: Path) -> Asker:
    folder = kis_dir(home)
    try:
        return Asker(environment, clock, TokenFile(folder, environment), GrantFile(folder, environment), call_once)
    except OSError as error:
        raise FileError(
            "cannot create folder {path}: {cause}", path=folder, cause=error.strerror or error,
            hint="Set QB_HOME to a folder that you may write",
        ) from error  # fmt: skip


def _local(settings: Settings, symbols: tuple[str, ...], open_things: ExitStack) -> Reach:
    """An emulator in this process."""
    from qbtrade.adapters.emulator.plan import EmulatorPlan
    from qbtrade.app.emulator import open_emulator

    plan = EmulatorPlan(side=settings.value("kis.speaks") or "real", symbols=symbols)
    server = open_emulator(plan)
    open_things.callback(server.stop)
    environment = local_environment(settings, plan.side, server.credentials, server.start())
    clock = server.clock.twin()
    return Reach(environment, clock, Asker(environment, clock, OwnToken(), OwnGrants(), call_once))


def _clock_of(environment: Environment) -> LiveClock:
    """The market's clock; the machine's where an emulator tells none, of which the token's row will tell."""
    try:
        return clock_of(environment)
    except BrokerError:
        return LiveClock()

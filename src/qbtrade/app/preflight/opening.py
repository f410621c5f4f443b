"""Finds what the checks look at: configuration, environment, a client for it and its clock."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from qbtrade.adapters.kis.auth import OwnToken
from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.kis.limiter import OwnGrants
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import call_once
from qbtrade.app.asker import Asker
from qbtrade.app.config import Settings, load_settings
from qbtrade.app.home import kis_dir
from qbtrade.app.kis_account import environment_of, is_local, kind_of, local_environment, parse_kind
from qbtrade.app.live.world import clock_of
from qbtrade.app.plan import USUAL_SYMBOL, SimulationPlan
from qbtrade.app.preflight.case import Case
from qbtrade.errors import BrokerError, ConfigError, FileError
from qbtrade.kernel.clock import LiveClock


class Wish(msgspec.Struct, frozen=True):
    """What is to be checked. folder: where .env and qb.toml stand. asked: environment, "" for the configured one.

    symbols, budget (KRW): none and 0 for what is configured. plan: what a session was told, in place of both.
    """

    folder: Path
    variables: Mapping[str, str]
    home: Path
    asked: str = ""
    symbols: tuple[str, ...] = ()
    budget: int = 0
    plan: SimulationPlan | None = None


def open_case(wish: Wish, open_things: ExitStack) -> Case:
    """Everything to look at, as far as it can be had. open_things: what is to be closed afterwards.

    Raises: UsageError for an environment or symbol that is none.
    """
    case = Case(
        folder=wish.folder, variables=wish.variables, home=wish.home, budget=wish.budget, plan=wish.plan,
        kind=parse_kind(wish.asked) if wish.asked else EnvKind.PAPER, symbols=wish.symbols or (USUAL_SYMBOL,),
    )  # fmt: skip
    try:
        settings = load_settings(wish.folder, wish.variables)
        symbols = wish.symbols or settings.plan_defaults().symbols or (USUAL_SYMBOL,)
        case.configured(settings, kind_of(settings, wish.asked), symbols, local=False)
        if is_local(settings, case.kind):
            case.configured(settings, case.kind, symbols, local=True)
            case.reached(*_local(settings, symbols, open_things))
        else:
            environment = environment_of(settings, case.kind)
            clock = _clock_of(environment)
            case.reached(environment, clock, _shared_asker(environment, clock, wish.home))
    except (ConfigError, FileError) as error:
        case.trouble = error
    return case


def _shared_asker(environment: Environment, clock: LiveClock, home: Path) -> Asker:
    folder = kis_dir(home)
    try:
        return Asker(environment, clock, TokenFile(folder, environment), GrantFile(folder, environment), call_once)
    except OSError as error:
        raise FileError(
            "cannot create folder {path}: {cause}", path=folder, cause=error.strerror or error,
            hint="Set QB_HOME to a folder that you may write",
        ) from error  # fmt: skip


def _local(
    settings: Settings, symbols: tuple[str, ...], open_things: ExitStack
) -> tuple[Environment, LiveClock, Asker]:
    """An emulator in this process."""
    from qbtrade.adapters.emulator.plan import EmulatorPlan
    from qbtrade.app.emulator import open_emulator

    plan = EmulatorPlan(side=settings.value("kis.speaks") or "real", symbols=symbols)
    server = open_emulator(plan)
    open_things.callback(server.stop)
    environment = local_environment(settings, plan.side, server.credentials, server.start())
    clock = server.clock.twin()
    return environment, clock, Asker(environment, clock, OwnToken(), OwnGrants(), call_once)


def _clock_of(environment: Environment) -> LiveClock:
    """The market's clock; the machine's where an emulator tells none, of which the token's row will tell."""
    try:
        return clock_of(environment)
    except BrokerError:
        return LiveClock()

"""Finds what the checks look at: configuration, environment, a client for it and its clock."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.config import load_settings
from qbtrade.app.kis_account import is_local, kind_of, parse_kind
from qbtrade.app.plan import USUAL_SYMBOL, SimulationPlan
from qbtrade.app.preflight.case import Case
from qbtrade.app.reach import reach
from qbtrade.errors import ConfigError, FileError


class Wish(msgspec.Struct, frozen=True):
    """What is to be checked. folder: where .env and qb.toml stand. asked: environment, "" for the configured one.

    symbols, budget (KRW): none and 0 for what is configured. plan: what a session was told, in place of both.
    dry_run: for a session that sends no orders.
    """

    folder: Path
    variables: Mapping[str, str]
    home: Path
    asked: str = ""
    symbols: tuple[str, ...] = ()
    budget: int = 0
    plan: SimulationPlan | None = None
    dry_run: bool = False


def open_case(wish: Wish, open_things: ExitStack) -> Case:
    """Everything to look at, as far as it can be had. open_things: what is to be closed afterwards.

    Raises: UsageError for an environment or symbol that is none.
    """
    case = Case(
        folder=wish.folder, variables=wish.variables, home=wish.home, budget=wish.budget, plan=wish.plan,
        dry_run=wish.dry_run,
        kind=parse_kind(wish.asked) if wish.asked else EnvKind.PAPER, symbols=wish.symbols or (USUAL_SYMBOL,),
    )  # fmt: skip
    try:
        settings = load_settings(wish.folder, wish.variables)
        symbols = wish.symbols or settings.plan_defaults().symbols or (USUAL_SYMBOL,)
        case.configured(settings, kind_of(settings, wish.asked), symbols, local=False)
        case.configured(settings, case.kind, symbols, local=is_local(settings, case.kind))
        case.reached(*reach(settings, case.kind, wish.home, symbols, open_things))
    except (ConfigError, FileError) as error:
        case.trouble = error
    return case

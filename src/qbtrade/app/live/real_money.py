"""Real money: the lock that keeps it out, and what each session needs once the lock is gone."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.app.live.carried import Journal
from qbtrade.app.live.paper_day import had_paper_day
from qbtrade.app.live.plan import LivePlan
from qbtrade.errors import LockedError

ALLOW: Final = "QB_ALLOW_REAL"
"""Must be 1 for `--yes` to stand for a typed confirmation. Read from the environment alone, never from a file."""
LOCKED: bool = True
"""The one lock before orders with real money. False opens it: then a session needs a day on paper, and consent."""
NO_PAPER_DAY: Final = "no session of this version on KIS's paper server has had fills and ended in order"
PAPER_FIRST: Final = "Trade a day with --env paper first; live.paper_first = no does without, as where shares are held"
NOT_CONFIRMED: Final = "orders with real money were not confirmed: nothing was sent"


class Consent(msgspec.Struct, frozen=True):
    """What a trader agreed to: this account, and at most so much money at work (KRW)."""

    account: str
    budget: int


def is_at_stake(kind: EnvKind, plan: LivePlan) -> bool:
    """True when a session would send orders with real money."""
    return kind is EnvKind.REAL and not plan.dry_run


def refuse_while_locked() -> None:
    """Raises: LockedError as long as real orders are locked."""
    if LOCKED:
        raise LockedError(
            "real orders are locked: proofs that docs/reliability.md names are missing",
            hint="Use --env paper or --env emulator, or --dry-run with real data",
        )


def check(environment: Environment, plan: LivePlan, consent: Consent | None, books: Iterable[Journal]) -> None:
    """The last gate of a session, whoever starts it: with real money it needs a day on paper before it, and consent.

    Raises: LockedError without either, or behind the lock.
    """
    if not is_at_stake(environment.kind, plan):
        return
    refuse_while_locked()
    if plan.sells_only:  # `--flatten` puts no money at stake
        return
    if plan.paper_first and not had_paper_day(books):
        raise LockedError(NO_PAPER_DAY, hint=PAPER_FIRST)
    if consent != _wanted(environment, plan):
        raise LockedError(NOT_CONFIRMED)


def phrase(environment: Environment, plan: LivePlan) -> str:
    """What a trader types to agree: the tail of the account as it is shown, and the amount."""
    return f"{environment.account_tail.lstrip('*')} {plan.session.limits.max_budget}"


def typed(text: str, environment: Environment, plan: LivePlan) -> Consent:
    """Consent by typing the phrase; the amount may have its commas. Raises: LockedError for anything else."""
    if text.replace(",", "").split() != phrase(environment, plan).split():
        raise LockedError(NOT_CONFIRMED, hint="Start again, and type the account's end and the amount as shown")
    return _wanted(environment, plan)


def said_beforehand(variables: Mapping[str, str], environment: Environment, plan: LivePlan) -> Consent:
    """Consent by `--yes`, which counts only with ALLOW set. Raises: LockedError without."""
    if variables.get(ALLOW) != "1":
        raise LockedError(
            "--yes alone does not confirm orders with real money",
            hint="Set QB_ALLOW_REAL=1 as well, or leave --yes out and type the confirmation",
        )
    return _wanted(environment, plan)


def _wanted(environment: Environment, plan: LivePlan) -> Consent:
    return Consent(environment.account, plan.session.limits.max_budget)

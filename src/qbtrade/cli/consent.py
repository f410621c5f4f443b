"""Asks a trader to agree to orders with real money."""

import sys
from collections.abc import Iterable, Mapping

import typer

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.live import real_money
from qbtrade.app.live.plan import LivePlan, OnExit
from qbtrade.app.plan import USUAL_SYMBOL
from qbtrade.cli.figures import won
from qbtrade.cli.text import N_, _
from qbtrade.errors import LockedError

ENDINGS = {
    OnExit.CANCEL: N_("at the end orders are canceled; shares stay overnight, without a stop-loss"),
    OnExit.FLATTEN: N_("at the end orders are canceled and everything is sold"),
    OnExit.LEAVE: N_("at the end nothing is canceled; orders and shares stay, without a stop-loss"),
}


def consent(
    environment: Environment, plan: LivePlan, variables: Mapping[str, str], *, yes: bool
) -> real_money.Consent | None:
    """What the trader agrees to; None where no real money is at stake. Nothing is asked behind a lock.

    Raises: LockedError, typer.Abort for Ctrl+C and the end of input.
    """
    if not real_money.is_at_stake(environment.kind, plan):
        return None
    real_money.refuse_while_locked()
    if yes:
        return real_money.said_beforehand(variables, environment, plan)
    if not sys.stdin.isatty():
        raise LockedError(
            "orders with real money need a typed confirmation, and nobody can be asked",
            hint="Start qb live on a terminal, or give --yes and set QB_ALLOW_REAL=1",
        )
    for line in terms(environment, plan):
        typer.echo(line, err=True)
    text = typer.prompt(
        _("Type {phrase} to trade, anything else to leave").format(phrase=real_money.phrase(environment, plan)),
        default="", show_default=False, err=True,
    )  # fmt: skip
    return real_money.typed(text, environment, plan)


def terms(environment: Environment, plan: LivePlan) -> Iterable[str]:
    """What is at stake, in lines."""
    from qbtrade.app.wiring import risk_limits

    limits = risk_limits(plan.session, commission_ppb=0)
    yield _("Real money: orders of this session go to the exchange.")
    yield "  " + _("account {account} at {address}").format(
        account=environment.account_tail, address=environment.rest_url
    )
    yield "  " + ", ".join(plan.session.symbols or (USUAL_SYMBOL,))
    yield "  " + _("at most {budget} won at work; a loss of {loss} won ends the day").format(
        budget=won(limits.max_budget), loss=won(limits.loss_limit)
    )
    yield "  " + _(ENDINGS[plan.on_exit])

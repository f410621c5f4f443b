"""`qb simulate`: a whole rehearsal, from the options to the summary."""

import json
import sys
from typing import Any

import typer

from qbtrade.app.home import home
from qbtrade.app.plan import SimulationPlan
from qbtrade.cli import options
from qbtrade.cli.ask import plan_of
from qbtrade.cli.interrupt import Interrupts
from qbtrade.cli.screen import console_on, watching
from qbtrade.cli.text import _
from qbtrade.errors import ExitCode
from qbtrade.kernel.loop import StopRequest


def simulate(**typed: Any) -> None:
    plan = plan_of(typed, SimulationPlan())
    if typed["suite"]:
        raise typer.Exit(_suite(plan.seed, as_json=typed["json"], quiet=typed["quiet"]))
    raise typer.Exit(_session(plan, as_json=typed["json"], quiet=typed["quiet"]))


simulate.__doc__ = _(
    "Rehearse a strategy: market data, strategy, risk, orders and portfolio, offline, on a made or a recorded market.\n\n"
    "Without options: one made day of 005930 with moving averages. The report is kept; read it with qb report."
)
simulate.__signature__ = options.signature()  # type: ignore[attr-defined]


def _session(plan: SimulationPlan, *, as_json: bool, quiet: bool) -> ExitCode:
    from qbtrade.app.session import simulate as run
    from qbtrade.cli.render import summary

    console, stop = console_on(sys.stderr if as_json else sys.stdout), StopRequest()
    with Interrupts(stop), watching(console, paced=plan.speed > 0, quiet=quiet) as screen:
        result = run(plan, home(), screen, stop)
    if as_json:
        sys.stdout.write(result.report_path.read_text(encoding="utf-8"))
    elif not quiet:
        console.print(summary(result.report, result.report_path))
    return result.exit_code

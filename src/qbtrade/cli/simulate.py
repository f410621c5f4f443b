"""`qb simulate`: a whole rehearsal, from the options to the summary."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import typer

from qbtrade.app.config import load_settings
from qbtrade.app.from_database import from_database, is_database
from qbtrade.app.home import home
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.recordings import is_recorded, replayed
from qbtrade.cli import options
from qbtrade.cli.ask import plan_of
from qbtrade.cli.faults import say
from qbtrade.cli.interrupt import Interrupts
from qbtrade.cli.screen import console_on, print_page, watching
from qbtrade.cli.text import _
from qbtrade.errors import ExitCode
from qbtrade.kernel.loop import StopRequest


def simulate(**typed: Any) -> None:
    """Run a session or the offline scenarios. typed: by parameter name, as `options.signature` declares them."""
    settings = load_settings(Path.cwd(), os.environ)
    run, plan = _run_suite if typed["suite"] else _run_session, plan_of(typed, settings)
    if is_recorded(plan.source):
        plan = _recorded(plan)
    with from_database(plan) if is_database(plan.source) else nullcontext(plan) as plan:
        code = run(plan, as_json=typed["json"], quiet=typed["quiet"])
    raise typer.Exit(code)


simulate.__doc__ = _(
    "Rehearse a strategy: market data, strategy, risk, orders and portfolio,"
    " offline, on a made or a recorded market.\n\n"
    "Without options: one made day of 005930 with moving averages."
    " The report is kept; read it with qb report show."
)
simulate.__signature__ = options.signature()  # type: ignore[attr-defined]


def _recorded(plan: SimulationPlan) -> SimulationPlan:
    """The plan with the files of the recorded days; what was damaged is named, and the rest played."""
    from qbtrade.app.rules import load_rules

    plan, damages = replayed(plan, home(), load_rules().calendar)
    for each in damages:
        say(_("{path} was torn: {lost:,} bytes are lost, the rest is read").format(path=each.path, lost=each.lost))
    return plan


def _run_session(plan: SimulationPlan, *, as_json: bool, quiet: bool) -> ExitCode:
    from qbtrade.app.session import simulate as rehearse
    from qbtrade.cli.render import summary

    console, stop = console_on(sys.stderr if as_json else sys.stdout), StopRequest()
    with (
        Interrupts(stop) as interrupts,
        watching(console, paced=plan.speed > 0, quiet=quiet, interrupts=interrupts) as screen,
    ):
        result = rehearse(plan, home(), screen, stop)
    if as_json:
        sys.stdout.write(result.report_path.read_text(encoding="utf-8"))
    elif not quiet:
        print_page(summary(result.report, result.report_path), sys.stdout)
    return result.exit_code


def _run_suite(plan: SimulationPlan, *, as_json: bool, quiet: bool) -> ExitCode:
    import msgspec

    from qbtrade.app.scenarios import run_suite
    from qbtrade.cli.render import suite

    results = run_suite(plan.seed)
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(results)).decode() + "\n")
    elif not quiet:
        print_page(suite(results), sys.stdout)
    return ExitCode.DONE if all(result.passed for result in results) else ExitCode.FAILED

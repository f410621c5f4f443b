"""`qb live`: a session on the market's clock, on paper, on an emulator, or dry."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import typer

from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.app.config import Settings, load_settings
from qbtrade.app.home import home
from qbtrade.app.kis_account import environment_of, kind_of
from qbtrade.app.live.plan import LivePlan
from qbtrade.cli import live_options
from qbtrade.cli.consent import consent
from qbtrade.cli.data_load import remembered
from qbtrade.cli.faults import say
from qbtrade.cli.interrupt import Interrupts
from qbtrade.cli.screen import console_on, print_page, watching
from qbtrade.cli.text import _
from qbtrade.errors import ExitCode, LockedError
from qbtrade.kernel.loop import StopRequest


def live(**typed: Any) -> None:
    """Trade for one day. typed: by parameter name, as `live_options.signature` declares them."""
    settings = load_settings(Path.cwd(), os.environ)
    kind = kind_of(settings, typed["env"] or "")
    plan = live_options.live_plan(typed, settings, kind)
    try:
        _run(plan, settings, kind, yes=typed["yes"], as_json=typed["json"], quiet=typed["quiet"])
    except KeyboardInterrupt:  # later ones end the session, which tells by itself
        say(_("interrupted before the session began: no order was sent"))
        raise typer.Exit(ExitCode.INTERRUPTED) from None


live.__doc__ = _(
    "Trade for one day with KIS, on paper unless --env says otherwise.\n\n"
    "Waits for the open, ends after the close with the report. Ctrl+C cancels what works and ends;"
    " once more leaves at once."
)
live.__signature__ = live_options.signature()  # type: ignore[attr-defined]


def _run(plan: LivePlan, settings: Settings, kind: EnvKind, *, yes: bool, as_json: bool, quiet: bool) -> None:
    from qbtrade.adapters.awake import kept_awake
    from qbtrade.app.live.run import live as trade
    from qbtrade.app.live.world import open_world
    from qbtrade.cli.render import summary

    out, stop, agreed = sys.stderr if as_json else sys.stdout, StopRequest(), None
    console = console_on(out)
    if kind is not EnvKind.EMULATOR:
        _check_first(plan, kind, None if quiet else out)
        agreed = consent(environment_of(settings, kind), plan, os.environ, yes=yes)
    with Interrupts(stop) as interrupts, kept_awake() as granted, open_world(settings, kind, plan.session) as world:
        if not (granted or quiet or kind is EnvKind.EMULATOR):
            typer.echo(_("Nothing keeps this machine awake: switch off sleep until the close."), file=out)
        with watching(console, paced=True, quiet=quiet, interrupts=interrupts) as screen:
            result = trade(plan, world, home(), screen, stop, agreed)
        if as_json:
            sys.stdout.write(result.report_path.read_text(encoding="utf-8"))
        elif not quiet:
            print_page(summary(result.report, result.report_path), sys.stdout)
    session = result.report["session"]
    remembered(result.run_id, date.fromisoformat(session["start"][:10]), session["symbols"])
    raise typer.Exit(result.exit_code)


def _check_first(plan: LivePlan, kind: EnvKind, out: TextIO | None) -> None:
    """What preflight says today; whatever is not in order is shown. Raises: LockedError that names what fails."""
    from qbtrade.app.preflight import clearance
    from qbtrade.app.preflight.rows import Status
    from qbtrade.cli.render_preflight import Rows, counted, name_of

    rows = Rows(out, only=(Status.WARN, Status.FAIL)) if out else None
    if out:
        typer.echo(_("Preflight first; without one of today that takes a moment."), file=out)
    verdict = clearance(
        Path.cwd(), os.environ, home(), asked=kind.value, plan=plan.session, dry_run=plan.dry_run,
        on_row=rows.show if rows else lambda _row: None,
    )  # fmt: skip
    if not verdict.go:
        failed = ", ".join(dict.fromkeys(name_of(row.check) for row in verdict.rows if row.status is Status.FAIL))
        raise LockedError(
            "preflight says no-go: {failed}",
            hint="`qb preflight --env {environment}` says how to mend it; --env emulator needs no keys",
            failed=failed,
            environment=kind,
        )
    if out:
        typer.echo(_("Preflight: go ({counts})").format(counts=counted(verdict)), file=out)

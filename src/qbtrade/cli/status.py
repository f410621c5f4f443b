"""`qb status`: the running session, seen from another terminal."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from qbtrade.app.home import home
from qbtrade.app.live.status_file import Seen, is_running, shown
from qbtrade.cli import figures
from qbtrade.cli.panel import panel
from qbtrade.cli.screen import print_page
from qbtrade.cli.text import _
from qbtrade.domain.calendar import NS
from qbtrade.errors import ExitCode
from qbtrade.kernel.clock import wall_ns

STALE = 10 * NS
Json = Annotated[bool, typer.Option("--json", help=_("One JSON document on stdout"))]


def status(*, json: Json = False) -> None:
    """Show what the sessions of this machine look like right now; those that ended, how they ended."""
    sessions = shown(home())
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(sessions)).decode() + "\n")
    elif not sessions:
        sys.stdout.write(_("no live session was started here yet") + "\n")
    for seen in () if json else sessions:
        sys.stdout.write(heading(home(), seen, wall_ns()) + "\n")
        print_page(panel(seen.status), sys.stdout)
    raise typer.Exit(ExitCode.DONE)


def heading(folder: Path, seen: Seen, now: int) -> str:
    """Whether it runs, and how old the picture is."""
    age = now - seen.written
    values = {"run": seen.run_id, "pid": seen.pid, "age": figures.age(age)}
    if not is_running(folder, seen):
        return _("session {run} is not running any more; this is its last picture, {age} old").format(**values)
    if age > STALE:
        return _("session {run} (process {pid}) hangs: its picture is {age} old; `qb halt` cancels its orders").format(
            **values
        )
    return _("session {run} (process {pid}) is running").format(**values)

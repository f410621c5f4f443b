"""`qb data`: market data of one's own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import msgspec
import typer

from qbtrade.cli.data_fetch import download
from qbtrade.cli.data_import import bring_in
from qbtrade.cli.data_load import load, remembered
from qbtrade.cli.data_store import check, listing, show
from qbtrade.cli.pages import option
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said, word
from qbtrade.errors import ExitCode
from qbtrade.kernel.clock import Stopwatch

if TYPE_CHECKING:
    from qbtrade.adapters.recordings.recorder import Progress
    from qbtrade.app.record import Recorded
    from qbtrade.domain.events import Alert

SPEAK: Final = 10.0
"""Machine seconds between two lines."""

app = typer.Typer(add_completion=False, no_args_is_help=True, help=N_("Keep market data of your own."))


Symbols = Annotated[list[str] | None, option("--symbol", metavar="SYMBOL", text=_("What to record"), default="005930")]
Env = Annotated[str, option("--env", metavar="NAME", text=_("paper, real or emulator"), default="paper")]
Until = Annotated[
    str,
    option("--until", metavar="TIME", text=_("End at the close, before it (close-10m) or at 14:30"), default="close"),
]
Speed = Annotated[
    str, option("--speed", metavar="N", text=_("Market seconds per second, with --env emulator"), default="1")
]
Quiet = Annotated[bool, typer.Option("--quiet", help=N_("Nothing on the screen but errors"))]
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]


@app.command(help=N_("Keep every trade and quote of the day, without trading; Ctrl+C ends it."))
def record(
    *, symbol: Symbols = None, env: Env = "", until: Until = "close", speed: Speed = "", quiet: Quiet = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Keep every trade and quote of the day, without trading; Ctrl+C ends it."""
    from qbtrade.app.config import load_settings
    from qbtrade.app.home import home
    from qbtrade.app.kis_account import is_local, kind_of
    from qbtrade.app.live.world import open_world
    from qbtrade.app.plan import USUAL_SYMBOL
    from qbtrade.app.record import record as keep
    from qbtrade.cli.ask import plan_of
    from qbtrade.cli.interrupt import Interrupts
    from qbtrade.cli.live_options import pace_of, until_of
    from qbtrade.kernel.loop import StopRequest

    settings, stop = load_settings(Path.cwd(), os.environ), StopRequest()
    kind = kind_of(settings, env)
    plan = plan_of({"symbol": symbol, "speed": speed or None}, settings)
    pace = pace_of(speed or None, plan.speed, kind, local=is_local(settings, kind))
    plan = msgspec.structs.replace(plan, speed=pace, symbols=plan.symbols or (USUAL_SYMBOL,))
    shown = _Lines(sys.stderr if json else sys.stdout, quiet=quiet)
    with Interrupts(stop, _("stopping: writing what is left")), open_world(settings, kind, plan) as world:
        done = keep(
            plan.symbols, world, home(), until_of(until), stop, on_progress=shown.on_progress, on_alert=shown.on_alert
        )
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(done)).decode() + "\n")
    elif not quiet:
        for line in _told(done):
            sys.stdout.write(line + "\n")
    remembered(done.run_id, done.day, done.files)
    if done.was_stopped:
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(ExitCode.DONE if done.is_finished and not done.dropped else ExitCode.FAILED)


class _Lines:
    """Says every ten seconds how it goes, and each alert when it comes."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream, self._quiet = stream, quiet
        self._watch, self._due = Stopwatch(), 0.0

    def on_progress(self, progress: "Progress") -> None:
        """Say it when it is time."""
        if not self._quiet and self._watch.seconds() >= self._due:
            self._due = self._watch.seconds() + SPEAK
            self._say(_("{rows:,} rows recorded").format(rows=progress.written))

    def on_alert(self, alert: "Alert") -> None:
        """Say it at once."""
        self._say(f"{word(alert.level)}: {said(alert.text)}; {said(alert.action)}".rstrip("; "))

    def _say(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()


def _told(done: "Recorded") -> Iterator[str]:
    yield _("{rows:,} rows recorded").format(rows=done.rows)
    if done.dropped:
        yield _("{dropped:,} events are missing: the disk was too slow").format(dropped=done.dropped)
    if done.is_finished:
        yield from done.files.values()
    else:
        yield _("the logs beside {path} keep the rows; the next reader makes the files").format(
            path=next(iter(done.files.values()), "-")
        )


app.command("download", help=N_("Fetch minute or daily bars from KIS; goes on where it was stopped."))(download)
app.command("import", help=N_("Bring in files of trades or bars; what is stored already is left as it is."))(bring_in)
app.command("list", help=N_("List what is stored: days, rows, missing days, size, adjusted or raw, source."))(listing)
app.command("show", help=N_("Show one day of one symbol: a summary, the first and the last rows."))(show)
app.command(
    "check", help=N_("Look for gaps, duplicates, impossible prices, wrong times and corporate actions, a line each.")
)(check)
app.command("load", help=N_("Load into PostgreSQL what it lacks of recorded days, imported trades and bars."))(load)

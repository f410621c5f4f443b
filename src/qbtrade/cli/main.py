"""`qb`: finds the command, runs it, and turns whatever happens into an exit code.

A command's module is imported when the command is called, so `qb --help` stays quick.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.main import get_command

from qbtrade import __version__
from qbtrade.cli import faults, pages
from qbtrade.cli.text import N_, _
from qbtrade.errors import ExitCode, UnknownNameError


class Entry(NamedTuple):
    """Where a command lives: a typer app or a function. text: its line on the help page."""

    module: str
    name: str
    text: str


COMMANDS: Final = {
    "init": Entry("qbtrade.cli.init", "init", N_("Ask for keys and account, and keep them safe")),
    "preflight": Entry("qbtrade.cli.preflight", "preflight", N_("Check everything that a session needs: go or no-go")),
    "simulate": Entry("qbtrade.cli.simulate", "simulate", N_("Rehearse a strategy on a made or recorded market")),
    "live": Entry("qbtrade.cli.live", "live", N_("Trade for one day, on paper or on a local KIS")),
    "status": Entry("qbtrade.cli.status", "status", N_("Show the running session from another terminal")),
    "watch": Entry("qbtrade.cli.watch", "watch", N_("Follow a session from another process or machine")),
    "halt": Entry("qbtrade.cli.halt", "halt", N_("Stop trading from outside, until it is resumed")),
    "resume": Entry("qbtrade.cli.halt", "resume", N_("Allow trading again after a halt")),
    "orders": Entry("qbtrade.cli.orders", "app", N_("Show the orders of a session; answer for an unknown one")),
    "report": Entry("qbtrade.cli.report", "app", N_("Read what a session did and why")),
    "rules": Entry("qbtrade.cli.rules", "rules", N_("Show tick sizes, costs and hours that hold on a day")),
    "data": Entry("qbtrade.cli.data", "app", N_("Keep market data of your own")),
    "emulator": Entry("qbtrade.cli.emulator", "emulator", N_("Run a local KIS to rehearse against")),
    "chaos": Entry("qbtrade.cli.chaos", "chaos", N_("Play worlds in which much goes wrong")),
    "kis": Entry("qbtrade.cli.kis", "app", N_("Look up what KIS says")),
    "db": Entry("qbtrade.cli.db", "app", N_("Look after the database, the long memory")),
    "services": Entry("qbtrade.cli.services", "app", N_("Run private PostgreSQL and Redis servers for qb")),
    "config": Entry("qbtrade.cli.config", "app", N_("Show the configuration and where each value comes from")),
}


class Commands(pages.Group):
    """The commands of COMMANDS, each imported when it is called."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """Import one command. Raises: UnknownNameError."""
        if cmd_name not in COMMANDS:
            raise UnknownNameError("command", cmd_name, COMMANDS)
        entry = COMMANDS[cmd_name]
        found = getattr(import_module(entry.module), entry.name)
        if not isinstance(found, typer.Typer):
            found, function = typer.Typer(add_completion=False), found
            found.command(cmd_name)(function)
        return get_command(pages.dress(found))

    def summaries(self) -> dict[str, str]:
        """Name and one line of every command, without importing any."""
        return {name: _(entry.text) for name, entry in COMMANDS.items()}

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 (typer's)
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002
        **extra: Any,
    ) -> Any:
        """Run one command line and leave with its exit code."""
        del standalone_mode, prog_name
        given = list(sys.argv[1:] if args is None else args)
        debug = faults.wants_debug(given)
        asked = [arg for arg in given if arg != faults.DEBUG_FLAG] or ["--help"]
        try:
            code = super().main(asked, "qb", complete_var, False, windows_expand_args, **extra)  # noqa: FBT003
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (the last place that can say what happened)
            code = _leave_quietly() if _is_broken_pipe(error) else faults.report(error, debug=debug)
        sys.exit(int(code or ExitCode.DONE))


def _is_broken_pipe(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def _leave_quietly() -> ExitCode:
    """Nobody reads stdout any more: stop writing, so that Python has nothing left to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.FAILED


def _version(asked: bool) -> None:  # noqa: FBT001 (typer's callback)
    if asked:
        typer.echo(f"qb {__version__}")
        raise typer.Exit


app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None)


@app.callback(help=N_("Rehearse, trade and explain a strategy on Korean stocks."))
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=N_("Show the version and end"))
    ] = False,
    debug: Annotated[
        bool, typer.Option(faults.DEBUG_FLAG, help=N_("Show the traceback of an error; may stand anywhere"))
    ] = False,
) -> None:
    """Hold what every command has; `main` takes --debug out of the line wherever it stands."""
    del version, debug


def run() -> None:
    """Start `qb`. A character that the terminal cannot show never ends a session."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    get_command(app)()

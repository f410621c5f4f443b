"""How an exception becomes one line on stderr and an exit code."""

import os
import sys
import traceback
from difflib import get_close_matches
from typing import Any

import typer

from qbtrade.cli.text import _
from qbtrade.cli.words import explain
from qbtrade.errors import ExitCode, QbError

DEBUG_FLAG = "--debug"


def wants_debug(args: list[str]) -> bool:
    """True when a traceback was asked for, by flag or by QB_DEBUG."""
    return DEBUG_FLAG in args or os.environ.get("QB_DEBUG", "") not in {"", "0"}


def say(line: str) -> None:
    """Write one line to stderr."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 (this is the screen)


def report(error: BaseException, *, debug: bool) -> ExitCode:
    """Say what went wrong. Returns how the program should end."""
    if debug:
        traceback.print_exception(error)
    match error:
        case QbError():
            say(f"{_('error')}: {explain(error)}")
            return error.exit_code
        case typer.TyperException() if type(error).__name__ == "NoArgsIsHelpError":
            say(error.format_message())
            return ExitCode.USAGE
        case typer.TyperException():
            say(f"{_('error')}: {_usage(error)}")
            return ExitCode.USAGE
        case KeyboardInterrupt() | typer.Abort():
            say(_("interrupted"))
            return ExitCode.INTERRUPTED
        case _unforeseen:
            cause = f"{type(error).__name__}: {error}".rstrip(": ").replace("\n", " ")
            hint = "" if debug else "; " + _("run with --debug for the traceback")
            say(f"{_('internal error')}: {cause}{hint}")
            return ExitCode.FAILED


def _usage(error: Any) -> str:
    ctx = getattr(error, "ctx", None)
    see = ". " + _("See {command} --help").format(command=ctx.command_path) if ctx else ""
    match type(error).__name__:
        case "NoSuchOption":
            return _no_such_option(error.option_name, ctx, see)
        case "BadOptionUsage":
            return _("option {option} needs a value").format(option=error.option_name) + see
        case "MissingParameter":
            return _("{name} is missing").format(name=error.param.display_name_raw) + see
        case "BadParameter" if error.param is not None:
            flag = max(error.param.opts, key=len)
            return f"{flag}: {error.message.rstrip('.')}{see}"
        case _other:
            return f"{error.format_message().rstrip('.')}{see}"


def _no_such_option(name: str, ctx: Any, see: str) -> str:
    known = [flag for param in ctx.command.get_params(ctx) for flag in param.opts] if ctx else []
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = ". " + _("Did you mean {near!r}?").format(near=near[0]) if near else see
    return _("no such option {name!r}").format(name=name) + hint

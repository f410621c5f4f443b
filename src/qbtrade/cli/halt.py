"""`qb halt` and `qb resume`: stop trading from outside, also when the session hangs; allow it again."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.config import load_settings
from qbtrade.app.halt_flag import Halt, read_halt, set_halt, take_halt
from qbtrade.app.home import home
from qbtrade.app.live.remote import cancel_everything, end_session
from qbtrade.app.live.status_file import shown
from qbtrade.cli import books, figures
from qbtrade.cli.account import NOBODY, account_meant
from qbtrade.cli.interrupt import Interrupts
from qbtrade.cli.pages import option
from qbtrade.cli.screen import console_on, watching
from qbtrade.cli.text import _
from qbtrade.cli.words import said, word
from qbtrade.errors import BrokerError, ExitCode, FileError, UsageError
from qbtrade.kernel.loop import StopRequest

Env = Annotated[
    str, option("--env", metavar="NAME", default=_("that of the running session, or paper"), text=_("Which account"))
]
Reason = Annotated[str, option("--reason", metavar="TEXT", text=_("Why; kept with the flag"))]
Flatten = Annotated[
    bool,
    typer.Option("--flatten", help=_("Sell what qb opened, too; instead of the session where that hangs or has died")),
]
Force = Annotated[
    bool, typer.Option("--force", help=_("Although the books disagree; the differences are shown all the same"))
]
OverRedis = Annotated[
    bool,
    typer.Option("--over-redis", help=_("Ask a session on another machine, over Redis; see docs/redis.md")),
]


def halt(*, env: Env = "", reason: Reason = "", flatten: Flatten = False, over_redis: OverRedis = False) -> None:
    """Stop trading: sets a flag that outlives restarts, and cancels whatever works, through a connection of its own."""
    if over_redis:
        from qbtrade.cli.halt_over_redis import halt_over_redis

        if flatten:
            raise UsageError("--flatten and --over-redis do not go together", hint="Halt first; sell on that machine")
        raise typer.Exit(halt_over_redis(env, reason or "qb halt --over-redis"))
    folder = home()
    environment, _running = account_meant(folder, env)
    kept = set_halt(folder, environment, reason or "qb halt", flatten=flatten)
    if kept.is_kept:
        _say(_("trading is halted on {account}, until `qb resume`").format(account=_name(environment)))
    for problem in kept.problems:
        _say(_("the halt is not kept as it should be: {problem}").format(problem=said(problem)))
    if not kept.is_kept:
        _end(folder, environment)
    code = ExitCode.DONE
    if environment.rest_url != NOBODY[0]:
        code = ExitCode.DONE if _cancel(folder, environment) else ExitCode.BROKER
        if flatten:
            code = _flatten(folder, environment, kept.flag, code)
    if not kept.is_kept:
        raise FileError(
            "trading is not halted: neither flag nor row could be written",
            hint="End the session with Ctrl+C or `kill`; free space or mend the disk, then `qb halt` once more",
        )
    raise typer.Exit(code if code or not kept.problems else ExitCode.BAD_FILE)


def _end(folder: Path, environment: Environment) -> None:
    """Reach a running session all the same, or say that it was not reached."""
    try:
        told = end_session(folder, environment)
    except FileError as error:
        _say(_("whether a session runs is not known, and none was told to stop: {cause}").format(cause=error.message))
        return
    if told is None:
        _say(_("no running session was told to stop: if one runs, it trades on; end it with Ctrl+C or `kill`"))
    else:
        _say(_("no halt is kept; session {run} (process {pid}) was told to cancel and end instead").format(
            run=told.run_id, pid=told.pid
        ))  # fmt: skip


def _cancel(folder: Path, environment: Environment) -> bool:
    """Cancel whatever works; whether all of it is canceled."""
    try:
        orders = cancel_everything(folder, environment, _last_run(folder, environment))
    except BrokerError as error:
        _say(_("the flag is set, but orders could not be canceled from here: {cause}").format(cause=error.message))
        raise
    for order in orders:
        text = _("canceled order {number}: {side} {qty} of {symbol}") if order.done else _(
            "order {number} is not canceled ({reason}): {side} {qty} of {symbol}"
        )  # fmt: skip
        _say(
            text.format(number=order.order_no, side=order.side, qty=order.qty, symbol=order.symbol, reason=order.reason)
        )
    if not orders:
        _say(_("no order works"))
    return all(order.done for order in orders)


def _flatten(folder: Path, environment: Environment, flag: Halt, canceled: ExitCode) -> ExitCode:
    """Have what qb opened sold, and name what is left."""
    from qbtrade.app.live.flatten import flatten

    stop = StopRequest()
    _say(_("selling what qb opened; the session does it while it heeds the halt"))
    with (
        Interrupts(stop, _("once more to leave at once")),
        watching(console_on(sys.stdout), paced=True, quiet=False) as screen,
    ):
        found = flatten(folder, environment, flag.since, screen, stop)
    if found.why:
        _say(_("nothing can be sold: {why}").format(why=said(found.why)))
    for fill in found.result.report["fills"] if found.result else ():
        _say(_("sold {qty} of {symbol} at {price}").format(**{**fill, "price": figures.won(fill["price"])}))
    for symbol, qty in found.left.items():
        _say(_("{qty} of {symbol} are left; no stop-loss is active").format(qty=qty, symbol=symbol))
    if not found.left:
        _say(_("nothing that qb opened is left"))
    if found.result:
        _say(_("report: {path}").format(path=found.result.report_path))
        if found.result.exit_code is ExitCode.BOOKS_DISAGREE:
            return ExitCode.BOOKS_DISAGREE
    return ExitCode.BROKER if found.left else canceled


def resume(*, env: Env = "", reason: Reason = "", force: Force = False) -> None:
    """Allow trading again, once the books agree with the broker's; asks why when --reason does not say so."""
    folder = home()
    environment, _running = account_meant(folder, env)
    flag = read_halt(folder, environment)
    if flag is None:
        raise UsageError("trading is not halted", hint="See `qb status`")
    if not (_agrees(folder, environment) or force):
        raise typer.Exit(ExitCode.BOOKS_DISAGREE)
    why = reason.strip() or _asked()
    take_halt(folder, environment, flag, why)
    _say(_("trading may go on on {account}; it was halted because: {reason}").format(
        account=_name(environment), reason=flag.reason
    ))  # fmt: skip


def _agrees(folder: Path, environment: Environment) -> bool:
    """Whether the books agree with the broker's; where they do not, the table of it is shown."""
    from qbtrade.app.live.reconciled import differences_now

    if environment.rest_url == NOBODY[0]:
        return True  # its broker is gone, and with it all that could disagree
    plan = load_settings(Path.cwd(), os.environ).plan_defaults()
    found = differences_now(folder, environment, _last_run(folder, environment), plan)
    if found:
        _say(_("the books disagree; compare with the KIS app, start `qb live`, which begins halted, or use --force"))
        for line in books.grid(found):
            _say(line)
    return not found


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UsageError("why may trading go on?", hint='Say --reason "what was wrong and what was done"')
    why: str = typer.prompt(_("Why may trading go on?")).strip()
    if not why:
        raise UsageError("why may trading go on?", hint="An empty answer is none")
    return why


def _last_run(folder: Path, environment: Environment) -> str:
    """The newest session that showed itself on this environment."""
    return next((seen.run_id for seen in shown(folder) if seen.environment == environment.kind), "")


def _name(environment: Environment) -> str:
    return f"{word(environment.kind.value).lower()} {environment.account_tail}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

"""`qb orders`: the orders of a session, what is unknown of them, and a person's answer to that."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.parse.orders import number as plain_number
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.transport import call_once
from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.asker import Asker
from qbtrade.app.home import home, journals_dir, kis_dir
from qbtrade.app.live.known_orders import Known, KnownOrder, answer_for, known_orders
from qbtrade.app.live.resolving import REFUSED, give
from qbtrade.app.live.status_file import Seen, is_running, seen_on
from qbtrade.app.live.world import clock_of
from qbtrade.cli import figures
from qbtrade.cli.account import account_meant
from qbtrade.cli.pages import option
from qbtrade.cli.shares import shares
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said, word
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.order import OrderStatus
from qbtrade.errors import BrokerError, ExitCode, LockedError, UsageError
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep, wall_ns

app = typer.Typer(
    add_completion=False, help=N_("Show the orders of the running or newest session, and what is unknown of them.")
)
PATIENCE: Final = 10.0
"""Machine seconds in which a session takes an answer over."""
NAP: Final = 0.2
DOUBTS: Final = {
    OrderStatus.UNCONFIRMED: N_("unknown: whether KIS took it"),
    OrderStatus.ABANDONED: N_("unknown: KIS shows no trace of it; it may still turn up"),
    OrderStatus.CANCELING: N_("unknown: whether the cancel comes in time"),
    OrderStatus.SENDING: N_("unknown: its answer is due"),
}

Env = Annotated[
    str, option("--env", metavar="NAME", default=_("that of the running session, or paper"), text=_("Which account"))
]
Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]
OrderId = Annotated[str, typer.Argument(metavar="ORDER", help=N_("As `qb orders` names it"))]
Number = Annotated[str, option("--number", metavar="NUMBER", text=N_("It is this order at KIS"))]
Gone = Annotated[bool, typer.Option("--gone", help=N_("It does not exist at KIS, and never will"))]
NotMine = Annotated[
    list[str] | None,
    option("--not-mine", metavar="NUMBER", text=_("With --gone: you made this one, which looks like it; repeatable")),
]
Reason = Annotated[str, option("--reason", metavar="TEXT", text=N_("How you know; kept with the answer"))]
Yes = Annotated[bool, typer.Option("--yes", help=N_("Do not ask for a confirmation"))]


@app.callback(invoke_without_command=True)
def orders(ctx: typer.Context, *, env: Env = "", json: Json = False) -> None:
    """List the orders of the running or newest session."""
    if ctx.invoked_subcommand:
        if env or json:
            raise UsageError(
                "options of {command} stand behind it", command=ctx.invoked_subcommand,
                hint="Write qb orders {command} and then the options",
            )  # fmt: skip
        return
    environment, _running = account_meant(home(), env)
    seen, known = _session(home(), environment)
    if json:
        document = {"run_id": seen.run_id, "orders": list(known.orders.values())}
        typer.echo(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        typer.echo("\n".join(page(seen, known, is_running(home(), seen))))


def page(seen: Seen, known: Known, running: bool) -> Iterator[str]:  # noqa: FBT001 (a plain fact)
    """One line for each order, those of which something is unknown marked."""
    head = _("session {run}, which is running") if running else _("session {run}, which has ended")
    yield head.format(run=seen.run_id)
    if not known.orders:
        yield "  " + _("no order was sent")
    for order in known.orders.values():
        age = figures.age(max(seen.status.ts - order.since, 0))
        doubt = _(DOUBTS[order.status]) if order.status in DOUBTS and not order.resolved else ""
        reason = said(order.reason) if order.reason else ""
        state = word(order.status.value)
        words = [f"{order.order_id:<9} {order.number or '-':>10}", what(order), f"{state} ({age})"]
        yield "  " + "  ".join([*words, *filter(None, (reason, doubt))])
    unknown = [order.order_id for order in known.orders.values() if order.is_unknown]
    if unknown:
        yield _("if you know what became of one: `qb orders resolve {order} --number NUMBER` or `--gone`").format(
            order=unknown[0]
        )


def what(order: KnownOrder) -> str:
    """Side, shares, symbol and price."""
    request = order.request
    price = figures.won(request.price) if request.price else word("MARKET")
    return _("{side} {qty} of {symbol} at {price}, {filled} filled").format(
        side=word(request.side.value), qty=f"{request.qty:,}", symbol=request.symbol, price=price,
        filled=f"{order.filled + order.before:,}",
    )  # fmt: skip


@app.command(help=N_("Say what became of an order whose answer was lost; checked against what KIS shows."))
def resolve(
    order: OrderId, *, number: Number = "", gone: Gone = False, not_mine: NotMine = None, reason: Reason = "",
    env: Env = "", yes: Yes = False,
) -> None:  # fmt: skip
    """Answer for one order: it is a number at KIS, or it does not exist."""
    if bool(number) == gone:
        raise UsageError("say one of --number and --gone", hint="The KIS app shows today's orders with their numbers")
    if number and not_mine:
        raise UsageError("--not-mine goes with --gone", hint="--number says already which order it is")
    if not reason.strip():
        raise UsageError("--reason is missing", hint='Say how you know, as in --reason "seen in the KIS app"')
    folder = home()
    environment, _running = account_meant(folder, env)
    seen, known = _session(folder, environment)
    meant = known.orders.get(order.strip().upper())
    if meant is None:
        raise UsageError("session {run} has no order {name!r}", run=seen.run_id, name=order, hint="See `qb orders`")
    if not meant.is_unknown:
        raise UsageError(
            "nothing about order {order} is unknown: it is {state}", order=meant.order_id,
            state=word(meant.status.value), hint="See `qb orders`",
        )  # fmt: skip
    others = [plain_number(each) for each in not_mine or ()]
    answer = _checked(environment, seen, known, meant, plain_number(number), reason.strip(), others)
    _confirm(meant, answer, yes=yes)
    journal = journals_dir(folder) / f"{seen.run_id}.sqlite3"
    already = sum(1 for _event in read_events(journal))
    give(folder, environment, answer)
    raise typer.Exit(_delivered(folder, seen, answer, already))


app.command(help=N_("Say what shares have become whose base price changed; the next session begins with it."))(shares)


def _session(folder: Path, environment: Environment) -> tuple[Seen, Known]:
    """The running or newest session of an account, and its orders."""
    seen = seen_on(folder, environment)
    journal = journals_dir(folder) / f"{seen.run_id}.sqlite3" if seen else None
    if seen is None or journal is None or not journal.exists():
        raise UsageError("no live session was started on this account", hint="`qb status` shows what was")
    return seen, known_orders(journal)


def _checked(
    environment: Environment, seen: Seen, known: Known, order: KnownOrder, number: str, reason: str, others: list[str]
) -> Answer:  # fmt: skip
    """The answer, when what KIS shows does not speak against it. Raises: BrokerError, LockedError, UsageError."""
    clock, tells_rows = clock_of(environment), environment.capabilities.order_rows
    if number and not tells_rows:
        raise LockedError(
            "KIS names no orders here, so number {number} cannot be checked",
            hint="Cancel it in the KIS app, then say --gone", number=number,
        )  # fmt: skip
    waits = order.sent_at + environment.limits.give_up_after_ns - clock.now()
    if not number and waits > 0:
        raise LockedError(
            "order {order_id} was sent only just now, and KIS may still take it",
            hint="Ask again in {wait}", order_id=order.order_id, wait=figures.age(waits),
        )  # fmt: skip
    history = _history(environment, clock) if tells_rows else OrderHistory((), 0, 0, 0)
    return answer_for(
        known, order, number, history, environment, run_id=seen.run_id, reason=reason, given=wall_ns(), not_mine=others
    )  # fmt: skip


def _history(environment: Environment, clock: LiveClock) -> OrderHistory:
    """Today's orders, complete. Raises: BrokerError."""
    folder = kis_dir(home())
    asker = Asker(environment, clock, TokenFile(folder, environment), GrantFile(folder, environment), call_once)
    today = kst_date(clock.now())
    found = asker.ask(calls.order_history(environment, today, today, priority=Priority.CANCEL))
    if isinstance(found, Failed) or found.lacks_rows:
        cause = found.reason if isinstance(found, Failed) else "totals without rows"
        raise BrokerError("KIS does not name its orders: {cause}", cause=cause, hint="Ask again in a moment")
    return found


def _confirm(order: KnownOrder, answer: Answer, *, yes: bool) -> None:
    """Ask on the terminal whether this is meant. Raises: UsageError without one, LockedError."""
    typer.echo(f"{order.order_id}: {what(order)}", err=True)
    text = (
        _("from now on it is order {number} at KIS").format(number=answer.number) if answer.number
        else _("from now on it does not exist: its symbol and side are free again")
    )  # fmt: skip
    typer.echo(text, err=True)
    for number in answer.aside:
        typer.echo(_("order {number} looks like it and stays that of somebody else").format(number=number), err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("an answer needs a confirmation, and nobody can be asked", hint="Add --yes if you are sure")
    typed = typer.prompt(_("Type {order} to confirm").format(order=order.order_id), default="", show_default=False)
    if typed.strip().upper() != order.order_id:
        raise LockedError("nothing was confirmed, so nothing is changed")


def _delivered(folder: Path, seen: Seen, answer: Answer, already: int) -> ExitCode:
    """Wait until the running session has taken the answer over, or say who will. already: rows of its journal."""
    watch = Stopwatch()
    while is_running(folder, seen) and watch.seconds() < PATIENCE:
        for event in islice(read_events(journals_dir(folder) / f"{seen.run_id}.sqlite3"), already, None):
            if isinstance(event, ev.OrderResolved) and event.order_id == answer.order_id:
                typer.echo(_("the session has taken the answer over"))
                return ExitCode.DONE
            if isinstance(event, ev.Alert) and event.code == REFUSED and f" {answer.order_id} " in event.text:
                typer.echo(said(event.text))
                return ExitCode.BROKER
        sleep(NAP)
    if is_running(folder, seen):
        typer.echo(_("the answer is kept; the session has not taken it over yet, see `qb orders`"))
        return ExitCode.BROKER
    typer.echo(_("the answer is kept; the next session begins with it"))
    return ExitCode.DONE

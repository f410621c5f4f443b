"""Events and orders as lines: what `qb report events` and `qb report why` say."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qbtrade.cli import figures
from qbtrade.cli.checks import row_of
from qbtrade.cli.render import Report, section
from qbtrade.cli.render_report import correction
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said, word
from qbtrade.domain.events import OrderApproved, OrderDenied
from qbtrade.domain.message import Event

STEPS: Final = {
    "SUBMIT_ORDER": N_("asked for"),
    "ORDER_APPROVED": N_("approved by risk"),
    "ORDER_DENIED": N_("denied by risk"),
    "ORDER_SENDING": N_("written down and sent"),
    "ORDER_ACCEPTED": N_("accepted by the broker"),
    "ORDER_REJECTED": N_("rejected by the broker"),
    "ORDER_NOT_SENT": N_("never left"),
    "ORDER_UNCONFIRMED": N_("sent, the answer is unknown"),
    "ORDER_ABANDONED": N_("found not to exist"),
    "ORDER_RESOLVED": N_("resolved by a person"),
    "ORDER_FILLED": N_("filled"),
    "POSITION_CHANGED": N_("booked"),
    "CANCEL_ORDER": N_("cancel asked for"),
    "ORDER_CANCELING": N_("cancel written down and sent"),
    "ORDER_CANCELED": N_("canceled"),
    "CANCEL_REJECTED": N_("cancel refused"),
    "ORDER_EXPIRED": N_("expired"),
}
"""What each event did to an order."""


def event_line(event: Event) -> str:
    """One journal row: time in KST, type, symbol, order, and everything else it holds."""
    said_here: Report = msgspec.to_builtins(event)
    if isinstance(event, OrderApproved | OrderDenied):
        said_here["checks"] = [check.rule for check in event.checks]
    name, ts = said_here.pop("type"), said_here.pop("ts")
    order = said_here.pop("order", {})
    symbol = said_here.pop("symbol", order.pop("symbol", ""))
    order_id = said_here.pop("order_id", order.pop("order_id", ""))
    moment = f"{figures.stamp(ts)}.{ts // 10**6 % 1000:03}"
    return f"{moment}  {name:<18}  {symbol:<7}  {order_id:<8}  {_values({**order, **said_here})}".rstrip()


def _values(values: Report) -> str:
    return " ".join(f"{name}={value}" for name, value in _flat(values) if value)


def _flat(values: Report) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value)
        elif isinstance(value, list | tuple):
            yield name, ",".join(map(str, value))
        else:
            text = str(value)
            yield name, repr(text) if " " in text or not text.isprintable() else text


def story(told: Report) -> RenderableType:
    """The whole story of one order."""
    order = told["order"]
    parts: list[RenderableType] = [_title(order), Text(_("run {run_id}").format(run_id=told["run_id"]), style="dim")]
    parts += section(_("Signal"), _signal(told["signal"], order))
    parts += section(_("Checks"), _checks(told["checks"]))
    parts += section(_("What happened"), [_steps(told["steps"])])
    parts += section(_("Replaced one another"), map(_link, told["chain"]))
    parts += section(_("Result"), _result(order))
    parts += section(_("Corrections of the book"), map(correction, told.get("corrections", ())))
    return Group(*parts)


def _title(order: Report) -> Text:
    price = figures.won(order["price"]) if order["price"] else word(order["kind"])
    what = _("{side} {qty} x {symbol} at {price}").format(
        side=word(order["side"]), qty=figures.won(order["qty"]), symbol=order["symbol"], price=price
    )
    return Text.assemble(
        (f"{order['order_id']}  ", "bold"), f"{what}  ({word(order['purpose'])}): {word(order['status'])}"
    )


def _signal(signal: Report | None, order: Report) -> Iterable[RenderableType]:
    if signal is None:
        if order["signal"]:
            yield Text(said(order["signal"]))
        return
    values = " ".join(f"{name}={value}" for name, value in signal["values"].items())
    yield Text(f"{_clock(signal['ts'])}  {word(signal['side'])}: {said(signal['reason'])}  {values}".rstrip())


def _checks(checks: list[Report]) -> Iterable[RenderableType]:
    if not checks:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(_("Rule"), no_wrap=True)
    for name in (_("Limit"), _("Value"), _("Distance")):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column()
    table.add_column()
    for check in checks:
        verdict = Text(_("passed"), style="green") if check["passed"] else Text(_("broken"), style="bold red")
        table.add_row(check["rule"], *row_of(check), verdict)
    yield table


def _steps(steps: list[Report]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in steps:
        table.add_row(_clock(step["ts"]), _(STEPS[step["type"]]), Text(_step(step)))
    return table


def _step(step: Report) -> str:
    match step["type"]:
        case "ORDER_FILLED":
            return _("{qty} at {price}").format(qty=figures.won(step["qty"]), price=figures.won(step["price"]))
        case "POSITION_CHANGED":
            return _("{qty} held, commission {commission}, tax {tax}, realized {realized}, cash {cash}").format(
                qty=figures.won(step["qty"]), commission=figures.won(step["commission"]), tax=figures.won(step["tax"]),
                realized=figures.signed(step["realized"]), cash=figures.won(step["cash"]),
            )  # fmt: skip
        case _other:
            told = dict(step)
            reason = told.pop("reason", "")
            rest = _values({name: value for name, value in told.items() if name not in {"ts", "type"}})
            return "  ".join(filter(None, (word(reason) if reason else "", rest)))


def _link(order: Report) -> Text:
    filled = _("{filled} of {qty} filled").format(
        filled=figures.won(order["filled_qty"]), qty=figures.won(order["qty"])
    )
    return Text(f"{order['order_id']}  {figures.won(order['price'])}  {word(order['status'])}, {filled}")


def _result(order: Report) -> Iterable[RenderableType]:
    reason = f" ({word(order['reason'])})" if order["reason"] else ""
    yield Text(f"{word(order['status'])}{reason}")
    if order["filled_qty"]:
        names = ("filled_qty", "qty", "filled_amount", "commission", "tax", "slippage")
        numbers = {name: figures.won(order[name]) for name in names}
        yield Text(_("{filled_qty} of {qty} filled for {filled_amount} won").format(**numbers))
        yield Text(_("commission {commission}, tax {tax}, slippage {slippage}").format(**numbers))


def _clock(ts: str) -> str:
    return ts[5:23].replace("T", " ").partition("+")[0]

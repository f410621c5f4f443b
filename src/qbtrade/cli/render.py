"""The end of a session on the screen: what happened, what it brought, what is left, and where to read on."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from qbtrade.cli import figures
from qbtrade.cli.panel import LEVELS
from qbtrade.cli.text import _
from qbtrade.cli.words import WORDS, figure, said, word

Report = dict[str, Any]
SHOWN: Final = 5
"""Alerts shown; the report holds them all."""
OUTCOMES: Final = {
    "DONE": "green",
    "INTERRUPTED": "yellow",
    "HALTED": "bold red",
    "FAULT": "bold red",
    "UNFINISHED": "yellow",
}
_ENDED: Final = (
    "FILLED",
    "PARTLY_FILLED",
    "CANCELED",
    "EXPIRED",
    "DENIED",
    "REJECTED",
    "NOT_SENT",
    "UNCONFIRMED",
    "ABANDONED",
)


def summary(report: Report, path: Path) -> RenderableType:
    """A finished session on one page. path: where its report lies."""
    parts = overview(report)
    parts += section(_("Denied, by reason"), _denials(report["denials"]))
    parts += section(_("Alerts"), alerts(report["alerts"]))
    return Group(*parts, "", _onward(report, path))


def overview(report: Report) -> list[RenderableType]:
    """What a session was, did, brought and left: the head of every page about it."""
    parts: list[RenderableType] = [_title(report["session"]), "", _happened(report), "", _money(report["account"])]
    parts += section(_("Still held; no stop is active until the next run"), _positions(report["account"]["positions"]))
    return parts


def _title(session: Report) -> RenderableType:
    parameters = " ".join(f"{name}={value}" for name, value in session["parameters"].items())
    what = f"{' '.join(session['symbols'])}  {session['strategy']} {parameters}".rstrip()
    outcome = Text(word(session["outcome"]), style=OUTCOMES.get(session["outcome"], ""))
    reason = f": {_reason(session['reason'])}" if session["reason"] else ""
    heading = Text.assemble((f"{word(session['mode'])} ", "bold"), outcome, reason)
    span = f"{_minute(session['start'])} - {_minute(session['end'])} KST"
    return Group(heading, Text(what), Text(span, style="dim"))


def _reason(reason: str) -> str:
    return word(reason) if reason in WORDS else said(reason)


def _minute(ts: str) -> str:
    return ts[:16].replace("T", " ")


def _happened(report: Report) -> Table:
    counts, trips = report["counts"], report["round_trips"]
    states = Counter(order["status"] for order in report["orders"])
    ended = ", ".join(f"{word(state)} {states[state]:,}" for state in _ENDED if states[state])
    won = sum(trip["net"] > 0 for trip in trips)
    table = _figures()
    if "trades" in counts:
        table.add_row(_("Trades seen"), figures.won(counts["trades"]), _aside(counts))
    table.add_row(_("Signals"), figures.won(counts["signals"]), "")
    table.add_row(_("Orders"), figures.won(counts["orders"]), ended)
    table.add_row(_("Fills"), figures.won(counts["fills"]), "")
    table.add_row(
        _("Round trips"),
        figures.won(len(trips)),
        _("{won} won, {lost} lost").format(won=won, lost=len(trips) - won) if trips else "",
    )
    return table


def _aside(counts: Report) -> str:
    said_aside = ((_("set aside"), counts["quarantined"]), (_("late"), counts.get("late", 0)))
    return ", ".join(f"{name} {count:,}" for name, count in said_aside if count)


def _money(account: Report) -> Table:
    costs = account["commission"] + account["tax"]
    net = account["realized"] - costs
    table = _figures()
    table.add_row(_("Gross"), _coloured(account["realized"]), "")
    table.add_row(_("Commission"), figures.signed(-account["commission"]), "")
    table.add_row(_("Tax"), figures.signed(-account["tax"]), "")
    table.add_row(_("Net"), _coloured(net), "")
    if account["positions"]:
        table.add_row(_("Unrealized"), _coloured(account["unrealized"]), "")
    table.add_row("", "", "")
    began = account["initial_equity"]
    change = account["equity"] - began
    ppb = change * 10**9 // began if began else 0
    table.add_row(
        _("Cash"),
        figures.won(account["cash"]),
        _("{won} at the start").format(won=figures.won(account["initial_cash"])),
    )
    table.add_row(_("Equity"), Text(figures.won(account["equity"]), style="bold"), _signed_share(change, ppb))
    return table


def _signed_share(change: int, ppb: int) -> Text:
    return Text(f"{figures.signed(change)} ({figures.percent(ppb, sign=True)})", style=figures.colour(change))


def _coloured(amount: int) -> Text:
    return Text(figures.signed(amount), style=figures.colour(amount))


def _figures() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=12, style="dim", no_wrap=True)
    table.add_column(min_width=12, justify="right", no_wrap=True)
    table.add_column()
    return table


def section(title: str, lines: Iterable[RenderableType]) -> list[RenderableType]:
    """A heading with indented lines below; nothing at all when there are none."""
    shown = list(lines)
    return ["", Text(title, style="bold"), *(Padding(line, (0, 0, 0, 2)) for line in shown)] if shown else []


def _positions(positions: list[Report]) -> Iterable[RenderableType]:
    for position in positions:
        profit = position["qty"] * position["last"] - position["cost"]
        yield Text.assemble(
            (position["symbol"], "bold"),
            "  " + _("{qty} held, cost {cost}, last price {last}").format(
                qty=figures.won(position["qty"]), cost=figures.won(position["cost"]), last=figures.won(position["last"])
            )
            + "  ",
            (figures.signed(profit), figures.colour(profit)),
        )  # fmt: skip


def _denials(denials: list[Report]) -> Iterable[RenderableType]:
    for reason, count in Counter(denial["reason"] for denial in denials).most_common():
        yield Text(f"{count:>5,}  {word(reason)}")


def alerts(alerts: list[Report]) -> Iterable[RenderableType]:
    """The last alerts, one line each; with their day when they are of several."""
    shown = slice(0 if len({alert["ts"][:10] for alert in alerts}) > 1 else 11, 19)
    for alert in alerts[-SHOWN:]:
        action = f" ({said(alert['action'])})" if alert["action"] else ""
        when, style = alert["ts"][shown].replace("T", " "), LEVELS.get(alert["level"], "")
        yield Text(f"{when}  {said(alert['text'])}{action}", style=style)
    if len(alerts) > SHOWN:
        yield Text(_("and {count} earlier ones").format(count=len(alerts) - SHOWN), style="dim")


def _onward(report: Report, path: Path) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(_("Report"), str(path))
    table.add_row(_("Read on"), "qb report show")
    if report["orders"]:
        table.add_row(_("One order"), f"qb report why {report['orders'][-1]['order_id']}")
    return table


def suite(results: Iterable[Any]) -> RenderableType:
    """The offline scenarios, one row each, with their figures."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("#", justify="right")
    table.add_column(_("Scenario"), no_wrap=True)
    table.add_column(_("Result"), no_wrap=True)
    table.add_column(_("Figures"))
    for result in results:
        shown = Text(_("passed"), style="green") if result.passed else Text(_("failed"), style="bold red")
        numbers = ", ".join(f"{figure(name)} {_number(value)}" for name, value in result.figures.items())
        table.add_row(
            str(result.number), figure(result.name), shown, "\n".join(filter(None, (numbers, said(result.detail))))
        )
    return table


def _number(value: float | str) -> str:
    if isinstance(value, int):
        return figures.won(value)
    if isinstance(value, float):
        return figures.short(value)
    return ", ".join(map(_known, value.split(", ")))


def _known(name: str) -> str:
    return word(name) if name in WORDS else name

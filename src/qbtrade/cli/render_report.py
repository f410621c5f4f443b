"""The pages of `qb report`: the list of sessions, and one session in full."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qbtrade.app.sessions import Session
from qbtrade.cli import figures
from qbtrade.cli.checks import row_of
from qbtrade.cli.render import OUTCOMES, Report, alerts, overview, section
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import STOPPED, said, unit, word

SHOWN: Final = 20
"""Round trips shown; the report holds them all."""
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 56
_WHY_NO_SHARPE: Final = (N_("needs {days} trading days, had {count}"), N_("daily returns never varied"))


def session_list(found: Sequence[Session], hidden: int) -> RenderableType:
    """One line per session. hidden: how many older ones are left out."""
    table = _table(_("Run"), _("Ended"), _("Symbols"), _("Days"), right=(_("Fills"), _("Profit")))
    for session in found:
        profit = Text(figures.signed(session.profit), style=figures.colour(session.profit))
        ended = Text(word(session.outcome), style=OUTCOMES.get(session.outcome, "dim"))
        symbols = " ".join(session.symbols[:2]) + (f" +{len(session.symbols) - 2}" if session.symbols[2:] else "")
        days = _days(session) if session.symbols else ""
        table.add_row(Text(session.run_id), ended, symbols, days, figures.won(session.fills), profit)
    lines: list[RenderableType] = [table]
    lines += [Text(f"{session.run_id}: {session.problem}", style="red") for session in found if session.problem]
    if hidden:
        lines.append(Text(_("and {count} earlier ones").format(count=hidden), style="dim"))
    return Group(*lines)


def _days(session: Session) -> str:
    first, last = figures.stamp(session.start)[:10], figures.stamp(session.end)[:10]
    return first if first == last else f"{first} - {last}"


def page(report: Report) -> RenderableType:
    """One session in full."""
    session = report["session"]
    parts = overview(report)
    parts += section(_("Equity"), _equity(report))
    parts += section(_("Measures"), [_measures(report["metrics"], report["account"])])
    parts += section(_("Round trips"), _round_trips(report["round_trips"]))
    parts += section(_("Denied, by reason"), _denials(report["denials"]))
    parts += section(_("Risk states"), map(_risk_change, session["risk_changes"]))
    parts += section(_("Halts"), map(_halt, session["halts"]))
    parts += section(_("Strategy failures"), _failures(session["strategy_failures"]))
    parts += section(_("Corrections of the book"), map(correction, report.get("corrections", ())))
    parts += section(_("Alerts"), alerts(report["alerts"]))
    run = _("run {run_id}, session {session_id}, seed {seed}, {source}").format(
        run_id=report["timing"]["run_id"],
        session_id=session["id"],
        seed=session["seed"],
        source=said(session["source"]),
    )
    return Group(*parts, "", Text(run, style="dim"))


def correction(each: Report) -> Text:
    """When, of what, ours and theirs, and what proves it."""
    name = each["symbol"] or word("cash")
    ours, theirs = figures.won(each["ours"]), figures.won(each["theirs"])
    seen = " ".join(ts[11:19] for ts in each["seen"])
    proof = "; ".join(filter(None, (_("asked at {times}").format(times=seen) if seen else "", each["reason"])))
    words = (each["ts"][:19].replace("T", " "), name, f"{ours} -> {theirs}", word(each["what"]), proof)
    return Text("  ".join(filter(None, words)))


def sparkline(values: Sequence[int], width: int = _WIDTH) -> str:
    """The course of some values in at most `width` blocks, the lowest to the highest of them."""
    count = min(width, len(values))
    picked = [values[(number + 1) * len(values) // count - 1] for number in range(count)]
    low, high = min(picked), max(picked)
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[(value - low) * steps // (high - low) if high > low else 0] for value in picked)


def _equity(report: Report) -> Iterable[RenderableType]:
    points = [point["equity"] for point in report["equity_curve"]]
    if points:
        low, high = figures.won(min(points)), figures.won(max(points))
        yield Text(sparkline([report["account"]["initial_equity"], *points]))
        yield Text(_("lowest {low}, highest {high}").format(low=low, high=high), style="dim")


def _measures(metrics: Report, account: Report) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    share, none = figures.percent, "-"

    def row(name: str, ppb: int | None, aside: str = "") -> None:
        table.add_row(name, none if ppb is None else share(ppb), aside)

    row(_("Return"), metrics["return_ppb"], _won(metrics["profit"]))
    row(_("Max drawdown"), metrics["max_drawdown_ppb"], _won(-metrics["max_drawdown"]))
    row(_("Win rate"), metrics["win_rate_ppb"])
    table.add_row(_("Profit factor"), _ratio(metrics["profit_factor_ppb"]))
    table.add_row(_("Sharpe ratio"), _ratio(metrics["sharpe_ppb"]), said(metrics["sharpe_reason"]))
    row(_("Exposure"), metrics["exposure_ppb"])
    row(_("Turnover"), metrics["turnover_ppb"], figures.won(metrics["turnover"]))
    holding = metrics["average_holding_ns"]
    table.add_row(_("Average holding"), none if holding is None else figures.age(holding))
    table.add_row(_("Costs"), figures.won(account["commission"] + account["tax"]))
    for each in metrics["break_even"]:
        aside = _("{symbol}: {cost} won a share at {last}").format(
            symbol=each["symbol"], cost=figures.won(each["cost"]), last=figures.won(each["last"])
        )
        table.add_row(_("Break-even"), f"{each['ticks']} {unit('ticks')}", aside)
    return table


def _won(amount: int) -> str:
    return f"{figures.signed(amount)} {unit('KRW')}"


def _ratio(ppb: int | None) -> str:
    return "-" if ppb is None else f"{ppb / 1e9:.2f}"


def _round_trips(trips: list[Report]) -> Iterable[RenderableType]:
    if not trips:
        return
    money = (_("Bought"), _("Sold"), _("Gross"), _("Fee"), _("Tax"), _("Slippage"), _("Net"))
    table = _table(_("In"), _("Out"), _("Symbol"), right=(_("Shares"), *money), gap=1)
    for trip in trips[-SHOWN:]:
        table.add_row(
            _moment(trip["entry_ts"]),
            _moment(trip["exit_ts"], after=trip["entry_ts"]),
            trip["symbol"],
            figures.won(trip["qty"]),
            figures.won(trip["cost"] // trip["qty"]),
            figures.won(trip["proceeds"] // trip["qty"]),
            _profit(trip["gross"]),
            figures.won(trip["commission"]),
            figures.won(trip["tax"]),
            figures.signed(trip["slippage"]),
            _profit(trip["net"]),
        )
    yield table
    if len(trips) > SHOWN:
        yield Text(_("and {count} earlier ones").format(count=len(trips) - SHOWN), style="dim")


def _moment(ts: str, after: str = "") -> str:
    """Day and minute; the minute alone on the same day as `after`."""
    return ts[11:16] if ts[:10] == after[:10] else ts[5:16].replace("T", " ")


def _profit(amount: int) -> Text:
    return Text(figures.signed(amount), style=figures.colour(amount))


def _denials(denials: list[Report]) -> Iterable[RenderableType]:
    """Each reason with its count and the numbers of the denial that was furthest beyond the limit."""
    if not denials:
        return
    table = _table(_("Reason"), right=(_("Times"), _("Limit"), _("Value"), _("Distance")))
    table.add_column()
    for reason, some in groupby(
        sorted(denials, key=lambda denial: str(denial["reason"])), lambda denial: denial["reason"]
    ):
        same = list(some)
        worst = min(same, key=lambda denial: denial["distance"] or 0)
        table.add_row(word(reason), figures.won(len(same)), *row_of(worst))
    yield table


def _risk_change(change: Report) -> Text:
    where, is_end = change["symbol"] or _("account"), change["reason"] == STOPPED
    state = word("ENDED" if is_end else change["state"])
    reason = f" ({word(change['reason'])})" if change["reason"] and not is_end else ""
    numbers = f" {figures.won(change['value'])} / {figures.won(change['limit'])}" if change["limit"] else ""
    return Text(f"{_moment(change['ts'])}  {where}: {state}{reason}{numbers}")


def _halt(halt: Report) -> Text:
    until = f" - {_moment(halt['resumed'])}" if halt["resumed"] else ""
    return Text(f"{_moment(halt['ts'])}{until}  {halt['symbol']}: {word(halt['reason'])}. {said(halt['detail'])}")


def _failures(failures: list[Report]) -> Iterable[RenderableType]:
    for failure in failures:
        yield Text(f"{_moment(failure['ts'])}  {failure['symbol']}: {failure['error']}", style="red")
        yield Text(failure["traceback"], style="dim")


def _table(*names: str, right: Sequence[str] = (), gap: int = 2) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right", no_wrap=True)
    return table

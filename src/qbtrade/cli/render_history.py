"""The table of `qb report --since`, and what has to be known about it."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from qbtrade.app.history import By, Figures
from qbtrade.app.history_source import DATABASE, Question, Told
from qbtrade.cli import figures
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said, word

_HEADS: Final = {
    By.MONTH: N_("Month"), By.DAY: N_("Day"), By.SESSION: N_("Run"), By.SYMBOL: N_("Symbol"),
    By.STRATEGY: N_("Strategy"),
}  # fmt: skip


def page(asked: Question, told: Told) -> RenderableType:
    """One table for each environment, never mixed, and where the figures come from."""
    parts: list[RenderableType] = []
    for environment, rows in groupby(told.rows, lambda row: row.environment):
        parts += [Text(word(environment), style="bold"), _table(asked.by, rows), ""]
    return Group(*parts, *_notes(asked, told))


def _table(by: By, rows: Iterable[Figures]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(_(_HEADS[by]), no_wrap=True)
    money = (_("Realized"), _("Fee"), _("Tax"), _("Net"), _("Drawdown"))
    for name in (_("Sessions"), _("Round trips"), _("Win rate"), *money, _("Denied")):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        rate = row.win_rate_ppb
        table.add_row(
            row.key or _("Total"), figures.won(row.sessions), figures.won(row.trades),
            "-" if rate is None else figures.percent(rate), _profit(row.realized), figures.won(row.commission),
            figures.won(row.tax), _profit(row.net), figures.signed(-row.drawdown), figures.won(row.denials),
            style="" if row.key else "bold",
        )  # fmt: skip
    return table


def _profit(amount: int) -> Text:
    return Text(figures.signed(amount), style=figures.colour(amount))


def _notes(asked: Question, told: Told) -> Iterable[Text]:
    if told.source == DATABASE:
        yield Text(_("read from PostgreSQL"), style="dim")
    else:
        yield Text(_("read from the journals"), style="dim")
    if told.away:
        yield Text(_("PostgreSQL was not read: {cause}").format(cause=said(told.away)), style="yellow")
    if told.lacking:
        rows = sum(each.rows for each in told.lacking)
        lacking = _("PostgreSQL lacks {rows:,} rows of {count} journals of this time: run qb db fill")
        yield Text(lacking.format(rows=rows, count=len(told.lacking)), style="yellow")
    for run_id, problem in told.unreadable.items():
        yield Text(f"{run_id}: {said(problem)}", style="red")
    unfinished = sum(row.unfinished for row in told.rows if not row.key)
    if unfinished:
        yield Text(_("{count} of the sessions wrote no end").format(count=unfinished), style="yellow")
    others = {name: count for name, count in told.environments.items() if name not in told.shown}
    if others:
        names = ", ".join(f"{word(name)} {count}" for name, count in others.items())
        yield Text(_("not in it, see --env: {names}").format(names=names), style="dim")
    if asked.by is By.SYMBOL:
        yield Text(_("drawdown of a symbol: of its realized net profit; of the total: of equity"), style="dim")

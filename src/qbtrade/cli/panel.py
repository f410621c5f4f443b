"""The status of a running session: a panel for a terminal, one line for everything else."""

from collections.abc import Iterable
from itertools import chain
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from qbtrade.app.status import AlertStatus, LimitUse, Status, SymbolStatus
from qbtrade.cli import figures, live_panel
from qbtrade.cli.text import _
from qbtrade.cli.words import STOPPED, said, unit, word

SHOWN_SYMBOLS: Final = 8
SHOWN_ALERTS: Final = 3
COLUMNS: Final = 3
GAUGE: Final = 20
LEVELS: Final = {"INFO": "dim", "WARNING": "yellow", "CRITICAL": "red"}
"""How alerts look."""
_NEARLY: Final = 80
_STATES: Final = {"ACTIVE": "green", "REDUCING": "yellow", "HALTED": "bold red"}
Cell = tuple[str, str, str]
"""Label, value and style of one figure."""


def panel(status: Status) -> RenderableType:
    """Everything that can be seen of a session, 80 columns wide or more."""
    parts: list[RenderableType] = [_heading(status), _symbols(status.symbols)]
    if status.alerts:  # above the figures: what a small terminal cuts off stands at the end
        parts += [Rule(_("Alerts"), style="dim", align="left"), *chain(*map(_alert, status.alerts[-SHOWN_ALERTS:]))]
    parts += [Text(each, style="yellow") for each in _not_ours(status)]
    parts += [Rule(style="dim"), _numbers(status)]
    if status.limits:
        parts += [Rule(_("Limits used"), style="dim", align="left"), _limits(status.limits)]
    return Panel(Group(*parts), box=box.HORIZONTALS, padding=0, style="", border_style="dim")


def _heading(status: Status) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column()
    table.add_column(justify="right")
    state = Text(_state(status), style=_STATES.get(status.risk_state, ""))
    if status.risk_reason == STOPPED:
        state = Text(_state(status))
    elif status.risk_reason:
        state.append(f": {word(status.risk_reason)}")
    where = f" ({word(status.wire.environment)})" if status.wire and status.wire.environment != status.mode else ""
    told = f"{word(status.mode)}{where}  {figures.stamp(status.ts)} KST  {word(status.phase)}"
    table.add_row(Text(told, style="bold"), state)
    return table


def _state(status: Status) -> str:
    """What may be traded; a session that has stopped by itself is no halt that anybody should look into."""
    return word("ENDED" if status.risk_reason == STOPPED else status.risk_state)


def _alert(alert: AlertStatus) -> Iterable[Text]:
    yield Text(f"{figures.clock(alert.ts)}  {said(alert.text)}", style=LEVELS.get(alert.level, ""))
    if alert.action:
        yield Text(f"{' ' * len('00:00:00')}  -> {said(alert.action)}")


def _symbols(symbols: tuple[SymbolStatus, ...]) -> RenderableType:
    table = Table(box=None, expand=True, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(_("Symbol"), no_wrap=True)
    for name in (_("Last"), _("Change"), "%", _("Age"), _("Held"), _("Average"), _("Unrealized")):
        table.add_column(name, justify="right", no_wrap=True)
    held_first = sorted(symbols, key=lambda symbol: symbol.qty == 0)
    for symbol in held_first[:SHOWN_SYMBOLS]:
        table.add_row(*_symbol(symbol))
    hidden = len(symbols) - SHOWN_SYMBOLS
    return Group(table, Text(_("and {count} more").format(count=hidden), style="dim")) if hidden > 0 else table


def _symbol(symbol: SymbolStatus) -> Iterable[Text]:
    name = f"{symbol.symbol} {word(symbol.halted)}" if symbol.halted else symbol.symbol
    change = figures.colour(symbol.change)
    yield Text(name, style="bold red" if symbol.halted else "bold")
    yield Text(figures.won(symbol.last) if symbol.last else "-", style=change)
    yield Text(f"{figures.arrow(symbol.change)} {abs(symbol.change):,}", style=change)
    yield Text(figures.percent(symbol.change_ppb, sign=True), style=change)
    yield Text(figures.age(symbol.age) if symbol.last else "-")
    yield Text(figures.won(symbol.qty))
    yield Text(figures.won(symbol.cost // symbol.qty) if symbol.qty else "-")
    yield Text(figures.signed(symbol.unrealized), style=figures.colour(symbol.unrealized))


def _not_ours(status: Status) -> Iterable[str]:
    """What is in the account and nothing of qb's."""
    for each in status.foreign:
        worth = figures.won(each.worth) if each.worth else "-"
        yield _("{symbol}: {qty} shares of others, worth {worth} won; qb never sells them").format(
            symbol=each.symbol, qty=figures.won(each.qty), worth=worth
        )
    if status.aside:
        yield _("{won} won came today; limits count them from the next trading day on").format(
            won=figures.won(status.aside)
        )


def _numbers(status: Status) -> Table:
    """Three figures a row, labels and values aligned."""
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    for _column in range(COLUMNS):
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True, ratio=1)
    for heading, cells in (
        (_("Market"), _market(status)),
        (_("Orders"), _orders(status)),
        (_("Money"), _money(status)),
        (_("System"), _system(status)),
        *([(_("Wire"), live_panel.cells(status.wire, status.ts))] if status.wire else []),
    ):
        for start in range(0, len(cells), COLUMNS):
            row: list[Text] = []
            for label, value, style in cells[start : start + COLUMNS]:
                row += [Text(f" {label}", style="dim"), Text(value, style=style)]
            table.add_row(Text(heading if start == 0 else "", style="dim bold"), *row)
    return table


def _market(status: Status) -> list[Cell]:
    return [
        (_("Trades"), figures.won(status.trades), ""),
        (_("A second"), figures.short(status.trades_per_second), ""),
        (_("Bars"), figures.won(status.bars), ""),
        (_("Set aside"), figures.won(status.quarantined), "yellow" if status.quarantined else ""),
        (_("Late"), figures.won(status.late), "yellow" if status.late else ""),
        (_("Signals"), figures.won(status.signals), ""),
    ]


def _orders(status: Status) -> list[Cell]:
    return [
        (_("Orders"), figures.won(status.orders), ""),
        (_("Fills"), figures.won(status.fills), ""),
        (_("Working"), figures.won(status.working), ""),
        (_("Denied"), figures.won(status.denied), ""),
        (_("Rejected"), figures.won(status.rejected), ""),
        (_("Canceled"), figures.won(status.canceled), ""),
    ]


def _money(status: Status) -> list[Cell]:
    net = status.realized - status.commission - status.tax
    return [
        (_("Equity"), figures.won(status.equity), "bold"),
        (_("Cash"), figures.won(status.cash), ""),
        (_("Unrealized"), figures.signed(status.unrealized), figures.colour(status.unrealized)),
        (_("Realized"), figures.signed(status.realized), figures.colour(status.realized)),
        (_("Costs"), figures.won(status.commission + status.tax), ""),
        (_("Net"), figures.signed(net), figures.colour(net)),
    ]


def _system(status: Status) -> list[Cell]:
    return [
        (_("Events"), figures.won(status.events), ""),
        (_("A second"), figures.short(status.events_per_second), ""),
        (_("Per event"), figures.micros(status.latency), ""),
        (_("Memory"), figures.memory(status.memory), ""),
    ]


def _limits(limits: tuple[LimitUse, ...]) -> Table:
    table = Table.grid(expand=True, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True, ratio=1)
    table.add_column(justify="right", no_wrap=True)
    for limit in limits:
        used = max(limit.used, 0)
        full, near = used >= limit.limit, used * 100 >= limit.limit * _NEARLY
        style = "red" if full else "yellow" if near else "green"
        table.add_row(
            word(limit.name),
            Text(figures.gauge(used, limit.limit, GAUGE), style=style),
            f"{figures.won(used)} / {figures.won(limit.limit)} {unit(limit.unit)}",
            figures.share(used, limit.limit),
        )
    return table


def alert_line(alert: AlertStatus) -> str:
    """One alert in one line: when, how grave, what, and what to do."""
    action = f"; {said(alert.action)}" if alert.action else ""
    return f"{figures.stamp(alert.ts)} {word(alert.level)}: {said(alert.text)}{action}"


def line(status: Status) -> str:
    """The same in one line, for logs and pipes."""
    parts = [figures.stamp(status.ts), *map(_plain_symbol, status.symbols[:SHOWN_SYMBOLS])]
    parts.append(
        _("signals {signals}, orders {orders}, fills {fills}, denied {denied}, rejected {rejected}").format(
            signals=status.signals,
            orders=status.orders,
            fills=status.fills,
            denied=status.denied,
            rejected=status.rejected,
        )
    )
    net = status.realized + status.unrealized - status.commission - status.tax
    parts.append(
        _("equity {equity}, profit {profit}").format(equity=figures.won(status.equity), profit=figures.signed(net))
    )
    used = ", ".join(f"{word(limit.name)} {figures.share(max(limit.used, 0), limit.limit)}" for limit in status.limits)
    parts.append(f"{_state(status)} ({used})" if used else _state(status))
    speed = f"{figures.short(status.events_per_second)}/s, {figures.micros(status.latency)}"
    if status.wire:
        parts.append(live_panel.line(status.wire))
    return " | ".join([*parts, f"{speed}, {figures.memory(status.memory)}"])


def _plain_symbol(symbol: SymbolStatus) -> str:
    held = f", {symbol.qty:,} {_('held')} {figures.signed(symbol.unrealized)}" if symbol.qty else ""
    halted = f", {word(symbol.halted)}" if symbol.halted else ""
    last = f"{figures.won(symbol.last)} ({figures.percent(symbol.change_ppb, sign=True)})" if symbol.last else "-"
    return f"{symbol.symbol} {last}{held}{halted}"

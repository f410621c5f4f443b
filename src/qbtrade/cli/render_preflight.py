"""The rows of `qb preflight` on the screen, as they are found."""

from collections.abc import Collection
from typing import Final, TextIO

from rich.text import Text

from qbtrade.app.preflight.rows import Row, Status
from qbtrade.app.preflight.verdict import Verdict
from qbtrade.cli import books
from qbtrade.cli.pages import cells
from qbtrade.cli.screen import console_on
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import figure, said

TITLES: Final = {
    "configuration": N_("Configuration and secrets"),
    "machine": N_("Machine"),
    "market": N_("Market"),
    "kis": "KIS",
    "stores": N_("Stores"),
    "state": N_("State"),
    "feasibility": N_("Feasibility"),
    "rehearsal": N_("Rehearsal"),
}
NAMES: Final = {
    "settings": N_("settings"),
    "file-modes": N_("file modes"),
    "keys": N_("keys"),
    "account": N_("account number"),
    "hts-id": N_("HTS id"),
    "environment": N_("environment"),
    "python": "Python",
    "disk": N_("disk"),
    "clock": N_("clock"),
    "time-zone": N_("time zone"),
    "sleep": N_("sleep"),
    "trading-day": N_("trading day"),
    "holiday": N_("KIS's calendar"),
    "hours": N_("hours"),
    "open": N_("time to the open"),
    "symbol": N_("symbol"),
    "halted": N_("suspension"),
    "designated": N_("designation"),
    "warning": N_("investment warning"),
    "liquidation": N_("liquidation trading"),
    "ex-date": N_("ex-date"),
    "vi": N_("interruption (VI)"),
    "price-limits": N_("price limits"),
    "token": N_("access token"),
    "approval-key": N_("approval key"),
    "stream": N_("stream"),
    "balance": N_("balance"),
    "buying-power": N_("buying power"),
    "credit": N_("unsettled credit"),
    "rate-budget": N_("call budget"),
    "journal": N_("journal"),
    "intact": N_("earlier journals"),
    "postgresql": "PostgreSQL",
    "redis": "Redis",
    "halt-flag": N_("halt flag"),
    "instance": N_("other session"),
    "open-orders": N_("open orders"),
    "unconfirmed": N_("unconfirmed orders"),
    "positions": N_("positions"),
    "paper-day": N_("day on paper"),
    "first-day": N_("first real day"),
    "one-share": N_("one share"),
    "an-order": N_("an order"),
    "stop-loss": N_("stop-loss"),
    "verdict": N_("verdict"),
}
STATUS: Final = {
    Status.OK: N_("ok"),
    Status.WARN: N_("warn"),
    Status.FAIL: N_("FAIL"),
    Status.SKIP: N_("skip"),
}
_STYLE: Final = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red", Status.SKIP: "dim"}
_STATUS_WIDTH: Final = 6
_SYMBOL_WIDTH: Final = 8


def name_of(check: str) -> str:
    """The user's words for a check."""
    return _(NAMES[check]) if check in NAMES else figure(check)


class Rows:
    """Writes each row below the heading of its section. only: leave rows of any other status out."""

    def __init__(self, stream: TextIO, only: Collection[Status] = tuple(Status)) -> None:
        self._console, self._only = console_on(stream), only
        self._section = ""
        self._name_width = _SYMBOL_WIDTH + max(cells(_(name)) for name in NAMES.values()) + 1

    def show(self, row: Row) -> None:
        """Write one row, and what mends it."""
        if row.status not in self._only:
            return
        if row.section != self._section:
            self._write(Text(("\n" if self._section else "") + _(TITLES[row.section]), style="bold"))
            self._section = row.section
        told = f"{row.symbol} {name_of(row.check)}".strip()
        self._write(
            Text.assemble("  ", (_padded(_(STATUS[row.status]), _STATUS_WIDTH), _STYLE[row.status]))
            + Text(f"{_padded(told, self._name_width)}{said(row.seen)}".rstrip())
        )
        if row.mend:
            self._write(
                Text(f"  {' ' * (_STATUS_WIDTH + self._name_width)}-> {said(row.mend)}", style=_STYLE[row.status])
            )
        for line in books.grid(row.table) if row.table else ():
            self._write(Text(f"  {' ' * _STATUS_WIDTH}{line}"))

    def _write(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)
        self._console.file.flush()


def conclusion(verdict: Verdict) -> str:
    """The last lines: go or no-go, and the count of each."""
    told = _("go") if verdict.go else _("no-go: nothing is traded until the failed rows are mended")
    return f"\n{told} ({counted(verdict)})"


def counted(verdict: Verdict) -> str:
    """How many rows ended how."""
    return ", ".join(f"{_(STATUS[status])} {verdict.count(status)}" for status in Status if verdict.count(status))


def _padded(text: str, width: int) -> str:
    return text + " " * max(width - cells(text), 1)

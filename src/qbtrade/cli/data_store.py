"""`qb data list`, `show` and `check`: what is stored of market data, and what is wrong with it."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.table import Table

from qbtrade.cli import figures
from qbtrade.cli.data_options import Env, Json, Kind, Market, Sort, day_of, kind_of_rows, stored, symbols_of
from qbtrade.cli.screen import print_page
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said, word
from qbtrade.domain.instrument import parse_symbol
from qbtrade.errors import ExitCode
from qbtrade.kernel.clock import wall_ns

if TYPE_CHECKING:
    from qbtrade.app.data.finding import Finding
    from qbtrade.app.data.listing import Listed, Shown

Symbols = Annotated[list[str] | None, typer.Argument(metavar="SYMBOL", help=N_("Only these; all without"))]
Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help=N_("Which stock, as in 005930"))]
Day = Annotated[str, typer.Argument(metavar="DAY", help=N_("Which day, as in 2024-12-27"))]


def listing(symbol: Symbols = None, *, bars: Sort = "", env: Env = "", json: Json = False) -> None:
    """List what is stored: days, rows, missing days, size, adjusted or raw, source."""
    from qbtrade.app.data.listing import listed
    from qbtrade.app.rules import load_rules

    symbols, kept = symbols_of(symbol), stored(env)
    rows = [
        row for row in listed(kept, load_rules().calendar, kind_of_rows(bars)) if not symbols or row.symbol in symbols
    ]  # fmt: skip
    if json:
        _document(rows)
    elif rows:
        print_page(_table(rows), sys.stdout)
    else:
        sys.stdout.write(_("nothing is stored in {folder}").format(folder=kept.market) + "\n")
        if not env:
            sys.stdout.write(_("--env emulator shows what came from local KISs") + "\n")


def show(symbol: Symbol, day: Day, *, bars: Sort = "", env: Env = "", json: Json = False) -> None:
    """Show one day of one symbol: a summary, the first and the last rows."""
    from qbtrade.app.data.listing import show as found

    pages = found(stored(env), parse_symbol(symbol), day_of("DAY", day), kind_of_rows(bars))
    if json:
        _document(pages)
        return
    sys.stdout.write("\n\n".join("\n".join(_page(page)) for page in pages) + "\n")


def check(
    symbol: Symbols = None, *, bars: Sort = "", env: Env = "", market: Market = "", kind: Kind = "", json: Json = False
) -> None:
    """Look for gaps, duplicates, impossible prices, wrong times and corporate actions; one line for each finding."""
    from qbtrade.app.data.check import Check
    from qbtrade.app.rules import load_rules

    check_of = Check(stored(env), load_rules(), wall_ns(), market=market, kind=kind)
    findings, series = check_of.run(kind_of_rows(bars), symbols_of(symbol))
    wrong = sum(each.is_wrong for each in findings)
    if json:
        _document({"series": series, "wrong": wrong, "findings": findings})
    else:
        for line in _lines(findings):
            sys.stdout.write(line + "\n")
        sys.stdout.write(_checked(series, wrong, len(findings) - wrong) + "\n")
    raise typer.Exit(ExitCode.FAILED if wrong else ExitCode.DONE)


def _checked(series: int, wrong: int, notes: int) -> str:
    return _("{series} series checked: {wrong} findings, {notes} notes").format(series=series, wrong=wrong, notes=notes)


def _lines(findings: Iterable["Finding"]) -> Iterator[str]:
    for each in findings:
        at = f"{each.day} {each.time}".rstrip()
        note = "" if each.is_wrong else _("note") + ": "
        yield f"{each.symbol}  {each.kind}  {at}  {note}{said(each.text)}"


def _table(rows: Sequence["Listed"]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="")
    for name in (_("symbol"), _("sort")):
        table.add_column(name)
    table.add_column(_("first"))
    table.add_column(_("last"))
    for name in (_("days"), _("rows"), _("missing"), _("size")):
        table.add_column(name, justify="right")
    table.add_column(_("prices"))
    table.add_column(_("source"))
    for row in rows:
        table.add_row(
            row.symbol, row.kind, str(row.first or "-"), str(row.last or "-"), figures.won(row.days),
            figures.won(row.rows), figures.won(row.missing), _size(row.size), word(row.basis), _source(row),
        )  # fmt: skip
    return table


def _source(row: "Listed") -> str:
    parts = [row.source]
    if row.running:
        parts.append(_("{count} days not over").format(count=row.running))
    if row.unreadable:
        parts.append(_("{count} files cannot be read").format(count=row.unreadable))
    return "; ".join(part for part in parts if part)


def _page(page: "Shown") -> Iterator[str]:
    over = "" if page.is_whole else ", " + _("not over yet")
    yield f"{page.symbol}  {page.kind}  {page.day}  {word(page.basis)}, {page.source}{over}"
    yield _("  {rows:,} rows from {first} to {last}").format(rows=page.rows, first=page.first, last=page.last)
    yield _("  open {open:,}  high {high:,}  low {low:,}  close {close:,}  volume {volume:,}").format(
        open=page.open, high=page.high, low=page.low, close=page.close, volume=page.volume
    )
    for row in page.begin:
        yield _row(row)
    if page.rows > len(page.begin) + len(page.end):
        yield "  ..."
    for row in page.end:
        yield _row(row)


def _row(row: dict[str, str | int]) -> str:
    return "  " + "  ".join(value if isinstance(value, str) else f"{name} {value:,}" for name, value in row.items())


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 10**6 else f"{size / 1e3:,.1f} KB"


def _document(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")

"""`qb data import`: market data from files into the store."""

import sys
from datetime import time
from typing import TYPE_CHECKING, Annotated

import typer

from qbtrade.adapters.market_store.layout import Basis
from qbtrade.app.units import duration
from qbtrade.cli.data_fetch import ONE, document, remembered_files, span_of, stoppable
from qbtrade.cli.data_options import Json, symbols_of
from qbtrade.cli.pages import option
from qbtrade.cli.text import N_, _
from qbtrade.domain.calendar import kst_ns
from qbtrade.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from qbtrade.app.data.importing import Brought
    from qbtrade.app.data.stored import Stored

Files = Annotated[list[str], typer.Argument(metavar="FILE", help=N_("CSV or Parquet, as `qb simulate --source` reads"))]
Only = Annotated[
    list[str] | None, option("--symbol", metavar="SYMBOL", text=_("Only rows of these, or what the file is of"))
]
Since = Annotated[str, option("--from", metavar="DATE", text=_("Leave out what is before"))]
Upto = Annotated[str, option("--to", metavar="DATE", text=_("Leave out what is after"))]
Length = Annotated[str, option("--bars", metavar="LENGTH", text=_("How long the bars are, where times do not tell"))]
Raw = Annotated[bool, typer.Option("--raw", help=N_("The prices are as they traded"))]
Adjusted = Annotated[bool, typer.Option("--adjusted", help=N_("The prices are adjusted for corporate actions"))]
Skip = Annotated[bool, typer.Option("--skip-bad-rows", help=N_("Count malformed rows instead of refusing the file"))]
Replace = Annotated[bool, typer.Option("--replace", help=N_("Take the new rows where others are stored"))]


def bring_in(
    files: Files,
    *,
    symbol: Only = None,
    from_: Since = "",
    to: Upto = "",
    bars: Length = "",
    raw: Raw = False,
    adjusted: Adjusted = False,
    skip_bad_rows: Skip = False,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Bring in files of trades or bars; what is stored already is left as it is."""
    from qbtrade.app.data.importing import Wish
    from qbtrade.app.data.importing import bring_in as take
    from qbtrade.app.data.stored import Stored
    from qbtrade.app.home import home
    from qbtrade.app.rules import load_rules

    if raw and adjusted:
        raise UsageError("--raw and --adjusted contradict each other", hint="Leave both out when you do not know")
    first, last = span_of(from_, to)
    interval = duration("--bars", bars, least=1) if bars else 0
    wish = Wish(
        paths=tuple(files), symbols=symbols_of(symbol), start=kst_ns(first, time()) if first else 0,
        end=kst_ns(last + ONE, time()) if last else 0, interval=interval, skip_bad_rows=skip_bad_rows, replace=replace,
        basis=Basis.RAW if raw else Basis.ADJUSTED if adjusted else Basis.UNKNOWN,
    )  # fmt: skip
    kept, all_brought = Stored(home()), list["Brought"]()
    with stoppable() as stop:
        for brought in take(wish, kept, load_rules().calendar, stop):
            if not json:
                is_first = not any(other.path == brought.path for other in all_brought)
                sys.stdout.write(_told_of(brought, bad_rows=brought.bad_rows if is_first else 0) + "\n")
            all_brought.append(brought)
    problems = [_remembered_file(kept, brought) for brought in all_brought]
    problem = next(filter(None, problems), "")
    if json:
        document({"files": all_brought, "database": problem})
    raise typer.Exit(ExitCode.FAILED if problem else ExitCode.DONE)


def _told_of(brought: "Brought", *, bad_rows: int) -> str:
    parts = [_("{days} days, {rows:,} rows").format(days=brought.days, rows=brought.rows)]
    for count, text in (
        (brought.new, _("{count} new")),
        (brought.same, _("{count} were there")),
        (brought.replaced, _("{count} replaced")),
    ):
        if count:
            parts.append(text.format(count=count))
    if bad_rows:
        parts.append(_("{count} bad rows of the file left out").format(count=bad_rows))
    span = f"{brought.first}" if brought.first == brought.last else f"{brought.first} - {brought.last}"
    return f"{brought.symbol}  {brought.kind}  {span}  {', '.join(parts)}"


def _remembered_file(kept: "Stored", brought: "Brought") -> str:
    sheets = kept.sheets(brought.kind, brought.symbol)
    return remembered_files(kept, sheets, brought.first, brought.last)

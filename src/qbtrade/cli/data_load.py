"""`qb data load`: what is stored on this machine into the long memory."""

import sys
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from qbtrade.cli.data_options import Env, Json, Sort, day_of, kind_of_rows, stored, symbols_of
from qbtrade.cli.faults import say
from qbtrade.cli.pages import option
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import said
from qbtrade.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from qbtrade.app.data.memory import Passed

Symbols = Annotated[list[str] | None, typer.Argument(metavar="SYMBOL", help=N_("Only these; all without"))]
Since = Annotated[str, option("--from", metavar="DATE", text=_("Leave out what is before"))]
Upto = Annotated[str, option("--to", metavar="DATE", text=_("Leave out what is after"))]


def load(
    symbol: Symbols = None, *, from_: Since = "", to: Upto = "", bars: Sort = "", env: Env = "", json: Json = False
) -> None:
    """Load into PostgreSQL what it lacks of what is stored: recorded days, imported trades, bars."""
    from qbtrade.app import database
    from qbtrade.app.data.memory import remember

    first, last = day_of("--from", from_) if from_ else date.min, day_of("--to", to) if to else date.max
    if first > last:
        hint = "Write the earlier day first"
        raise UsageError("--from {first} is after --to {last}", hint=hint, first=first, last=last)
    symbols, kept, url = symbols_of(symbol), stored(env), database.url()
    sheets = [sheet for sheet in kept.sheets(kind_of_rows(bars)) if not symbols or sheet.symbol in symbols]
    if not (sheets or json):
        sys.stdout.write(_("nothing is stored in {folder}").format(folder=kept.market) + "\n")
        return
    found = list["Passed"]()
    for each in remember(url, kept, sheets, (first, last)):
        found.append(each)
        if each.problem:
            say(f"{each.symbol}  {each.kind}  {said(each.problem)}")
        elif each.loaded and not json:
            sys.stdout.write(_told(each) + "\n")
            sys.stdout.flush()
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    else:
        sys.stdout.write(_summed(found) + "\n")
    raise typer.Exit(ExitCode.FAILED if any(each.problem for each in found) else ExitCode.DONE)


def remembered(run_id: str, day: date, symbols: Iterable[str]) -> None:
    """Hand over what a run recorded; one line when that could not be done, which costs nothing else."""
    from qbtrade.app.data.finished_day import remember_day
    from qbtrade.app.home import home

    problem = remember_day(home(), run_id, day, symbols)
    if problem:
        say(
            _("the day is recorded, the database lacks it ({problem}): qb data load brings it there").format(
                problem=said(problem)
            )
        )


def _told(each: "Passed") -> str:
    what = "  ".join(map(str, filter(None, (each.symbol, each.kind, each.day))))
    return f"{what}  " + _("{loaded:,} of {rows:,} rows loaded as {source}").format(
        loaded=each.loaded, rows=each.rows, source=each.source
    )


def _summed(found: Iterable["Passed"]) -> str:
    good = [each for each in found if not each.problem]
    rows, loaded = sum(each.rows for each in good), sum(each.loaded for each in good)
    return _("the database has {rows:,} rows of this, {loaded:,} of them new").format(rows=rows, loaded=loaded)

"""`qb data download` and `import`: market data into the store, from KIS and from files."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import msgspec
import typer

from qbtrade.adapters.market_store.layout import Basis
from qbtrade.cli.data_options import Json, day_of, kind_of_rows, symbols_of
from qbtrade.cli.interrupt import Interrupts
from qbtrade.cli.pages import option
from qbtrade.cli.screen import SPEAK, console_on
from qbtrade.cli.text import N_, _
from qbtrade.cli.words import explain
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.errors import ConfigError, DatabaseError, ExitCode, NoRowsError, UsageError
from qbtrade.kernel.clock import Stopwatch
from qbtrade.kernel.loop import StopRequest

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from qbtrade.adapters.market_store.layout import Sheet
    from qbtrade.app.data.download import Outcome, Step, Wanted
    from qbtrade.app.data.stored import Stored

YEAR: Final = timedelta(days=365)
ONE: Final = timedelta(days=1)
PATIENCE: Final = 60 * NS
"""How long a question waits for its turn beside a session that trades, machine time."""
Symbols = Annotated[list[str] | None, option("--symbol", metavar="SYMBOL", text=_("Which stock; repeatable"))]
From = Annotated[str, option("--from", metavar="DATE", default=_("today; a year back for 1d"), text=_("The first day"))]
To = Annotated[str, option("--to", metavar="DATE", default=_("today"), text=_("The last day"))]
Bars = Annotated[str, option("--bars", metavar="1m|1d", default="1d", text=_("Bars of a minute or of a day"))]
KisEnv = Annotated[
    str, option("--env", metavar="NAME", default="paper", text=_("paper, real or emulator: whom to ask"))
]
Adjusted = Annotated[bool, typer.Option("--adjusted", help=N_("Daily bars adjusted for corporate actions, not raw"))]
Instead = Annotated[bool, typer.Option("--replace", help=N_("Take them in place of bars with other prices"))]


def download(
    *, symbol: Symbols = None, from_: From = "", to: To = "", bars: Bars = "1d", env: KisEnv = "",
    adjusted: Adjusted = False, replace: Instead = False, json: Json = False,
) -> None:  # fmt: skip
    """Fetch minute or daily bars from KIS; goes on where it was stopped."""
    from qbtrade.adapters.market_store.layout import DAILY
    from qbtrade.app.config import load_settings
    from qbtrade.app.data.download import MINUTES, Download
    from qbtrade.app.data.stored import Stored
    from qbtrade.app.home import home
    from qbtrade.app.kis_account import kind_of
    from qbtrade.app.plan import USUAL_SYMBOL
    from qbtrade.app.reach import reach
    from qbtrade.app.rules import load_rules

    settings, stream = load_settings(Path.cwd(), os.environ), sys.stderr if json else sys.stdout
    symbols = symbols_of(symbol) or settings.plan_defaults().symbols or (USUAL_SYMBOL,)
    kind, sort, span = kind_of(settings, env), kind_of_rows(bars), span_of(from_, to)
    if sort not in {MINUTES, DAILY}:
        raise UsageError("--bars: KIS gives no bars of {sort}", hint="Write 1m or 1d", sort=sort)
    if sort != DAILY and (adjusted or replace):
        raise UsageError("--adjusted and --replace are for daily bars", hint="KIS does not say what its minutes are")
    with ExitStack() as open_things:
        stop = open_things.enter_context(stoppable())
        way = reach(settings, kind, home(), symbols, open_things)
        way.asker.patience = PATIENCE
        basis = Basis.ADJUSTED if adjusted else Basis.RAW
        wanted = _wanted(symbols, sort, span, kst_date(way.clock.now()), basis, replace=replace)
        kept = Stored(home(), is_emulated=kind == "emulator")
        with _telling(wanted, kind, stream) as outcomes, _progress(stream) as on_step:
            trading = partial(_is_trading, home(), kind)
            fetch = Download(way, kept, load_rules().calendar, stop, on_step, is_trading=trading)
            outcomes.extend(fetch.run(wanted))
    sheets = [sheet for symbol in symbols for sheet in kept.sheets(sort, symbol)]
    problem = remembered_files(kept, sheets, date.min if adjusted else wanted.first, wanted.last)
    if json:
        document({"bars": sort, "from": wanted.first, "to": wanted.last, "symbols": outcomes, "database": problem})
    _refuse_nothing(outcomes, wanted)
    raise typer.Exit(ExitCode.FAILED if problem else ExitCode.DONE)


@contextmanager
def stoppable() -> Iterator[StopRequest]:
    """A wish to stop, which Ctrl+C makes true. What was stored until then stays."""
    from qbtrade.app.data.download import StoppedError

    stop = StopRequest()
    left = _("left at once: every file that is there is whole")
    try:
        with Interrupts(stop, _("stopping after this step; once more to leave at once"), left):
            yield stop
    except StoppedError:
        sys.stderr.write(_("stopped: what came is stored; the same command goes on from there") + "\n")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def span_of(first: str, last: str) -> tuple[date | None, date | None]:
    """Both dates, None where nothing was said. Raises: UsageError."""
    begin = day_of("--from", first) if first else None
    end = day_of("--to", last) if last else None
    if begin and end and begin > end:
        hint = "Write the earlier day first"
        raise UsageError("--from {first} is after --to {last}", hint=hint, first=begin, last=end)
    return begin, end


def _wanted(
    symbols: tuple[str, ...], sort: str, span: tuple[date | None, date | None], today: date, basis: Basis, *,
    replace: bool,
) -> "Wanted":  # fmt: skip
    from qbtrade.adapters.market_store.layout import DAILY
    from qbtrade.app.data.download import Wanted

    last = span[1] or max(today, span[0] or today)
    first = span[0] or (last - YEAR if sort == DAILY else last)
    if first > today:
        raise UsageError("--from {first} lies ahead: today is {today}", first=first, today=today)
    return Wanted(symbols, sort, first, last, basis, replace)


@contextmanager
def _progress(stream: TextIO) -> Iterator[Callable[["Step"], None]]:
    """A bar on a terminal; else a line now and then."""
    console = console_on(stream)
    if not console.is_terminal:
        yield _Lines(stream).on_step
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars).on_step


class _Bars:
    """Draws one bar for each symbol."""

    def __init__(self, bars: "Progress") -> None:
        self._bars, self._tasks = bars, dict[str, "TaskID"]()

    def on_step(self, step: "Step") -> None:
        """Move it on."""
        if step.symbol not in self._tasks:
            self._tasks[step.symbol] = self._bars.add_task(step.symbol, total=step.total)
        self._bars.update(self._tasks[step.symbol], completed=step.done, description=f"{step.symbol}  {step.day}")


class _Lines:
    """Says now and then how far it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._watch, self._due = stream, Stopwatch(), SPEAK

    def on_step(self, step: "Step") -> None:
        """Say it when it is time."""
        if self._watch.seconds() >= self._due:
            self._due = self._watch.seconds() + SPEAK
            self._stream.write(f"{step.symbol}  {step.day}  {step.done}/{step.total}\n")
            self._stream.flush()


@contextmanager
def _telling(wanted: "Wanted", kind: str, stream: TextIO) -> Iterator[list["Outcome"]]:
    """Says what became of each symbol, also of those before an error, when no bar stands on the terminal any more."""
    outcomes = list["Outcome"]()
    try:
        yield outcomes
    finally:
        stream.writelines(f"{line}\n" for outcome in outcomes for line in _told(outcome, wanted, kind))
        stream.flush()


def _is_trading(folder: Path, kind: str) -> bool:
    """Whether a session of this environment trades on this machine now."""
    from qbtrade.app.live.status_file import is_running, shown

    return any(seen.environment == kind and is_running(folder, seen) for seen in shown(folder))


def _told(outcome: "Outcome", wanted: "Wanted", kind: str) -> Iterator[str]:
    head = _("{days} days stored now ({rows:,} rows), {there} were there").format(
        days=outcome.stored, rows=outcome.rows, there=outcome.there
    )
    yield f"{outcome.symbol}  {wanted.kind}  {head}"
    if outcome.closed:
        yield "  " + _("{count} days without a session: weekends and holidays").format(count=outcome.closed)
    if outcome.absent:
        yield "  " + _("{count} days of which KIS has nothing: not listed, halted, or too old").format(
            count=outcome.absent
        )
    if outcome.unasked and kind == "paper":
        yield "  " + _(
            "{count} days not asked for: paper gives minutes of today alone (docs/kis.md: kis.past_minutes)"
        ).format(count=outcome.unasked)
    elif outcome.unasked:
        yield "  " + _("{count} days not asked for: KIS keeps no minutes so old").format(count=outcome.unasked)
    if outcome.running:
        yield "  " + _("today is not over: the next download completes it")
    if outcome.ahead:
        yield "  " + _("{count} days lie ahead").format(count=outcome.ahead)


def _refuse_nothing(outcomes: list["Outcome"], wanted: "Wanted") -> None:
    """A download after which there is nothing is no success. Raises: NoRowsError."""
    for outcome in outcomes:
        if not (outcome.stored or outcome.there or outcome.running):
            raise NoRowsError(
                "there is nothing of {symbol} from {first} to {last}", hint="Check --symbol, --from and --to",
                symbol=outcome.symbol, first=wanted.first, last=wanted.last,
            )  # fmt: skip


def remembered_files(kept: "Stored", sheets: Iterable["Sheet"], first: date, last: date) -> str:
    """Hand it to the database, where one is configured. What went wrong, in words; it is said, and costs no file."""
    from qbtrade.app.config import configured

    url = configured("database_url")
    if not url:
        return ""
    from qbtrade.app.data.memory import remember

    try:
        problems = [done.problem for done in remember(url, kept, sheets, (first, last)) if done.problem]
    except (DatabaseError, ConfigError) as error:
        problems = [explain(error)]
    for problem in problems[:1]:
        sys.stderr.write(_("the files are stored, the database lacks them: {problem}").format(problem=problem) + "\n")
    return next(iter(problems), "")


def document(value: Any) -> None:
    """Write one JSON document."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")

"""The options of `qb simulate` as one table: flag, help text, how it is read, and which field of the plan it sets."""

import inspect
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final, NamedTuple

import typer

from qbtrade.app import units
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.units import write_duration, write_rate
from qbtrade.cli import pages
from qbtrade.cli.figures import won
from qbtrade.cli.text import _
from qbtrade.domain.calendar import DAY, parse_ts
from qbtrade.domain.instrument import Kind, Market, parse_symbol
from qbtrade.errors import UnknownNameError, UsageError

Reader = Callable[[str, str], Any]
"""Takes the flag and what stands behind it. Raises: UsageError that names the flag."""
REJECT_RATE: Final = 5 * units.PERCENT
"""Share of orders that the made market refuses unless told otherwise; recorded markets refuse none. ppb."""
_ISO_DATE: Final = len("2020-02-18")


class Option(NamedTuple):
    """One option. field: of the plan, with a dot below it. default: what absence means, in words. several: may be repeated."""

    flag: str
    field: str
    read: Reader
    metavar: str
    text: str
    default: str = ""
    several: bool = False

    @property
    def name(self) -> str:
        """The flag as a parameter's name; `from` alone is a keyword."""
        name = self.flag.removeprefix("--").replace("-", "_")
        return "from_" if name == "from" else name


def _as_is(_what: str, text: str) -> str:
    return text


def _symbol(what: str, text: str) -> str:
    try:
        return parse_symbol(text)
    except UsageError as error:
        raise UsageError("{what}: {text!r} is not a symbol", hint=error.hint, what=what, text=text) from error


def _moment(what: str, text: str, *, whole_day: bool = False) -> int:
    try:
        ts = parse_ts(text)
    except UsageError as error:
        hint = "Write 2020-02-18 or 2020-02-18T09:00 (KST)"
        raise UsageError("{what}: {text!r} is not a time", hint=hint, what=what, text=text) from error
    return ts + DAY if whole_day and len(text.strip()) == _ISO_DATE else ts


def _member(names: type[StrEnum], what: str, text: str) -> str:
    name = text.strip().upper()
    if name not in names.__members__:
        raise UnknownNameError(what, text, names.__members__)
    return name


_whole = partial(units.whole, least=1)
_plan: Final = SimulationPlan()
_limits, _venue, _mock = _plan.limits, _plan.venue, _plan.mock

RUN: Final = (
    Option(
        "--symbol",
        "symbols",
        _symbol,
        "SYMBOL",
        _("What to trade; repeat it for several"),
        _plan.symbols[0],
        several=True,
    ),
    Option("--market", "market", partial(_member, Market), "NAME", _("KOSPI, KOSDAQ or KONEX, where qb does not know")),
    Option("--kind", "kind", partial(_member, Kind), "NAME", _("STOCK, ETF or ETN, where qb does not know")),
    Option(
        "--strategy",
        "strategy",
        _as_is,
        "NAME",
        _("A built-in name, package.module:Class or ./file.py:Class"),
        _plan.strategy,
    ),
    Option(
        "--param",
        "params",
        _as_is,
        "NAME=VALUE",
        _("A parameter of the strategy, as in fast=5; repeat it"),
        several=True,
    ),
    Option(
        "--bar", "interval", units.duration, "LENGTH", _("Length of a bar: 5s, 1m, 1h, 1d"), _("1m, or the file's own")
    ),
    Option("--cash", "cash", _whole, "WON", _("Cash at the start"), won(_plan.cash)),
    Option("--seed", "seed", units.whole, "N", _("The same seed gives the same session"), str(_plan.seed)),
    Option("--speed", "speed", units.speed, "N|max", _("Market seconds per second; 1 is real time"), "max"),
)
MADE: Final = (
    Option("--scenario", "mock.scenario", _as_is, "NAME", _("calm, trend, crash, limit-up or halt"), _mock.scenario),
    Option("--days", "mock.days", partial(_whole, most=1000), "N", _("Trading days"), str(_mock.days)),
    Option("--ticks", "mock.ticks", partial(_whole, most=10**7), "N", _("Trades per symbol and day"), won(_mock.ticks)),
    Option("--price", "mock.price", partial(_whole, most=10**8), "WON", _("Price at the first open"), _("near 75,000")),
    Option(
        "--volatility", "mock.volatility", units.rate, "RATE", _("How far a day moves"), write_rate(_mock.volatility)
    ),
)
RECORDED: Final = (
    Option("--from", "start", _moment, "TIME", _("Leave out what is before; KST")),
    Option(
        "--to", "end", partial(_moment, whole_day=True), "TIME", _("Leave out what is after; a date alone is included")
    ),
)
LIMITS: Final = (
    Option("--max", "limits.max_budget", _whole, "WON", _("Money at work at any moment"), won(_limits.max_budget)),
    Option(
        "--daily-loss", "limits.daily_loss", _whole, "WON", _("Loss that halts trading for the day"), _("half of --max")
    ),
    Option(
        "--stop-loss",
        "limits.stop_loss",
        units.rate,
        "RATE",
        _("Sell this far below cost; 0: never"),
        write_rate(_limits.stop_loss),
    ),
    Option("--max-orders", "limits.max_entries", _whole, "N", _("Entries a day"), str(_limits.max_entries)),
)
EXCHANGE: Final = (
    Option(
        "--reject-rate", "venue.reject_rate", units.rate, "RATE", _("Share of orders that it refuses"),
        _("{rate} in the made market, else 0").format(rate=write_rate(REJECT_RATE)),
    ),
    Option("--slippage", "venue.slippage", partial(units.whole, most=100), "TICKS", _("Price steps lost on the way"), str(_venue.slippage)),
    Option("--latency", "venue.latency", units.duration, "LENGTH", _("An order's way to it"), write_duration(_venue.latency)),
    Option("--volume-share", "venue.volume_share", units.rate, "RATE", _("Share of a print that may be ours"), write_rate(_venue.volume_share)),
    Option("--fill-model", "venue.fill_model", _as_is, "NAME", _("When a resting order counts as reached"), _venue.fill_model),
)  # fmt: skip
OUTPUT: Final = (
    Option(
        "--status-every",
        "status_every",
        partial(units.duration, bare="s"),
        "SECONDS",
        _("Market time between two panels"),
        str(_plan.status_every // units.NS_OF["s"]),
    ),
    Option("--report", "report", _as_is, "PATH", _("Write the report there, not under QB_HOME")),
)
SOURCE: Final = Option(
    "--source", "source", _as_is, "mock|FILE...", _("mock, or CSV and Parquet files of trades or bars"), "mock", several=True
)  # fmt: skip
ALL: Final = (*RUN, *MADE, SOURCE, *RECORDED, *LIMITS, *EXCHANGE, *OUTPUT)


def signature() -> inspect.Signature:
    """What typer needs to know of every option, in the order of the help page."""
    run, recorded, output = _("Strategy and run"), _("Recorded market"), _("Output")
    return inspect.Signature(
        [
            *_declared(RUN, run),
            _switch("--suite", run, _("Run the six offline scenarios instead")),
            *_declared(MADE, _("Made market")),
            *_declared((SOURCE, *RECORDED), recorded),
            _switch("--skip-bad-rows", recorded, _("Count malformed rows instead of refusing the file")),
            *_declared(LIMITS, _("Limits")),
            *_declared(EXCHANGE, _("Simulated exchange")),
            *_declared(OUTPUT, output),
            _switch("--json", output, _("The report alone on stdout, as JSON; all else on stderr")),
            _switch("--quiet", output, _("Nothing on the screen but errors")),
            _parameter("files", list[str], typer.Argument(hidden=True, metavar="[FILE...]"), None),
        ]
    )


def _declared(options: Iterable[Option], section: str) -> Iterable[inspect.Parameter]:
    for option in options:
        told = pages.option(
            option.flag, text=option.text, default=option.default, section=section, metavar=option.metavar
        )
        yield _parameter(option.name, list[str] if option.several else str, told, None)


def _switch(flag: str, section: str, text: str) -> inspect.Parameter:
    name = flag.removeprefix("--").replace("-", "_")
    return _parameter(name, bool, pages.option(flag, text=text, section=section), default=False)


def _parameter(name: str, kind: Any, told: Any, default: Any) -> inspect.Parameter:
    asked = kind if kind is bool else kind | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[asked, told])

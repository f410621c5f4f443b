"""The options of `qb simulate` as one table: flag, help text, how it is read, and which field of the plan it sets."""

import inspect
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Final, NamedTuple

import typer

from qbtrade.app import units
from qbtrade.app.config import default_text
from qbtrade.app.keys import KEYS
from qbtrade.cli import pages
from qbtrade.cli.figures import won
from qbtrade.cli.text import _
from qbtrade.domain.calendar import DAY, parse_ts
from qbtrade.domain.instrument import Kind, Market
from qbtrade.errors import UnknownNameError, UsageError

Reader = Callable[[str, str], Any]
"""Takes the flag and what stands behind it. Raises: UsageError that names the flag."""
REJECT_RATE: Final = 5 * units.PERCENT
"""Share of orders that the made market refuses unless told otherwise; recorded markets refuse none. ppb."""
_ISO_DATE: Final = len("2020-02-18")
_PLAN_FIELD: Final = {"bar": "interval"}


class Option(NamedTuple):
    """One option. field: of the plan, `limits.` and the like before it. default: what its absence means, in words."""

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


def _key(flag: str, key: str, metavar: str, *, default: str = "", several: bool = False) -> Option:
    """A flag for a key of the configuration, read and explained in the same way."""
    known = KEYS[key]
    section, _dot, name = key.partition(".")
    field = _PLAN_FIELD.get(name, name) if section == "simulate" else key
    usual = default_text(key)
    shown = default or (_(usual) if several or not usual.isdigit() else won(int(usual)))
    return Option(flag, field, known.read, metavar, _(known.text).rstrip("."), shown, several)


def as_is(_what: str, text: str) -> str:
    """The text itself."""
    return text


def _moment(what: str, text: str, *, whole_day: bool = False) -> int:
    try:
        ts = parse_ts(text)
    except UsageError as error:
        hint = "Write 2020-02-18 or 2020-02-18T09:00 (KST)"
        raise UsageError("{what}: {text!r} is not a time", hint=hint, what=what, text=text) from error
    return ts + DAY if whole_day and len(text.strip()) == _ISO_DATE else ts


def _member(names: type[StrEnum], what: str, text: str) -> str:
    name = text.strip().upper()
    if name not in list(names):
        raise UnknownNameError(what, text, names)
    return name


SOURCE: Final = Option(
    "--source", "source", as_is, "mock|recorded|db|FILE...",
    _(
        "mock; recorded: days of one's own, of an emulator recorded:RUN, bars recorded:1m;"
        " db, db:1m: PostgreSQL's; or CSV and Parquet files"
    ),
    "mock", several=True,
)  # fmt: skip
RUN: Final = (
    _key("--symbol", "simulate.symbols", "SYMBOL", several=True),
    Option("--market", "market", partial(_member, Market), "NAME", _("KOSPI, KOSDAQ or KONEX, where qb does not know")),
    Option("--kind", "kind", partial(_member, Kind), "NAME", _("STOCK, ETF or ETN, where qb does not know")),
    _key("--strategy", "simulate.strategy", "NAME"),
    Option("--param", "params", as_is, "NAME=VALUE", _("A parameter of the strategy, as in fast=5"), several=True),
    _key("--bar", "simulate.bar", "LENGTH"),
    _key("--cash", "simulate.cash", "WON"),
    _key("--seed", "simulate.seed", "N"),
    _key("--speed", "simulate.speed", "N|max"),
)
MADE: Final = (
    _key("--scenario", "mock.scenario", "NAME"),
    _key("--days", "mock.days", "N"),
    _key("--ticks", "mock.ticks", "N"),
    _key("--price", "mock.price", "WON"),
    _key("--volatility", "mock.volatility", "RATE"),
)
RECORDED: Final = (
    Option("--from", "start", _moment, "TIME", _("Leave out what is before; KST")),
    Option("--to", "end", partial(_moment, whole_day=True), "TIME", _("Leave out what is after; a date is included")),
)
LIMITS: Final = (
    _key("--max", "limits.max_budget", "WON"),
    _key("--daily-loss", "limits.daily_loss", "WON", default=_("half of --max")),
    _key("--stop-loss", "limits.stop_loss", "RATE"),
    _key("--max-orders", "limits.max_entries", "N"),
)
EXCHANGE: Final = (
    _key("--reject-rate", "venue.reject_rate", "RATE"),
    _key("--slippage", "venue.slippage", "TICKS"),
    _key("--latency", "venue.latency", "LENGTH"),
    _key("--order-kind", "simulate.order_kind", "NAME"),
    _key("--volume-share", "venue.volume_share", "RATE"),
    _key("--fill-model", "venue.fill_model", "NAME"),
)
OUTPUT: Final = (
    _key("--status-every", "simulate.status_every", "SECONDS"),
    Option("--report", "report", as_is, "PATH", _("Write the report there, not under QB_HOME")),
)
ALL: Final = (SOURCE, *RUN, *MADE, *RECORDED, *LIMITS, *EXCHANGE, *OUTPUT)


def signature() -> inspect.Signature:
    """What typer needs to know of every option, in the order of the help page."""
    run, recorded, output = _("Strategy and run"), _("Recorded market"), _("Output")
    return inspect.Signature(
        [
            *declared(RUN, run),
            switch("--suite", run, _("Run the six offline scenarios instead")),
            *declared(MADE, _("Made market")),
            *declared((SOURCE, *RECORDED), recorded),
            switch("--skip-bad-rows", recorded, _("Count malformed rows instead of refusing the file")),
            *declared(LIMITS, _("Limits")),
            *declared(EXCHANGE, _("Simulated exchange")),
            *declared(OUTPUT, output),
            switch("--json", output, _("The report alone on stdout, as JSON; all else on stderr")),
            switch("--quiet", output, _("Nothing on the screen but errors")),
            _parameter("files", list[str], typer.Argument(hidden=True, metavar="FILE"), None),
        ]
    )


def declared(options: Iterable[Option], section: str) -> Iterable[inspect.Parameter]:
    """Options as parameters of a command."""
    for option in options:
        told = pages.option(
            option.flag, text=option.text, default=option.default, section=section, metavar=option.metavar
        )
        yield _parameter(option.name, list[str] if option.several else str, told, None)


def switch(flag: str, section: str, text: str) -> inspect.Parameter:
    """A flag without a value."""
    name = flag.removeprefix("--").replace("-", "_")
    return _parameter(name, bool, pages.option(flag, text=text, section=section), default=False)


def _parameter(name: str, kind: Any, told: Any, default: Any) -> inspect.Parameter:
    asked = kind if kind is bool else kind | None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[asked, told])

"""Options that the commands of `qb data` share, and how they are read."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import typer

from qbtrade.adapters.market_store.layout import RECORDED, TRADES
from qbtrade.app.data.stored import Stored
from qbtrade.app.home import home
from qbtrade.app.kis_account import parse_kind
from qbtrade.app.units import duration, write_duration
from qbtrade.cli.pages import option
from qbtrade.cli.text import N_, _
from qbtrade.domain.instrument import parse_symbol
from qbtrade.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help=N_("One JSON document on stdout"))]
Sort = Annotated[
    str, option("--bars", metavar="LENGTH", text=_("Only bars of this length, as in 1m; trades; or recorded"))
]
Env = Annotated[
    str, option("--env", metavar="NAME", default=_("KRX"), text=_("emulator for what came from local KISs"))
]
Market = Annotated[
    str, option("--market", metavar="NAME", text=_("KOSPI, KOSDAQ or KONEX, for a symbol that qb does not know"))
]
Kind = Annotated[str, option("--kind", metavar="NAME", text=_("STOCK, ETF or ETN, for a symbol that qb does not know"))]
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


def day_of(what: str, text: str) -> date:
    """Read a date. Raises: UsageError."""
    try:
        if _DATE.fullmatch(text.strip()):
            return date.fromisoformat(text.strip())
    except ValueError:
        pass
    raise UsageError("{what}: {text!r} is not a date", hint="Write 2024-12-27", what=what, text=text)


def symbols_of(said: Sequence[str] | None) -> tuple[str, ...]:
    """Read symbols, each alone or several with commas. Raises: UsageError."""
    return tuple(dict.fromkeys(parse_symbol(part) for each in said or () for part in each.split(",")))


def kind_of_rows(text: str) -> str:
    """Read `trades`, `recorded`, `recorded:RUN` or the length of a bar; "" stays. Raises: UsageError."""
    said = text.strip().lower()
    is_one = said in {"", TRADES, RECORDED} or said.startswith(f"{RECORDED}:")
    return said if is_one else write_duration(duration("--bars", said, least=1))


def stored(env: str) -> Stored:
    """What is kept of the market that is meant. Raises: UsageError."""
    return Stored(home(), is_emulated=bool(env) and parse_kind(env) == "emulator")

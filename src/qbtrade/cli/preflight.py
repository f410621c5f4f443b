"""`qb preflight`: is everything in order to trade today?"""

import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from qbtrade.app import units
from qbtrade.app.home import home
from qbtrade.cli.pages import option
from qbtrade.cli.text import _
from qbtrade.domain.instrument import parse_symbol
from qbtrade.errors import ConfigError, ExitCode

Environment = Annotated[
    str, option("--env", metavar="NAME", default="paper", text=_("paper, real or emulator: where to look"))
]
Symbols = Annotated[
    list[str] | None, option("--symbol", metavar="SYMBOL", default="005930", text=_("What to trade; repeatable"))
]
Budget = Annotated[str, option("--max", metavar="WON", default="100,000", text=_("Money at work at any moment"))]
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("For a session that sends no order"))]
Json = Annotated[bool, typer.Option("--json", help=_("One JSON document on stdout"))]


def preflight(
    *, env: Environment = "", symbol: Symbols = None, budget: Budget = "", dry_run: DryRun = False, json: Json = False
) -> None:
    """Check everything that a session needs, send no order, and say go or no-go."""
    from qbtrade.app.preflight import preflight as check
    from qbtrade.cli.render_preflight import Rows, conclusion

    rows = Rows(sys.stderr if json else sys.stdout)
    verdict = check(
        Path.cwd(), os.environ, _home(), asked=env,
        symbols=tuple(dict.fromkeys(parse_symbol(part) for each in symbol or () for part in each.split(","))),
        budget=units.whole("--max", budget, least=1) if budget else 0,
        dry_run=dry_run,
        on_row=(lambda _row: None) if json else rows.show,
    )  # fmt: skip
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(verdict)).decode() + "\n")
    else:
        sys.stdout.write(conclusion(verdict) + "\n")
    raise typer.Exit(ExitCode.DONE if verdict.go else ExitCode.PREFLIGHT)


def _home() -> Path:
    """The home, also when the configuration cannot be read: a row tells of that."""
    try:
        return home()
    except ConfigError:
        from platformdirs import user_data_path

        return Path(os.environ.get("QB_HOME") or user_data_path("qbtrade", appauthor=False))

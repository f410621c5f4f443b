"""`qb report --since`: figures over many sessions."""

import sys
from contextlib import suppress
from datetime import date
from typing import Any, Final

import msgspec

from qbtrade.app.history import ENVIRONMENTS, By, Figures
from qbtrade.app.history_source import ALL, Question, Told, figures
from qbtrade.app.home import home
from qbtrade.cli.screen import print_page
from qbtrade.errors import UnknownNameError, UsageError

YEARS: Final = range(1990, 2200)
GROUPS: Final = "|".join(By)
KINDS: Final = "|".join((*ENVIRONMENTS, ALL))


def show(since: str, until: str, by: str, environment: str, *, journals: bool, json: bool) -> None:
    """Print the table, or the document. Raises: UsageError, NoRowsError."""
    asked = Question(
        _day("--since", since), _day("--until", until) if until else None, _by(by) if by else By.MONTH,
        _environment(environment) if environment else "", journals,
    )  # fmt: skip
    if asked.until and asked.until < asked.since:
        raise UsageError("--until {until} lies before --since {since}", since=asked.since, until=asked.until)
    told = figures(home(), asked)
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(_document(asked, told))).decode() + "\n")
        return
    from qbtrade.cli.render_history import page

    print_page(page(asked, told), sys.stdout)


def _day(flag: str, text: str) -> date:
    with suppress(ValueError):
        day = date.fromisoformat(text.strip())
        if day.year in YEARS:
            return day
    raise UsageError("{what}: {text!r} is no day", hint="Write 2026-01-31", what=flag, text=text)


def _by(text: str) -> By:
    name = text.strip().lower()
    if name not in list(By):
        raise UnknownNameError("--by", text, list(By))
    return By(name)


def _environment(text: str) -> str:
    name = text.strip().lower()
    if name not in {*ENVIRONMENTS, ALL}:
        raise UnknownNameError("--env", text, [*ENVIRONMENTS, ALL])
    return name


def _document(asked: Question, told: Told) -> dict[str, Any]:
    return {
        "since": asked.since,
        "until": asked.until,
        "by": asked.by,
        "source": told.source,
        "database_away": told.away or None,
        "lacking": {"journals": len(told.lacking), "rows": sum(each.rows for each in told.lacking)},
        "unreadable": told.unreadable,
        "environments": told.environments,
        "shown": told.shown,
        "rows": [_row(row) for row in told.rows if row.key],
        "totals": [_row(row) for row in told.rows if not row.key],
    }


def _row(row: Figures) -> dict[str, Any]:
    cells: dict[str, Any] = msgspec.to_builtins(row)
    return {**cells, "net": row.net, "win_rate_ppb": row.win_rate_ppb}

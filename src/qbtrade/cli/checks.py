"""Limits, values and distances of risk checks as the screen shows them: each unit in its own way."""

from typing import Any, Final

from qbtrade.cli import figures
from qbtrade.cli.text import _
from qbtrade.cli.words import unit, word
from qbtrade.domain.events import RiskState

_STATES: Final = tuple(RiskState)
"""By severity, as the check of the session's state counts them."""


def row_of(check: dict[str, Any]) -> tuple[str, str, str, str]:
    """Limit, value, distance and unit of a check or a denial; blanks and dashes where there is none."""
    name, limit, value, distance = (check[key] for key in ("unit", "limit", "value", "distance"))
    match name:
        case None:
            return "-", "-", "-", ""
        case "yes":
            return _yes(limit), _yes(value), "", ""
        case "state":
            return word(_STATES[limit]), word(_STATES[value]), "", ""
        case "ns":
            sign = "-" if distance < 0 else ""
            return figures.age(limit), figures.age(value), f"{sign}{figures.age(abs(distance))}", ""
        case _other:
            return figures.won(limit), figures.won(value), figures.won(distance), unit(name)


def _yes(number: int) -> str:
    return _("yes") if number else _("no")

"""What may befall a stock overnight on purpose: its shares become others, and its prices count from another base."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from qbtrade.errors import UsageError


class Action(NamedTuple):
    """So many new shares for so many old ones, and a new base of the old close's so many parts."""

    shares: tuple[int, int]
    price: tuple[int, int]


ACTIONS: Final[Mapping[str, Action]] = {
    "split": Action((5, 1), (1, 5)),
    "consolidation": Action((1, 2), (2, 1)),
    "rights": Action((1, 1), (4, 5)),
}
"""Source: PROTOCOL of the KIS wire, 5.8 (stck_sdpr); how KIS's balance follows is a guess, see docs/kis.md."""


class Planned(NamedTuple):
    """One action. day: number of the market day that begins with it, from 2 on. symbol: "" for all stocks."""

    name: str
    day: int
    symbol: str


def planned(text: str) -> Planned | None:
    """Read `split@2` or `split@2:005930`; None for another name. Raises: UsageError."""
    name, _, when = text.partition("@")
    if name not in ACTIONS:
        return None
    day, _, symbol = when.partition(":")
    if not day.isdigit() or int(day) < 2:  # noqa: PLR2004 (the first day has no night before it)
        raise UsageError("{text!r} has no day", hint="Write split@2 for the second day, or split@2:005930", text=text)
    return Planned(name, int(day), symbol)

"""What makes a row of market data unusable, as SQL conditions and in words."""

from collections.abc import Iterator
from typing import Final

import msgspec

from qbtrade.adapters.sim.table import PRICES, Kind

HIGHEST_PRICE: Final = 10**9
HIGHEST_QTY: Final = 10**12


class Problem(msgspec.Struct, frozen=True):
    """One way to be wrong. condition: SQL over a row and its session; words: {value} is what stands there."""

    column: str
    condition: str
    words: str


def problems(kind: Kind) -> tuple[Problem, ...]:
    """Everything that a row by itself can get wrong, in the order in which it is told."""
    return tuple(_problems(kind))


def _problems(kind: Kind) -> Iterator[Problem]:
    yield Problem("extra", "extra IS NOT NULL", "the row has more values than the header has columns: {value}")
    yield Problem("ts", "ts IS NULL", "{value} is not a time")
    yield Problem("symbol", "NOT is_known", "{value} is not a symbol")
    yield Problem("ts", "is_closed", "{value} is not in a session: {closed}")
    yield Problem("ts", "ts < earliest OR ts > latest", "{value} is outside the hours of its session")
    for column in PRICES[kind]:
        yield from _number(column, "won", HIGHEST_PRICE)
        yield Problem(column, f"{column} <= 0", "{value} is not a positive price")
    yield from _number("qty", "shares", HIGHEST_QTY)
    yield Problem("qty", "qty < 0", "{value} is negative")
    if kind == "bars":
        yield Problem("high", "high < greatest(open, low, close)", "{value} is below the open, low or close")
        yield Problem("low", "low > least(open, close)", "{value} is above the open or close")


def _number(column: str, unit: str, highest: int) -> Iterator[Problem]:
    yield Problem(column, f"{column} IS NULL OR NOT isfinite({column})", "{value} is not a number")
    yield Problem(column, f"{column} <> floor({column})", f"{{value}} is not whole {unit}")
    yield Problem(column, f"{column} > {highest}", f"{{value}} is beyond {highest:,}")

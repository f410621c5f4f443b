"""What makes a row of market data unusable, as SQL conditions and in words."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

import msgspec

from qbtrade.adapters.sim.table import PRICES, Kind
from qbtrade.domain.calendar import MINUTE, Calendar
from qbtrade.errors import ConfigError

HIGHEST_PRICE: Final = 10**9
HIGHEST_QTY: Final = 10**12
SYMBOL: Final = "Q?[0-9A-Z]{6}"

_EVER: Final = 2**62
_EPOCH: Final = date(1970, 1, 1)


class Problem(msgspec.Struct, frozen=True):
    """One way to be wrong. condition: SQL over a typed row and its session; words: with {value}, what stands there."""

    column: str
    condition: str
    words: str


def problems(kind: Kind) -> tuple[Problem, ...]:
    """Everything that a row by itself can get wrong, in the order in which it is told."""
    return tuple(_problems(kind))


def _problems(kind: Kind) -> Iterator[Problem]:
    yield Problem("extra", "extra IS NOT NULL", "the row has more values than the header has columns: {value}")
    yield Problem("ts", "ts IS NULL", "{value} is not a time")
    yield Problem("symbol", f"symbol IS NULL OR NOT regexp_full_match(symbol, '{SYMBOL}')", "{value} is not a symbol")
    yield Problem("ts", "closed IS NOT NULL", "{value} is not in a session: {closed}")
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


class Session(msgspec.Struct, frozen=True):
    """When rows of one day may stand and where bars are played, UTC ns. day: days since 1970; closed: why, or None."""

    day: int
    earliest: int
    latest: int
    opens: int
    ends: int
    closes: int
    closed: str | None


def session(calendar: Calendar, number: int, kind: Kind, *, is_daily: bool) -> Session:
    """The session of a KST day, given in days since 1970.

    Trades may stand from the opening auction to the last phase, and up to a minute after the close, because the closing
    auction ends at random within its last half minute or a little later. Bars begin within it. Daily bars stand anywhere.
    """
    try:
        day = calendar.trading_day(_EPOCH + timedelta(days=number))
    except ConfigError as error:
        return Session(number, 0, 0, 0, 0, 0, error.message)
    except OverflowError:
        return Session(number, 0, 0, 0, 0, 0, "there is no such day")
    last = max(day.close, day.spans[-1].end - 1)
    earliest, latest = (day.open, last) if kind == "bars" else (day.spans[0].start, max(last, day.close + MINUTE - 1))
    if is_daily:
        earliest, latest = 0, _EVER
    return Session(number, earliest, latest, day.open, day.continuous_end, day.close, None)


def sql_values(rows: Iterable[Iterable[int | str | None]]) -> str:
    """Rows as a SQL VALUES list."""
    return ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)


def _literal(value: int | str | None) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"

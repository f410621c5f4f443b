"""What is in the store: a row per symbol and sort, and one day of one symbol."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Final

import msgspec

from qbtrade.adapters.market_store import files
from qbtrade.adapters.market_store.files import Described
from qbtrade.adapters.market_store.layout import DAILY, Basis, Sheet
from qbtrade.app.data.stored import Stored
from qbtrade.domain.calendar import Calendar, iso_kst, kst_date
from qbtrade.errors import NoRowsError

SAMPLE: Final = 3
"""Rows that are shown from each end of a day."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """All of one symbol and sort. missing: trading days between first and last without rows. size: bytes.

    running: days whose end is not stored yet. unreadable: files that cannot be read.
    """

    symbol: str
    kind: str
    first: date | None
    last: date | None
    days: int
    rows: int
    missing: int
    size: int
    basis: str
    source: str
    running: int = 0
    unreadable: int = 0


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one symbol and sort. Prices in KRW. begin, end: of the rows from both ends, oldest first."""

    symbol: str
    kind: str
    day: date
    basis: str
    source: str
    is_whole: bool
    rows: int
    first: str
    last: str
    open: int
    high: int
    low: int
    close: int
    volume: int
    begin: list[dict[str, str | int]]
    end: list[dict[str, str | int]]


def listed(stored: Stored, calendar: Calendar, kind: str = "", symbol: str = "") -> Iterator[Listed]:
    """A row per symbol and sort, by sort and symbol. kind, symbol: "" for all."""
    described = files.describe(stored.connection, stored.sheets(kind, symbol))
    for (sort, name), group in groupby(described, key=lambda each: (each.sheet.sort, each.sheet.symbol)):
        yield _listed(stored, calendar, sort, name, list(group))


def basis_of(described: Sequence[Described]) -> Basis:
    """What all files of a series say, UNKNOWN where they differ."""
    said = {each.about.basis for each in described if not each.problem}
    return said.pop() if len(said) == 1 else Basis.UNKNOWN


def _listed(stored: Stored, calendar: Calendar, kind: str, symbol: str, group: Sequence[Described]) -> Listed:
    good = [each for each in group if not each.problem]
    days = _days(stored, good)
    sources = dict.fromkeys(name for each in good for name in each.about.source.split(", "))
    return Listed(
        symbol=symbol, kind=kind, first=days[0] if days else None, last=days[-1] if days else None, days=len(days),
        rows=sum(each.rows for each in good), missing=_span(calendar, days) - len(days) if days else 0,
        size=sum(each.size for each in good), basis=basis_of(group), source=", ".join(sources),
        running=sum(1 for each in good if not each.about.is_whole), unreadable=len(group) - len(good),
    )  # fmt: skip


def _days(stored: Stored, good: Sequence[Described]) -> list[date]:
    days = [each.sheet.day for each in good if each.sheet.day]
    for each in good:
        if each.sheet.day is None:
            days += [kst_date(row[0]) for row in stored.rows(each.sheet, ("ts",))]
    return sorted(set(days))


def _span(calendar: Calendar, days: Sequence[date]) -> int:
    """Trading days from the first to the last; at least as many as are there."""
    closed = sum(1 for day in days if not calendar.is_trading_day(day))
    count, day = 1 + closed, days[0]
    while day < days[-1]:
        day = calendar.next_day(day)
        count += 1
    return max(count, len(days))


def show(stored: Stored, symbol: str, day: date, kind: str = "") -> list[Shown]:
    """What is there of a symbol's day, by sort. kind: "" for all. Raises: FileError, NoRowsError."""
    found = [
        shown
        for sheet in stored.sheets(kind, symbol)
        if sheet.day in {None, day} and (shown := _shown(stored, sheet, day)) is not None
    ]
    if not found:
        raise NoRowsError(
            "nothing is stored of {symbol} on {day}", hint="`qb data list` shows what is there", symbol=symbol, day=day
        )
    return found


def _shown(stored: Stored, sheet: Sheet, day: date) -> Shown | None:
    rows = stored.rows(sheet)
    if sheet.kind == DAILY:
        rows = [row for row in rows if kst_date(row[0]) == day]
    if not rows:
        return None
    (described,) = files.describe(stored.connection, [sheet])
    prices = (1, 1, 1, 1) if sheet.has_trades else (1, 2, 3, 4)
    opens, highs, lows, closes = ([row[column] for row in rows] for column in prices)
    about, names = described.about, [name for name in sheet.columns if name != "symbol"]
    return Shown(
        symbol=sheet.symbol, kind=sheet.sort, day=day, basis=about.basis, source=about.source, is_whole=about.is_whole,
        rows=len(rows), first=iso_kst(rows[0][0]), last=iso_kst(rows[-1][0]), open=opens[0], high=max(highs),
        low=min(lows), close=closes[-1], volume=sum(row[-1] for row in rows),
        begin=[_named(names, row) for row in rows[:SAMPLE]],
        end=[_named(names, row) for row in rows[max(len(rows) - SAMPLE, SAMPLE) :]],
    )  # fmt: skip


def _named(names: Sequence[str], row: Sequence[int]) -> dict[str, str | int]:
    return {name: iso_kst(value) if name == "ts" else value for name, value in zip(names, row, strict=True)}

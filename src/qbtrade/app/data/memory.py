"""Hands stored market data to the long memory. Doing it again changes nothing there."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Final

import msgspec

from qbtrade.adapters.market_store import files
from qbtrade.adapters.market_store.files import Described, describe
from qbtrade.adapters.market_store.layout import EMULATOR, RECORDED, Basis, Sheet
from qbtrade.adapters.store.postgres import market
from qbtrade.app.data.stored import Stored
from qbtrade.app.units import duration
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.market import Bar, Trade
from qbtrade.errors import FileError

ALWAYS: Final = (date.min, date.max)
IMPORT: Final = "import"
KIS: Final = "kis"
_SUMS: Final = (
    "count(*), CAST(coalesce(sum(price), 0) AS BIGINT), CAST(coalesce(sum(qty), 0) AS BIGINT),"
    " CAST(coalesce(sum(ts % 1000000007), 0) AS BIGINT), count(*) FILTER (WHERE auction)"
)
"""As the database sums up a day."""


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """Trades of a day, or bars of one length, that the database has now.

    day: of trades. source: its name there. loaded: rows of `rows` that it lacked. problem: why a file cannot be read.
    """

    symbol: str
    kind: str
    day: date | None
    source: str
    rows: int
    loaded: int
    problem: str = ""


def remember(url: str, stored: Stored, sheets: Iterable[Sheet], span: tuple[date, date] = ALWAYS) -> Iterator[Passed]:
    """Load what the database lacks of some files. span: days, both included.

    Raises: ConfigError, DatabaseError.
    """
    described = list(describe(stored.connection, [sheet for sheet in sheets if _is_within(sheet, span)]))
    yield from _bars(url, stored, [each for each in described if not each.sheet.has_trades], span)
    yield from _trades(url, stored, [each for each in described if each.sheet.has_trades])


def _is_within(sheet: Sheet, span: tuple[date, date]) -> bool:
    return sheet.day is None or span[0] <= sheet.day <= span[1]


def source_of(each: Described) -> str:
    """What a file is called in the database: who told it. What was adjusted has a name of its own."""
    sheet, said = each.sheet, each.about.source.split(", ")
    if sheet.kind == RECORDED:
        return sheet.market.name if sheet.sort != RECORDED else RECORDED
    name = next((name for name in (KIS, EMULATOR) if name in said), IMPORT)
    return f"{name}-adjusted" if each.about.basis is Basis.ADJUSTED else name


def _trades(url: str, stored: Stored, group: Iterable[Described]) -> Iterator[Passed]:
    """Each file is a whole day, which is loaded unless rows and sums of it are there already."""
    for each in group:
        sheet, source, loaded = each.sheet, source_of(each), 0
        if each.problem or sheet.day is None:
            yield _passed(each, problem=each.problem)
            continue
        try:
            (here,) = files.ask(stored.connection, sheet, f"SELECT {_SUMS} FROM {files.played(sheet)}")  # noqa: S608
        except FileError as error:
            yield _passed(each, problem=error.message)
            continue
        (there,) = market.sums(url, source, [(sheet.symbol, sheet.day)])
        if here != there:
            loaded = market.load_trades(url, source, _events(stored, sheet)).rows
        yield _passed(each, rows=here[0], loaded=loaded)


def _events(stored: Stored, sheet: Sheet) -> Iterator[Trade]:
    symbol = sheet.symbol
    for ts, price, qty, auction in files.prices(stored.connection, sheet):
        yield Trade(ts, symbol, price, qty, auction)


def _bars(url: str, stored: Stored, group: Iterable[Described], span: tuple[date, date]) -> Iterator[Passed]:
    """All bars of one symbol and length that come from one source go at once."""
    for (_sort, _symbol, source), each in groupby(group, key=lambda one: (*_series(one), source_of(one))):
        parts = list(each)
        try:
            found = [bar for part in parts for bar in _read(stored, part.sheet, span)]
        except FileError as error:
            yield _passed(parts[0], problem=error.message)
            continue
        done = market.load_bars(url, source, found, adjusted=parts[0].about.basis is Basis.ADJUSTED)
        yield _passed(parts[0], rows=done.rows, loaded=done.changed)


def _series(each: Described) -> tuple[str, str]:
    return each.sheet.sort, each.sheet.symbol


def _read(stored: Stored, sheet: Sheet, span: tuple[date, date]) -> Iterator[Bar]:
    length = duration(sheet.kind, sheet.kind)
    for start, first, high, low, close, volume in stored.rows(sheet):
        if span[0] <= kst_date(start) <= span[1]:
            yield Bar(start + length, sheet.symbol, start, first, high, low, close, volume)


def _passed(each: Described, *, rows: int = 0, loaded: int = 0, problem: str = "") -> Passed:
    sheet = each.sheet
    return Passed(
        symbol=sheet.symbol, kind=sheet.sort, day=sheet.day, source=source_of(each), rows=rows, loaded=loaded,
        problem=problem,
    )  # fmt: skip

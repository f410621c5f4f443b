"""Hands stored market data to the long memory. Doing it again changes nothing there."""

from collections.abc import Iterable, Iterator
from datetime import date

from qbtrade.adapters.market_store.files import describe
from qbtrade.adapters.market_store.layout import TRADES, Basis, Sheet
from qbtrade.adapters.store.postgres import market
from qbtrade.app.data.stored import Stored
from qbtrade.app.units import duration
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.market import Bar, Trade


def remember(url: str, stored: Stored, sheets: Iterable[Sheet], source: str, first: date, last: date) -> int:
    """Load the rows of files from first to last, both included. Gives how many. Raises: ConfigError, DatabaseError."""
    parts = list(sheets)
    trades = [sheet for sheet in parts if sheet.kind == TRADES]
    bars = [sheet for sheet in parts if sheet.kind != TRADES]
    count = market.load_trades(url, source, _trades(stored, trades, first, last)).rows if trades else 0
    adjusted = {each.sheet for each in describe(stored.connection, bars) if each.about.basis is Basis.ADJUSTED}
    for flag in (True, False):
        some = [sheet for sheet in bars if (sheet in adjusted) is flag]
        if some:
            count += market.load_bars(url, source, _bars(stored, some, first, last), adjusted=flag).rows
    return count


def _rows(stored: Stored, sheets: Iterable[Sheet], first: date, last: date) -> Iterator[tuple[Sheet, tuple[int, ...]]]:
    for sheet in sheets:
        if sheet.day is None or first <= sheet.day <= last:
            yield from ((sheet, row) for row in stored.rows(sheet) if first <= kst_date(row[0]) <= last)


def _trades(stored: Stored, sheets: Iterable[Sheet], first: date, last: date) -> Iterator[Trade]:
    for sheet, (ts, price, qty) in _rows(stored, sheets, first, last):
        yield Trade(ts, sheet.symbol, price, qty)


def _bars(stored: Stored, sheets: Iterable[Sheet], first: date, last: date) -> Iterator[Bar]:
    for sheet, (start, *numbers) in _rows(stored, sheets, first, last):
        first_price, high, low, close, volume = numbers
        yield Bar(start + duration(sheet.kind, sheet.kind), sheet.symbol, start, first_price, high, low, close, volume)

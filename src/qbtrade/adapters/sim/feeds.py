"""Feeds that read a recording batch by batch: iterating again reads again."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from qbtrade.adapters.sim import bar_path
from qbtrade.domain.market import Trade

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH: Final = 2048


class _Recorded:
    """Rows of one query, in its order."""

    def __init__(self, connection: "DuckDBPyConnection", sql: str, symbols: Sequence[str]) -> None:
        self._connection, self._sql, self._symbols = connection, sql, symbols

    def _batches(self) -> Iterator[list[Any]]:
        cursor = self._connection.cursor()
        cursor.execute(self._sql)
        while rows := cursor.fetchmany(_BATCH):
            yield rows


class PlainTrades(_Recorded):
    """Trades of one symbol: (ts, price, qty)."""

    def __iter__(self) -> Iterator[Trade]:
        (symbol,) = self._symbols
        for rows in self._batches():
            yield from [Trade(ts, symbol, price, qty) for ts, price, qty in rows]


class MixedTrades(_Recorded):
    """Trades of several symbols, or some of them of an auction: (ts, symbol, price, qty, auction)."""

    def __iter__(self) -> Iterator[Trade]:
        one = {symbol: symbol for symbol in self._symbols}  # so that all trades share one text, whose hash is known
        for rows in self._batches():
            yield from [Trade(ts, one[symbol], price, qty, auction) for ts, symbol, price, qty, auction in rows]


class Bars(_Recorded):
    """Bars, played as four prints each: see bar_path.BarRow."""

    def __iter__(self) -> Iterator[Trade]:
        return bar_path.play(chain.from_iterable(self._batches()))

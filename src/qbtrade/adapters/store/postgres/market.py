"""Market data in the long memory: trades and bars, loaded by binary COPY and read back in order.

Loading is idempotent, in one transaction: what was loaded stands there once, however often it is loaded, and a load
that fails leaves nothing of itself. `source` says who told it ("recorded", "kis", a file's name); the same symbol may
stand there from several sources, and whoever reads takes one of them.

    load_trades(url, "recorded", trades)              # replaces each symbol's day (KST) that it brings anything of
    load_bars(url, "kis", bars, adjusted=False)       # bars of the same symbol, length and end are overwritten
    for trade in read_trades(url, ["005930"], start=..., end=...): ...
    for bar in read_bars(url, ["005930"], MINUTE, start=..., end=...): ...

`url` is `qbtrade.app.database.url()`. All functions raise ConfigError without a connection and DatabaseError for what
the server refuses, one line each.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from itertools import chain, count, islice
from typing import Any, Final

import msgspec
from psycopg import sql

from qbtrade.adapters.store.postgres.connection import Connection, connected
from qbtrade.adapters.store.postgres.copying import (
    FLAG,
    INTEGER,
    MOMENT,
    TEXT,
    Y2K,
    copy_rows,
    copy_statement,
    copying,
    micros,
)
from qbtrade.adapters.store.postgres.migrations import require
from qbtrade.adapters.store.postgres.projection import moment
from qbtrade.domain.calendar import DAY, MINUTE, kst_ns
from qbtrade.domain.market import Bar, Trade
from qbtrade.errors import DatabaseError, NoRowsError

_MADE: Final = re.compile(r"emulator(-adjusted)?|\d{8}-\d{6}-\d{6}")
"""Sources that are local KISs: what was downloaded from them, and the run of whoever recorded them."""
_SHOWN: Final = 5
CHUNK: Final = 16_384
"""Rows that are held in memory at a time."""
_LOCK: Final = "SELECT pg_advisory_xact_lock(7221, 3)"
_KST: Final = 9 * 60 * MINUTE

_TRADE: Final = {
    "symbol": TEXT, "source": TEXT, "seq": INTEGER, "ts": INTEGER, "at": MOMENT, "price": INTEGER, "qty": INTEGER,
    "auction": FLAG,
}  # fmt: skip
_BAR: Final = {
    "symbol": TEXT, "interval_ns": INTEGER, "source": TEXT, "ts": INTEGER, "at": MOMENT, "open": INTEGER,
    "high": INTEGER, "low": INTEGER, "close": INTEGER, "volume": INTEGER, "adjusted": FLAG,
}  # fmt: skip
_COPY_TRADES: Final = copy_statement(sql.Identifier("qb", "trades"), _TRADE)
_COPY_BARS: Final = copy_statement(sql.Identifier("qb_draft"), [*_BAR, "n"])
_FORGET: Final = "DELETE FROM qb.trades WHERE symbol = %s AND source = %s AND at >= %s AND at < %s"
_DRAFT: Final = "CREATE TEMPORARY TABLE qb_draft (LIKE qb.bars, n bigint NOT NULL) ON COMMIT DROP"
_TAKE: Final = f"""
INSERT INTO qb.bars AS known ({", ".join(_BAR)})
SELECT DISTINCT ON (symbol, interval_ns, source, at) {", ".join(_BAR)}
FROM qb_draft ORDER BY symbol, interval_ns, source, at, n DESC
ON CONFLICT (symbol, interval_ns, source, at) DO UPDATE SET
    ts = excluded.ts, open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    volume = excluded.volume, adjusted = excluded.adjusted
WHERE (known.open, known.high, known.low, known.close, known.volume, known.adjusted) IS DISTINCT FROM
    (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume, excluded.adjusted)
"""  # noqa: S608 (our own names)
_SPAN: Final = "symbol = ANY(%(symbols)s) AND at >= %(first)s AND at < %(last)s AND ts >= %(start)s AND ts < %(end)s"
_SOURCES: Final = {
    "trades": f"SELECT DISTINCT source FROM qb.trades WHERE {_SPAN} ORDER BY source",  # noqa: S608
    "bars": f"SELECT DISTINCT source FROM qb.bars WHERE {_SPAN} AND interval_ns = %(interval)s ORDER BY source",  # noqa: S608
}
_TRADES: Final = f"""
SELECT ts, symbol, price, qty, auction FROM qb.trades WHERE {_SPAN} AND source = %(source)s ORDER BY ts, symbol, seq
"""  # noqa: S608
_BARS: Final = f"""
SELECT ts, symbol, ts - interval_ns, open, high, low, close, volume FROM qb.bars
WHERE {_SPAN} AND source = %(source)s AND interval_ns = %(interval)s ORDER BY ts, symbol
"""  # noqa: S608
_SUMS: Final = """
SELECT count(*), coalesce(sum(price), 0)::bigint, coalesce(sum(qty), 0)::bigint,
    coalesce(sum(ts %% 1000000007), 0)::bigint, count(*) FILTER (WHERE auction)
FROM qb.trades WHERE symbol = %s AND source = %s AND at >= %s AND at < %s
"""
_HELD: Final = """
SELECT 'trades', symbol, source, 0, false, min(ts), max(ts), count(*) FROM qb.trades GROUP BY symbol, source
UNION ALL
SELECT 'bars', symbol, source, interval_ns, bool_or(adjusted), min(ts), max(ts), count(*) FROM qb.bars
GROUP BY symbol, source, interval_ns
ORDER BY 1, 2, 3, 4
"""


class Loaded(msgspec.Struct, frozen=True):
    """What a load did. rows: that it brought; replaced: trades of the same symbol, day and source that it removed.

    changed: bars that were not there, or otherwise.
    """

    rows: int
    replaced: int = 0
    changed: int = 0


class Held(msgspec.Struct, frozen=True):
    """What is there of one symbol from one source. kind: trades or bars; interval: ns of a bar; first, last: UTC ns."""

    kind: str
    symbol: str
    source: str
    interval: int
    adjusted: bool
    first: int
    last: int
    rows: int


def load_trades(url: str, source: str, trades: Iterable[Trade]) -> Loaded:
    """Bring trades in, of any symbols and days; those of one symbol and moment keep their order.

    A symbol's day (KST) of which anything comes is replaced as a whole, so bring whole days. All or nothing.
    """
    rows, replaced = Rows(source, trades), 0
    with connected(url) as connection, connection.transaction():
        require(connection)
        connection.execute(_LOCK)
        while day := rows.begin():
            replaced += _make_room(connection, source, *day)
            with copying(connection, _COPY_TRADES, _TRADE.values()) as write:
                for row in rows:
                    write(row)
    return Loaded(rows.brought(), replaced)


class Rows:
    """Trades as rows, up to the first one of a day for which there has to be room; then `begin` goes on."""

    def __init__(self, source: str, trades: Iterable[Trade]) -> None:
        self._source, self._trades = source, iter(trades)
        self._next = next(self._trades, None)
        self._counts: dict[tuple[str, int], Iterator[int]] = {}
        self._days: dict[str, tuple[int, int, Iterator[int]]] = {}

    def begin(self) -> tuple[str, int] | None:
        """The symbol and day (KST) of the next trade, None without one."""
        if self._next is None:
            return None
        day = self._next.symbol, (self._next.ts + _KST) // DAY
        self._counts[day] = count(1)
        return day

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        source, days = self._source, self._days
        for trade in chain([self._next] if self._next else (), self._trades):
            symbol, ts = trade.symbol, trade.ts
            day = days.get(symbol)
            if day is None or not day[0] <= ts < day[1]:
                day = self._known(symbol, (ts + _KST) // DAY)
                if day is None:
                    self._next = trade
                    return
            yield symbol, source, next(day[2]), ts, ts // 1000 - Y2K, trade.price, trade.qty, trade.auction
        self._next = None

    def brought(self) -> int:
        """How many there were."""
        return sum(next(numbers) - 1 for numbers in self._counts.values())

    def _known(self, symbol: str, day: int) -> tuple[int, int, Iterator[int]] | None:
        """From when to when the day lasts, and what numbers its trades."""
        numbers = self._counts.get((symbol, day))
        if numbers is None:
            return None
        self._days[symbol] = found = day * DAY - _KST, (day + 1) * DAY - _KST, numbers
        return found


def sums(url: str, source: str, days: Iterable[tuple[str, date]]) -> list[tuple[int, int, int, int, int]]:
    """What is there of each symbol and day (KST), to be compared with a file of them.

    Rows, the sums of their prices, their shares and their times (each modulo 1,000,000,007), and rows of auctions.
    """
    with connected(url) as connection:
        require(connection)
        spans = ((symbol, kst_ns(day, time())) for symbol, day in days)
        asked = ([symbol, source, moment(start), moment(start + DAY)] for symbol, start in spans)
        return [found for each in asked for found in connection.execute(_SUMS, each).fetchall()]


def load_bars(url: str, source: str, bars: Iterable[Bar], *, adjusted: bool) -> Loaded:
    """Bring bars in, of any symbols and lengths; a bar that is there already is overwritten where it differs.

    A bar's length is `ts - start`: a daily one goes from midnight to midnight (KST). Of two bars of the same symbol,
    length and end the later one stays. adjusted: for corporate actions after it.
    """
    rest = iter(bars)
    count = changed = 0
    with connected(url) as connection, connection.transaction():
        require(connection)
        connection.execute(_LOCK)
        while chunk := list(islice(rest, CHUNK)):
            ends = [bar.ts for bar in chunk]
            connection.execute("SELECT qb.prepare(%s, %s)", [moment(min(ends)), moment(max(ends))])
            connection.execute(_DRAFT)
            rows = _bar_rows(source, chunk, adjusted=adjusted)
            copy_rows(connection, _COPY_BARS, [*_BAR.values(), INTEGER], rows)
            changed += connection.execute(_TAKE).rowcount
            connection.execute("DROP TABLE qb_draft")
            count += len(chunk)
    return Loaded(count, changed=changed)


def read_trades(url: str, symbols: Sequence[str], *, start: int, end: int, source: str = "") -> Iterator[Trade]:
    """Trades of [start, end), UTC ns, in order of time; of the same moment by symbol, then as they were loaded.

    source: "" for the only one that has any. Raises: DatabaseError also when several have.
    """
    one = {symbol: symbol for symbol in symbols}  # so that all trades share one text, whose hash is known
    for ts, symbol, *rest in _read(url, _TRADES, symbols, start, end, source, 0):
        yield Trade(ts, one[symbol], *rest)


def read_bars(
    url: str, symbols: Sequence[str], interval: int, *, start: int, end: int, source: str = ""
) -> Iterator[Bar]:
    """Bars of one length (ns) that end in [start, end), UTC ns, in order of their ends, then by symbol.

    source: as in `read_trades`.
    """
    for row in _read(url, _BARS, symbols, start, end, source, interval):
        yield Bar(*row)


def held(url: str) -> list[Held]:
    """What is there, by kind, symbol and source."""
    with connected(url) as connection:
        require(connection)
        return [Held(*row) for row in connection.execute(_HELD)]


def _make_room(connection: Connection, source: str, symbol: str, day: int) -> int:
    """Take away what is there of a day. Gives how many trades that were."""
    first, last = moment(day * DAY - _KST), moment((day + 1) * DAY - _KST)
    connection.execute("SELECT qb.prepare(%s, %s)", [first, last])
    return connection.execute(_FORGET, [symbol, source, first, last]).rowcount


def _bar_rows(source: str, chunk: Iterable[Bar], *, adjusted: bool) -> Iterator[tuple[Any, ...]]:
    for number, bar in enumerate(chunk):
        ts = bar.ts
        yield (
            bar.symbol, ts - bar.start, source, ts, micros(ts), bar.open, bar.high, bar.low, bar.close, bar.volume,
            adjusted, number,
        )  # fmt: skip


def source(url: str, symbols: Sequence[str], interval: int, *, start: int, end: int, named: str = "") -> str:
    """Who told of a span: whoever is named, or else the only one of the market; "" for nobody.

    interval: ns of a bar, 0 for trades. Raises: DatabaseError when several did, NoRowsError when the named one did not.
    """
    kind = "bars" if interval else "trades"
    with connected(url) as connection:
        require(connection)
        asked = _asked(symbols, start, end, interval)
        found = [name for (name,) in connection.execute(_SOURCES[kind], asked)]
    if named and named not in found:
        raise NoRowsError(
            "{name} told no {kind} of this span to the database", hint="Others did: {others}", name=named, kind=kind,
            others=", ".join(found) or "-",
        )  # fmt: skip
    return named or _only(found, kind)


def _asked(symbols: Sequence[str], start: int, end: int, interval: int) -> dict[str, Any]:
    return {
        "symbols": list(symbols), "first": moment(start), "last": moment(end + 999), "start": start, "end": end,
        "interval": interval,
    }  # fmt: skip


def _read(
    url: str, query: str, symbols: Sequence[str], start: int, end: int, told_by: str, interval: int
) -> Iterator[Any]:
    told_by = told_by or source(url, symbols, interval, start=start, end=end)
    with connected(url) as connection, connection.transaction():
        require(connection)
        with connection.cursor(name="qb_read", binary=True) as cursor:
            cursor.itersize = CHUNK
            cursor.execute(query, {**_asked(symbols, start, end, interval), "source": told_by})
            yield from cursor


def _only(found: Sequence[str], kind: str) -> str:
    """The one source that is meant where none was named; what local KISs made is left out beside the market."""
    real = [name for name in found if not _MADE.fullmatch(name)] or found
    if len(real) > 1:
        raise DatabaseError(
            "several sources hold {kind} of this span: {names}", hint="Name one of them: --source db:NAME, db:1m:NAME",
            kind=kind, names=", ".join(real[-_SHOWN:]) + (", …" if len(real) > _SHOWN else ""),
        )  # fmt: skip
    return real[0] if real else ""

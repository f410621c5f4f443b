"""Series of bars that are as they should be, to be spoiled by a test."""

from collections.abc import Iterable
from datetime import date, time
from itertools import groupby

from qbtrade.adapters.market_store.layout import Basis
from qbtrade.app.data.finding import Finding, Row, Series
from qbtrade.app.data.holes import Checked, together
from qbtrade.app.data.series import check_series
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import DAY, MINUTE, kst_date, kst_ns
from qbtrade.domain.instrument import Instrument, Kind, Market

FIRST = date(2026, 11, 2)
CALENDAR = load_rules().calendar
FOREVER = 2**62


def a_series(interval: int = MINUTE, symbol: str = "005930", *, kind: Kind = Kind.STOCK, **changes: Basis) -> Series:
    """Minutes of Samsung."""
    name = {MINUTE: "1m", DAY: "1d", 0: "trades"}[interval]
    return Series(symbol, name, interval, Instrument(symbol, Market.KOSPI, kind), **changes)


def trading_days(count: int, first: date = FIRST) -> list[date]:
    """So many days with a session."""
    return [first, *(CALENDAR.next_day(first, n) for n in range(1, count))]


def flat(ts: int, price: int = 75_000, volume: int = 10) -> Row:
    """A bar of one price."""
    return Row(ts, price, price, price, price, volume)


def minutes(day: date = FIRST, price: int = 75_000, *, without: Iterable[int] = ()) -> list[Row]:
    """Every minute of a day from 9:00 to 15:19, and the closing auction, but for some by number."""
    start = kst_ns(day, time(9))
    left_out = set(without)
    rows = [flat(start + number * MINUTE, price) for number in range(380) if number not in left_out]
    return [*rows, flat(kst_ns(day, time(15, 30)), price)]


def daily(prices: Iterable[int], first: date = FIRST) -> list[Row]:
    """A flat bar for each trading day."""
    all_prices = list(prices)
    days = trading_days(len(all_prices), first)
    return [flat(kst_ns(day, time()), price) for day, price in zip(days, all_prices, strict=True)]


def checked(
    series: Series,
    rows: Iterable[Row],
    *,
    until: int = FOREVER,
    quiet: Iterable[date] = (),
    running: Iterable[date] = (),
) -> Checked:
    """Check rows of any days."""
    by_day = ((day, list(mine)) for day, mine in groupby(rows, key=lambda row: kst_date(row.ts)))
    return check_series(series, by_day, load_rules(), until=until, quiet=set(quiet), running=set(running))


def found(series: Series, rows: Iterable[Row], *, until: int = FOREVER, quiet: Iterable[date] = ()) -> list[Finding]:
    """What a check of one series alone finds."""
    return together([checked(series, rows, until=until, quiet=quiet)])


def codes(findings: Iterable[Finding]) -> list[tuple[str, str, str, int]]:
    """Where, what, and how much."""
    return [(each.day, each.time, each.code, each.count) for each in findings]

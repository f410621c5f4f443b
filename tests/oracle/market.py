"""Recorded bars as the rehearsal plays them, read from the raw files in SQL: one row per bar, four per path."""

from collections.abc import Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

FIVE_MINUTES = 300_000_000_000
MAKE = """
CREATE TABLE raw (
    symbol VARCHAR, feed INTEGER, ts VARCHAR, open BIGINT, high BIGINT, low BIGINT, close BIGINT, volume BIGINT
)
"""
READ = """
INSERT INTO raw
SELECT '{symbol}', {feed}, #1, CAST(open AS BIGINT), CAST(high AS BIGINT), CAST(low AS BIGINT), CAST(close AS BIGINT),
    CAST(volume AS BIGINT)
FROM read_csv('{path}', all_varchar = true) WHERE left(#1, 10) BETWEEN '{first}' AND '{last}'
"""
BARS = """
CREATE TABLE bar AS
WITH placed AS (
    SELECT symbol, feed, s.day, s.closes, open, high, low, close, volume,
        IF({daily}, s.opens, epoch_ns(CAST(left(ts, 19) AS TIMESTAMP)) - 32400000000000) AS start,
        IF({daily}, s.ends, start + {five}) AS till,
        IF({daily}, s.closes, till) AS closes_at
    FROM raw JOIN session AS s ON CAST(left(ts, 10) AS DATE) = s.day
)
SELECT placed.*, grid_of(market, kind, placed.day) AS grid,
    row_number() OVER (PARTITION BY symbol ORDER BY start) AS n
FROM placed JOIN listing USING (symbol)
"""
PRINTS = """
CREATE TABLE print AS
WITH told AS (
    SELECT *, high - open < open - low AS is_high_near, (till - start) // 3 AS third,
        2 * (till - start) // 3 AS two_thirds
    FROM bar
), four AS (
    SELECT *, UNNEST([
        {'k': 0, 'ts': start, 'price': open, 'qty': volume // 4},
        {'k': 1, 'ts': start + third, 'price': IF(is_high_near, high, low), 'qty': volume // 4},
        {'k': 2, 'ts': start + two_thirds, 'price': IF(is_high_near, low, high), 'qty': volume // 4},
        {'k': 3, 'ts': till - 1, 'price': close, 'qty': volume - 3 * (volume // 4)}], recursive := true)
    FROM told
), sessions AS (
    SELECT symbol, day, lag(arg_max(close, start)) OVER (PARTITION BY symbol ORDER BY day) AS base,
        arg_min(open, start) AS first
    FROM bar GROUP BY symbol, day
), splits AS (
    SELECT symbol, min(day) AS day FROM sessions WHERE abs(first - base) * 10 > 3 * base + 20 GROUP BY symbol
)
SELECT four.* EXCLUDE (is_high_near, third, two_thirds),
    splits.day IS NULL OR four.day < splits.day AS is_good, false AS is_auction
FROM four JOIN sessions USING (symbol, day) LEFT JOIN splits USING (symbol)
ORDER BY ts, feed
"""
BASES = """
CREATE TABLE base AS
SELECT symbol, day, grid, lag(arg_max(close, start)) OVER (PARTITION BY symbol ORDER BY day) AS base
FROM bar GROUP BY symbol, day, grid
"""
BANDS = """
CREATE TABLE band AS
WITH width AS (SELECT *, base * 3 // 10 - base * 3 // 10 % tick_of(grid, base) AS width FROM base)
SELECT symbol, day, tick_up(grid, base - width - 1) AS lower, tick_down(grid, base + width + 1) AS upper FROM width
"""
"""Three tenths of the base, cut to its tick; then each limit is cut to its own grid, inwards."""


def load_market(
    db: DuckDBPyConnection, files: Sequence[Path], *, daily: bool, first: str = "2018-01-01", last: str = "2099-12-31"
) -> None:
    """Tables raw, bar, print, base and band of files named by their symbol, in the order in which they are played.

    A print `is_good` until the first session that opens beyond 30 % of the close before: from there a split is in
    the prices.
    """
    db.execute(MAKE)
    for feed, path in enumerate(files):
        db.execute(READ.format(symbol=path.stem, feed=feed, path=path, first=first, last=last))
    db.execute(BARS.format(daily=daily, five=FIVE_MINUTES))
    db.execute(PRINTS)
    db.execute(BASES)
    limit_prices(db)


def limit_prices(db: DuckDBPyConnection) -> None:
    """Table band: the price limits of each day around its base."""
    db.execute(BANDS)

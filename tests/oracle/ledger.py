"""The books of a session kept again in SQL, from nothing but the executions that its report lists."""

from pathlib import Path

from duckdb import DuckDBPyConnection

FILL = (
    "ts VARCHAR, order_id VARCHAR, symbol VARCHAR, side VARCHAR, qty BIGINT, price BIGINT, commission BIGINT,"
    " tax BIGINT"
)
ORDER = (
    "ts VARCHAR, order_id VARCHAR, symbol VARCHAR, side VARCHAR, purpose VARCHAR, kind VARCHAR, tif VARCHAR,"
    " qty BIGINT, price BIGINT, reference BIGINT, signal VARCHAR, repriced_from VARCHAR, status VARCHAR,"
    " reason VARCHAR, filled_qty BIGINT, filled_amount BIGINT, commission BIGINT, tax BIGINT, slippage BIGINT"
)
LISTED = """
CREATE TABLE {rows}_listed AS
SELECT generate_subscripts({rows}, 1) AS n, UNNEST({rows}, recursive := true)
FROM read_json('{report}', columns = {{'{rows}': 'STRUCT({types})[]'}})
"""
FILLS = """
CREATE TABLE fill AS
SELECT n, iso_ns(ts) AS ts, day_of(iso_ns(ts)) AS day, order_id, symbol, side, qty, price, qty * price AS amount,
    side = 'BUY' AS is_buy, market, kind, commission AS said_commission, tax AS said_tax
FROM fills_listed JOIN listing USING (symbol)
"""
ORDERS = """
CREATE TABLE wish AS
SELECT n, iso_ns(ts) AS ts, order_id, symbol, side, purpose, qty, price, reference, status, reason, filled_qty,
    filled_amount, commission, tax, slippage
FROM orders_listed
"""
COSTS = """
CREATE TABLE cost AS
WITH rated AS (
    SELECT fill.*, commission.ppb AS fee, IF(is_buy, 0, tax.ppb) AS duty, settles
    FROM fill JOIN session USING (day) JOIN commission USING (kind)
    ASOF JOIN tax ON fill.kind = tax.kind AND session.settles >= tax.since
), total AS (
    SELECT *, sum(amount) OVER (PARTITION BY order_id ORDER BY n) AS traded FROM rated
)
SELECT n, order_id, symbol, day, settles, fee, duty, said_commission, said_tax,
    CAST(traded * fee // 1000000000 - (traded - amount) * fee // 1000000000 AS BIGINT) AS commission,
    CAST(traded * duty // 1000000000 - (traded - amount) * duty // 1000000000 AS BIGINT) AS tax
FROM total ORDER BY n
"""
"""An order pays for its running total, cut to the won; each of its fills pays what it adds."""
BOOKS = """
CREATE TABLE book AS
WITH RECURSIVE step AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY n) AS k FROM fill
), held AS (
    SELECT DISTINCT symbol, CAST(0 AS BIGINT) AS k, CAST(0 AS BIGINT) AS n, CAST(0 AS BIGINT) AS trip,
        CAST(0 AS BIGINT) AS qty, CAST(0 AS BIGINT) AS cost, CAST(0 AS BIGINT) AS gain
    FROM fill
    UNION ALL
    SELECT symbol, step.k, step.n, trip + CAST(held.qty = 0 AS BIGINT), held.qty + IF(is_buy, step.qty, -step.qty),
        held.cost + IF(is_buy, amount, -(held.cost * step.qty // held.qty)),
        IF(is_buy, 0, amount - held.cost * step.qty // held.qty)
    FROM held JOIN step USING (symbol) WHERE step.k = held.k + 1
)
FROM held WHERE k > 0 ORDER BY n
"""
"""Shares and their cost behind each fill: a sale gives up its part of the cost, cut to the won, and gains the rest."""
TRIPS = """
CREATE TABLE trip AS
SELECT b.symbol, trip, min(f.ts) AS entry_ts, max(f.ts) AS exit_ts, sum(IF(is_buy, 0, f.qty)) AS qty,
    sum(IF(is_buy, amount, 0)) AS cost, sum(IF(is_buy, 0, amount)) AS proceeds, sum(gain) AS gross,
    sum(c.commission) AS commission, sum(c.tax) AS tax, arg_max(w.purpose, f.n) AS exit_purpose,
    sum(f.qty * IF(is_buy, f.price - w.reference, w.reference - f.price)) AS slippage, max(f.n) AS n
FROM book AS b JOIN fill AS f ON b.n = f.n JOIN cost AS c ON b.n = c.n JOIN wish AS w ON w.order_id = f.order_id
GROUP BY b.symbol, trip HAVING arg_max(b.qty, f.n) = 0 ORDER BY max(f.n)
"""


def load_report(db: DuckDBPyConnection, report: Path) -> None:
    """Tables fill, wish and equity_curve_listed as the report has them; cost, book and trip as they have to be."""
    for rows, types in (("fills", FILL), ("orders", ORDER), ("equity_curve", "ts VARCHAR, equity BIGINT")):
        db.execute(LISTED.format(rows=rows, types=types, report=report))
    for statement in (FILLS, ORDERS, COSTS, BOOKS, TRIPS):
        db.execute(statement)

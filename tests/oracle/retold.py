"""Feeds a Walk from a database of prints: sessions with their rules, the tape, crossings found by window functions."""

import msgspec
from duckdb import DuckDBPyConnection

from qbtrade.app.plan import SimulationPlan
from tests.oracle.tickets import Day, Money
from tests.oracle.walk import Walk

DAYS = """
SELECT s.opens, s.ends, s.closes, (SELECT list([step_from, step_size]) FROM steps WHERE step_grid = b.grid) AS steps,
    c.ppb AS fee, tax.ppb AS duty, coalesce(IF(is_blind, NULL, band.lower), 0) AS lower,
    coalesce(IF(is_blind, NULL, band.upper), 1000000000000) AS upper
FROM (
    SELECT symbol, day, grid, $is_recorded AND row_number() OVER (ORDER BY day) = 1 AS is_blind
    FROM bar WHERE symbol = $symbol AND day >= $first GROUP BY 1, 2, 3
) AS b
JOIN session AS s USING (day) JOIN band USING (symbol, day)
JOIN listing AS l USING (symbol) JOIN commission AS c USING (kind)
ASOF JOIN tax ON tax.kind = l.kind AND s.settles >= tax.since
ORDER BY s.opens
"""
"""On its first day a session over recorded data knows no close before, hence no price limits."""
TAPE = """
SELECT ts, price, qty, is_auction, k < 3 FROM print WHERE symbol = $symbol AND is_good AND day >= $first ORDER BY ts, k
"""
CROSSINGS = """
WITH seen AS (
    SELECT closes_at, close, day >= $first AS is_live, row_number() OVER (ORDER BY start) AS n
    FROM (SELECT *, row_number() OVER (PARTITION BY day >= $first ORDER BY start DESC) AS age FROM bar
        WHERE symbol = $symbol AND start IN (SELECT start FROM print WHERE symbol = $symbol AND is_good))
    WHERE is_live OR age <= $slow + 1
), average AS (
    SELECT *, sign(
        $slow * sum(close) OVER (ORDER BY n ROWS BETWEEN $fast - 1 PRECEDING AND CURRENT ROW)
        - $fast * sum(close) OVER (ORDER BY n ROWS BETWEEN $slow - 1 PRECEDING AND CURRENT ROW)
    ) AS apart
    FROM seen
), turned AS (
    SELECT *, coalesce(last_value(nullif(apart, 0) IGNORE NULLS)
        OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
    FROM average WHERE n >= $slow
)
SELECT closes_at, IF(apart <> before, CAST(apart AS INTEGER), 0) FROM turned WHERE is_live AND n > $slow ORDER BY n
"""
"""Averages are compared as whole numbers: slow * (sum of fast closes) with fast * (sum of slow closes).

While they are equal, the side on which they were last apart still counts. Before the first day there may be bars to
warm up on, slow + 1 of them.
"""


def walk_through(db: DuckDBPyConnection, symbol: str, plan: SimulationPlan, first: str = "2018-01-01") -> Walk:
    """What a rehearsal of that plan over one symbol must have done. first: the day on which it begins."""
    limits, is_recorded = plan.limits, bool(plan.source)
    money = Money(
        plan.cash, limits.max_budget, limits.position_share, limits.cash_share, limits.stop_loss, limits.max_order_qty,
        limits.max_entries,
    )  # fmt: skip
    chosen: dict[str, object] = {"symbol": symbol, "first": first}
    days = [msgspec.convert(row, Day, strict=False) for row in _named(db, DAYS, chosen | {"is_recorded": is_recorded})]
    walk = Walk(days, money)
    for ts, price, qty, auction, is_early in db.execute(TAPE, chosen).fetchall():
        walk.add_print(ts, price, qty, auction=auction, stands=is_recorded and is_early)
    lengths = {"fast": int(plan.params.get("fast", 5)), "slow": int(plan.params.get("slow", 20))}
    for ts, side in db.execute(CROSSINGS, chosen | lengths).fetchall():
        walk.add_crossing(ts, side)
    walk.run()
    return walk


def _named(db: DuckDBPyConnection, sql: str, values: dict[str, object]) -> list[dict[str, object]]:
    found = db.execute(sql, values)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

"""The made market's trades, generated once more from the same seed, as prints and bars in SQL."""

from duckdb import DuckDBPyConnection

from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.source import open_source
from qbtrade.domain.events import SymbolHalted, SymbolResumed
from qbtrade.domain.market import Trade

PRINTS = """
CREATE TABLE print AS
WITH told AS (
    SELECT UNNEST($symbol) AS symbol, UNNEST($feed) AS feed, UNNEST($ts) AS ts, UNNEST($price) AS price,
        UNNEST($qty) AS qty, UNNEST($auction) AS is_auction, generate_subscripts($ts, 1) AS k
), timed AS (
    SELECT told.*, s.day, s.closes, opens + (ts - opens) // $interval * $interval AS start,
        least(opens + ((ts - opens) // $interval + 1) * $interval, s.closes) AS till
    FROM told JOIN session AS s ON s.day = day_of(ts)
)
SELECT timed.*, grid_of(market, kind, day) AS grid, true AS is_good
FROM timed JOIN listing USING (symbol) ORDER BY ts, feed, k
"""
BARS = """
CREATE TABLE bar AS
SELECT symbol, day, start, till AS closes_at, closes, grid, arg_min(price, k) AS open, max(price) AS high,
    min(price) AS low, arg_max(price, k) AS close, sum(qty) AS volume,
    row_number() OVER (PARTITION BY symbol ORDER BY start) AS n
FROM print GROUP BY symbol, day, start, till, closes, grid
"""
BASES = """
CREATE TABLE base AS
WITH closing AS (SELECT symbol, day, grid, arg_max(close, start) AS close FROM bar GROUP BY ALL)
SELECT symbol, day, grid, coalesce(lag(close) OVER (PARTITION BY symbol ORDER BY day), first_base) AS base
FROM closing JOIN (SELECT UNNEST($symbols) AS symbol, UNNEST($bases) AS first_base) USING (symbol)
"""
HALTS = "CREATE TABLE halt AS SELECT UNNEST($symbol) AS symbol, UNNEST($since) AS since, UNNEST($until) AS until"


def load_made(db: DuckDBPyConnection, plan: SimulationPlan) -> None:
    """Tables print, bar, base and halt of the market that the plan makes."""
    source = open_source(plan, load_rules())
    prints = [(feed, event) for feed, events in enumerate(source.feeds()) for event in events]
    trades = [(feed, event) for feed, event in prints if isinstance(event, Trade)]
    columns = {
        name: [getattr(trade, name) for _, trade in trades] for name in ("symbol", "ts", "price", "qty", "auction")
    }
    db.execute(PRINTS, {**columns, "feed": [feed for feed, _ in trades], "interval": source.interval})
    db.execute(BARS)
    db.execute(BASES, {"symbols": list(source.bases), "bases": list(source.bases.values())})
    halts = [event for _, event in prints if isinstance(event, SymbolHalted)]
    resumed = [event.ts for _, event in prints if isinstance(event, SymbolResumed)]
    ended = {"symbol": [halt.symbol for halt in halts], "since": [halt.ts for halt in halts], "until": resumed}
    db.execute(HALTS, ended)

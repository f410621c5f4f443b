"""Equity marks and measures are those of a replay in SQL."""

from decimal import Decimal, localcontext
from itertools import pairwise

import pytest

from tests.oracle.cases import MADE, TROUBLED
from tests.oracle.conftest import Play
from tests.oracle.equity import replay_equity
from tests.oracle.runs import Run

RECORDED = ("samsung", "six", "split", "years", "funds", "march", "samsung by day")
recorded_run = pytest.mark.parametrize("name", RECORDED)
every_run = pytest.mark.parametrize("name", [*RECORDED, *MADE, *TROUBLED])

DEEPEST = """
WITH point AS (
    SELECT 0 AS i, CAST($initial AS BIGINT) AS equity
    UNION ALL SELECT i, said_equity FROM worth WHERE kind = 'EquityMarked'
    UNION ALL SELECT 1000000000, CAST($final AS BIGINT)
), fallen AS (
    SELECT equity, max(equity) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING) AS peak FROM point
)
SELECT max(peak - equity), max((peak - equity) * 1000000000 // peak) FROM fallen
"""
HELD_TIME = """
WITH standing AS (
    SELECT f.n, f.ts, f.symbol, b.qty, lead(f.ts, 1, (SELECT max(closes) FROM bar)) OVER (ORDER BY f.n) AS until
    FROM fill AS f JOIN book AS b ON f.n = b.n
), symbols AS (
    SELECT DISTINCT symbol FROM fill
), held AS (
    SELECT s.n, s.ts, s.until, bool_or(b.qty > 0) AS is_held
    FROM standing AS s CROSS JOIN symbols AS y ASOF JOIN book AS b ON b.symbol = y.symbol AND s.n >= b.n GROUP BY ALL
), open AS (
    SELECT * FROM session WHERE day BETWEEN (SELECT greatest(min(day), ?) FROM bar) AND (SELECT max(day) FROM bar)
)
SELECT sum(greatest(least(until, closes) - greatest(ts, opens), 0)), (SELECT sum(closes - opens) FROM open)
FROM held, open WHERE is_held
"""


@pytest.fixture
def replayed(name: str, play: Play) -> Run:
    run = play(name)
    replay_equity(run)
    return run


@every_run
def test_each_mark_is_cash_and_shares_at_the_last_price(replayed: Run) -> None:
    marks = "SELECT * FROM worth WHERE kind = 'EquityMarked'"
    assert replayed.rows(f"{marks} AND (equity <> said_equity OR cash <> said_cash)") == []
    assert replayed.row(f"SELECT count(*) > 10 FROM ({marks})") == (True,)


@every_run
def test_the_curve_of_the_report_is_the_marks(replayed: Run) -> None:
    said = "SELECT iso_ns(ts), equity FROM equity_curve_listed ORDER BY n"
    assert replayed.rows(said) == replayed.rows("SELECT ts, equity FROM worth WHERE kind = 'EquityMarked' ORDER BY i")


@every_run
def test_the_last_mark_of_each_day_is_the_equity_at_its_close(replayed: Run) -> None:
    sql = """
        WITH newest AS (SELECT ts, arg_max(said_equity, i) AS said FROM worth WHERE kind = 'EquityMarked' GROUP BY ts)
        SELECT c.ts, equity, said FROM worth AS c ASOF JOIN newest ON c.ts >= newest.ts
        WHERE kind = 'CLOSED' AND equity <> said
    """
    assert replayed.rows(sql) == []


@every_run
def test_the_last_point_is_the_equity_of_the_account(replayed: Run) -> None:
    assert replayed.row("SELECT arg_max(equity, i) FROM worth")[0] == replayed.report["account"]["equity"]
    assert replayed.report["equity_curve"][-1]["equity"] == replayed.report["account"]["equity"]


@every_run
def test_cash_and_cost_are_always_what_was_there_and_what_was_gained(replayed: Run) -> None:
    assert replayed.rows("SELECT * FROM worth WHERE cash + cost <> ? + realized - costs", replayed.plan.cash) == []


@every_run
def test_the_deepest_fall_is_measured_from_the_highest_mark_before(replayed: Run) -> None:
    account, metrics = replayed.report["account"], replayed.report["metrics"]
    bounds = {"initial": account["initial_cash"], "final": account["equity"]}
    found = replayed.db.execute(DEEPEST, bounds).fetchone()
    assert found == (metrics["max_drawdown"], metrics["max_drawdown_ppb"])


@every_run
def test_measures_of_round_trips_are_those_of_the_trips(replayed: Run) -> None:
    won, lost, wins, trips, holding, turnover = replayed.row("""
        SELECT sum(greatest(gross - commission - tax, 0)), sum(greatest(commission + tax - gross, 0)),
            count(*) FILTER (gross > commission + tax), count(*), sum(exit_ts - entry_ts),
            (SELECT sum(amount) FROM fill)
        FROM trip
    """)
    cash, profit = replayed.plan.cash, replayed.report["account"]["equity"] - replayed.plan.cash
    expected = {
        "profit": profit,
        "return_ppb": profit * 10**9 // cash,
        "win_rate_ppb": wins * 10**9 // trips,
        "profit_factor_ppb": won * 10**9 // lost,
        "average_holding_ns": holding // trips,
        "turnover": turnover,
        "turnover_ppb": turnover * 10**9 // cash,
    }
    assert {name: replayed.report["metrics"][name] for name in expected} == expected


@recorded_run
def test_exposure_is_the_part_of_all_sessions_from_open_to_close_in_which_something_was_held(replayed: Run) -> None:
    held, open_ = replayed.row(HELD_TIME, replayed.start)
    assert replayed.report["metrics"]["exposure_ppb"] == held * 10**9 // open_


@recorded_run
def test_the_sharpe_ratio_is_that_of_the_equity_at_each_close(replayed: Run) -> None:
    closes = [Decimal(row[0]) for row in replayed.rows("SELECT equity FROM worth WHERE kind = 'CLOSED' ORDER BY i")]
    with localcontext() as context:
        context.prec = 60
        returns = [after / before - 1 for before, after in pairwise([Decimal(replayed.plan.cash), *closes])]
        mean = sum(returns, Decimal()) / len(returns)
        squares = sum(((each - mean) ** 2 for each in returns), Decimal())
        deviation = (squares / (len(returns) - 1)).sqrt()
        expected = mean / deviation * Decimal(252).sqrt() * 10**9
    metrics = replayed.report["metrics"]
    assert (metrics["sharpe_ppb"], metrics["trading_days"]) == (int(expected), len(closes))


@recorded_run
def test_a_round_trip_of_one_share_breaks_even_after_so_many_ticks(replayed: Run) -> None:
    sql = """
        WITH newest AS (
            SELECT p.symbol, arg_max(p.price, p.ts) AS last, max(s.settles) AS settles, any_value(l.kind) AS kind,
                any_value(grid_of(l.market, l.kind, (SELECT max(day) FROM print))) AS grid
            FROM print AS p JOIN listing AS l USING (symbol), (SELECT settles FROM session
                WHERE day = (SELECT max(day) FROM print)) AS s
            WHERE is_good GROUP BY p.symbol
        ), priced AS (
            SELECT n.*, tick_of(n.grid, last) AS tick, (last * (2 * c.ppb + tax.ppb) + 999999999) // 1000000000 AS cost
            FROM newest AS n JOIN commission AS c ON c.kind = n.kind
            ASOF JOIN tax ON tax.kind = n.kind AND n.settles >= tax.since
        )
        SELECT symbol, last, tick, cost, (cost + tick - 1) // tick AS ticks FROM priced ORDER BY symbol
    """
    names = ("symbol", "last", "tick", "cost", "ticks")
    expected = [dict(zip(names, row, strict=True)) for row in replayed.rows(sql)]
    assert replayed.report["metrics"]["break_even"] == expected

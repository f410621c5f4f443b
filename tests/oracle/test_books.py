"""The account, its costs and its round trips agree to the won with books kept in SQL from the executions alone."""

import pytest

from qbtrade.domain.events import PositionChanged
from tests.oracle.cases import MADE, TROUBLED
from tests.oracle.conftest import Play

RECORDED = ("samsung", "six", "split", "years", "funds", "every print")
every_run = pytest.mark.parametrize("name", [*RECORDED, *MADE, *TROUBLED])

TOTALS = """
SELECT (SELECT sum(gain) FROM book), (SELECT sum(commission) FROM cost), (SELECT sum(tax) FROM cost),
    (SELECT sum(IF(is_buy, -amount, amount)) FROM fill)
"""
HELD = """
WITH final AS (SELECT symbol, arg_max(qty, n) AS qty, arg_max(cost, n) AS cost FROM book GROUP BY symbol),
newest AS (SELECT symbol, arg_max(price, ts) AS last FROM print WHERE is_good GROUP BY symbol)
SELECT symbol, qty, cost, last FROM final JOIN newest USING (symbol) WHERE qty > 0 ORDER BY symbol
"""


@every_run
def test_each_execution_pays_the_commission_and_tax_that_its_order_adds(name: str, play: Play) -> None:
    wrong = "SELECT * FROM cost WHERE commission <> said_commission OR tax <> said_tax"
    assert play(name).rows(wrong) == []


@every_run
def test_each_order_pays_on_its_own_total_cut_to_the_won(name: str, play: Play) -> None:
    sql = """
        WITH due AS (
            SELECT c.order_id, sum(amount) AS amount, sum(qty) AS qty, sum(amount) * max(fee) // 1000000000 AS
            commission, sum(amount) * max(duty) // 1000000000 AS tax FROM cost AS c JOIN fill AS f ON c.n = f.n GROUP
            BY c.order_id ) SELECT w.order_id, w.filled_qty, w.filled_amount, w.commission, w.tax FROM wish AS w
            EXCEPT SELECT w.order_id, coalesce(d.qty, 0), coalesce(d.amount, 0), coalesce(d.commission, 0),
            coalesce(d.tax, 0) FROM wish AS w LEFT JOIN due AS d USING (order_id)
    """
    assert play(name).rows(sql) == []


@every_run
def test_cash_profit_and_costs_are_those_of_the_executions(name: str, play: Play) -> None:
    run = play(name)
    realized, commission, tax, traded = run.row(TOTALS)
    initial = run.plan.cash
    held = run.rows(HELD)
    cash, cost, worth = initial + traded - commission - tax, sum(h[2] for h in held), sum(h[1] * h[3] for h in held)
    assert run.report["account"] == {
        "initial_cash": initial,
        "initial_equity": initial,
        "cash": cash,
        "equity": cash + worth,
        "realized": realized,
        "unrealized": worth - cost,
        "commission": commission,
        "tax": tax,
        "positions": [dict(zip(("symbol", "qty", "cost", "last"), each, strict=True)) for each in held],
    }
    assert cash + cost == initial + realized - commission - tax


@every_run
def test_each_execution_leaves_the_shares_cost_and_cash_that_it_has_to(name: str, play: Play) -> None:
    run = play(name)
    told = [
        (event.symbol, event.qty, event.cost, event.realized, event.cash)
        for event in run.events
        if isinstance(event, PositionChanged)
    ]
    sql = """
        SELECT f.symbol, b.qty, b.cost, gain,
            CAST(? + sum(IF(is_buy, -amount, amount) - c.commission - c.tax) OVER (ORDER BY f.n) AS BIGINT)
        FROM fill AS f JOIN book AS b ON f.n = b.n JOIN cost AS c ON f.n = c.n ORDER BY f.n
    """
    assert told == run.rows(sql, run.plan.cash)


@every_run
def test_round_trips_are_cut_where_nothing_is_held(name: str, play: Play) -> None:
    run = play(name)
    sql = """
        SELECT symbol, entry_ts, exit_ts, qty, cost, proceeds, gross, commission, tax, slippage, gross - commission -
        tax, (gross - commission - tax) * 1000000000, exit_ts - entry_ts, exit_purpose FROM trip ORDER BY n
    """
    keys = (
        "symbol", "entry_ts", "exit_ts", "qty", "cost", "proceeds", "gross", "commission", "tax", "slippage", "net",
        "return_ppb", "holding_ns", "exit_purpose",
    )  # fmt: skip
    expected = [dict(zip(keys, row, strict=True)) for row in run.rows(sql)]
    for trip in expected:
        trip["return_ppb"] //= trip["cost"]
    said = [{**trip, **run.times(trip, "entry_ts", "exit_ts")} for trip in run.report["round_trips"]]
    assert said == expected
    assert all(trip["gross"] == trip["proceeds"] - trip["cost"] for trip in expected)


@every_run
def test_slippage_counts_from_the_last_price_when_the_order_was_made(name: str, play: Play) -> None:
    run = play(name)
    references = """
        SELECT w.order_id, w.reference, p.price FROM wish AS w
        ASOF JOIN (FROM print WHERE is_good) AS p ON w.symbol = p.symbol AND w.ts >= p.ts
        WHERE w.reference <> p.price
    """
    slippage = """
        SELECT w.order_id FROM wish AS w LEFT JOIN fill AS f ON w.order_id = f.order_id GROUP BY w.order_id, w.slippage
        HAVING w.slippage <> coalesce(sum(f.qty * IF(is_buy, f.price - w.reference, w.reference - f.price)), 0)
    """
    assert run.rows(references) == run.rows(slippage) == []


@pytest.mark.parametrize("name", RECORDED)
def test_counts_are_those_of_the_rows_and_of_the_files(name: str, play: Play) -> None:
    run = play(name)
    counts = run.report["counts"]
    rows, off_grid = run.row(
        """
        SELECT count(*), count(*) FILTER (open % tick_of(grid, open) <> 0) + count(*) FILTER (high % tick_of(grid,
        high) <> 0) + count(*) FILTER (low % tick_of(grid, low) <> 0) + count(*) FILTER (close % tick_of(grid, close)
        <> 0) FROM bar WHERE day >= ?
    """,
        run.start,
    )
    prints = "SELECT count(*) FILTER (is_good), count(*) FILTER (NOT is_good) FROM print WHERE day >= ?"
    good, strange = run.row(prints, run.start)
    statuses = dict(run.rows("SELECT status, count(*) FROM wish GROUP BY status"))
    fills, trips = run.row("SELECT (SELECT count(*) FROM fill), (SELECT count(*) FROM trip)")
    expected = {
        "rows": rows, "bad_rows": 0, "off_grid": off_grid, "trades": good, "quarantined": strange, "bars": good // 4,
        "late": 0, "out_of_order": 0, "outside_session": 0, "orders": sum(statuses.values()), "fills": fills,
        "round_trips": trips, "denied": statuses.get("DENIED", 0), "canceled": statuses.get("CANCELED", 0),
        "expired": statuses.get("EXPIRED", 0), "rejected": 0, "signals": len(run.signals()),
    }  # fmt: skip
    assert {name: counts[name] for name in expected} == expected


@every_run
def test_an_order_is_filled_when_its_executions_are_what_it_asked_for(name: str, play: Play) -> None:
    sql = "SELECT * FROM wish WHERE (status = 'FILLED') <> (filled_qty = qty) OR filled_qty > qty"
    assert play(name).rows(sql) == []


@pytest.mark.parametrize("name", ["years"])
def test_the_runs_meet_every_tax_rate_and_a_settlement_in_the_next_year(name: str, play: Play) -> None:
    run = play(name)
    rates = run.rows("SELECT DISTINCT duty FROM cost WHERE duty > 0 ORDER BY duty DESC")
    assert rates == [(3_000_000,), (2_500_000,), (2_300_000,), (2_000_000,), (1_800_000,), (1_500_000,)]
    crossing = "SELECT count(*) FROM cost WHERE duty > 0 AND year(settles) > year(day)"
    early = "SELECT count(*) FROM cost WHERE duty = 2500000 AND day BETWEEN '2019-05-30' AND '2019-06-02'"
    assert run.row(crossing) > (10,)
    assert run.row(early) > (0,)


def test_the_runs_meet_both_markets_funds_and_executions_in_parts(play: Play) -> None:
    parts = "SELECT count(*) FROM (SELECT order_id FROM fill GROUP BY order_id HAVING count(*) > 1)"
    partly = "SELECT count(*) FROM wish WHERE filled_qty BETWEEN 1 AND qty - 1"
    assert play("six").rows("SELECT DISTINCT market FROM fill ORDER BY 1") == [("KOSDAQ",), ("KOSPI",)]
    assert play("funds").row("SELECT sum(tax), count(*) > 100 FROM cost") == (0, True)
    assert play("funds").row("SELECT DISTINCT fee FROM cost") == (146_527,)
    assert play("six").row(parts) > (0,)
    assert play("six").row(partly) > (0,)

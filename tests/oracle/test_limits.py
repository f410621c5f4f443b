"""No entry passes its limits, none is smaller than it had to be, and denials tell the numbers of their rule."""

import pytest

from qbtrade.domain.events import OrderApproved, OrderDenied
from tests.oracle.cases import MADE, TROUBLED
from tests.oracle.conftest import Play
from tests.oracle.equity import replay_equity
from tests.oracle.runs import Run

RECORDED = ("samsung", "six", "little cash", "split", "years", "funds", "every print")
every_run = pytest.mark.parametrize("name", [*RECORDED, *MADE, *TROUBLED])

ENTRIES = """
CREATE OR REPLACE TABLE entry AS
WITH made AS (
    SELECT *, row_number() OVER (ORDER BY i) AS n FROM worth WHERE kind = 'SubmitOrder'
), morning AS (
    SELECT day, equity AS day_start FROM worth WHERE kind = 'OPENING_AUCTION'
)
SELECT w.*, m.cash, m.promised, m.filled, $budget + least(m.realized, 0) AS budget,
    day_start * $share // 1000000000 AS share, m.cost + m.promised AS at_work, m.cost_here + m.here AS in_symbol,
    m.equity - m.equity * (1000000000 - $reserve) // 1000000000 AS reserve
FROM wish AS w JOIN made AS m USING (n) JOIN morning USING (day) WHERE w.side = 'BUY'
"""
"""budget: what losses left of it. share: of one symbol. reserve: rounded up. at_work, in_symbol: cost and open buys."""
DEAREST = "SELECT max(ppb) FROM commission JOIN listing USING (kind) WHERE symbol IN (SELECT symbol FROM bar)"
BEYOND = """
SELECT order_id, qty, price FROM entry WHERE {which} AND (
    at_work + {qty} * price > budget OR in_symbol + {qty} * price > share OR {qty} > $most
    OR cash - reserve < promised + {qty} * price + ((promised + {qty} * price) * $fee + 999999999) // 1000000000
)
"""


def tell_entries(run: Run) -> None:
    """Table entry: every buy with what its limits left at that moment."""
    replay_equity(run)
    limits = run.plan.limits
    shares = {"budget": limits.max_budget, "share": limits.position_share, "reserve": limits.cash_share}
    run.db.execute(ENTRIES, shares)


@pytest.fixture
def judged(name: str, play: Play) -> Run:
    run = play(name)
    tell_entries(run)
    return run


def beyond(run: Run, which: str, qty: str) -> list[str]:
    """Orders of which so many shares break a limit of money; all that is open pays its fee out of free cash, too."""
    (fee,) = run.row(DEAREST)
    values = {"fee": fee, "most": run.plan.limits.max_order_qty}
    found = run.db.execute(BEYOND.format(which=which, qty=qty), values).fetchall()
    return [order_id for order_id, _, _ in found]


@every_run
def test_the_limits_are_those_of_the_plan(name: str, play: Play) -> None:
    run = play(name)
    limits, said = run.plan.limits, run.report["limits"]
    (fee,) = run.row(DEAREST)
    expected = {
        "max_budget": limits.max_budget, "daily_loss": limits.daily_loss or limits.max_budget // 2,
        "position_share": limits.position_share, "cash_share": limits.cash_share, "stop_loss": limits.stop_loss,
        "max_entries": limits.max_entries, "max_order_qty": limits.max_order_qty, "commission_ppb": fee,
    }  # fmt: skip
    assert {key: said[key] for key in expected} == expected


@every_run
def test_no_entry_that_passes_breaks_a_limit_of_money(judged: Run) -> None:
    assert beyond(judged, "status <> 'DENIED'", "qty") == []


@every_run
def test_one_share_more_would_break_one(judged: Run) -> None:
    approved = [row[0] for row in judged.rows("SELECT order_id FROM entry WHERE status <> 'DENIED' ORDER BY n")]
    assert sorted(beyond(judged, "status <> 'DENIED'", "(qty + 1)")) == approved


def test_each_limit_of_money_is_the_narrowest_somewhere(play: Play) -> None:
    narrowest = """
        SELECT DISTINCT CASE least(budget - at_work, share - in_symbol, cash - promised - reserve)
            WHEN budget - at_work THEN 'budget' WHEN share - in_symbol THEN 'share' ELSE 'reserve' END
        FROM entry ORDER BY 1
    """
    found = set()
    for name in ("six", "little cash"):
        run = play(name)
        tell_entries(run)
        found |= set(run.rows(narrowest))
    assert found == {("budget",), ("share",), ("reserve",)}


@every_run
def test_whoever_is_denied_for_money_asked_for_the_one_share_that_is_too_much(judged: Run) -> None:
    money = "status = 'DENIED' AND reason IN ('budget', 'position-share', 'cash', 'cash-reserve')"
    asked = judged.rows(f"SELECT order_id, qty FROM entry WHERE {money} ORDER BY n")
    assert [(order_id, 1) for order_id in sorted(beyond(judged, money, "qty"))] == asked


@every_run
def test_denials_tell_limit_value_and_distance(judged: Run) -> None:
    sql = """
        SELECT order_id, reason, CASE reason WHEN 'budget' THEN budget ELSE share END AS bound,
            price + CASE reason WHEN 'budget' THEN at_work ELSE in_symbol END AS value, bound - value
        FROM entry WHERE status = 'DENIED' AND reason IN ('budget', 'position-share') ORDER BY n
    """
    said = [
        (denial["order_id"], denial["rule"], denial["limit"], denial["value"], denial["distance"])
        for denial in judged.report["denials"]
        if denial["reason"] in {"budget", "position-share"}
    ]
    assert said == judged.rows(sql)


@every_run
def test_price_limits_and_collar_that_orders_are_held_to_are_those_of_the_day(name: str, play: Play) -> None:
    run = play(name)
    checks = [
        (event.order_id if isinstance(event, OrderDenied) else event.order.order_id, check.rule, check.limit)
        for event in run.events
        if isinstance(event, OrderApproved | OrderDenied)
        for check in event.checks
        if check.rule in {"price-band", "price-collar"}
    ]
    columns = zip(("order_id", "rule", "bound"), map(list, zip(*checks, strict=True)), strict=True)
    sql = """
        WITH told AS (SELECT UNNEST($order_id) AS order_id, UNNEST($rule) AS rule, UNNEST($bound) AS bound)
        SELECT w.order_id, rule, told.bound, reference, lower, upper FROM told JOIN wish AS w USING (order_id)
        LEFT JOIN band ON band.symbol = w.symbol AND band.day = day_of(w.ts)
        WHERE told.bound IS DISTINCT FROM CASE
            WHEN rule = 'price-band' THEN IF(price - lower < upper - price, lower, upper)
            WHEN side = 'BUY' THEN reference * 103 // 100 ELSE reference - reference * 3 // 100 END
    """
    assert run.db.execute(sql, dict(columns)).fetchall() == []
    assert len(checks) > 10


@every_run
def test_no_more_entries_than_allowed_pass_in_a_day_or_a_minute(judged: Run) -> None:
    days = "SELECT max(count) FROM (SELECT count(*) AS count FROM entry WHERE status <> 'DENIED' GROUP BY day_of(ts))"
    assert judged.row(days)[0] <= judged.plan.limits.max_entries
    minute = """
        SELECT max(count) FROM (
            SELECT e.n, count(*) AS count FROM entry AS e
            JOIN wish AS w ON w.ts BETWEEN e.ts - 59999999999 AND e.ts AND w.n <= e.n
            WHERE e.status <> 'DENIED' AND w.status <> 'DENIED' GROUP BY e.n
        )
    """
    assert judged.row(minute)[0] <= judged.plan.limits.orders_per_minute

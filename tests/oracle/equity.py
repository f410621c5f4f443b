"""What an account is worth at given moments, replayed in SQL from executions and prints."""

from collections.abc import Iterable, Iterator

import msgspec

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from tests.oracle.runs import Run

TAPE = """
CREATE OR REPLACE TABLE tape AS SELECT *, row_number() OVER (ORDER BY ts, feed) AS place FROM print WHERE is_good
"""
PAID = """
CREATE OR REPLACE TABLE paid AS
SELECT f.n, sum(IF(is_buy, -amount, amount) - c.commission - c.tax) OVER (ORDER BY f.n) AS flow,
    sum(gain) OVER (ORDER BY f.n) AS gain, sum(c.commission + c.tax) OVER (ORDER BY f.n) AS costs
FROM fill AS f JOIN cost AS c ON f.n = c.n JOIN book AS b ON f.n = b.n
"""
MOMENTS = """
CREATE OR REPLACE TABLE moment AS
WITH told AS (
    SELECT generate_subscripts($ts, 1) AS i, UNNEST($kind) AS kind, UNNEST($ts) AS ts, UNNEST($symbol) AS symbol,
        UNNEST($filled) AS filled, UNNEST($equity) AS said_equity, UNNEST($cash) AS said_cash,
        CAST(UNNEST($promised) AS BIGINT) AS promised, CAST(UNNEST($here) AS BIGINT) AS here
)
SELECT told.*, coalesce(place, (SELECT count(*) FROM tape WHERE tape.ts < told.ts)) AS printed
FROM told LEFT JOIN tape ON tape.symbol = told.symbol AND tape.ts = told.ts
"""
WORTH = """
CREATE OR REPLACE TABLE worth AS
WITH each AS (
    SELECT i, filled, printed, s.symbol FROM moment CROSS JOIN (SELECT DISTINCT symbol FROM fill) AS s
), held AS (
    SELECT each.i, each.symbol, printed, qty, cost FROM each
    ASOF JOIN book AS b ON b.symbol = each.symbol AND each.filled >= b.n
), priced AS (
    SELECT held.i, held.symbol, held.qty, held.cost, t.price FROM held
    ASOF JOIN tape AS t ON t.symbol = held.symbol AND held.printed >= t.place
), summed AS (
    SELECT p.i, sum(p.qty * p.price) AS worth, sum(p.cost) AS cost, sum(IF(p.symbol = m.symbol, p.cost, 0)) AS cost_here
    FROM priced AS p JOIN moment AS m USING (i) GROUP BY p.i
)
SELECT m.*, day_of(m.ts) AS day, CAST($initial + coalesce(flow, 0) AS BIGINT) AS cash, coalesce(gain, 0) AS realized,
    coalesce(costs, 0) AS costs, coalesce(cost, 0) AS cost, coalesce(cost_here, 0) AS cost_here,
    CAST($initial + coalesce(flow, 0) + coalesce(worth, 0) AS BIGINT) AS equity
FROM moment AS m LEFT JOIN summed AS s USING (i) LEFT JOIN paid AS p ON p.n = m.filled
"""


class Moment(msgspec.Struct):
    """One moment of the journal.

    kind: EquityMarked, SubmitOrder, or the phase that begins. symbol: whose print made it happen, where one did.
    filled: how many executions were booked by then. promised: KRW that open buys may still cost; here: those of the
    symbol.
    """

    ts: int
    kind: str
    filled: int
    symbol: str = ""
    equity: int = 0
    cash: int = 0
    promised: int = 0
    here: int = 0


class Buy(msgspec.Struct):
    """An open buy. left: shares that may still fill."""

    symbol: str
    limit: int
    left: int


def replay_equity(run: Run) -> None:
    """Table worth: every moment with the cash, cost and equity of a replay, in the order of the journal.

    printed: how many prints had been played: those before the moment, and the one that made it happen.
    """
    if run.rows("FROM duckdb_tables() WHERE table_name = 'worth'"):
        return
    run.db.execute(TAPE)
    run.db.execute(PAID)
    moments = list(_moments(run.events))
    run.db.execute(MOMENTS, {name: [getattr(each, name) for each in moments] for name in Moment.__struct_fields__})
    run.db.execute(WORTH, {"initial": run.plan.cash})


def _moments(events: Iterable[Event]) -> Iterator[Moment]:
    filled, newest = 0, ("", 0)
    buys: dict[str, Buy] = {}
    for event in events:
        match event:
            case ev.PositionChanged():
                filled, newest = filled + 1, (event.symbol, event.ts)
            case ev.OrderFilled() if event.order_id in buys:
                buys[event.order_id].left -= event.qty
            case ev.OrderDenied() | ev.OrderCanceled() | ev.OrderExpired() | ev.OrderRejected():
                buys.pop(event.order_id, None)
            case ev.PhaseChanged():
                yield Moment(event.ts, event.phase.value, filled)
            case ev.EquityMarked():
                symbol = newest[0] if newest[1] == event.ts else ""
                yield Moment(event.ts, "EquityMarked", filled, symbol, event.equity, event.cash)
            case ev.SubmitOrder():
                order = event.order
                promised = [(buy.symbol, buy.left * buy.limit) for buy in buys.values()]
                here = sum(amount for symbol, amount in promised if symbol == order.symbol)
                total = sum(amount for _, amount in promised)
                yield Moment(event.ts, "SubmitOrder", filled, order.symbol, promised=total, here=here)
                if order.side.value == "BUY":
                    buys[order.order_id] = Buy(order.symbol, order.price, order.qty)
            case _:
                pass

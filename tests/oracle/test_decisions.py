"""What one symbol's session decides, orders and gets is what a walk through the raw prints says."""

import pytest

from tests.oracle.cases import CASES, MADE
from tests.oracle.conftest import Play

alone = pytest.mark.parametrize("name", [*(name for name, case in CASES.items() if len(case.symbols) == 1), *MADE])

ORDERS = "SELECT ts, side, qty, price, purpose FROM wish WHERE status <> 'DENIED' ORDER BY n"
FILLS = "SELECT f.ts, f.side, f.qty, f.price, w.purpose FROM fill AS f JOIN wish AS w USING (order_id) ORDER BY f.n"


@alone
def test_signals_orders_and_executions_are_those_of_the_walk(name: str, play: Play) -> None:
    run = play(name)
    walk = run.walk
    assert [(ts, side) for ts, _, side in run.signals()] == walk.signals
    assert run.rows(ORDERS) == walk.orders
    assert run.rows(FILLS) == walk.fills
    assert len(walk.fills) > 10


@alone
def test_denials_are_those_of_the_walk(name: str, play: Play) -> None:
    run = play(name)
    said = [(run.times(denial, "ts")["ts"], denial["reason"]) for denial in run.report["denials"]]
    assert said == [(ts, reason) for ts, _, reason in run.walk.denied]


@alone
def test_the_money_is_that_of_the_walk(name: str, play: Play) -> None:
    run = play(name)
    walk, account = run.walk, run.report["account"]
    held = [(position["qty"], position["cost"]) for position in account["positions"]]
    assert (account["cash"], account["realized"]) == (walk.cash, walk.realized)
    assert held == ([(walk.qty, walk.cost)] if walk.qty else [])

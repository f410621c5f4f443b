"""Rules about what may be traded at all, and how many shares of it."""

import pytest

from qbtrade.domain.events import OrderDenied, StrategyFailed, SymbolHalted
from qbtrade.domain.order import OrderRequest, OrderStatus, Purpose, Side
from tests.builders import SAMSUNG, an_order
from tests.engines.bench import HYNIX, Bench, numbers

SELLS = (Purpose.EXIT, Purpose.PROTECT, Purpose.FLATTEN)


def a_sell(order_id: str = "Q1", qty: int = 1, purpose: Purpose = Purpose.EXIT, symbol: str = SAMSUNG) -> OrderRequest:
    return an_order(order_id, side=Side.SELL, qty=qty, purpose=purpose, symbol=symbol)


@pytest.mark.parametrize("order", [an_order(), a_sell(), a_sell(purpose=Purpose.PROTECT)])
def test_a_symbol_outside_of_the_session_is_denied_and_nothing_else_is_asked_about_it(order: OrderRequest) -> None:
    bench = Bench(symbols=(HYNIX,))
    bench.positions.hold(SAMSUNG, 1, 75_000)
    verdict = bench.submit(order)
    assert isinstance(verdict, OrderDenied)
    assert verdict.reason == "whitelist"
    assert [numbers(check) for check in verdict.checks] == [(1, 0, -1, "yes", False)]


@pytest.mark.parametrize("order", [an_order(), a_sell(), a_sell(purpose=Purpose.PROTECT)])
def test_a_symbol_of_the_session_is_listed(order: OrderRequest) -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 1, 75_000)
    assert bench.check(order, "whitelist") == (1, 1, 0, "yes", True)


@pytest.mark.parametrize(
    ("order", "active", "reducing", "halted"),
    [
        (an_order("Q"), (0, 0, 0, "state", True), (0, 1, -1, "state", False), (0, 2, -2, "state", False)),
        (a_sell("Q"), (1, 0, 1, "state", True), (1, 1, 0, "state", True), (1, 2, -1, "state", False)),
        (a_sell("Q", purpose=Purpose.PROTECT), None, None, None),
        (a_sell("Q", purpose=Purpose.FLATTEN), None, None, None),
    ],
)
def test_a_narrowed_state_lets_only_those_orders_pass_that_it_should(
    order: OrderRequest, active: object, reducing: object, halted: object
) -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 9, 75_000)
    assert bench.check(order, "session-state") == active
    bench.publish(StrategyFailed(0, SAMSUNG, "ValueError", ""))
    bench.orders.place(order, OrderStatus.CANCELED)
    assert bench.check(order, "session-state") == reducing
    bench.publish(SymbolHalted(0, SAMSUNG, "vi", ""))
    bench.orders.place(order, OrderStatus.CANCELED)
    assert bench.check(order, "session-state") == halted


@pytest.mark.parametrize(("qty", "room"), [(1, 99), (99, 1), (100, 0), (101, -1), (0, -1), (-5, -6)])
def test_an_entry_is_for_one_share_up_to_the_limit(qty: int, room: int) -> None:
    bench = Bench(max_order_qty=100)
    assert bench.check(an_order(qty=qty), "order-qty") == (100, qty, room, "shares", room >= 0)


@pytest.mark.parametrize("purpose", SELLS)
def test_the_quantity_of_a_sell_is_bounded_by_the_position_only(purpose: Purpose) -> None:
    bench = Bench(max_order_qty=1)
    bench.positions.hold(SAMSUNG, 50, 75_000)
    assert bench.check(a_sell(qty=50, purpose=purpose), "order-qty") is None


@pytest.mark.parametrize("purpose", SELLS)
@pytest.mark.parametrize(("qty", "room"), [(1, 6), (7, 0), (8, -1), (0, -1), (-3, -4)])
def test_we_sell_what_we_hold_and_have_not_yet_offered(purpose: Purpose, qty: int, room: int) -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 12, 75_000)
    bench.positions.hold(HYNIX, 100, 75_000)
    bench.orders.place(a_sell("W1", qty=4), filled=1)
    bench.orders.place(a_sell("W2", qty=2, purpose=Purpose.PROTECT), OrderStatus.CANCELING)
    bench.orders.place(a_sell("W3", qty=9, symbol=HYNIX))
    bench.orders.place(an_order("W4", qty=9))
    bench.orders.place(a_sell("W5", qty=9), OrderStatus.FILLED)
    assert bench.check(a_sell(qty=qty, purpose=purpose), "sell-qty") == (7, qty, room, "shares", room >= 0)


def test_a_buy_needs_no_shares() -> None:
    assert Bench().check(an_order(), "sell-qty") is None


def test_an_unconfirmed_order_locks_its_symbol_and_side() -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 10, 75_000)
    bench.orders.place(an_order("W1"), OrderStatus.UNCONFIRMED)
    assert bench.check(an_order("Q1"), "unconfirmed-lock") == (0, 1, -1, "orders", False)
    assert bench.check(a_sell("Q2"), "unconfirmed-lock") == (0, 0, 0, "orders", True)
    assert bench.check(an_order("Q3", symbol=HYNIX), "unconfirmed-lock") == (0, 0, 0, "orders", True)
    bench.orders.place(an_order("W1"))
    assert bench.check(an_order("Q4"), "unconfirmed-lock") == (0, 0, 0, "orders", True)


def test_an_order_given_up_for_lost_locks_its_symbol_and_side_and_its_cost_counts() -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 10, 75_000)
    bench.orders.place(an_order("W1"), OrderStatus.ABANDONED)
    bench.orders.place(a_sell("W2", qty=10), OrderStatus.ABANDONED)
    assert bench.check(an_order("Q1"), "unconfirmed-lock") == (0, 1, -1, "orders", False)
    assert bench.check(a_sell("Q2"), "unconfirmed-lock") == (0, 1, -1, "orders", False)
    assert bench.check(a_sell("Q3", qty=10, purpose=Purpose.PROTECT), "sell-qty") == (10, 10, 0, "shares", True)


def test_an_unconfirmed_sell_locks_exits_but_not_protection_of_the_other_shares() -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 3, 75_000)
    bench.orders.place(a_sell("W1", qty=2), OrderStatus.UNCONFIRMED)
    assert bench.check(a_sell("Q1"), "unconfirmed-lock") == (0, 1, -1, "orders", False)
    assert bench.check(a_sell("Q2", purpose=Purpose.PROTECT), "unconfirmed-lock") is None

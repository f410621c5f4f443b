"""Cancels: asked for until the order has ended, whatever is lost on the way."""

import pytest

from qbtrade.adapters.kis.events import Stage
from qbtrade.adapters.kis.outcomes import NotSent, OrderOutcome, Refused, Unconfirmed
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain import events as ev
from qbtrade.domain.order import OrderStatus, Side
from tests.adapters.kis.order_rig import OrderRig, taken
from tests.builders import SAMSUNG, an_order

S = OrderStatus
LEFT = Refused("40330000", "nothing is left to amend or cancel")


def stopped() -> OrderRig:
    """On paper: ten shares bought, a stop-loss triggered, and its first sell about to be priced anew."""
    rig = OrderRig("paper")
    rig.submit(an_order("Q1", qty=10), taken("1"))
    rig.notice("1", Stage.FILLED, 10, order_qty=10)
    rig.totals, rig.held = (10, 10, 750_000), {SAMSUNG: 10}
    rig.wait(1)
    rig.trade(72_000)
    assert rig.answer(taken("2")) == "order-cash"
    rig.wait(1)
    rig.trade(71_000)
    rig.wait(1)
    assert [call.name for call, _ in rig.sent] == ["order-rvsecncl"]
    return rig


def sell(rig: OrderRig) -> str:
    """The id of the protective sell that works."""
    (order,) = rig.engines.orders.open_orders(SAMSUNG)
    return order.request.order_id


def canceling(speaks: Dialect = "real") -> OrderRig:
    """Ten shares asked for, and the cancel of them on its way."""
    rig = OrderRig(speaks)
    rig.submit(an_order(qty=10), taken("1"))
    rig.totals = (10, 0, 0)
    rig.wait(1)
    rig.bus.publish(ev.CancelOrder(rig.clock.now(), "Q1", "test"))
    return rig


@pytest.mark.parametrize("speaks", ["real", "paper"])
@pytest.mark.parametrize("outcome", [Unconfirmed("too many", "EGW00201"), NotSent("connection refused"), taken("2")])
def test_a_cancel_that_came_to_nothing_is_asked_for_again_and_again(speaks: Dialect, outcome: OrderOutcome) -> None:
    rig = canceling(speaks)
    rig.rows.append(rig.row("1", 10, open_qty=10))
    asked = 0
    for _ in range(600):
        while rig.sent:
            asked += rig.answer(outcome) == "order-rvsecncl"
        rig.wait(1)
    assert asked >= 10
    assert rig.alarms() == ["cancel-fails"]
    assert rig.status() in {S.WORKING, S.CANCELING}


def test_a_stop_loss_goes_on_after_a_cancel_whose_answer_was_lost() -> None:
    rig = stopped()
    first = sell(rig)
    rig.answer(Unconfirmed("too many", "EGW00201"))
    rig.wait(10)
    assert [call.name for call, _ in rig.sent] == ["order-rvsecncl"]
    rig.answer(taken("4"))
    rig.confirm_cancel("4", 10, of="2", side=Side.SELL)
    assert rig.status(first) is S.CANCELED
    assert [call.name for call, _ in rig.sent] == ["order-cash"]


def test_a_stop_loss_goes_on_when_the_confirmation_was_lost() -> None:
    rig = stopped()
    first = sell(rig)
    rig.answer(taken("3"))
    rig.wait(10)
    rig.answer(LEFT)
    rig.trade(71_000)
    rig.wait(10)
    assert rig.status(first) is S.CANCELED
    assert [call.name for call, _ in rig.sent] == ["order-cash"]


def test_a_stop_loss_goes_on_when_a_fill_was_not_told_and_the_cancel_took_the_rest() -> None:
    rig = stopped()
    first = sell(rig)
    rig.answer(taken("3"))
    rig.totals, rig.held = (20, 14, 750_000 + 4 * 71_800), {SAMSUNG: 6}
    rig.confirm_cancel("3", 6, of="2", side=Side.SELL)
    assert rig.status(first) is S.CANCELING
    rig.trade(71_000)
    rig.wait(10)
    assert (rig.status(first), rig.holding()) == (S.CANCELED, 6)
    assert sum(order.remaining for order in rig.engines.orders.open_orders(SAMSUNG)) == 6


def test_nothing_left_means_filled_when_the_totals_say_so() -> None:
    rig = canceling("paper")
    rig.totals, rig.held = (10, 10, 749_500), {SAMSUNG: 10}
    rig.answer(LEFT)
    rig.wait(20)
    assert (rig.status(), rig.holding(), rig.engines.portfolio.cost(SAMSUNG)) == (S.FILLED, 10, 749_500)


@pytest.mark.parametrize("qty", [0, 10])
def test_a_confirmation_ends_the_order_whether_or_not_it_tells_how_many_shares(qty: int) -> None:
    rig = canceling("paper")
    rig.answer(taken("2"))
    rig.confirm_cancel("2", qty, of="1")
    rig.wait(15)
    assert rig.status() is S.CANCELED


def test_a_part_that_somebody_else_takes_out_leaves_the_rest_working() -> None:
    rig = OrderRig("paper")
    rig.submit(an_order(qty=10), taken("1"))
    rig.totals = (10, 0, 0)
    rig.confirm_cancel("5", 3, of="1")
    rig.wait(5)
    assert rig.status() is S.WORKING
    rig.notice("1", Stage.FILLED, 7, order_qty=10)
    assert (rig.status(), rig.holding()) == (S.CANCELED, 7)


def test_what_the_exchange_refuses_of_an_order_that_filled_in_part_is_taken_out() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=10), taken("1"))
    rig.notice("1", Stage.FILLED, 4, order_qty=10)
    rig.notice("1", Stage.REJECTED, 6, order_qty=10)
    assert (rig.status(), rig.holding()) == (S.CANCELED, 4)


def test_a_row_that_says_so_ends_an_order_that_was_refused_in_part() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=10), taken("1"))
    rig.rows.append(rig.row("1", 10, filled_qty=4, filled_amount=300_000, rejected_qty=6))
    rig.wait(30)
    assert (rig.status(), rig.holding()) == (S.CANCELED, 4)


def test_a_late_part_of_a_fill_does_not_open_a_canceled_order_again() -> None:
    rig = OrderRig("paper", "15:19")
    rig.submit(an_order(qty=10), taken("1"))
    rig.wait(1)
    rig.bus.publish(ev.CancelOrder(rig.clock.now(), "Q1", "test"))
    rig.answer(taken("2"))
    rig.confirm_cancel("2", 10, of="1")
    rig.totals, rig.held = (10, 4, 300_000), {SAMSUNG: 4}
    rig.notice("1", Stage.FILLED, 4, order_qty=10)
    assert (rig.status(), rig.broker.open) == (S.CANCELED, ())
    rig.wait(15 * 60)
    assert (rig.status(), rig.holding()) == (S.CANCELED, 4)


@pytest.mark.parametrize("speaks", ["real", "paper"])
def test_no_order_expires_before_the_fills_of_the_closing_auction_can_have_been_told(speaks: Dialect) -> None:
    rig = OrderRig(speaks, "15:19")
    rig.submit(an_order(qty=10), taken("1"))
    rig.totals = (10, 0, 0)
    rig.wait(11 * 60 + 30)
    assert rig.status() is S.WORKING
    rig.notice("1", Stage.FILLED, 4, order_qty=10)
    rig.totals, rig.held = (10, 4, 300_000), {SAMSUNG: 4}
    rig.wait(60)
    assert (rig.status(), rig.holding()) == (S.EXPIRED, 4)
    rig.notice("1", Stage.FILLED, 6, 74_900, order_qty=10)
    assert (rig.status(), rig.holding()) == (S.FILLED, 10)


def test_a_row_that_says_so_expires_an_order_at_once() -> None:
    rig = OrderRig("real", "15:19")
    rig.submit(an_order(qty=10), taken("1"))
    rig.rows.append(rig.row("1", 10))
    rig.wait(11 * 60 - 1)
    assert rig.status() is S.WORKING
    rig.wait(10)
    assert rig.status() is S.EXPIRED


@pytest.mark.parametrize("code", ["EGW00201", "EGW00123"])
def test_a_cancel_that_the_gateway_turned_away_is_asked_for_again_without_waiting_for_its_confirmation(
    code: str,
) -> None:
    rig = canceling("paper")
    assert rig.answer(Unconfirmed("turned away", code)) == "order-rvsecncl"
    rig.wait(3)
    assert [call.name for call, _ in rig.sent] == ["order-rvsecncl"]

"""What every Broker promises, run on each implementation: simulated, and KIS over real sockets, real and paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.order import OrderKind, OrderStatus, Side
from tests.builders import an_order
from tests.venues import (
    EVENING,
    HALTING,
    ORDINARY,
    Venue,
    crossing,
    filled,
    kinds,
    of,
    resting,
    send,
    walked,
)


@pytest.fixture(scope="module", params=ORDINARY)
def venue(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    with ORDINARY[request.param](tmp_path_factory.mktemp("venue")) as venue:
        yield venue


def test_submit_returns_before_anything_is_answered(venue: Venue) -> None:
    venue.broker.submit(resting(venue, "A1"))
    assert of(venue, "A1") == []
    venue.until(lambda: kinds(venue, "A1") == [ev.OrderAccepted])


def test_an_order_is_answered_once_and_gets_a_number_of_its_own(venue: Venue) -> None:
    for order_id in ("B1", "B2"):
        send(venue, resting(venue, order_id))
    venue.let(20)
    answers = of(venue, "B1") + of(venue, "B2")
    numbers = [event.broker_order_id for event in answers if isinstance(event, ev.OrderAccepted)]
    assert (len(answers), len(set(numbers)), all(numbers)) == (2, 2, True)


def test_a_refusal_is_an_event_with_a_code_and_words(venue: Venue) -> None:
    send(venue, an_order("C1", price=venue.last // 100 * 100 + 1))
    (refused,) = of(venue, "C1")
    assert isinstance(refused, ev.OrderRejected)
    assert refused.code
    assert refused.reason


def test_fills_come_after_the_acceptance_and_carry_the_order(venue: Venue) -> None:
    order = send(venue, crossing(venue, "D1", qty=3))
    venue.until(lambda: filled(venue, "D1") == order.qty)
    accepted, *fills = of(venue, "D1")
    assert isinstance(accepted, ev.OrderAccepted)
    for fill in fills:
        assert isinstance(fill, ev.OrderFilled)
        assert (fill.symbol, fill.side, fill.price <= order.price) == (order.symbol, Side.BUY, True)


def test_cancel_takes_what_remains_out(venue: Venue) -> None:
    send(venue, resting(venue, "E1"))
    venue.broker.cancel("E1")
    assert kinds(venue, "E1") == [ev.OrderAccepted]
    venue.until(lambda: kinds(venue, "E1") == [ev.OrderAccepted, ev.OrderCanceled])
    canceled = of(venue, "E1")[1]
    assert isinstance(canceled, ev.OrderCanceled)
    assert canceled.qty == 5
    venue.let(20)
    assert kinds(venue, "E1") == [ev.OrderAccepted, ev.OrderCanceled]


def test_cancel_of_an_unknown_order_is_refused_by_an_event(venue: Venue) -> None:
    venue.broker.cancel("nobody")
    venue.until(lambda: kinds(venue, "nobody") == [ev.CancelRejected])


def test_cancel_of_an_order_that_is_over_is_refused_by_an_event(venue: Venue) -> None:
    send(venue, crossing(venue, "F1", qty=1))
    venue.until(lambda: filled(venue, "F1") == 1)
    venue.broker.cancel("F1")
    venue.until(lambda: kinds(venue, "F1") == [ev.OrderAccepted, ev.OrderFilled, ev.CancelRejected])


def test_whatever_wins_a_race_between_fill_and_cancel_no_share_is_lost(venue: Venue) -> None:
    orders = []
    for number in range(6):
        orders.append(send(venue, crossing(venue, f"G{number}", qty=3)))
        venue.broker.cancel(f"G{number}")
    venue.until(lambda: not any(walked(venue, order).is_open for order in orders))
    for order in orders:
        gone = sum(event.qty for event in of(venue, order.order_id) if isinstance(event, ev.OrderCanceled))
        assert walked(venue, order).filled_qty + gone == 3


def test_a_market_sell_is_taken(venue: Venue) -> None:
    send(venue, crossing(venue, "H1", qty=1))
    venue.until(lambda: filled(venue, "H1") == 1)
    send(venue, an_order("H2", side=Side.SELL, kind=OrderKind.MARKET, price=0))
    venue.until(lambda: filled(venue, "H2") == 1)


def test_no_answer_is_an_illegal_move(venue: Venue) -> None:
    last = venue.last // 100 * 100
    orders = [
        send(venue, an_order(f"I{number}", price=last + offset, qty=5))
        for number, offset in enumerate((0, 50, -1_000, 1_000))
    ]
    for order in orders:
        venue.broker.cancel(order.order_id)
    venue.until(lambda: not any(walked(venue, order).is_open for order in orders))
    assert walked(venue, orders[1]).status is OrderStatus.REJECTED


@pytest.mark.parametrize("name", HALTING)
def test_a_halted_symbol_trades_again_after_it_resumes(name: str, tmp_path: Path) -> None:
    with HALTING[name](tmp_path) as venue:
        venue.halt()
        order = send(venue, crossing(venue, "Q1", qty=1))
        assert kinds(venue, "Q1") == [ev.OrderAccepted]
        venue.let(10)
        assert kinds(venue, "Q1") == [ev.OrderAccepted]
        venue.resume()
        venue.until(lambda: walked(venue, order).status is OrderStatus.FILLED)


@pytest.mark.parametrize("name", EVENING)
def test_day_orders_expire_with_the_session_and_later_ones_are_refused(name: str, tmp_path: Path) -> None:
    with EVENING[name](tmp_path) as venue:
        send(venue, resting(venue, "Q1"))
        assert kinds(venue, "Q1") == [ev.OrderAccepted]
        venue.close()
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted, ev.OrderExpired])
        send(venue, resting(venue, "Q2"))
        assert kinds(venue, "Q2") == [ev.OrderRejected]

"""What every Broker promises, kept by the KIS broker over real sockets, and what an unsure wire adds to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.order import Order, OrderKind, OrderRequest, OrderStatus, Side
from tests.builders import an_order
from tests.kis_venue import KisVenue, kis_venue
from tests.live_days import Hosted

ALWAYS = 10**9
STATUS = {
    ev.OrderAccepted: OrderStatus.WORKING,
    ev.OrderUnconfirmed: OrderStatus.UNCONFIRMED,
    ev.OrderAbandoned: OrderStatus.ABANDONED,
    ev.OrderRejected: OrderStatus.REJECTED,
    ev.OrderCanceled: OrderStatus.CANCELED,
    ev.OrderExpired: OrderStatus.EXPIRED,
}


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KisVenue]:
    with kis_venue(tmp_path_factory.mktemp("kis")) as venue:
        yield venue


def resting(venue: KisVenue, order_id: str, qty: int = 5) -> OrderRequest:
    """A buy far below the market."""
    return an_order(order_id, price=venue.last * 9 // 1000 * 100, qty=qty)


def crossing(venue: KisVenue, order_id: str, qty: int = 2) -> OrderRequest:
    """A buy that the market meets at once."""
    return an_order(order_id, price=venue.last // 100 * 100 + 500, qty=qty)


def test_submit_returns_before_anything_is_answered(venue: KisVenue) -> None:
    venue.broker.submit(resting(venue, "A1"))
    assert venue.of("A1") == []
    venue.until(lambda: venue.kinds("A1") == [ev.OrderAccepted])


def test_every_order_gets_a_number_of_its_own(venue: KisVenue) -> None:
    venue.send(resting(venue, "B1"))
    venue.send(resting(venue, "B2"))
    numbers = [
        event.broker_order_id for event in venue.of("B1") + venue.of("B2") if isinstance(event, ev.OrderAccepted)
    ]
    assert len(set(numbers)) == 2
    assert all(numbers)


def test_a_refusal_is_an_event_with_a_code_and_words(venue: KisVenue) -> None:
    venue.send(an_order("C1", price=venue.last // 100 * 100 + 1))
    (refused,) = venue.of("C1")
    assert isinstance(refused, ev.OrderRejected)
    assert (refused.code, bool(refused.reason)) == ("APBK0506", True)


def test_fills_come_after_the_acceptance_and_carry_the_order(venue: KisVenue) -> None:
    order = crossing(venue, "D1")
    venue.send(order)
    venue.until(lambda: venue.filled("D1") == order.qty)
    accepted, *fills = venue.of("D1")
    assert isinstance(accepted, ev.OrderAccepted)
    for fill in fills:
        assert isinstance(fill, ev.OrderFilled)
        assert (fill.symbol, fill.side, fill.price <= order.price) == (order.symbol, Side.BUY, True)


def test_cancel_takes_what_remains_out(venue: KisVenue) -> None:
    venue.send(resting(venue, "E1"))
    venue.broker.cancel("E1")
    assert venue.kinds("E1") == [ev.OrderAccepted]
    venue.until(lambda: venue.kinds("E1") == [ev.OrderAccepted, ev.OrderCanceled])
    canceled = venue.of("E1")[1]
    assert isinstance(canceled, ev.OrderCanceled)
    assert (canceled.qty, canceled.reason) == (5, "asked")


def test_cancel_of_an_order_that_is_over_or_unknown_is_refused_by_an_event(venue: KisVenue) -> None:
    venue.broker.cancel("nobody")
    assert venue.kinds("nobody") == [ev.CancelRejected]


def test_whatever_wins_a_race_between_fill_and_cancel_no_share_is_lost(venue: KisVenue) -> None:
    lives = {}
    for number in range(6):
        order = crossing(venue, f"F{number}", qty=3)
        venue.send(order)
        venue.broker.cancel(order.order_id)
        lives[order.order_id] = order
    venue.until(lambda: not any(order_id in venue.broker.open for order_id in lives))
    for order_id, request in lives.items():
        life = walked(venue, request)
        assert not life.is_open
        gone = sum(event.qty for event in venue.of(order_id) if isinstance(event, ev.OrderCanceled))
        assert life.filled_qty + gone == 3


def test_a_market_sell_is_taken(venue: KisVenue) -> None:
    order = crossing(venue, "G1", qty=1)
    venue.send(order)
    venue.until(lambda: venue.filled("G1") == 1)
    venue.send(an_order("G2", side=Side.SELL, kind=OrderKind.MARKET, price=0))
    venue.until(lambda: venue.filled("G2") == 1)


@pytest.mark.parametrize("side", ["real", "paper"])
def test_day_orders_expire_with_the_session_and_later_ones_are_refused(side: str, tmp_path: Path) -> None:
    with kis_venue(tmp_path, "15:12", speed=60, side=side, calls_per_second=20) as venue:
        venue.send(resting(venue, "Q1"))
        venue.until(lambda: venue.kinds("Q1") == [ev.OrderAccepted])
        venue.close_at("15:30")
        venue.until(lambda: venue.kinds("Q1") == [ev.OrderAccepted, ev.OrderExpired])
        venue.send(resting(venue, "Q2"))
        assert venue.kinds("Q2") == [ev.OrderRejected]


@pytest.mark.parametrize("fault", ["answer-lost", "timeout-taken"])
@pytest.mark.parametrize("late", [False, True], ids=["rows-at-once", "rows-late"])
def test_an_order_whose_answer_is_lost_is_found_by_evidence(fault: str, late: bool, tmp_path: Path) -> None:  # noqa: FBT001
    with kis_venue(tmp_path, faults={fault: ALWAYS, "notice-missing": ALWAYS, "late-rows": ALWAYS * late}) as venue:
        order = crossing(venue, "Q1")
        venue.send(order)
        venue.until(lambda: venue.filled("Q1") == order.qty)
        assert venue.kinds("Q1")[:2] == [ev.OrderUnconfirmed, ev.OrderAccepted]


def test_on_paper_notices_are_the_evidence(tmp_path: Path) -> None:
    with kis_venue(tmp_path, side="paper", calls_per_second=20, faults={"answer-lost": ALWAYS}) as venue:
        order = crossing(venue, "Q1")
        venue.send(order)
        venue.until(lambda: venue.filled("Q1") == order.qty)
        assert walked(venue, order).status is OrderStatus.FILLED


def test_an_order_that_was_never_taken_is_given_up_after_enough_looks(tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60, faults={"timeout-not-taken": ALWAYS}) as venue:
        venue.send(resting(venue, "Q1"))
        venue.until(lambda: venue.kinds("Q1") == [ev.OrderUnconfirmed, ev.OrderAbandoned])


def test_on_paper_an_order_without_evidence_stays_unconfirmed(tmp_path: Path) -> None:
    with kis_venue(
        tmp_path, speed=60, side="paper", calls_per_second=20, faults={"timeout-not-taken": ALWAYS}
    ) as venue:
        venue.send(resting(venue, "Q1"))
        venue.wait(3)
        assert venue.kinds("Q1") == [ev.OrderUnconfirmed]


@pytest.mark.parametrize("fault", ["notice-twice", "notice-missing", "notice-first", "other-case", "late-rows"])
def test_totals_decide_what_was_filled(fault: str, tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60, faults={fault: ALWAYS}) as venue:
        order = crossing(venue, "Q1", qty=40)
        venue.send(order)
        venue.until(lambda: venue.filled("Q1") == order.qty)
        venue.wait(0.5)
        assert walked(venue, order).status is OrderStatus.FILLED
        account = Hosted.at(venue.wire.environment.rest_url).account()
        paid = sum(event.price * event.qty for event in venue.of("Q1") if isinstance(event, ev.OrderFilled))
        assert int(account["output1"][0]["pchs_amt"]) == paid


def test_a_late_refusal_of_the_exchange_ends_the_order(tmp_path: Path) -> None:
    with kis_venue(tmp_path, faults={"exchange-reject": ALWAYS}) as venue:
        venue.send(resting(venue, "Q1"))
        venue.until(lambda: venue.kinds("Q1") == [ev.OrderAccepted, ev.OrderRejected])


def test_an_order_that_others_sent_is_told_once(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        venue.send_elsewhere(resting(venue, "Q1"))
        venue.until(lambda: any(isinstance(event, ev.Alert) and event.code == "foreign-order" for event in venue.heard))


def walked(venue: KisVenue, request: OrderRequest) -> Order:
    """The order, moved by what was heard of it. Raises: IllegalMoveError."""
    order = Order(request, 0)
    order.move(OrderStatus.APPROVED)
    order.move(OrderStatus.SENDING)
    for event in venue.of(request.order_id):
        if isinstance(event, ev.OrderFilled):
            order.fill(event.price, event.qty)
        elif type(event) in STATUS:
            order.move(STATUS[type(event)])
    return order

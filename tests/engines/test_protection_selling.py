"""Stop-loss: how a triggered one goes on selling, over refusals, halts and the close, and never offers too much."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain import events as ev
from qbtrade.domain.calendar import Phase
from qbtrade.domain.order import Order, Purpose, Side
from tests.builders import SAMSUNG, an_order
from tests.engines.bench import HYNIX
from tests.engines.stop_desk import TEN, Desk, a_triggered_desk


def test_an_unfilled_sell_is_priced_anew_after_two_seconds_once_its_cancel_is_confirmed() -> None:
    desk = a_triggered_desk()
    desk.trade(71_000)
    desk.wait(1.999999999)
    assert desk.broker.cancels == []
    desk.wait(0.000000001)
    assert (desk.broker.cancels, desk.sells()) == (["P1"], [("P1", 10, 72_500)])
    desk.fill("P1", 72_500, 4)
    desk.cancel("P1")
    assert desk.sells()[1:] == [("P2", 6, 70_800)]
    second = desk.broker.submitted[-1]
    assert (second.repriced_from, second.reference) == ("P1", 71_000)
    desk.accept("P2")
    desk.trade(70_000)
    desk.wait(2)
    assert desk.broker.cancels == ["P1", "P2"]
    desk.cancel("P2")
    assert desk.sells()[2:] == [("P3", 6, 69_800)]
    assert desk.broker.submitted[-1].repriced_from == "P2"


def test_a_sell_at_the_right_price_keeps_its_place_in_the_queue() -> None:
    desk = a_triggered_desk()
    desk.wait(60)
    assert (desk.broker.cancels, len(desk.sells())) == ([], 1)


def test_the_two_seconds_count_from_the_newest_offer() -> None:
    desk = a_triggered_desk()
    desk.trade(71_000)
    desk.wait(3)
    desk.cancel("P1")
    desk.accept("P2")
    desk.trade(70_000)
    desk.wait(1.999999999)
    assert desk.broker.cancels == ["P1"]
    desk.wait(0.000000001)
    assert desk.broker.cancels == ["P1", "P2"]


def test_a_cancel_is_asked_for_once_until_it_is_refused() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.place(an_order("X1", side=Side.SELL, qty=10, price=80_000, purpose=Purpose.EXIT))
    desk.trade(72_700)
    desk.wait(10)
    asked = ev.CancelOrder(TEN, "X1", "stop-loss")
    assert [event for event in desk.seen if isinstance(event, ev.CancelOrder)] == [asked]


def test_a_refused_cancel_of_another_order_is_asked_for_again_two_seconds_after_the_trigger() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.place(an_order("X1", side=Side.SELL, qty=10, price=80_000, purpose=Purpose.EXIT))
    desk.trade(72_700)
    desk.bus.publish(ev.CancelRejected(desk.clock.now(), "X1", "busy"))
    desk.wait(1.999999999)
    assert desk.broker.cancels == ["X1"]
    desk.wait(0.000000001)
    assert desk.broker.cancels == ["X1", "X1"]


def test_a_refused_cancel_is_asked_for_again() -> None:
    desk = a_triggered_desk()
    desk.trade(71_000)
    desk.wait(2)
    desk.wait(2)
    assert desk.broker.cancels == ["P1"]
    desk.bus.publish(ev.CancelRejected(desk.clock.now(), "P1", "busy"))
    desk.wait(2)
    assert desk.broker.cancels == ["P1", "P1"]


def test_a_filled_stop_stands_down_and_a_new_position_is_protected_anew() -> None:
    desk = a_triggered_desk()
    desk.fill("P1", 72_500, 10)
    desk.wait(60)
    assert (desk.broker.cancels, len(desk.sells()), desk.market.watches) == ([], 1, {})
    desk.buy(2, 70_000)
    desk.trade(67_900)
    assert desk.sells()[1:] == [("P2", 2, 67_700)]
    assert desk.alerts() == ["stop-loss", "stop-loss"]


@pytest.mark.parametrize("answer", ["rejected", "not-sent", "denied"])
def test_a_refused_protective_sell_is_sent_again_two_seconds_after_the_refusal(answer: str) -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.approves = answer != "denied"
    desk.trade(72_700)
    desk.approves = True
    desk.wait(1 if answer != "denied" else 0)
    if answer == "rejected":
        desk.reject("P1")
    if answer == "not-sent":
        desk.bus.publish(ev.OrderNotSent(desk.clock.now(), "P1", "no connection"))
    tried = len(desk.sells())
    desk.place(an_order("E2", price=72_000))
    desk.fill("E2", 72_000, 1)  # does not hurry it
    desk.wait(1.999999999)
    assert len(desk.sells()) == tried
    desk.wait(0.000000001)
    assert desk.sells()[tried:] == [("P2", 11, 72_500)]
    assert desk.broker.submitted[-1].repriced_from == ""


def test_the_refusal_of_another_sell_frees_its_shares_at_once() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.bus.publish(ev.SubmitOrder(TEN, an_order("X1", side=Side.SELL, qty=4, purpose=Purpose.EXIT)))
    desk.trade(72_700)
    desk.reject("X1")
    assert desk.sells() == [("P1", 6, 72_500), ("P2", 4, 72_500)]


def test_an_unconfirmed_sell_is_never_doubled() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.trade(72_700)
    desk.bus.publish(ev.OrderUnconfirmed(TEN, "P1", "timeout"))
    desk.trade(71_000)
    desk.wait(60)
    assert len(desk.sells()) == 1
    desk.bus.publish(ev.OrderAbandoned(desk.clock.now(), "P1", "unknown to the venue"))
    assert desk.sells()[1:] == [("P2", 10, 70_800)]
    assert desk.broker.submitted[-1].repriced_from == ""


def test_during_a_halt_nothing_is_sent_and_after_it_the_price_is_new() -> None:
    desk = a_triggered_desk()
    desk.halt()
    desk.trade(68_000)
    desk.wait(60)
    desk.cancel("P1")
    assert (desk.broker.cancels, len(desk.sells())) == ([], 1)
    desk.resume()
    assert desk.sells()[1:] == [("P2", 10, 67_800)]


def test_after_a_halt_a_working_sell_is_priced_anew_at_once() -> None:
    desk = a_triggered_desk()
    desk.halt()
    desk.trade(68_000)
    desk.resume()
    assert desk.broker.cancels == ["P1"]


def test_events_about_others_do_not_disturb_it() -> None:
    desk = a_triggered_desk()
    desk.trade(75_000, HYNIX)
    desk.place(an_order("H1", symbol=HYNIX))
    desk.cancel("H1")
    desk.protection.on_ended(ev.OrderCanceled(TEN, "unknown", 1, "asked"))
    desk.protection.on_refused(ev.OrderRejected(TEN, "unknown", "X", "no"))
    desk.protection.on_cancel_rejected(ev.CancelRejected(TEN, "unknown", "late"))
    desk.bus.publish(ev.SubmitOrder(TEN, an_order("H2", symbol=HYNIX)))
    desk.reject("H2")
    desk.bus.publish(ev.SymbolResumed(TEN, HYNIX, "vi-over"))
    desk.bus.publish(ev.SymbolResumed(TEN, "035420", "vi-over"))
    desk.place(an_order("H3", symbol=HYNIX))
    desk.bus.publish(ev.CancelRejected(TEN, "H3", "late"))
    assert len(desk.sells()) == 1


def test_an_unfilled_sell_moves_into_the_closing_auction_as_low_as_the_collar_allows() -> None:
    desk = a_triggered_desk()
    desk.phase(Phase.CLOSING_AUCTION)
    assert desk.broker.cancels == ["P1"]
    desk.cancel("P1")
    assert desk.sells()[1:] == [("P2", 10, 70_600)]  # 72,700 less 3 %, up to the tick
    desk.accept("P2")
    desk.wait(600)
    assert desk.broker.cancels == ["P1"]


def test_an_untriggered_stop_ignores_the_closing_auction() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.phase(Phase.CLOSING_AUCTION)
    assert (desk.sells(), desk.alerts()) == ([], [])


def test_what_is_not_sold_by_the_close_is_said_and_left_until_the_next_continuous_phase() -> None:
    desk = a_triggered_desk()
    desk.phase(Phase.CLOSED)
    desk.bus.publish(ev.OrderExpired(desk.clock.now(), "P1", 10))
    assert desk.alerts() == ["stop-loss", "stop-loss-unfilled"]
    desk.wait(60)
    desk.phase(Phase.OPENING_AUCTION, "2026-11-23")
    assert (len(desk.sells()), desk.market.watches) == (1, {})
    desk.phase(Phase.CONTINUOUS, "2026-11-23")
    desk.trade(74_000)
    assert len(desk.sells()) == 1
    desk.trade(72_000)
    assert desk.sells()[1:] == [("P2", 10, 71_800)]
    assert desk.alerts() == ["stop-loss", "stop-loss-unfilled", "stop-loss"]


def test_fills_of_the_closing_auction_that_are_told_after_the_close_are_no_failure() -> None:
    desk = a_triggered_desk()
    desk.phase(Phase.CLOSING_AUCTION)
    desk.cancel("P1")
    desk.accept("P2")
    desk.phase(Phase.CLOSED)
    desk.fill("P2", 71_000, 4)
    desk.wait(60)
    assert desk.alerts() == ["stop-loss"]
    desk.fill("P2", 71_000, 6)
    assert (desk.alerts(), len(desk.sells()), desk.market.watches) == (["stop-loss"], 2, {})


def test_what_the_closing_auction_left_is_said_when_the_venue_ends_the_sell() -> None:
    desk = a_triggered_desk()
    desk.phase(Phase.CLOSED)
    desk.fill("P1", 72_500, 4)
    assert desk.alerts() == ["stop-loss"]
    desk.bus.publish(ev.OrderExpired(desk.clock.now(), "P1", 6))
    (alert,) = (event for event in desk.seen if isinstance(event, ev.Alert) and event.code == "stop-loss-unfilled")
    assert alert.text == f"{SAMSUNG}: 6 shares could not be sold at the stop-loss"


def test_a_position_held_overnight_is_watched_again_without_an_alert() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.phase(Phase.CLOSED)
    assert desk.market.watches == {}
    desk.phase(Phase.CONTINUOUS, "2026-11-23")
    assert desk.market.watches == {(SAMSUNG, "protection"): 72_750}
    assert desk.alerts() == []


def test_what_is_sold_because_the_session_ends_says_so() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.trade(75_000)
    desk.place(an_order("X1", side=Side.SELL, qty=4, price=80_000, purpose=Purpose.EXIT))
    desk.protection.sell_out(desk.clock.now(), SAMSUNG, "flatten")
    assert desk.broker.cancels == ["X1"]
    assert [(order.qty, order.purpose) for order in desk.broker.submitted[-1:]] == [(6, Purpose.FLATTEN)]
    desk.accept("P1")
    desk.trade(71_000)
    desk.wait(2)
    desk.cancel("P1")
    assert [order.purpose for order in desk.broker.submitted[-2:]] == [Purpose.FLATTEN, Purpose.FLATTEN]


def test_at_rest_it_sends_nothing_more_and_watches_nothing() -> None:
    desk = a_triggered_desk()
    desk.buy(1, 75_000, HYNIX)
    desk.protection.rest()
    desk.bus.publish(ev.CancelOrder(desk.clock.now(), "P1", "session-stopped"))
    desk.fill("P1", 72_500, 1)
    desk.cancel("P1")
    desk.wait(60)
    desk.trade(60_000)
    desk.trade(60_000, HYNIX)
    assert (len(desk.sells()), desk.market.watches) == (1, {})


@given(data=st.data())
def test_whatever_the_venue_does_no_more_is_offered_than_is_held(data: st.DataObject) -> None:
    desk = a_triggered_desk()
    for _ in range(data.draw(st.integers(0, 25))):
        a_turn_of_the_venue(desk, data)
        assert desk.orders.selling(SAMSUNG) <= desk.positions.qty(SAMSUNG)


def a_turn_of_the_venue(desk: Desk, data: st.DataObject) -> None:
    """Let one thing happen that can happen."""
    sending = [o for o in desk.orders.open_orders(SAMSUNG) if o.status in {"SENDING", "UNCONFIRMED"}]
    working = [o for o in desk.orders.open_orders(SAMSUNG) if o.status in {"WORKING", "PARTLY_FILLED", "CANCELING"}]
    acts = ["trade", "wait", "halt", "resume", "auction"]
    acts += ["accept", "reject"] * bool(sending) + ["fill", "cancel"] * bool(working)
    turns: dict[str, Callable[[], None]] = {
        "trade": lambda: desk.trade(data.draw(st.integers(60_000, 74_000))),
        "wait": lambda: desk.wait(data.draw(st.sampled_from([0.5, 2, 3]))),
        "halt": desk.halt,
        "resume": desk.resume,
        "auction": lambda: desk.phase(data.draw(st.sampled_from([Phase.CONTINUOUS, Phase.CLOSING_AUCTION]))),
        "accept": lambda: desk.accept(sending[0].request.order_id),
        "reject": lambda: desk.reject(sending[0].request.order_id),
        "fill": lambda: fill_some(desk, data.draw(st.sampled_from(working)), data),
        "cancel": lambda: desk.cancel(data.draw(st.sampled_from(working)).request.order_id),
    }
    turns[data.draw(st.sampled_from(acts))]()


def fill_some(desk: Desk, order: Order, data: st.DataObject) -> None:
    desk.fill(order.request.order_id, order.request.price, data.draw(st.integers(1, order.remaining)))


def test_a_protective_sell_that_comes_to_nothing_again_and_again_waits_longer_and_is_told() -> None:
    desk = a_triggered_desk()
    for number, pause in enumerate((2, 4, 8, 16, 16), 1):
        assert ("stop-loss-refused" in desk.alerts()) is (number > 3)
        desk.reject(f"P{number}")
        desk.wait(pause - 0.000000001)
        assert len(desk.sells()) == number
        desk.wait(0.000000001)
        assert len(desk.sells()) == number + 1
    assert desk.alerts().count("stop-loss-refused") == 1

"""Stop-loss: where the level lies, what triggers it, and the first protective sell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain import events as ev
from qbtrade.domain.calendar import Phase
from qbtrade.domain.instrument import PriceBand
from qbtrade.domain.market import Quote
from qbtrade.domain.order import OrderRequest, Purpose, Side
from tests.builders import SAMSUNG, an_order
from tests.engines.bench import HYNIX
from tests.engines.stop_desk import TEN, Desk, a_triggered_desk


def test_a_trade_at_the_level_triggers_and_one_won_above_does_not() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    assert desk.protection.level(SAMSUNG) == 72_750
    desk.trade(72_751)
    assert desk.sells() == []
    desk.trade(72_750)
    assert [qty for _, qty, _ in desk.sells()] == [10]


@given(
    lots=st.lists(st.tuples(st.integers(1, 50), st.integers(1, 10**6)), min_size=1, max_size=5),
    stop_loss=st.integers(1, 999_999_999),
)
def test_the_level_is_exact_to_the_won(lots: list[tuple[int, int]], stop_loss: int) -> None:
    desk = Desk(stop_loss=stop_loss)
    desk.market.price_band = None
    for qty, price in lots:
        desk.positions.hold(SAMSUNG, qty, price)
    desk.phase(Phase.CONTINUOUS)
    level, qty, cost = desk.protection.level(SAMSUNG), desk.positions.qty(SAMSUNG), desk.positions.cost(SAMSUNG)
    keep = cost * (10**9 - stop_loss)
    assert level * qty * 10**9 <= keep < (level + 1) * qty * 10**9


def test_the_level_follows_the_average_cost() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.buy(10, 77_000)
    assert desk.protection.level(SAMSUNG) == 76_000 * 97 // 100
    assert desk.market.watches == {(SAMSUNG, "protection"): 73_720}


def test_nothing_is_watched_when_nothing_is_held_any_more() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.place(an_order("X1", side=Side.SELL, qty=10, purpose=Purpose.EXIT))
    desk.fill("X1", 75_000, 10)
    assert desk.market.watches == {}
    assert desk.protection.level(SAMSUNG) == 0
    desk.trade(60_000)
    assert desk.sells() == []


def test_a_stop_loss_of_zero_switches_the_stop_off() -> None:
    desk = Desk(stop_loss=0)
    desk.buy(10, 75_000)
    desk.phase(Phase.CONTINUOUS)
    desk.trade(52_500)
    assert (desk.sells(), desk.market.watches) == ([], {})


def test_the_wake_of_somebody_else_above_the_level_is_no_trigger() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.market.wake(SAMSUNG)
    desk.trade(74_000)
    assert desk.sells() == []
    desk.trade(72_000)
    assert len(desk.sells()) == 1


def test_a_symbol_without_shares_is_left_alone() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.market.wake(HYNIX)
    desk.trade(10_000, HYNIX)
    desk.bus.publish(ev.PriceTouched(TEN, "035420", 1))
    assert desk.sells() == []


def test_a_triggered_stop_says_so_once_and_sells_everything_through_the_spread() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.trade(72_700)
    (alert,) = [event for event in desk.seen if isinstance(event, ev.Alert)]
    assert (alert.level, alert.code) == (ev.Level.CRITICAL, "stop-loss")
    assert alert.text == (
        "005930: selling 10 shares; stop-loss: 72,700 is at or below 72,750, the average cost is 75,000"
    )
    assert alert.action
    (order,) = [o for o in desk.broker.submitted if o.purpose is Purpose.PROTECT]
    assert order == OrderRequest(
        "P1", SAMSUNG, Side.SELL, 10, 72_500,
        purpose=Purpose.PROTECT, reference=72_700, signal="stop-loss: 72,700 is at or below 72,750",
    )  # fmt: skip
    desk.accept("P1")
    desk.trade(72_000)
    assert desk.alerts() == ["stop-loss"]


@pytest.mark.parametrize(
    ("bid", "price"),
    [(72_400, 72_200), (72_700, 72_500), (73_000, 72_500), (0, 72_500), (72_650, 72_500), (70_700, 70_600)],
)
def test_the_limit_is_two_ticks_below_bid_or_last_and_within_the_collar(bid: int, price: int) -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.market.quotes[SAMSUNG] = Quote(TEN, SAMSUNG, bid, 10, 73_000, 10)
    desk.trade(72_700)
    assert desk.sells() == [("P1", 10, price)]


def test_the_limit_is_not_below_the_lower_price_limit() -> None:
    desk = Desk()
    desk.market.price_band = PriceBand(75_000, 72_600, 97_500)
    desk.buy(10, 75_000)
    desk.trade(72_700)
    assert desk.sells() == [("P1", 10, 72_600)]


def test_without_a_band_the_collar_alone_bounds_the_limit() -> None:
    desk = Desk(collar=1_000_000)
    desk.market.price_band = None
    desk.buy(10, 75_000)
    desk.trade(72_750)
    assert desk.sells() == [("P1", 10, 72_700)]


@pytest.mark.parametrize("phase", [Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.CLOSED, Phase.AFTER_MARKET])
def test_only_a_trade_of_the_continuous_phase_triggers(phase: Phase) -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.market.now_in = phase
    desk.trade(70_000)
    assert desk.sells() == []
    desk.market.now_in = Phase.CONTINUOUS
    desk.trade(70_000)
    assert len(desk.sells()) == 1


def test_a_trade_during_a_halt_does_not_trigger_but_the_next_one_after_it_does() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.halt()
    desk.trade(70_000)
    assert desk.sells() == []
    desk.resume()
    assert desk.sells() == []
    desk.trade(70_000)
    assert len(desk.sells()) == 1


def test_a_single_share_is_sold_as_well() -> None:
    desk = Desk()
    desk.buy(1, 75_000)
    desk.trade(72_700)
    assert desk.sells() == [("P1", 1, 72_500)]


def test_other_orders_of_the_symbol_are_canceled_and_those_of_other_symbols_stay() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.place(an_order("E2", price=70_000))
    desk.place(an_order("X1", side=Side.SELL, qty=4, price=80_000, purpose=Purpose.EXIT))
    desk.place(an_order("F1", side=Side.SELL, qty=1, price=80_000, purpose=Purpose.FLATTEN))
    desk.place(an_order("H1", symbol=HYNIX))
    desk.trade(72_700)
    assert desk.broker.cancels == ["E2", "X1"]
    assert desk.sells() == [("P1", 5, 72_500)]


def test_shares_in_another_sell_are_offered_only_when_its_cancel_is_confirmed() -> None:
    desk = Desk()
    desk.buy(10, 75_000)
    desk.place(an_order("X1", side=Side.SELL, qty=10, price=80_000, purpose=Purpose.EXIT))
    desk.trade(72_700)
    desk.wait(10)
    assert (desk.broker.cancels, desk.sells()) == (["X1"], [])
    desk.fill("X1", 80_000, 3)
    desk.cancel("X1")
    assert desk.sells() == [("P1", 7, 72_500)]


def test_a_buy_that_fills_late_is_sold_as_well() -> None:
    desk = a_triggered_desk()
    desk.place(an_order("E2", qty=5, price=72_000))
    desk.fill("E2", 72_000, 5)
    assert desk.sells() == [("P1", 10, 72_500), ("P2", 5, 72_500)]
    assert desk.alerts() == ["stop-loss"]


def test_an_entry_made_while_the_stop_sells_is_canceled_at_the_next_look() -> None:
    desk = a_triggered_desk()
    desk.place(an_order("E2", price=72_000))
    desk.wait(2)
    assert desk.broker.cancels == ["E2"]

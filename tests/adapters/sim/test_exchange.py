"""What the simulated exchange does with orders, prints and phases, rule by rule."""

import pytest

from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import CancelRejected, OrderAccepted, OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from qbtrade.domain.instrument import PriceBand
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, Side, TimeInForce
from tests.adapters.sim.exchanges import PPB, an_exchange, send
from tests.builders import a_trade, an_order, at

LAST = a_trade(75_000, clock="09:59")
NEXT = "10:01"
MARKET = OrderKind.MARKET
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def fills(outputs: object) -> list[tuple[str, int, int]]:
    assert isinstance(outputs, list | tuple)
    return [(event.order_id, event.price, event.qty) for event in outputs if isinstance(event, OrderFilled)]


def after(exchange: SimExchange, order: OrderRequest, *prices: int, qty: int = 10) -> list[tuple[str, int, int]]:
    """Fills of an order that arrives after a print at 75,000 and meets prints at these prices."""
    send(exchange, order, last=LAST)
    return [fill for price in prices for fill in fills(exchange.on_trade(a_trade(price, qty, clock=NEXT)))]


# taking


def test_a_market_order_fills_at_the_next_print_and_its_time() -> None:
    exchange = an_exchange()
    assert send(exchange, an_order(kind=MARKET, price=0), last=LAST) == [OrderAccepted(at("10:00"), "Q1", "S0000001")]
    assert exchange.on_trade(a_trade(75_200, clock=NEXT)) == [
        OrderFilled(at(NEXT), "Q1", "005930", Side.BUY, 75_200, 1)
    ]


def test_a_taker_pays_slippage_beyond_the_print() -> None:
    assert after(an_exchange(slippage=2), an_order(kind=MARKET, price=0), 75_000) == [("Q1", 75_200, 1)]
    sell = an_order(side=Side.SELL, kind=MARKET, price=0)
    assert after(an_exchange(slippage=2), sell, 75_000) == [("Q1", 74_800, 1)]


def test_a_taker_never_trades_beyond_its_limit() -> None:
    assert after(an_exchange(slippage=2), an_order(price=75_200), 75_200) == []
    assert after(an_exchange(slippage=2), an_order(price=75_200), 75_100) == [("Q1", 75_200, 1)]


def test_a_taker_gets_the_better_price_of_the_print() -> None:
    assert after(an_exchange(slippage=1), an_order(price=75_500), 75_000) == [("Q1", 75_100, 1)]


def test_what_a_taker_did_not_get_is_matched_with_the_following_prints() -> None:
    exchange = an_exchange(share=PPB // 10)
    assert after(exchange, an_order(kind=MARKET, price=0, qty=5), 75_000, 75_100, qty=25) == [
        ("Q1", 75_000, 2),
        ("Q1", 75_100, 2),
    ]


def test_what_a_taker_left_rests_at_its_limit_once_the_market_moved_away() -> None:
    exchange = an_exchange(slippage=1, share=PPB // 10)
    order = an_order(price=75_100, qty=3)
    assert after(exchange, order, 75_000, 75_300, 75_000, 74_500) == [
        ("Q1", 75_100, 1),
        ("Q1", 75_100, 1),
        ("Q1", 75_100, 1),
    ]


def test_an_order_without_an_earlier_print_is_judged_by_the_first_one() -> None:
    exchange = an_exchange(slippage=1)
    send(exchange, an_order(price=76_000))
    assert fills(exchange.on_trade(a_trade(75_000, clock=NEXT))) == [("Q1", 75_100, 1)]


def test_yesterdays_print_says_nothing_about_todays_order() -> None:
    exchange = an_exchange(slippage=1)
    send(exchange, an_order(price=75_000), last=a_trade(90_000, clock="08:00"))
    assert fills(exchange.on_trade(a_trade(74_000, clock=NEXT))) == [("Q1", 74_100, 1)]


def test_nothing_is_bought_at_the_upper_limit_while_the_market_is_locked_there() -> None:
    exchange = an_exchange(slippage=1)
    locked = a_trade(97_500, clock="09:59")
    send(exchange, an_order(kind=MARKET, price=0), last=locked)
    assert fills(exchange.on_trade(a_trade(97_500, clock=NEXT))) == []
    assert fills(exchange.on_trade(a_trade(97_400, clock=NEXT))) == [("Q1", 97_500, 1)]


# resting


def test_a_resting_order_waits_for_a_print_through_its_limit_and_fills_at_its_limit() -> None:
    order = an_order(price=74_500)
    assert after(an_exchange(), order, 74_600, 74_500) == []
    assert after(an_exchange(), order, 74_600, 74_400) == [("Q1", 74_500, 1)]
    assert after(an_exchange(rule="touch"), order, 74_600, 74_500) == [("Q1", 74_500, 1)]


def test_a_resting_sell_is_the_mirror_of_a_buy() -> None:
    order = an_order(side=Side.SELL, price=75_500)
    assert after(an_exchange(), order, 75_400, 75_500) == []
    assert after(an_exchange(), order, 75_600) == [("Q1", 75_500, 1)]


# volume and priority


def test_all_our_orders_share_one_part_of_a_print_in_order_of_price_then_time() -> None:
    exchange = an_exchange(share=PPB // 2)
    for order_id, price in (("low", 74_400), ("first", 74_500), ("second", 74_500)):
        send(exchange, an_order(order_id, price=price, qty=3), last=LAST)
    assert fills(exchange.on_trade(a_trade(74_000, 10, clock=NEXT))) == [("first", 74_500, 3), ("second", 74_500, 2)]
    assert fills(exchange.on_trade(a_trade(74_000, 8, clock=NEXT))) == [("second", 74_500, 1), ("low", 74_400, 3)]


def test_a_market_order_comes_before_every_limit_and_sells_before_buys() -> None:
    exchange = an_exchange()
    for order in (
        an_order("limit", price=97_500),
        an_order("market", kind=MARKET, price=0),
        an_order("sell", side=Side.SELL, kind=MARKET, price=0),
    ):
        send(exchange, order, last=LAST)
    assert [fill[0] for fill in fills(exchange.on_trade(a_trade(clock=NEXT)))] == ["sell", "market", "limit"]


def test_a_print_without_volume_fills_nothing_and_ends_no_order() -> None:
    exchange = an_exchange()
    send(exchange, an_order(kind=MARKET, price=0, tif=IOC), last=LAST)
    assert list(exchange.on_trade(a_trade(qty=0, clock=NEXT))) == []
    assert fills(exchange.on_trade(a_trade(clock=NEXT))) == [("Q1", 75_000, 1)]


def test_the_smallest_print_gives_one_share() -> None:
    assert after(an_exchange(share=1), an_order(kind=MARKET, price=0, qty=2), 75_000, qty=1) == [("Q1", 75_000, 1)]


def test_a_print_older_than_the_order_does_not_fill_it() -> None:
    exchange = an_exchange()
    send(exchange, an_order(kind=MARKET, price=0))
    assert fills(exchange.on_trade(a_trade(clock="09:59:59"))) == []


def test_prints_of_another_symbol_do_not_matter() -> None:
    exchange = an_exchange()
    send(exchange, an_order(kind=MARKET, price=0))
    assert list(exchange.on_trade(a_trade(symbol="000660", clock=NEXT))) == []


# IOC and FOK


def test_ioc_takes_what_the_next_print_gives_and_cancels_the_rest() -> None:
    exchange = an_exchange()
    send(exchange, an_order(kind=MARKET, price=0, qty=15, tif=IOC), last=LAST)
    assert exchange.on_trade(a_trade(75_000, 10, clock=NEXT)) == [
        OrderFilled(at(NEXT), "Q1", "005930", Side.BUY, 75_000, 10),
        OrderCanceled(at(NEXT), "Q1", 5, "ioc"),
    ]


def test_ioc_that_is_not_reached_is_canceled_whole() -> None:
    exchange = an_exchange()
    send(exchange, an_order(price=74_000, tif=IOC), last=LAST)
    assert exchange.on_trade(a_trade(clock=NEXT)) == [OrderCanceled(at(NEXT), "Q1", 1, "ioc")]


@pytest.mark.parametrize(("qty", "expected"), [(10, [("Q1", 75_000, 10)]), (9, [])])
def test_fok_fills_whole_or_not_at_all(qty: int, expected: list[tuple[str, int, int]]) -> None:
    exchange = an_exchange()
    send(exchange, an_order(kind=MARKET, price=0, qty=10, tif=FOK), last=LAST)
    outputs = exchange.on_trade(a_trade(75_000, qty, clock=NEXT))
    assert fills(outputs) == expected
    assert any(isinstance(event, OrderCanceled) for event in outputs) is not bool(expected)


def test_a_fok_that_fails_leaves_the_volume_to_the_next_order() -> None:
    exchange = an_exchange()
    send(exchange, an_order("fok", kind=MARKET, price=0, qty=10, tif=FOK))
    send(exchange, an_order("day", kind=MARKET, price=0, qty=9))
    assert fills(exchange.on_trade(a_trade(75_000, 9, clock=NEXT))) == [("day", 75_000, 9)]


# auctions


def test_in_an_auction_all_crossing_orders_trade_at_its_one_price_without_slippage() -> None:
    exchange = an_exchange(slippage=2, phase=Phase.CLOSING_AUCTION)
    for order in (
        an_order("far", price=76_000),
        an_order("at", price=75_000),
        an_order("short", price=74_900),
        an_order("sell", side=Side.SELL, price=74_000),
    ):
        send(exchange, order, last=LAST)
    outputs = exchange.on_trade(a_trade(75_000, 10, clock=NEXT, auction=True))
    assert fills(outputs) == [("sell", 75_000, 1), ("far", 75_000, 1), ("at", 75_000, 1)]


@pytest.mark.parametrize("phase", [Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION])
def test_orders_wait_for_the_auction_print(phase: Phase) -> None:
    exchange = an_exchange(phase=phase)
    send(exchange, an_order(kind=MARKET, price=0))
    assert fills(exchange.on_trade(a_trade(clock=NEXT))) == []
    assert fills(exchange.on_trade(a_trade(clock=NEXT, auction=True))) == [("Q1", 75_000, 1)]


def test_an_auction_gives_no_more_than_its_share() -> None:
    exchange = an_exchange(share=PPB // 10, phase=Phase.OPENING_AUCTION)
    send(exchange, an_order(price=76_000, qty=100))
    assert fills(exchange.on_trade(a_trade(75_000, 300, clock=NEXT, auction=True))) == [("Q1", 75_000, 30)]


# refusals


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (an_order(qty=0), "bad-qty"),
        (an_order(qty=-1), "bad-qty"),
        (an_order(price=75_050), "off-tick-grid"),
        (an_order(price=0), "off-tick-grid"),
        (an_order(price=-100), "off-tick-grid"),
        (an_order(price=97_600), "outside-price-band"),
        (an_order(price=52_400), "outside-price-band"),
    ],
)
def test_what_cannot_trade_is_refused_with_a_code(order: OrderRequest, code: str) -> None:
    (refused,) = send(an_exchange(), order)
    assert isinstance(refused, OrderRejected)
    assert refused.code == code


@pytest.mark.parametrize("price", [52_500, 97_500])
def test_the_limits_of_the_band_can_be_ordered(price: int) -> None:
    assert isinstance(send(an_exchange(), an_order(price=price))[0], OrderAccepted)


def test_without_a_known_band_every_price_on_the_grid_is_taken() -> None:
    exchange = an_exchange(slippage=1)
    assert isinstance(send(exchange, an_order(price=200_000), band=None)[0], OrderAccepted)
    assert isinstance(send(exchange, an_order("Q2", kind=MARKET, price=0), band=None)[0], OrderAccepted)
    assert fills(exchange.on_trade(a_trade(150_000, clock=NEXT))) == [("Q2", 150_100, 1), ("Q1", 150_100, 1)]


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.AFTER_MARKET])
def test_orders_outside_of_the_session_are_refused(phase: Phase) -> None:
    (refused,) = send(an_exchange(phase=phase), an_order())
    assert isinstance(refused, OrderRejected)
    assert refused.code == "market-closed"


def test_an_order_is_not_taken_twice() -> None:
    exchange = an_exchange()
    send(exchange, an_order())
    (refused,) = send(exchange, an_order())
    assert isinstance(refused, OrderRejected)
    assert refused.code == "duplicate-order-id"


def test_the_venue_refuses_at_random_when_asked_to() -> None:
    (refused,) = send(an_exchange(refused=PPB), an_order())
    assert isinstance(refused, OrderRejected)
    assert refused.code == "random-refusal"


def test_an_order_that_is_wrong_anyway_is_not_drawn_for() -> None:
    rate = PPB // 2
    plain, mixed = an_exchange(refused=rate), an_exchange(refused=rate)
    outcomes: list[list[Event]] = []
    for number in range(20):
        send(mixed, an_order(f"W{number}", qty=0))
        outcomes.append(send(plain, an_order(f"Q{number}")))
        assert type(send(mixed, an_order(f"Q{number}"))[0]) is type(outcomes[-1][0])


# cancels, halts, the end of the day


def test_a_cancel_takes_the_remainder_out_and_a_second_one_is_refused() -> None:
    exchange = an_exchange()
    send(exchange, an_order(kind=MARKET, price=0, qty=15), last=LAST)
    exchange.on_trade(a_trade(75_000, 10, clock=NEXT))
    assert list(exchange.cancel(at("10:02"), "Q1")) == [OrderCanceled(at("10:02"), "Q1", 5, "requested")]
    assert list(exchange.cancel(at("10:03"), "Q1")) == [CancelRejected(at("10:03"), "Q1", "not-working")]
    assert list(exchange.on_trade(a_trade(clock="10:04"))) == []


def test_part_of_an_order_can_be_taken_out_and_the_rest_keeps_its_place() -> None:
    exchange = an_exchange()
    for name in ("Q1", "Q2"):
        send(exchange, an_order(name, price=74_900, qty=10), last=LAST)
    assert list(exchange.reduce(at("10:00"), "Q1", 4)) == [OrderCanceled(at("10:00"), "Q1", 4, "requested")]
    assert list(exchange.reduce(at("10:00"), "Q1", 7)) == [CancelRejected(at("10:00"), "Q1", "not-working")]
    assert fills(exchange.on_trade(a_trade(74_800, 8, clock=NEXT))) == [("Q1", 74_900, 6), ("Q2", 74_900, 2)]
    assert list(exchange.reduce(at("10:02"), "Q2", 8)) == [OrderCanceled(at("10:02"), "Q2", 8, "requested")]
    assert list(exchange.cancel(at("10:03"), "Q2")) == [CancelRejected(at("10:03"), "Q2", "not-working")]


def test_a_filled_order_cannot_be_canceled() -> None:
    exchange = an_exchange()
    after(exchange, an_order(kind=MARKET, price=0), 75_000)
    assert list(exchange.cancel(at("10:02"), "Q1")) == [CancelRejected(at("10:02"), "Q1", "not-working")]


def test_a_halted_symbol_takes_orders_and_cancels_but_trades_only_after_it_resumes() -> None:
    exchange = an_exchange()
    exchange.halt("005930")
    send(exchange, an_order("stays", kind=MARKET, price=0))
    send(exchange, an_order("goes", kind=MARKET, price=0))
    assert list(exchange.on_trade(a_trade(clock=NEXT))) == []
    assert list(exchange.cancel(at(NEXT), "goes")) == [OrderCanceled(at(NEXT), "goes", 1, "requested")]
    exchange.resume("005930")
    assert fills(exchange.on_trade(a_trade(clock=NEXT, auction=True))) == [("stays", 75_000, 1)]


def test_a_halt_concerns_one_symbol() -> None:
    exchange = an_exchange()
    exchange.halt("000660")
    assert after(exchange, an_order(kind=MARKET, price=0), 75_000) == [("Q1", 75_000, 1)]


@pytest.mark.parametrize("phase", [Phase.CLOSED, Phase.AFTER_MARKET])
def test_what_works_expires_when_the_session_ends_in_order_of_arrival(phase: Phase) -> None:
    exchange = an_exchange()
    send(exchange, an_order("Q1", price=74_000, qty=3))
    send(exchange, an_order("Q2", price=74_500, qty=2))
    assert list(exchange.on_phase(at("15:30"), phase)) == [
        OrderExpired(at("15:30"), "Q1", 3),
        OrderExpired(at("15:30"), "Q2", 2),
    ]
    assert list(exchange.on_trade(a_trade(70_000, clock="15:31"))) == []


@pytest.mark.parametrize("phase", [Phase.CONTINUOUS, Phase.CLOSING_AUCTION])
def test_orders_live_on_from_phase_to_phase_of_one_session(phase: Phase) -> None:
    exchange = an_exchange(phase=Phase.OPENING_AUCTION)
    send(exchange, an_order())
    assert list(exchange.on_phase(at("09:00"), phase)) == []
    assert len(exchange.books["005930"]) == 1


def test_a_print_beyond_the_band_fills_nothing() -> None:
    exchange = an_exchange()
    send(exchange, an_order(price=75_000), band=PriceBand(75_000, 52_500, 97_500), last=LAST)
    assert fills(exchange.on_trade(a_trade(50_000, clock=NEXT))) == []
    assert fills(exchange.on_trade(a_trade(50_000, clock=NEXT, auction=True))) == []


# sketched prints


def test_on_the_path_of_bars_a_marketable_order_trades_on_arrival_at_the_price_that_stands() -> None:
    exchange = an_exchange(slippage=1, sketched=True)
    assert send(exchange, an_order(price=76_000), last=LAST) == [
        OrderAccepted(at("10:00"), "Q1", "S0000001"),
        OrderFilled(at("10:00"), "Q1", "005930", Side.BUY, 75_100, 1),
    ]


def test_on_the_path_of_bars_orders_share_what_the_standing_print_has_left() -> None:
    exchange = an_exchange(sketched=True)
    other = a_trade(75_000, 10, clock="09:59", symbol="000660")
    filled = [
        fill
        for order_id, qty, last in (("Q1", 6, LAST), ("Q2", 2, other), ("Q3", 6, LAST))
        for fill in fills(send(exchange, an_order(order_id, symbol=last.symbol, price=76_000, qty=qty), last=last))
    ]
    assert filled == [("Q1", 75_000, 6), ("Q2", 75_000, 2), ("Q3", 75_000, 4)]


def test_on_the_path_of_bars_a_resting_order_still_waits() -> None:
    exchange = an_exchange(sketched=True)
    assert fills(send(exchange, an_order(price=74_900), last=LAST)) == []


def test_on_the_path_of_bars_a_halted_symbol_does_not_trade_on_arrival() -> None:
    exchange = an_exchange(sketched=True)
    exchange.halt("005930")
    assert fills(send(exchange, an_order(price=76_000), last=LAST)) == []


def test_behind_the_close_of_a_bar_nothing_stands_until_the_next_print() -> None:
    exchange = an_exchange(sketched=True)
    close = a_trade(75_000, 100, ts=at("10:00") - 1)
    assert fills(send(exchange, an_order(price=76_000, qty=1), last=close)) == []
    assert fills(exchange.on_trade(a_trade(75_500, 100, clock=NEXT))) == [("Q1", 75_500, 1)]

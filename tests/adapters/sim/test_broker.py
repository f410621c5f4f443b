"""What the simulated broker does beyond the contract: it knows to the nanosecond which print an order meets."""

from qbtrade.domain.events import OrderAccepted, OrderFilled
from qbtrade.domain.order import OrderKind, Side
from tests.builders import a_trade, an_order, at
from tests.venues import SimVenue, kinds, send


def test_a_print_that_market_data_set_aside_fills_nothing() -> None:
    venue = SimVenue()
    send(venue, an_order(price=74_000))
    venue.set_aside.add(at("10:00"))
    venue.show(a_trade(60_000, clock="10:00"))
    assert kinds(venue, "Q1") == [OrderAccepted]


def test_an_order_does_not_fill_before_it_arrived() -> None:
    venue = SimVenue()
    venue.broker.submit(an_order(kind=OrderKind.MARKET, price=0))
    venue.show(a_trade(ts=at("09:00") + 1))
    assert venue.heard == []


def test_fills_are_of_each_print_its_price_and_at_most_its_shares() -> None:
    venue = SimVenue()
    venue.broker.submit(an_order(kind=OrderKind.MARKET, price=0, qty=3, side=Side.SELL))
    venue.clock.advance(at("09:01"))
    venue.show(a_trade(75_000, 2, clock="10:00"))
    venue.show(a_trade(74_900, 9, clock="10:01"))
    assert venue.heard[1:] == [
        OrderFilled(at("10:00"), "Q1", "005930", Side.SELL, 75_000, 2),
        OrderFilled(at("10:01"), "Q1", "005930", Side.SELL, 74_900, 1),
    ]


def test_the_latency_decides_which_print_an_order_meets() -> None:
    venue = SimVenue()
    venue.broker.submit(an_order(kind=OrderKind.MARKET, price=0))
    venue.show(a_trade(75_000, ts=at("09:00:00.049")))
    venue.show(a_trade(75_100, ts=at("09:00:00.050")))
    assert venue.heard == [
        OrderAccepted(at("09:00:00.050"), "Q1", "S0000001"),
        OrderFilled(at("09:00:00.050"), "Q1", "005930", Side.BUY, 75_100, 1),
    ]

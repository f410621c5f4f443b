"""What every Broker promises, run on each implementation."""

from collections.abc import Callable
from random import Random
from typing import Protocol

import pytest

from qbtrade.adapters.sim.broker import SimBroker
from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import FixedLatency, RandomRefusals, TickSlippage, VolumeShare, fill_rule
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    PhaseChanged,
    SymbolHalted,
    SymbolResumed,
)
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import NEXT, OrderKind, OrderRequest, OrderStatus, Side
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.ports import Broker
from tests.builders import SECOND, a_trade, an_order, at
from tests.fakes import FakeMarket

ANSWERS = (OrderAccepted, OrderRejected, OrderFilled, OrderCanceled, CancelRejected, OrderExpired)
STATUS = {
    OrderAccepted: OrderStatus.WORKING,
    OrderRejected: OrderStatus.REJECTED,
    OrderCanceled: OrderStatus.CANCELED,
    OrderExpired: OrderStatus.EXPIRED,
}


class Venue(Protocol):
    """A broker together with the world that it stands in."""

    broker: Broker
    heard: list[Event]

    def wait(self, ns: int) -> None:
        """Let market time pass."""
        ...

    def show(self, event: Event) -> None:
        """Let the market do something at the event's time."""
        ...


class SimVenue:
    """The simulated broker with 50 ms latency, on a market that takes all trades but those it is told to set aside."""

    def __init__(self) -> None:
        self.bus, self.clock, self.heard = Bus(), SimClock(at("09:00")), list[Event]()
        self.market = FakeMarket(self.bus)
        self.set_aside: set[int] = set()
        self.bus.subscribe(Trade, self.on_trade)
        exchange = SimExchange(
            slippage=TickSlippage(0),
            fill_rule=fill_rule("through"),
            volume=VolumeShare(10**9),
            refusals=RandomRefusals(0, Random(0)),
        )
        self.broker: Broker = SimBroker(self.bus, self.clock, self.market, exchange, FixedLatency(SECOND // 20))
        self.bus.subscribe_all(ANSWERS, self.heard.append)
        self.show(PhaseChanged(at("09:00"), Phase.CONTINUOUS, "2026-11-20"))

    def on_trade(self, trade: Trade) -> None:
        if trade.ts not in self.set_aside:
            self.market.show(trade)

    def wait(self, ns: int) -> None:
        self.clock.advance(self.clock.now() + ns)

    def show(self, event: Event) -> None:
        self.clock.advance(event.ts)
        self.bus.publish(event)


VENUES: dict[str, Callable[[], Venue]] = {"sim": SimVenue}


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> Venue:
    return VENUES[request.param]()


def kinds(venue: Venue) -> list[type[Event]]:
    return [type(event) for event in venue.heard]


def send(venue: Venue, order: OrderRequest) -> None:
    """Hand an order over and wait for the answer."""
    venue.broker.submit(order)
    venue.wait(SECOND)


def test_submit_returns_before_anything_is_answered(venue: Venue) -> None:
    venue.broker.submit(an_order())
    assert venue.heard == []


def test_an_order_is_answered_once_and_gets_the_brokers_number(venue: Venue) -> None:
    send(venue, an_order("Q1"))
    send(venue, an_order("Q2"))
    numbers = [event.broker_order_id for event in venue.heard if isinstance(event, OrderAccepted)]
    assert [event.order_id for event in venue.heard if isinstance(event, OrderAccepted)] == ["Q1", "Q2"]
    assert len(set(numbers)) == 2
    assert all(numbers)


def test_a_refusal_is_an_event_with_a_code_and_words(venue: Venue) -> None:
    send(venue, an_order(price=75_050))
    (refused,) = venue.heard
    assert isinstance(refused, OrderRejected)
    assert refused.order_id == "Q1"
    assert refused.code
    assert refused.reason


def test_fills_come_after_the_acceptance_and_carry_the_order(venue: Venue) -> None:
    send(venue, an_order(kind=OrderKind.MARKET, price=0, qty=3, side=Side.SELL))
    venue.show(a_trade(75_000, 2, clock="10:00"))
    venue.show(a_trade(74_900, 9, clock="10:01"))
    assert venue.heard[1:] == [
        OrderFilled(at("10:00"), "Q1", "005930", Side.SELL, 75_000, 2),
        OrderFilled(at("10:01"), "Q1", "005930", Side.SELL, 74_900, 1),
    ]


def test_an_order_does_not_fill_before_it_arrived(venue: Venue) -> None:
    venue.broker.submit(an_order(kind=OrderKind.MARKET, price=0))
    venue.show(a_trade(ts=at("09:00") + 1))
    assert venue.heard == []


def test_cancel_takes_what_remains_out(venue: Venue) -> None:
    send(venue, an_order(price=74_000, qty=5))
    venue.broker.cancel("Q1")
    assert kinds(venue) == [OrderAccepted]
    venue.wait(SECOND)
    assert isinstance(canceled := venue.heard[-1], OrderCanceled)
    assert (canceled.order_id, canceled.qty) == ("Q1", 5)
    venue.show(a_trade(60_000, clock="10:00"))
    assert kinds(venue) == [OrderAccepted, OrderCanceled]


def test_cancel_of_an_order_that_is_over_or_unknown_is_refused_by_an_event(venue: Venue) -> None:
    venue.broker.cancel("nobody")
    venue.wait(SECOND)
    assert kinds(venue) == [CancelRejected]


def test_a_fill_may_win_the_race_against_a_cancel(venue: Venue) -> None:
    send(venue, an_order(kind=OrderKind.MARKET, price=0))
    venue.broker.cancel("Q1")
    venue.show(a_trade(ts=at("09:00:01.01")))
    venue.wait(SECOND)
    assert kinds(venue) == [OrderAccepted, OrderFilled, CancelRejected]


def test_a_halted_symbol_trades_again_after_it_resumes(venue: Venue) -> None:
    venue.show(SymbolHalted(at("09:30"), "005930", "vi", ""))
    send(venue, an_order(kind=OrderKind.MARKET, price=0))
    venue.show(a_trade(clock="10:00"))
    assert kinds(venue) == [OrderAccepted]
    venue.show(SymbolResumed(at("10:01"), "005930", "vi"))
    venue.show(a_trade(clock="10:02"))
    assert kinds(venue) == [OrderAccepted, OrderFilled]


def test_day_orders_expire_with_the_session_and_later_ones_are_refused(venue: Venue) -> None:
    send(venue, an_order(price=74_000))
    venue.show(PhaseChanged(at("15:30"), Phase.CLOSED, "2026-11-20"))
    send(venue, an_order("Q2"))
    assert kinds(venue) == [OrderAccepted, OrderExpired, OrderRejected]


def test_no_answer_is_an_illegal_move(venue: Venue) -> None:
    for number, price in enumerate((75_000, 75_050, 74_000, 76_000)):
        send(venue, an_order(f"Q{number}", price=price, qty=5))
        venue.show(a_trade(74_900, 3, clock=f"10:0{number}"))
        venue.broker.cancel(f"Q{number}")
        venue.wait(SECOND)
    venue.show(PhaseChanged(at("15:30"), Phase.CLOSED, "2026-11-20"))
    life = dict.fromkeys((f"Q{number}" for number in range(4)), OrderStatus.SENDING)
    for event in venue.heard:
        status = STATUS.get(type(event))
        if status is not None:
            assert isinstance(event, OrderAccepted | OrderRejected | OrderCanceled | OrderExpired)
            assert status in NEXT[life[event.order_id]]
            life[event.order_id] = status


def test_a_print_that_market_data_set_aside_fills_nothing() -> None:
    venue = SimVenue()
    send(venue, an_order(price=74_000))
    venue.set_aside.add(at("10:00"))
    venue.show(a_trade(60_000, clock="10:00"))
    assert kinds(venue) == [OrderAccepted]


def test_the_latency_decides_which_print_an_order_meets() -> None:
    venue = SimVenue()
    venue.broker.submit(an_order(kind=OrderKind.MARKET, price=0))
    venue.show(a_trade(75_000, ts=at("09:00:00.049")))
    venue.show(a_trade(75_100, ts=at("09:00:00.050")))
    assert venue.heard == [
        OrderAccepted(at("09:00:00.050"), "Q1", "S0000001"),
        OrderFilled(at("09:00:00.050"), "Q1", "005930", Side.BUY, 75_100, 1),
    ]

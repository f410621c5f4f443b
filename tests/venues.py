"""Every implementation of the Broker port in a market of its own, with one face for the contract suite."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

from qbtrade.adapters.sim.broker import SimBroker
from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import FixedLatency, RandomRefusals, TickSlippage, VolumeShare, fill_rule
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import Phase
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import Order, OrderRequest, OrderStatus
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.ports import Broker
from tests.builders import SAMSUNG, SECOND, a_trade, an_order, at
from tests.fakes import FakeMarket
from tests.kis_venue import ANSWERS, kis_venue

STATUS: Final = {
    ev.OrderAccepted: OrderStatus.WORKING,
    ev.OrderUnconfirmed: OrderStatus.UNCONFIRMED,
    ev.OrderAbandoned: OrderStatus.ABANDONED,
    ev.OrderRejected: OrderStatus.REJECTED,
    ev.OrderCanceled: OrderStatus.CANCELED,
    ev.OrderExpired: OrderStatus.EXPIRED,
}
MOST_SECONDS: Final = 600


class Venue(Protocol):
    """A broker together with the world that it stands in. heard: its answers; last: KRW of the last trade."""

    heard: list[Event]
    last: int

    @property
    def broker(self) -> Broker:
        """What is tested."""
        ...

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the market go on until it is so, or fail."""
        ...

    def let(self, seconds: int) -> None:
        """Let so many market seconds pass."""
        ...

    def halt(self) -> None:
        """Go on until the symbol is halted."""
        ...

    def resume(self) -> None:
        """Go on until it trades again."""
        ...

    def close(self) -> None:
        """Go on until the venue's day is over."""
        ...


class SimVenue:
    """The simulated broker with 50 ms latency, on a market that takes all trades but those it is told to set aside."""

    def __init__(self) -> None:
        self.bus, self.clock, self.heard = Bus(), SimClock(at("09:00")), list[Event]()
        self.market, self.last = FakeMarket(self.bus), 75_000
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
        self.show(ev.PhaseChanged(at("09:00"), Phase.CONTINUOUS, "2026-11-20"))

    def on_trade(self, trade: Trade) -> None:
        if trade.ts not in self.set_aside:
            self.market.show(trade)

    def show(self, event: Event) -> None:
        """Let the market do something at the event's time."""
        self.clock.advance(event.ts)
        self.bus.publish(event)

    def let(self, seconds: int) -> None:
        for _ in range(seconds):
            self.show(a_trade(self.last, ts=self.clock.now() + SECOND))

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(MOST_SECONDS):
            if condition():
                return
            self.let(1)
        raise AssertionError(self.heard)

    def halt(self) -> None:
        self.show(ev.SymbolHalted(self.clock.now() + SECOND, SAMSUNG, "vi", ""))

    def resume(self) -> None:
        self.show(ev.SymbolResumed(self.clock.now() + SECOND, SAMSUNG, "vi"))

    def close(self) -> None:
        self.show(ev.PhaseChanged(at("15:30"), Phase.CLOSED, "2026-11-20"))


@contextmanager
def sim_venue(home: Path) -> Iterator[Venue]:
    """The simulated broker; the same for an ordinary day, one with a halt, and an evening."""
    del home
    yield SimVenue()


Open = Callable[[Path], AbstractContextManager[Venue]]
PAPER: Final[dict[str, Any]] = {"side": "paper", "calls_per_second": 20}
ORDINARY: Final[dict[str, Open]] = {
    "sim": sim_venue,
    "kis-real": kis_venue,
    "kis-paper": partial(kis_venue, **PAPER),
}
"""By name, each in the midst of a day."""
HALTING: Final[dict[str, Open]] = {
    "sim": sim_venue,
    "kis-real": partial(kis_venue, clock="12:57", speed=40, scenario="crash", ticks=2000),
    "kis-paper": partial(kis_venue, clock="12:57", speed=40, scenario="crash", ticks=2000, **PAPER),
}
"""The same, where the symbol is going to be halted for a while."""
EVENING: Final[dict[str, Open]] = {
    "sim": sim_venue,
    "kis-real": partial(kis_venue, clock="15:10", speed=80),
    "kis-paper": partial(kis_venue, clock="15:10", speed=80, **PAPER),
}
"""The same, shortly before the close."""


def resting(venue: Venue, order_id: str, qty: int = 5) -> OrderRequest:
    """A buy far below the market."""
    return an_order(order_id, price=venue.last * 9 // 1000 * 100, qty=qty)


def crossing(venue: Venue, order_id: str, qty: int = 2) -> OrderRequest:
    """A buy that the market meets at once."""
    return an_order(order_id, price=venue.last // 100 * 100 + 500, qty=qty)


def send(venue: Venue, order: OrderRequest) -> OrderRequest:
    """Hand an order over and wait for the first answer to it."""
    venue.broker.submit(order)
    venue.until(lambda: bool(of(venue, order.order_id)))
    return order


def of(venue: Venue, order_id: str) -> list[Event]:
    """What was heard of one order."""
    return [event for event in venue.heard if getattr(event, "order_id", "") == order_id]


def kinds(venue: Venue, order_id: str) -> list[type[Event]]:
    """The same, by kind."""
    return [type(event) for event in of(venue, order_id)]


def walked(venue: Venue, request: OrderRequest) -> Order:
    """The order, moved by what was heard of it. Raises: IllegalMoveError."""
    order = Order(request, 0)
    order.move(OrderStatus.APPROVED)
    order.move(OrderStatus.SENDING)
    for event in of(venue, request.order_id):
        if isinstance(event, ev.OrderFilled):
            order.fill(event.price, event.qty)
        elif type(event) in STATUS:
            order.move(STATUS[type(event)])
    return order


def filled(venue: Venue, order_id: str) -> int:
    """Shares."""
    return sum(event.qty for event in of(venue, order_id) if isinstance(event, ev.OrderFilled))

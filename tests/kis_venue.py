"""The KIS broker on a local KIS, joined by real sockets, with nothing above it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.broker import KisBroker
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.totals import everything
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.machine import Machine
from qbtrade.app.live.wire import Wire
from qbtrade.app.live.world import World
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import Phase, kst_date
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest
from qbtrade.kernel.loop import StopRequest
from tests.builders import SAMSUNG, SECOND, at
from tests.live_days import Hosted, stage_at

DAY = date(2026, 11, 2)
ANSWERS = (
    ev.OrderAccepted, ev.OrderRejected, ev.OrderNotSent, ev.OrderUnconfirmed, ev.OrderAbandoned, ev.OrderFilled,
    ev.OrderCanceled, ev.CancelRejected, ev.OrderExpired, ev.Alert,
)  # fmt: skip
PATIENCE = 240.0
NOTICES = {"real": "H0STCNI0", "paper": "H0STCNI9"}


class KisVenue:
    """A broker, the bus that it speaks on, and the last price of the market."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.heard, self.last = wire, list[Event](), 0
        self.broker = KisBroker(wire.bus, wire.clock, wire.caller, wire.environment)
        wire.bus.subscribe_all(ANSWERS, self.heard.append)
        wire.bus.subscribe(Trade, self._on_trade)
        environment = wire.environment
        wire.stream.register(Channel(NOTICES[environment.speaks], environment.hts_id))
        wire.stream.register(Channel("H0STCNT0", SAMSUNG))
        wire.stream.use_key(wire.fetch(calls.approval_key()).reveal())
        wire.stream.start()
        today = kst_date(wire.clock.now())
        history, balance = calls.order_history(environment, today, today), calls.balance(environment)
        told = wire.fetch(history)
        self.broker.begin(told, everything(told, wire.fetch(balance)))
        self.last = wire.fetch(calls.price(environment, SAMSUNG)).last
        self.until(lambda: wire.stream.counts()["registrations"] == 2 and wire.stream.counts()["records"] > 0)

    def _on_trade(self, trade: Trade) -> None:
        self.last = trade.price

    def until(self, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Let time pass until it is so."""
        assert self.wire.loop.run_until(condition, patience), self.heard

    def wait(self, seconds: float) -> None:
        """Let machine time pass."""
        self.wire.loop.run_until(lambda: False, seconds)

    def let(self, seconds: int) -> None:
        """Let so many market seconds pass."""
        end = self.wire.clock.now() + seconds * SECOND
        self.until(lambda: self.wire.clock.now() >= end)

    def halt(self) -> None:
        """Go on until a volatility interruption is on."""
        self.until(lambda: self._price().vi)

    def resume(self) -> None:
        """Go on until it is over."""
        self.until(lambda: not self._price().vi)

    def _price(self) -> Price:
        return self.wire.fetch(calls.price(self.wire.environment, SAMSUNG))

    def close(self) -> None:
        """Go on until the venue's day is over."""
        closes = at("15:30", DAY)
        self.until(lambda: self.wire.clock.now() >= closes)
        self.wire.bus.publish(ev.PhaseChanged(closes, Phase.CLOSED, DAY.isoformat()))

    def order_by_hand(self, order: OrderRequest) -> None:
        """Make an order of the same looks in HTS or app."""
        Hosted.at(self.wire.environment.rest_url).order_by_hand(order.symbol, order.side, order.qty, order.price)

    def send_elsewhere(self, order: OrderRequest) -> None:
        """Send an order of which the broker knows nothing, as another program would."""
        self.wire.caller.order(calls.order(self.wire.environment, order), lambda _outcome: None)


@contextmanager
def kis_venue(home: Path, clock: str = "10:00", *, speed: int = 20, **changes: Any) -> Iterator[KisVenue]:
    """A broker on a local KIS whose day stands at `clock`."""
    plan = EmulatorPlan(speed=speed, **changes)
    server = EmulatorServer(plan, stage_at(clock, plan))
    urls = server.start()
    try:
        environment = local_environment(Settings({}), plan.side, server.credentials, urls)
        stop = StopRequest()
        with Wire(Machine(World(environment, server.clock.twin()), home, stop), stop) as wire:
            yield KisVenue(wire)
    finally:
        server.stop()

"""The KIS feed on a local KIS, through real sockets: halts as the stream tells them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from qbtrade.adapters.emulator.plan import EmulatorPlan
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.kis.feed import KisFeed
from qbtrade.app.config import Settings
from qbtrade.app.emulator import open_stage
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.machine import Machine
from qbtrade.app.live.wire import Wire
from qbtrade.app.live.world import World
from qbtrade.app.rules import load_rules
from qbtrade.domain.events import Alert, PhaseChanged, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.engines.hours import Hours
from qbtrade.engines.market_data import MarketData
from qbtrade.kernel.loop import StopRequest
from tests.builders import MINUTE, SAMSUNG, at
from tests.kis_venue import DAY

PATIENCE = 60.0
RULES = load_rules()


class Listener:
    """Market data behind the KIS feed, and the halts that were heard."""

    def __init__(self, wire: Wire) -> None:
        self.wire, self.heard = wire, list[Event]()
        bus, clock = wire.bus, wire.clock
        instrument = RULES.instrument(SAMSUNG)
        assert instrument is not None
        self.market = MarketData(bus, clock, RULES, (instrument,), interval=MINUTE)
        bus.subscribe(Trade, self.market.on_trade)
        bus.subscribe(Quote, self.market.on_quote)
        bus.subscribe(PhaseChanged, self.market.on_phase)
        bus.subscribe(SymbolHalted, self.market.on_halted)
        bus.subscribe(SymbolResumed, self.market.on_resumed)
        bus.subscribe_all((SymbolHalted, SymbolResumed, Alert), self.heard.append)
        self.feed = KisFeed(
            bus, clock, self.market, wire.caller, wire.stream, wire.environment,
            symbols=(SAMSUNG,), interval=MINUTE, held=tuple,
        )  # fmt: skip
        Hours(bus, clock, RULES.calendar).start()
        self.feed.start()

    def halts(self) -> list[tuple[type[Event], str]]:
        """What was heard of halts."""
        return [(type(each), each.reason) for each in self.heard if isinstance(each, SymbolHalted | SymbolResumed)]

    def until_halts(self, count: int) -> None:
        """Let time pass until so many were heard."""
        assert self.wire.loop.run_until(lambda: len(self.halts()) >= count, PATIENCE), self.heard


@contextmanager
def listener(home: Path, clock: str, *, speed: int, **changes: Any) -> Iterator[Listener]:
    """A feed on a local KIS whose day stands at `clock`."""
    plan = EmulatorPlan(speed=speed, **changes)
    server = EmulatorServer(plan, msgspec.structs.replace(open_stage(plan), start=at(clock, DAY)))
    urls = server.start()
    try:
        environment = local_environment(Settings({}), plan.side, server.credentials, urls)
        stop = StopRequest()
        with Wire(Machine(World(environment, server.clock.twin()), home, stop), stop) as wire:
            yield Listener(wire)
    finally:
        server.stop()


def test_an_interruption_is_heard_over_the_stream_and_so_is_its_end(tmp_path: Path) -> None:
    with listener(tmp_path, "12:57", speed=20, scenario="crash", ticks=2000) as desk:
        desk.until_halts(1)
        assert desk.market.halted(SAMSUNG) == "vi"
        desk.until_halts(2)
    assert desk.halts() == [(SymbolHalted, "vi"), (SymbolResumed, "vi")]


def test_a_circuit_breaker_is_heard_by_its_name(tmp_path: Path) -> None:
    with listener(tmp_path, "11:15", speed=120, scenario="halt", ticks=2000) as desk:
        desk.until_halts(2)
    assert desk.halts() == [(SymbolHalted, "circuit-breaker"), (SymbolResumed, "circuit-breaker")]

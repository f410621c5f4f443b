"""The KIS feed and market data on a local KIS, joined by real sockets, and the tape that the local KIS plays."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.server import ServerConnection

from qbtrade.adapters.emulator.plan import EmulatorPlan, Stage
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.kis.feed import KisFeed
from qbtrade.app.config import Settings
from qbtrade.app.emulator import open_stage
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.machine import Machine
from qbtrade.app.live.wire import Wire
from qbtrade.app.live.world import World
from qbtrade.domain import events as ev
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.engines.hours import Hours
from qbtrade.engines.market_data import MarketData
from qbtrade.kernel.loop import StopRequest
from tests.builders import MINUTE, SECOND, at
from tests.live_days import DAY, Hosted, stage_at

PATIENCE = 240.0
HEARD = (ev.FeedLost, ev.FeedRestored, ev.Alert, Bar, Trade, Quote, ev.SymbolHalted, ev.SymbolResumed)


class CountingServer(EmulatorServer):
    """A local KIS that counts the streams that were opened."""

    connections = 0

    async def _on_stream(self, stream: ServerConnection) -> None:
        self.connections += 1
        await super()._on_stream(stream)


class KisMarket:
    """What a session hears of the market. held: symbols whose price matters while the stream is away."""

    def __init__(self, wire: Wire, server: CountingServer, stage: Stage, interval: int) -> None:
        self.wire, self.server, self.heard = wire, server, list[Event]()
        self.kis = Hosted.at(wire.environment.rest_url)
        self.clock, self.held = wire.clock, set[str]()
        symbols = tuple(instrument.symbol for instrument in stage.instruments)
        market = MarketData(
            wire.bus, self.clock, stage.rules, stage.instruments, interval=interval, bases=dict(stage.bases),
            grace=self.clock.speed * SECOND // 20,
        )  # fmt: skip
        wire.bus.subscribe(Trade, market.on_trade)
        wire.bus.subscribe(Quote, market.on_quote)
        wire.bus.subscribe(ev.PhaseChanged, market.on_phase)
        wire.bus.subscribe(ev.SymbolHalted, market.on_halted)
        wire.bus.subscribe(ev.SymbolResumed, market.on_resumed)
        wire.bus.subscribe_all(HEARD, self.heard.append)
        self.feed = KisFeed(
            wire.bus, self.clock, market, wire.caller, wire.stream, wire.environment, stage.rules.calendar,
            symbols=symbols, interval=interval, held=lambda: self.held,
        )  # fmt: skip
        Hours(wire.bus, self.clock, stage.rules.calendar).start()
        self.market = market
        self.feed.start()

    def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until it is so."""
        assert self.wire.loop.run_until(condition, PATIENCE), [each for each in self.heard if self._is_rare(each)]

    @staticmethod
    def _is_rare(event: Event) -> bool:
        return not isinstance(event, Trade | Quote)

    def wait(self, ns: int) -> None:
        """Let market time pass."""
        end = self.clock.now() + ns
        self.until(lambda: self.clock.now() >= end)

    def of(self, *kinds: type[Event]) -> list[Any]:
        """What was heard of these kinds, in order."""
        return [event for event in self.heard if isinstance(event, kinds)]

    def alerts(self) -> list[str]:
        """Codes, in order."""
        return [event.code for event in self.of(ev.Alert)]

    def lose(self) -> None:
        """The stream breaks, at the next beat of the local KIS."""
        losses = len(self.of(ev.FeedLost))
        self.kis.set_faults(socket_drop=10**9)
        self.until(lambda: len(self.of(ev.FeedLost)) > losses)
        self.kis.set_faults(socket_drop=0)


@contextmanager
def kis_market(home: Path, clock: str = "10:00", *, interval: int = MINUTE, **changes: Any) -> Iterator[KisMarket]:
    """A feed on a local KIS whose day stands at `clock`."""
    plan = EmulatorPlan(**changes)
    server = CountingServer(plan, stage_at(clock, plan))
    urls = server.start()
    try:
        environment = local_environment(Settings({}), plan.side, server.credentials, urls)
        stop = StopRequest()
        with Wire(Machine(World(environment, server.clock.twin()), home, stop), stop) as wire:
            yield KisMarket(wire, server, open_stage(plan), interval)
    finally:
        server.stop()


def tape(plan: EmulatorPlan, interval: int, until: int) -> dict[str, dict[int, Bar]]:
    """Every bar that closed by `until`, UTC ns, from the trades that a local KIS plays; by symbol and beginning."""
    bars: dict[str, dict[int, Bar]] = {}
    opened = at("09:00", DAY)
    for trade in open_stage(plan).events:
        if trade.ts >= until:
            break
        if not isinstance(trade, Trade) or not trade.qty:
            continue
        ts = trade.ts - trade.ts % SECOND  # as the wire tells it
        start = ts - (ts - opened) % interval
        known, price = bars.setdefault(trade.symbol, {}), trade.price
        bar = known.get(start)
        known[start] = (
            Bar(start + interval, trade.symbol, start, price, price, price, price, trade.qty) if bar is None
            else Bar(
                bar.ts, bar.symbol, start, bar.open, max(bar.high, price), min(bar.low, price), price,
                bar.volume + trade.qty,
            )
        )  # fmt: skip
    return {symbol: {start: bar for start, bar in known.items() if bar.ts <= until} for symbol, known in bars.items()}

"""Recording without trading: the stream of a few symbols for one day, kept as a session keeps it."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.feed import KisFeed
from qbtrade.adapters.recordings.recorder import Progress, Recorder
from qbtrade.app.home import create
from qbtrade.app.live.lock import recording_lock
from qbtrade.app.live.machine import Machine
from qbtrade.app.live.plan import LivePlan, Until
from qbtrade.app.live.recording import Recording, market_of
from qbtrade.app.live.run import trading_day
from qbtrade.app.live.wire import Wire
from qbtrade.app.live.world import World
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.price_terms import terms_of
from qbtrade.app.rules import instrument_for, load_rules
from qbtrade.app.session import new_run_id
from qbtrade.domain.calendar import MINUTE, NS, kst_date
from qbtrade.domain.events import Alert, PhaseChanged, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.rules import Rules
from qbtrade.engines.hours import Hours
from qbtrade.engines.market_data import MarketData
from qbtrade.kernel.loop import StopRequest

FOREVER: Final = 1e12
SAY_EVERY: Final = NS
"""Machine time between two words about how it goes."""


class Recorded(msgspec.Struct, frozen=True):
    """What was recorded. day: of the market. files: of each symbol. dropped: events that the disk did not take in time.

    is_finished: all files are made; a log from which none could be made stays for the next reader.
    """

    run_id: str
    day: date
    files: dict[str, str]
    rows: int
    dropped: int
    is_finished: bool
    was_stopped: bool


def record(
    symbols: tuple[str, ...],
    world: World,
    home: Path,
    until: Until,
    stop: StopRequest,
    *,
    on_progress: Callable[[Progress], None],
    on_alert: Callable[[Alert], None],
) -> Recorded:
    """Record until the end of the day, or until a stop. Raises: LockedError, BrokerError, FileError."""
    rules, environment = load_rules(), world.environment
    day = trading_day(rules.calendar, world.clock.now(), LivePlan(SimulationPlan(symbols=symbols), until=until))
    end, run_id = until.ts(day), new_run_id()
    create(home)
    with recording_lock(home, environment, run_id):
        ground = Machine(world, home, stop)
        recorder = Recorder(market_of(home, environment, run_id), day.day, symbols, ground.clock)
        recording = Recording(recorder, run_id, symbols)
        with closing(recording), Wire(ground, stop) as wire:
            for refusal in recorder.refused.values():
                raise refusal
            wire.bus.subscribe(Alert, on_alert)
            recording.follow(wire.bus)
            _listen(wire, recording, rules, symbols)

            def on_look(_due: int) -> None:
                recording.look(wire.bus, wire.clock.now())
                on_progress(recorder.progress)
                wire.clock.call_at(wire.clock.now() + SAY_EVERY * wire.clock.speed, on_look)

            on_look(0)
            last = end + (MINUTE if end == day.close else 0)  # the closing auction prints up to half a minute late
            wire.loop.run_until(lambda: stop.asked or wire.clock.now() >= last, FOREVER)
    told = recorder.progress
    return Recorded(
        run_id, day.day, recorder.files(), told.written, told.dropped, recorder.is_finished, was_stopped=stop.asked
    )  # fmt: skip


def _listen(wire: Wire, recording: Recording, rules: Rules, symbols: tuple[str, ...]) -> None:
    """Subscribe to everything that the stream tells of the symbols. Raises: BrokerError."""
    bus, clock = wire.bus, wire.clock
    instruments = tuple(instrument_for(rules, symbol) for symbol in symbols)
    market = MarketData(bus, clock, rules, instruments, interval=MINUTE)
    bus.subscribe(Trade, market.on_trade)
    bus.subscribe(Quote, market.on_quote)
    bus.subscribe(PhaseChanged, market.on_phase)
    bus.subscribe(SymbolHalted, market.on_halted)
    bus.subscribe(SymbolResumed, market.on_resumed)
    feed = KisFeed(
        bus, clock, market, wire.caller, wire.stream, wire.environment, rules.calendar,
        symbols=symbols, interval=MINUTE, held=lambda: symbols, notices=False,
    )  # fmt: skip
    prices = {symbol: wire.fetch(calls.price(wire.environment, symbol)) for symbol in symbols}
    today = kst_date(clock.now())
    recording.begin(
        {symbol: price.base for symbol, price in prices.items()},
        {each.symbol: terms_of(rules, each, today, prices[each.symbol]) for each in instruments},
        SimulationPlan(speed=clock.speed),
    )
    Hours(bus, clock, rules.calendar).start()
    for symbol, price in prices.items():
        feed.prepare(symbol, price)
    feed.start()

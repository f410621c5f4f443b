"""The engines of a session once more, on its recorded day and against the simulated exchange."""

from collections import deque
from collections.abc import Iterable

import msgspec

from qbtrade.app.parity.tape import Tape
from qbtrade.app.plan import VenuePlan
from qbtrade.app.rules import instrument_for
from qbtrade.app.strategies import LoadedStrategy
from qbtrade.app.wiring import Engines, Setup, sim_broker
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.domain.events import SessionStarted
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.market import Bar
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind
from qbtrade.domain.rules import Rules
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.kernel.loop import SimLoop, StopRequest


class Differing(msgspec.Struct, frozen=True):
    """A bar that the session and its replay folded otherwise; None where one of them did not."""

    live: Bar | None
    replayed: Bar | None


class Replayed(msgspec.Struct, frozen=True):
    """What a replay did. bars: how many both folded alike; differing: by symbol and start."""

    events: tuple[Event, ...]
    bars: int
    differing: dict[tuple[str, int], Differing]


class _Kept:
    """A journal in memory."""

    def __init__(self) -> None:
        self.events = list[Event]()

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        """Keep them."""
        del durable
        self.events += events

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        """Memory refuses nothing, so nothing has to be rescued."""

    def close(self) -> None:
        """Nothing is left."""


class _SameBars(Bus):
    """Lets only those folded bars pass that the session was shown: where the stream had gaps, REST told the others."""

    def __init__(self, seen: dict[tuple[str, int], Bar]) -> None:
        super().__init__()
        self._seen, self.folded = seen, dict[tuple[str, int], Bar]()

    def publish(self, event: Event) -> None:
        """Queue an event unless it is a bar that the session was not shown."""
        if isinstance(event, Bar) and not event.told:
            key = event.symbol, event.start
            if key not in self._seen:
                return
            self.folded[key] = event
        super().publish(event)


def replay(started: SessionStarted, until: int, tape: Tape, strategy: LoadedStrategy, rules: Rules) -> Replayed:
    """Play a session again, from its first row to `until`, UTC ns. Raises: StrategyError."""
    bus, clock, store = _SameBars(tape.bars), SimClock(started.ts), _Kept()
    engines = Engines(bus, clock, _setup(started, tape, rules), store, sim_broker(venue_of(started), started.seed))
    hosted = strategy.build(engines.host, started.symbols)
    engines.host_strategy(hosted, strategy.warm_up(hosted))
    day = kst_date(started.ts).isoformat()
    engines.portfolio.adopt(started.held, day, started.day_start)
    engines.risk.carry(day, started.entries, is_over=started.is_day_over)
    for bar in tape.past:
        engines.host.warm(bar)
    engines.hours.start()
    _play(SimLoop(bus, clock, StopRequest()), bus, tape, until, grace_of(tape))
    engines.journal.flush()
    return _told(store.events, tape.bars, bus.folded)


def _play(loop: SimLoop, bus: Bus, tape: Tape, until: int, grace: int) -> None:
    """Play the tape, and let each bar end where it ended in the session.

    There a timer may have been a moment late, so that a trade which came meanwhile still belongs to the bar.
    """
    coming: dict[str, deque[int]] = {}
    for symbol, start in sorted(tape.bars):
        coming.setdefault(symbol, deque()).append(tape.bars[symbol, start].ts)
    for received, event in tape.events():
        if received > until:
            break
        is_folded = isinstance(event, Bar) and not event.told
        if isinstance(event, Bar) and is_folded and coming.get(event.symbol):
            coming[event.symbol].popleft()
        held_back = min((ends[0] for ends in coming.values() if ends), default=until) + grace - 1
        loop.advance(min(received, held_back))
        if not is_folded:
            bus.publish(event)
    loop.advance(until)


def grace_of(tape: Tape) -> int:
    """How long a bar of the session waited for stragglers, ns."""
    return NS * max(1, next(iter(tape.beginnings.values())).speed // 20)


def _told(events: list[Event], seen: dict[tuple[str, int], Bar], folded: dict[tuple[str, int], Bar]) -> Replayed:
    differing = {
        key: Differing(seen.get(key), folded.get(key))
        for key in sorted(seen.keys() | folded.keys()) if seen.get(key) != folded.get(key)
    }  # fmt: skip
    return Replayed(tuple(events), len(folded.keys() & seen.keys()) - len(differing), differing)


def _setup(started: SessionStarted, tape: Tape, rules: Rules) -> Setup:
    told = next(iter(tape.beginnings.values()))
    limits = msgspec.convert(started.limits, RiskLimits)
    return Setup(
        rules=rules, instruments=tuple(instrument_for(rules, symbol) for symbol in started.symbols),
        interval=started.interval, limits=limits, cash=started.cash, durable=False,
        order_kind=OrderKind(str(started.assumptions["order_kind"]).upper()), commission_ppb=told.commission_ppb,
        tax_ppb=told.tax_ppb, grace=grace_of(tape),
        bases={symbol: found.base for symbol, found in tape.beginnings.items() if found.base},
        terms={symbol: found.terms for symbol, found in tape.beginnings.items() if found.terms},
    )  # fmt: skip


def venue_of(started: SessionStarted) -> VenuePlan:
    """The simulated exchange of a dry run, as it was; else the usual one."""
    said = {name: started.assumptions[name] for name in VenuePlan.__struct_fields__ if name in started.assumptions}
    return msgspec.convert(said, VenuePlan)

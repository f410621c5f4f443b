"""The recording of a live session: what it hears of the market is kept, for replays and comparisons."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

import msgspec

from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.adapters.recordings.layout import emulated, krx
from qbtrade.adapters.recordings.recorder import Progress, Recorder
from qbtrade.app.kis_account import is_here
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.price_terms import Told
from qbtrade.domain.events import Alert, Level
from qbtrade.domain.instrument import DayTerms
from qbtrade.domain.market import Bar
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Clock


class Beginning(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a session knew of a symbol before its first trade; the note of its row BEGIN.

    run: of the session. base: KRW, yesterday's close. terms: prices of the day, as KIS told them. speed: of the
    market's clock. commission_ppb, tax_ppb: as configured, -1 for the rules'.
    """

    run: str
    base: int = 0
    terms: DayTerms | None = None
    speed: int = 1
    commission_ppb: int = -1
    tax_ppb: int = -1


class SessionRecording(Protocol):
    """Keeps what one session hears. All of it returns at once, but `close`."""

    def follow(self, bus: Bus) -> None:
        """Hear everything from here on, before the engines do."""
        ...

    def begin(self, bases: Mapping[str, int], told: Mapping[str, Told], plan: SimulationPlan) -> None:
        """Say what the session knows of its symbols beforehand."""
        ...

    def past(self, bar: Bar) -> None:
        """Keep a bar of before the session."""
        ...

    def look(self, bus: Bus, now: int) -> None:
        """Say what goes wrong, once."""
        ...

    def close(self) -> None:
        """Write what is left and finish the files."""
        ...


class NoRecording:
    """Nothing is kept."""

    def follow(self, bus: Bus) -> None:
        """Hear nothing."""

    def begin(self, bases: Mapping[str, int], told: Mapping[str, Told], plan: SimulationPlan) -> None:
        """Keep nothing."""

    def past(self, bar: Bar) -> None:
        """Keep nothing."""

    def look(self, bus: Bus, now: int) -> None:
        """Nothing can go wrong."""

    def close(self) -> None:
        """Nothing is left."""


class Recording:
    """A recorder and what is said of it."""

    def __init__(self, recorder: Recorder, run_id: str, symbols: tuple[str, ...]) -> None:
        self._recorder, self._run_id, self._symbols = recorder, run_id, symbols
        self._seen = Progress()
        self._has_told_refusals = self._is_away = False

    def follow(self, bus: Bus) -> None:
        """Hear everything from here on, before the engines do."""
        self._recorder.follow(bus)

    def begin(self, bases: Mapping[str, int], told: Mapping[str, Told], plan: SimulationPlan) -> None:
        """Say what the session knows of its symbols beforehand."""
        notes = {
            symbol: Beginning(
                self._run_id, bases.get(symbol, 0), told[symbol].terms if symbol in told else None,
                max(plan.speed, 1), plan.commission_ppb, plan.tax_ppb,
            )
            for symbol in self._symbols
        }  # fmt: skip
        self._recorder.begin({symbol: msgspec.json.encode(note).decode() for symbol, note in notes.items()})

    def past(self, bar: Bar) -> None:
        """Keep a bar of before the session."""
        self._recorder.past(bar)

    def look(self, bus: Bus, now: int) -> None:
        """Say what is not recorded, that rows are not taken, and that they are taken again; each once."""
        for alert in self._news(now):
            bus.publish(alert)

    def _news(self, now: int) -> Iterable[Alert]:
        if not self._has_told_refusals:
            self._has_told_refusals = True
            for symbol, error in self._recorder.refused.items():
                text = f"{symbol} is not recorded: {error.message}"
                yield Alert(now, Level.WARNING, "not-recorded", text, "trading goes on without it")
        seen, self._seen = self._seen, self._recorder.progress
        dropped = self._seen.dropped - seen.dropped
        trouble = self._seen.problem or ("the disk is too slow" if dropped else "")
        if trouble and not self._is_away:
            text = f"market data is not recorded ({trouble}): trading goes on"
            yield Alert(now, Level.WARNING, "recording-lost", text, "free space or see to the disk of QB_HOME")
        elif self._is_away and not trouble:
            text = f"market data is recorded again; {self._seen.dropped:,} events are missing"
            yield Alert(now, Level.INFO, "recording-back", text)
        self._is_away = bool(trouble)

    def close(self) -> None:
        """Write what is left and finish the files."""
        self._recorder.end()
        self._recorder.close()


def market_of(home: Path, environment: Environment, run_id: str) -> Path:
    """The folder of the market that an environment shows: KRX on real and paper; every local KIS has one of its own."""
    is_made = environment.kind is EnvKind.EMULATOR or is_here(environment.ws_url)
    return emulated(home, run_id) if is_made else krx(home)


def open_recording(
    home: Path, environment: Environment, run_id: str, day: date, symbols: tuple[str, ...], clock: Clock
) -> Recording:
    """A recording of one run, which holds the files of its symbols from here on."""
    return Recording(Recorder(market_of(home, environment, run_id), day, symbols, clock), run_id, symbols)

"""Parity of one live session: its journal against a replay of its recorded day."""

from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade.adapters.recordings.layout import SymbolDay
from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app import sessions
from qbtrade.app.parity.deals import course
from qbtrade.app.parity.judge import Class, Judge, Verdict
from qbtrade.app.parity.replay import replay
from qbtrade.app.parity.tape import Tape
from qbtrade.app.recordings import Damage, days_of, ready
from qbtrade.app.rules import load_rules
from qbtrade.app.strategies import load_strategy
from qbtrade.domain.calendar import kst_date
from qbtrade.domain.events import SessionEnded, SessionStarted
from qbtrade.errors import FileError, NoRowsError, UsageError
from qbtrade.kernel.clock import FOREVER

MODES: Final = frozenset({"real", "paper", "emulator", "dry-run"})
"""Sessions that heard a market; rehearsals made theirs."""


class Parity(msgspec.Struct, frozen=True):
    """What a comparison found. bars: that both folded alike; differing: that they did not.

    is_whole: the recording has its end. holes: places where it or the stream lacks something. damages: of its logs.
    version: of the qb that traded. is_same_source: the strategy reads as it did then.
    """

    run_id: str
    day: str
    symbols: tuple[str, ...]
    strategy: str
    verdicts: list[Verdict]
    bars: int
    differing: int
    holes: int
    is_whole: bool
    damages: list[Damage]
    version: str
    is_same_source: bool

    @property
    def counts(self) -> dict[Class, int]:
        """Trades by class, those with any."""
        found = {cls: sum(1 for verdict in self.verdicts if verdict.cls is cls) for cls in Class}
        return {cls: count for cls, count in found.items() if count}

    @property
    def is_explained(self) -> bool:
        """Whether nothing remains to wonder about: no trade, and no bar that differs though nothing is missing."""
        lacks_some = self.holes > 0 or not self.is_whole
        return Class.UNEXPLAINED not in self.counts and (lacks_some or not self.differing)


def parity(home: Path, name: str) -> Parity:
    """Compare a session with its replay. Raises: FileError, NoRowsError, UsageError, LockedError, StrategyError."""
    journal = sessions.find(home, name)
    events = list(read_events(journal))
    started = events[0] if events else None
    if not isinstance(started, SessionStarted):
        raise FileError("{path} has no first row", path=journal)
    if started.mode not in MODES:
        raise UsageError(
            "run {run_id} is a rehearsal: parity compares a live session with its replay", run_id=started.run_id,
            hint="Name a session of qb live",
        )  # fmt: skip
    days = _days(home, started)
    damages = ready(days)
    tape, rules = Tape(days, started.run_id), load_rules()
    strategy = load_strategy(started.strategy, started.parameters)
    is_same_source = strategy.session_id(started.version, started.run_id) == started.session_id
    played = replay(started, _end(events), tape, strategy, rules)
    judge = Judge(
        course(events[1:], started), course(played.events, started), played.differing, tape.holes,
        interval=started.interval, until=FOREVER if tape.is_whole else tape.last,
        is_same_source=is_same_source,
    )  # fmt: skip
    return Parity(
        started.run_id, kst_date(started.ts).isoformat(), started.symbols, started.strategy, judge.verdicts(),
        played.bars, len(played.differing), len(tape.holes), tape.is_whole, damages,
        started.version, is_same_source,
    )  # fmt: skip


def _end(events: list[Any]) -> int:
    last = events[-1]
    return last.ts if isinstance(last, SessionEnded) else max(event.ts for event in events)


def _days(home: Path, started: SessionStarted) -> list[SymbolDay]:
    """Where the session recorded its symbols. Raises: NoRowsError."""
    days = days_of(home, started.run_id, kst_date(started.ts), started.symbols)
    missing = [each.symbol for each in days if not each.exists]
    if missing:
        raise NoRowsError(
            "session {run_id} recorded nothing of {symbol}", run_id=started.run_id, symbol=", ".join(missing),
            hint="live.record has to be on while it trades, and no other process may record the symbol",
        )  # fmt: skip
    return days

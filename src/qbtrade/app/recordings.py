"""Recorded days, found and made ready to be replayed."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.recordings.finished import finish
from qbtrade.adapters.recordings.layout import SymbolDay, emulated, emulated_runs, krx, recorded
from qbtrade.app.plan import SimulationPlan
from qbtrade.domain.calendar import Calendar, kst_date
from qbtrade.errors import NoRowsError, UsageError

RECORDED: Final = "recorded"
"""`--source recorded`: the days of KRX; `recorded:RUN`: those of one run against a local KIS, `latest` of the last."""
LATEST: Final = "latest"
_NAMES: Final = re.compile(r"recorded(:latest|:\d{8}-\d{6}-\d{6})?")
_SHOWN: Final = 5


class Damage(msgspec.Struct, frozen=True):
    """A log that was torn, and the rest of which was kept. lost: bytes."""

    path: Path
    lost: int


class Wanted(msgspec.Struct, frozen=True):
    """Which days are asked for. start, end: UTC ns, half open, 0 for no bound. symbols: none for all that are there."""

    symbols: tuple[str, ...] = ()
    start: int = 0
    end: int = 0

    def holds(self, day: date) -> bool:
        """Whether any of a day is wanted."""
        return (not self.start or day >= kst_date(self.start)) and (not self.end or day <= kst_date(self.end - 1))


def days_of(home: Path, run_id: str, day: date, symbols: Iterable[str]) -> list[SymbolDay]:
    """What a session or recorder kept of its day, or would have kept."""
    made = emulated(home, run_id)
    folder = made if made.exists() else krx(home)
    return [SymbolDay(folder, day, symbol) for symbol in symbols]


def is_recorded(source: Iterable[str]) -> bool:
    """Whether recordings are meant instead of files or stored bars."""
    return any(_NAMES.fullmatch(name) for name in source)


def market(home: Path, name: str) -> Path:
    """The folder that `recorded`, `recorded:RUN` or `recorded:latest` names."""
    run_id = name.partition(":")[2]
    runs = emulated_runs(home) if run_id == LATEST else ()
    if runs:
        return runs[-1]
    return emulated(home, run_id) if run_id else krx(home)


def find(folder: Path, wanted: Wanted, calendar: Calendar) -> list[SymbolDay]:
    """The recorded days that are asked for, with every trading day in between. Raises: NoRowsError that names a gap."""
    there = [each for each in recorded(folder) if wanted.holds(each.day)]
    symbols = wanted.symbols or tuple(sorted({each.symbol for each in there}))
    if not there:
        raise NoRowsError(
            "nothing is recorded in {folder} for these days", folder=folder,
            hint="`qb data list` shows what is there; with --env emulator runs against a local KIS, as recorded:RUN",
        )  # fmt: skip
    for symbol in symbols:
        days = {each.day for each in there if each.symbol == symbol}
        missing = [day for day in _trading_days(calendar, there, wanted) if day not in days]
        if missing:
            shown = ", ".join(map(str, missing[:_SHOWN])) + (", …" if len(missing) > _SHOWN else "")
            raise NoRowsError(
                "{symbol} is not recorded on {days}", hint="Ask for days without a gap: --from, --to", symbol=symbol,
                days=shown,
            )  # fmt: skip
    return [each for each in there if each.symbol in symbols]


def _trading_days(calendar: Calendar, there: Iterable[SymbolDay], wanted: Wanted) -> Iterator[date]:
    """Every trading day between what was asked for, or else between the first and the last that is there."""
    days = sorted({each.day for each in there})
    first = kst_date(wanted.start) if wanted.start else days[0]
    last = kst_date(wanted.end - 1) if wanted.end else days[-1]
    day = first if calendar.is_trading_day(first) else calendar.next_day(first)
    while day <= last:
        yield day
        day = calendar.next_day(day)


def ready(days: Iterable[SymbolDay]) -> list[Damage]:
    """Finish what a recorder left unfinished; what was damaged. Raises: LockedError while it is recorded; FileError."""
    found = [(each, finish(each)) for each in days]
    return [Damage(each.log, done.lost) for each, done in found if done and done.lost]


def replayed(plan: SimulationPlan, home: Path, calendar: Calendar) -> tuple[SimulationPlan, list[Damage]]:
    """The plan with the files of its recorded days, which are finished where they were not.

    Raises: UsageError, NoRowsError, LockedError, FileError.
    """
    (name, *others) = plan.source
    if others:
        raise UsageError("--source: recorded stands alone", hint="Name either recorded days or files")
    folder = market(home, name)
    days = find(folder, Wanted(plan.symbols, plan.start, plan.end), calendar)
    damages = ready(days)
    return msgspec.structs.replace(
        plan, source=tuple(str(day.parquet) for day in days), origin=name.replace(LATEST, folder.name)
    ), damages

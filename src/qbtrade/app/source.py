"""Where a rehearsal's market data comes from: the made market or recorded files."""

import hashlib
from collections.abc import Iterable
from datetime import date, time
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import msgspec

from qbtrade.adapters.sim.generator import MockMarket
from qbtrade.adapters.sim.replay import Replay, open_replay
from qbtrade.app.data.played import files_of
from qbtrade.app.home import home
from qbtrade.app.plan import USUAL_SYMBOL, SimulationPlan
from qbtrade.app.rules import instrument_for
from qbtrade.app.units import write_duration
from qbtrade.domain.calendar import DAY, MINUTE, Calendar, TradingDay, kst_date, kst_ns
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.message import Event
from qbtrade.domain.rules import Rules
from qbtrade.errors import NoRowsError, UsageError

FIRST_DAY: Final = date(2026, 11, 2)
"""The made market begins here unless told otherwise: a plain Monday with today's rules."""


class Source(Protocol):
    """Market data of one rehearsal.

    interval: ns of a bar. first, last: UTC ns of its data. bases: yesterday's close, KRW.
    made_of_bars: True when the trades are the paths of bars. digest: changes with the content. history: data before it.
    """

    instruments: tuple[Instrument, ...]
    interval: int
    made_of_bars: bool
    description: str
    digest: str
    first: int
    last: int
    bases: dict[str, int]

    def feeds(self) -> list[Iterable[Event]]:
        """One iterable per feed, each in time order."""
        ...

    def first_prices(self) -> dict[str, int]:
        """The first price of each symbol, KRW."""
        ...

    def counts(self) -> dict[str, int]:
        """What was noticed while reading."""
        ...

    def history(self, days: int) -> "Source | None":
        """The same data of so many days of the calendar before this begins; None when there is none."""
        ...


def open_source(plan: SimulationPlan, rules: Rules) -> Source:
    """Open and check all data of a plan. Raises: QbError with file, row and column."""
    return Recorded(plan, rules) if plan.source else Made(plan, rules)


class Made:
    """The made market of the plan."""

    made_of_bars = False

    def __init__(self, plan: SimulationPlan, rules: Rules) -> None:
        mock = plan.mock
        days = mock_days(rules.calendar, mock.first_day, mock.days)
        self.instruments = tuple(
            instrument_for(rules, symbol, plan.market, plan.kind) for symbol in plan.symbols or (USUAL_SYMBOL,)
        )
        self.interval = plan.interval or MINUTE
        self._markets = [
            MockMarket(
                instrument.symbol, days, ticks=mock.ticks, price=mock.price, volatility=mock.volatility,
                scenario=mock.scenario, tick_table=partial(rules.ticks, instrument), seed=plan.seed,
                width_ppb=rules.band_row(instrument, days[0].day).ppb,
            )
            for instrument in self.instruments
        ]  # fmt: skip
        self.first, self.last = days[0].open, days[-1].close
        self.description = f"mock {mock.scenario}, {mock.days} day{'s' * (mock.days > 1)} of {mock.ticks:,} trades"
        self.bases = {i.symbol: market.base for i, market in zip(self.instruments, self._markets, strict=True)}
        self.digest = hashlib.sha256(msgspec.json.encode((mock, [d.day for d in days]))).hexdigest()

    def feeds(self) -> list[Iterable[Event]]:
        """One per symbol."""
        return list(self._markets)

    def first_prices(self) -> dict[str, int]:
        """The close before the first day."""
        return self.bases

    def counts(self) -> dict[str, int]:
        """A made market has nothing to notice."""
        return {}

    def history(self, days: int) -> Source | None:
        """A made market begins from nothing."""
        del days
        return None


def mock_days(calendar: Calendar, first_day: str, days: int) -> list[TradingDay]:
    """So many trading days from `first_day` on (ISO, "" for the usual one); from before it where the calendar ends."""
    day = date.fromisoformat(first_day) if first_day else FIRST_DAY
    if not calendar.is_trading_day(day):
        day = calendar.next_day(day)
    found = [day]
    while len(found) < days and found[-1] < calendar.last:
        found.append(calendar.next_day(found[-1]))
    while len(found) < days:
        found.insert(0, calendar.previous_day(found[0]))
    return [calendar.trading_day(each) for each in found]


class Recorded:
    """Recorded trades or bars, from files or from the store."""

    def __init__(self, plan: SimulationPlan, rules: Rules) -> None:
        self._plan, self._rules = plan, rules
        instrument = partial(instrument_for, rules, market=plan.market, kind=plan.kind)
        files = files_of(plan.source, home(), plan.symbols, plan.start, plan.end)
        replay = self._replay = open_replay(
            files, plan.symbols, rules, instrument,
            start=plan.start, end=plan.end, skip_bad_rows=plan.skip_bad_rows, usual=USUAL_SYMBOL,
        )  # fmt: skip
        self.instruments = tuple(instrument(symbol) for symbol in replay.symbols)
        self.interval = _bar_length(plan.interval, replay.interval)
        self.made_of_bars = replay.interval > 0
        self.description = _days(plan.origin, replay) if plan.origin else ", ".join(map(_name_of, plan.source))
        self.digest, self.first, self.last = replay.digest, replay.first, replay.last
        self.bases: dict[str, int] = {}

    def feeds(self) -> list[Iterable[Event]]:
        """As the files are."""
        return list(self._replay.feeds())

    def first_prices(self) -> dict[str, int]:
        """From the first rows."""
        return self._replay.first_prices

    def counts(self) -> dict[str, int]:
        """Rows, and what was odd about them."""
        replay = self._replay
        return {"rows": replay.rows, "bad_rows": replay.bad_rows, "off_grid": sum(replay.off_grid.values())}

    def history(self, days: int) -> Source | None:
        """The rows before this begins; None when the files begin here, too."""
        first = kst_ns(self._rules.calendar.first, time())
        start = max(self._plan.start - days * DAY, first)
        if start >= self._plan.start:
            return None
        symbols = tuple(instrument.symbol for instrument in self.instruments)
        earlier = msgspec.structs.replace(self._plan, symbols=symbols, start=start, end=self._plan.start)
        try:
            return Recorded(earlier, self._rules)
        except NoRowsError:
            return None


def _days(origin: str, replay: Replay) -> str:
    """Whose days they are, and which: the same for the same days, wherever they were kept."""
    first, last = kst_date(replay.first), kst_date(replay.last)
    return f"{origin} {first}" if first == last else f"{origin} {first} - {last}"


def _name_of(path: str) -> str:
    """A file's name, with the day of a recorded one."""
    place = Path(path)
    is_day = len(place.parent.name) == len("2026-11-02") and place.parent.name[:4].isdigit()
    return f"{place.parent.name}/{place.name}" if is_day else place.name


def _bar_length(asked: int, own: int) -> int:
    """Bars keep their own length unless a coarser one is asked for. Raises: UsageError."""
    if not asked:
        return own or MINUTE
    if own and asked % own:
        raise UsageError(
            "--bar {asked} cannot be made of bars of {own}", hint="Ask for a multiple, or leave --bar out",
            asked=write_duration(asked), own=write_duration(own),
        )  # fmt: skip
    return asked

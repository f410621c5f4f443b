"""Where a rehearsal's market data comes from: the made market or recorded files."""

import hashlib
from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Final, Protocol

import msgspec

from qbtrade.adapters.sim.generator import MockMarket
from qbtrade.adapters.sim.replay import Replay, open_replay
from qbtrade.app.plan import SimulationPlan
from qbtrade.domain.calendar import MINUTE, Calendar, TradingDay
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.rules import Rules
from qbtrade.errors import UsageError

FIRST_DAY: Final = date(2026, 11, 2)
"""The made market begins here unless told otherwise: a plain Monday with today's rules."""


class Source(Protocol):
    """Market data of one rehearsal. interval: ns of a bar; first, last: UTC ns of its data; bases: yesterday's close, KRW.

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

    def history(self, since: date) -> "Source | None":
        """The same data from `since` up to where this begins; None when there is none."""
        ...


def open_source(plan: SimulationPlan, rules: Rules) -> Source:
    """Open and check all data of a plan. Raises: QbError with file, row and column."""
    return Recorded(plan, rules) if plan.source else Made(plan, rules)


def instrument_of(symbol: str, plan: SimulationPlan, rules: Rules) -> Instrument:
    """What is shipped about the symbol, or what the plan says. Raises: UsageError when neither knows."""
    known = rules.instrument(symbol)
    if known is not None and not plan.market and not plan.kind:
        return known
    if known is None and not plan.market:
        raise UsageError(
            "{symbol} is not in the shipped table of symbols", hint="Say --market KOSPI or KOSDAQ, and --kind ETF for a fund",
            symbol=symbol,
        )  # fmt: skip
    market = Market(plan.market) if plan.market else known.market if known else Market.KOSPI
    kind = Kind(plan.kind) if plan.kind else known.kind if known else Kind.STOCK
    return Instrument(symbol, market, kind, known.name if known else "")


class Made:
    """The made market of the plan."""

    made_of_bars = False

    def __init__(self, plan: SimulationPlan, rules: Rules) -> None:
        mock = plan.mock
        days = mock_days(rules.calendar, mock.first_day, mock.days)
        self.instruments = tuple(instrument_of(symbol, plan, rules) for symbol in plan.symbols)
        self.interval = plan.interval or MINUTE
        self._markets = [
            MockMarket(
                instrument.symbol, days, ticks=mock.ticks, price=mock.price, volatility=mock.volatility,
                scenario=mock.scenario, tick_table=partial(rules.ticks, instrument), seed=plan.seed,
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

    def history(self, since: date) -> Source | None:
        """A made market begins from nothing."""
        del since


def mock_days(calendar: Calendar, first_day: str, days: int) -> list[TradingDay]:
    """So many trading days from `first_day` (ISO, or "" for the usual one) on; earlier when the calendar ends before."""
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
    """Recorded trades or bars from files."""

    def __init__(self, plan: SimulationPlan, rules: Rules, *, start: int | None = None, end: int | None = None) -> None:
        self._plan, self._rules = plan, rules
        self._replay: Replay = open_replay(
            plan.source, plan.symbols, rules,
            partial(instrument_of, plan=plan, rules=rules),
            start=plan.start if start is None else start, end=plan.end if end is None else end,
            skip_bad_rows=plan.skip_bad_rows,
        )  # fmt: skip

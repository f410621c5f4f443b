"""Builds a local KIS: the market that it plays, its past, and the server in front of it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final

from msgspec.structs import replace

from qbtrade.adapters.emulator.plan import EmulatorPlan, Stage
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.sim.generator import MockMarket
from qbtrade.app.plan import MockPlan, SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.source import Source, mock_days, open_source
from qbtrade.domain.calendar import MINUTE, kst_date
from qbtrade.domain.instrument import Instrument, TickTable
from qbtrade.domain.market import Trade
from qbtrade.domain.rules import Rules
from qbtrade.errors import ConfigError, UsageError
from qbtrade.kernel.clock import wall_ns
from qbtrade.kernel.loop import merge

BEFORE_OPEN: Final = 10 * MINUTE
"""The market clock begins this long before the first open."""
PAST_DAYS: Final = 60
_PAST_TICKS: Final = 391
_PAST_VOLATILITY: Final = 15_000_000


def open_emulator(plan: EmulatorPlan) -> EmulatorServer:
    """A local KIS for clients that share its clock, not yet started. Raises: UsageError, FileError."""
    return EmulatorServer(plan, open_stage(plan))


def open_public_emulator(plan: EmulatorPlan) -> EmulatorServer:
    """A local KIS for any client, whose clock may be the machine's. Raises: UsageError, FileError."""
    stage = open_stage(plan)
    return EmulatorServer(replace(plan, ahead=max(wall_ns() - stage.start, 0)), stage)


def open_stage(plan: EmulatorPlan) -> Stage:
    """The market of a plan. Raises: UsageError, FileError."""
    rules = load_rules()
    wanted = SimulationPlan(
        symbols=plan.symbols, source=plan.source, seed=plan.seed, market=plan.market, kind=plan.kind,
        start=_first_ns(plan) if plan.source else 0,
        mock=MockPlan(scenario=plan.scenario, ticks=plan.ticks, days=plan.days, price=plan.price, first_day=plan.day),
    )  # fmt: skip
    source = open_source(wanted, rules)
    first, last = kst_date(source.first), kst_date(source.last - 1)
    symbols = {instrument.symbol for instrument in source.instruments}
    unknown = sorted(set(plan.halted) - symbols)
    if unknown:
        raise UsageError("{symbols} is not in this market", hint="Name it with --symbol", symbols=", ".join(unknown))
    if plan.source:
        past = _recorded_past(source)
        bases = {symbol: _last_price(past.get(symbol, ())) or price for symbol, price in source.first_prices().items()}
    else:
        bases = source.first_prices()
        past = {each.symbol: MadePast(each, rules, first, bases[each.symbol], plan) for each in source.instruments}
    return Stage(
        rules=rules, instruments=source.instruments, events=merge(source.feeds()), past=past, bases=bases,
        first=first, last=last, start=rules.calendar.trading_day(first).open - BEFORE_OPEN,
        sketched=source.made_of_bars,
    )  # fmt: skip


class MadePast:
    """Trades of the days before the first one, one a minute, scaled so that they end at its base price."""

    def __init__(self, instrument: Instrument, rules: Rules, first: date, base: int, plan: EmulatorPlan) -> None:
        self._instrument, self._rules, self._first, self._base, self._plan = instrument, rules, first, base, plan

    def __iter__(self) -> Iterator[Trade]:
        calendar, ticks = self._rules.calendar, partial(self._rules.ticks, self._instrument)
        days = [calendar.trading_day(day) for day in _days_before(self._rules, self._first, PAST_DAYS)]
        if not days:
            return
        made = MockMarket(
            self._instrument.symbol, days, ticks=_PAST_TICKS, price=self._base, volatility=_PAST_VOLATILITY,
            scenario="calm", tick_table=ticks, seed=self._plan.seed + 1,
        )  # fmt: skip
        trades = [event for event in made if isinstance(event, Trade)]
        last, times = trades[-1].price, max(self._plan.ticks // _PAST_TICKS, 1)
        for trade in trades:
            table: TickTable = ticks(kst_date(trade.ts))
            price = max(table.down(trade.price * self._base // last), table.size(0))
            yield replace(trade, price=price, qty=trade.qty * times)


def _days_before(rules: Rules, first: date, count: int) -> list[date]:
    days: list[date] = []
    day = first
    while len(days) < count:
        try:
            day = rules.calendar.previous_day(day)
        except ConfigError:
            break
        days.append(day)
    return days[::-1]


def _first_ns(plan: EmulatorPlan) -> int:
    if not plan.day:
        return 0
    (day,) = mock_days(load_rules().calendar, plan.day, 1)
    return day.open - 12 * 60 * MINUTE


def _recorded_past(source: Source) -> Mapping[str, Iterable[Trade]]:
    """Earlier rows of the same files, by symbol."""
    earlier = source.history(PAST_DAYS)
    if earlier is None:
        return {}
    found: dict[str, list[Trade]] = {}
    for event in merge(earlier.feeds()):
        if isinstance(event, Trade):
            found.setdefault(event.symbol, []).append(event)
    return found


def _last_price(trades: Iterable[Trade]) -> int:
    price = 0
    for trade in trades:
        price = trade.price
    return price

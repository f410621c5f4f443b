"""The market of a virtual world: stocks that go up and down by ticks, and sometimes slump, stop or jump overnight."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from heapq import merge
from operator import attrgetter
from random import Random
from typing import Final

from qbtrade.adapters.emulator.actions import ACTIONS, Planned
from qbtrade.adapters.emulator.plan import Stage
from qbtrade.app.chaos.luck import drawn
from qbtrade.app.chaos.plan import ChaosPlan
from qbtrade.app.rules import instrument_for, load_rules
from qbtrade.domain.calendar import KST, MINUTE, NS, kst_date, kst_ns
from qbtrade.domain.events import SymbolHalted, SymbolResumed
from qbtrade.domain.instrument import TickTable
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.money import PPB
from qbtrade.domain.rules import Rules

BASES: Final = {"005930": 75_000, "000660": 182_000, "035420": 49_000}
"""Closes before the first day, KRW; two of them lie near a price from which the tick is another."""
OTHERS: Final = ("000270", "000810", "005380", "012330", "017670", "033780")
"""Stocks that qb does not trade and somebody else may."""
PRICE_OF_OTHERS: Final = 20_000
SYMBOL: Final = "005930"
BASE: Final = BASES[SYMBOL]
DAY: Final = date(2026, 11, 2)
MOST_DAYS: Final = 5
OPENS: Final = time(9, 5)
START: Final = kst_ns(DAY, OPENS)
VI: Final = 2 * MINUTE
SLUMP: Final = 6
"""Ticks by which each trade of a slump is lower than the one before."""
THIN: Final = 20
USUAL: Final = 400
"""Shares of a trade stay below; a tenth of them may be ours."""
FALL: Final = 400
"""One part in so many is more than any tick, and less than a trade of a slump falls."""
UTC_DAY: Final = 24 * 60 * MINUTE
"""The hours of KRX lie in one day of UTC."""
JUMP: Final = 8
"""Percent by which the first price of a day may differ from the close, when it jumps."""


@cache
def rules() -> Rules:
    """The rules that ship."""
    return load_rules()


def symbols(plan: ChaosPlan) -> tuple[str, ...]:
    """The stocks of a world."""
    return tuple(BASES)[: plan.symbols]


def others(plan: ChaosPlan) -> tuple[str, ...]:
    """Stocks beside those that qb trades."""
    return OTHERS if plan.side == "real" and plan.rate("by-hand") else ()


@cache
def starts(days: int) -> tuple[int, ...]:
    """When each day of a world begins, UTC ns."""
    found = [DAY]
    while len(found) < days:
        found.append(rules().calendar.next_day(found[-1]))
    return tuple(kst_ns(day, OPENS) for day in found)


def stage(plan: ChaosPlan, events: Sequence[Event]) -> Stage:
    """The stage of a local KIS."""
    bases = {each: BASES[each] for each in symbols(plan)} | dict.fromkeys(others(plan), PRICE_OF_OTHERS)
    return Stage(
        rules=rules(), instruments=tuple(instrument_for(rules(), each, "", "") for each in bases), events=events,
        past={}, bases=bases, first=DAY, last=kst_date(starts(plan.days)[-1]),
        start=START,
    )  # fmt: skip


def incidents(plan: ChaosPlan) -> tuple[str, ...]:
    """What befalls the whole market, as the local KIS takes it."""
    rng, began = Random(f"{plan.seed}:incidents"), datetime.fromtimestamp(START // NS, KST)
    drawn = {name: (rng.randrange(PPB), rng.randrange(1, plan.trouble + 1)) for name in ("sidecar", "circuit-breaker")}
    return tuple(
        f"{'sell-' if name == 'sidecar' else ''}{name}@{began + timedelta(minutes=minute):%H:%M}"
        for name, (luck, minute) in drawn.items() if luck < plan.rate(name)
    )  # fmt: skip


def played(plan: ChaosPlan) -> list[Event]:
    """Everything that the stocks of a world do, in time order."""
    stocks = [*(_stock(plan, symbol) for symbol in symbols(plan)), *(_quiet(plan, symbol) for symbol in others(plan))]
    return list(merge(*stocks, key=attrgetter("ts")))


def actions(plan: ChaosPlan) -> tuple[Planned, ...]:
    """What becomes of shares in the nights of a world, oldest first."""
    found = list[Planned]()
    for day in range(2, plan.days + 1):
        for symbol in symbols(plan):
            rng = Random(f"{plan.seed}:action:{day}:{symbol}")
            if rng.randrange(PPB) < plan.rate("corporate-action"):
                found.append(Planned(rng.choice(tuple(ACTIONS)), day, symbol))
    return tuple(found)


def bases(plan: ChaosPlan, events: Sequence[Event], day: int) -> dict[str, int]:
    """From which price each stock counts on a day, by its number: the close before, as shares have become, KRW."""
    began = starts(plan.days)[day - 1]
    found = {event.symbol: event.price for event in events if isinstance(event, Trade) and event.ts < began}
    for action in actions(plan):
        if action.day <= day:
            num, den = ACTIONS[action.name].price
            table = rules().ticks(instrument_for(rules(), action.symbol, "", ""), DAY)
            found[action.symbol] = table.down(found[action.symbol] * num // den)
    return found


def best(events: Sequence[Event], since: int, until: int) -> dict[str, int]:
    """The highest price of each stock in a time, KRW."""
    found = dict[str, int]()
    for event in events:
        if isinstance(event, Trade) and since <= event.ts <= until:
            found[event.symbol] = max(found.get(event.symbol, 0), event.price)
    return found


def traded(plan: ChaosPlan, events: Iterable[Event], day: int) -> Iterator[Trade]:
    """Trades of a day, by its number, that came about: none after a circuit breaker, which lasts longer than a world.

    None at all where a night changed what a share is: prices are told in another scale then.
    """
    began, times = starts(plan.days)[day - 1], [each.partition("@") for each in incidents(plan)]
    breaks = (kst_ns(DAY, time.fromisoformat(at)) % UTC_DAY for name, _, at in times if name == "circuit-breaker")
    until = min(breaks, default=UTC_DAY)
    if not actions(plan):
        for event in events:
            if isinstance(event, Trade) and event.ts >= began and event.ts % UTC_DAY < until:
                yield event


def happened(plan: ChaosPlan, events: Sequence[Event]) -> dict[str, int]:
    """How often the market did what is rare."""
    names, last, falls, jumps = [each.partition("@")[0] for each in incidents(plan)], dict[str, Trade](), 0, 0
    for event in events:
        if isinstance(event, Trade):
            before = last.get(event.symbol, event)
            if before.ts // UTC_DAY == event.ts // UTC_DAY:
                falls += event.price * FALL < before.price * (FALL - 1)
            else:
                jumps += abs(event.price - before.price) * FALL > before.price
            last[event.symbol] = event
    return {
        "overnight-jump": jumps, "corporate-action": len(actions(plan)),
        "vi": sum(isinstance(event, SymbolHalted) for event in events), "slump": falls,
        "sidecar": names.count("sell-sidecar"), "circuit-breaker": names.count("circuit-breaker"),
    }  # fmt: skip


def _stock(plan: ChaosPlan, symbol: str) -> Iterator[Event]:
    rng = Random(f"{plan.seed}:market" if symbol == SYMBOL else f"{plan.seed}:market:{symbol}")
    ticks, price = rules().ticks(instrument_for(rules(), symbol, "", ""), DAY), BASES[symbol]
    for number, begins in enumerate(starts(plan.days)):
        if number and rng.randrange(PPB) < plan.rate("overnight-jump"):
            price = ticks.down(price * (100 + rng.randrange(-JUMP, JUMP + 1)) // 100)
        for event in _day(plan, symbol, begins, price, ticks, rng):
            price = event.price if isinstance(event, Trade) else price
            yield event


def _quiet(plan: ChaosPlan, symbol: str) -> Iterator[Event]:
    """A stock that trades once a minute, at one price."""
    for begins in starts(plan.days):
        for ts in range(begins, begins + (plan.trouble + plan.calm) * MINUTE, MINUTE):
            yield Trade(ts + 2 * NS, symbol, PRICE_OF_OTHERS, USUAL)


def _day(plan: ChaosPlan, symbol: str, begins: int, base: int, ticks: TickTable, rng: Random) -> Iterator[Event]:
    end = begins + (plan.trouble + plan.calm + 2) * MINUTE
    vi_at, slump_at = (begins + rng.randrange(plan.trouble * MINUTE) for _ in range(2))
    stops = rng.randrange(PPB) < plan.rate("vi")
    slumps = rng.randrange(PPB) < plan.rate("slump")
    is_thin = rng.randrange(PPB) < plan.rate("thin") and plan.side == "real"
    most = THIN if is_thin else USUAL
    ts, price = begins + NS, base
    while ts < end:
        if stops and ts >= vi_at:
            stops, stopped_until = False, ts + VI
            yield SymbolHalted(ts, symbol, "vi", "the price moved too far")
            yield SymbolResumed(stopped_until, symbol, "vi")
            ts = stopped_until + NS
        in_slump = slumps and slump_at <= ts < slump_at + MINUTE
        price = ticks.step(price, -SLUMP if in_slump and price > base * 93 // 100 else drawn(rng, -1, 2))
        yield Trade(ts, symbol, price, drawn(rng, 1, most))
        ts += drawn(rng, NS // 2, 3 * NS)

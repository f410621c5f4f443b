"""The market of a virtual world: one stock that goes up and down by ticks, and sometimes slumps or stops."""

from collections.abc import Iterator
from datetime import date, time
from random import Random
from typing import Final

from qbtrade.adapters.emulator.plan import Stage
from qbtrade.app.chaos.plan import ChaosPlan
from qbtrade.app.rules import instrument_for
from qbtrade.domain.calendar import MINUTE, NS, kst_ns
from qbtrade.domain.events import SymbolHalted, SymbolResumed
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.money import PPB
from qbtrade.domain.rules import Rules

SYMBOL: Final = "005930"
DAY: Final = date(2026, 11, 2)
START: Final = kst_ns(DAY, time(9, 5))
BASE: Final = 75_000
TICK: Final = 100
VI: Final = 2 * MINUTE
SLUMP: Final = 6
"""Ticks by which each trade of a slump is lower than the one before."""
USUAL: Final = 400
THIN: Final = 20
"""Shares of a trade stay below; a tenth of them may be ours."""


def stage(plan: ChaosPlan, rules: Rules) -> Stage:
    """The stage of a local KIS."""
    end = START + (plan.trouble + plan.calm + 2) * MINUTE
    return Stage(
        rules=rules, instruments=(instrument_for(rules, SYMBOL, "", ""),), events=list(_events(plan, end)), past={},
        bases={SYMBOL: BASE}, first=DAY, last=DAY, start=START,
    )  # fmt: skip


def _events(plan: ChaosPlan, end: int) -> Iterator[Event]:
    rng = Random(f"{plan.seed}:market")
    vi_at, slump_at = (START + rng.randrange(plan.trouble * MINUTE) for _ in range(2))
    stops = rng.randrange(PPB) < plan.rate("vi")
    slumps = rng.randrange(PPB) < plan.rate("slump")
    is_thin = rng.randrange(PPB) < plan.rate("thin") and plan.side == "real"
    most = THIN if is_thin else USUAL
    ts, price, stopped_until = START + NS, BASE, 0
    while ts < end:
        if stops and ts >= vi_at:
            stops, stopped_until = False, ts + VI
            yield SymbolHalted(ts, SYMBOL, "vi", "the price moved too far")
            yield SymbolResumed(stopped_until, SYMBOL, "vi")
            ts = stopped_until + NS
        in_slump = slumps and slump_at <= ts < slump_at + MINUTE
        price = max(price + (-SLUMP if in_slump and price > BASE * 93 // 100 else rng.randrange(-1, 2)) * TICK, TICK)
        yield Trade(ts, SYMBOL, price, rng.randrange(1, most))
        ts += rng.randrange(NS // 2, 3 * NS)

"""The rehearsals that the oracle looks at."""

from typing import Final

import msgspec

from qbtrade.app.plan import Limits, MockPlan, SimulationPlan, VenuePlan

FIVE_MINUTES: Final = "intraday5m_2020"
DAILY: Final = "daily_2018_2026"
FUNDS: Final = "daily_adjusted_to_2023"
KST_2018: Final = 1_514_732_400_000_000_000
KST_2020_03_02: Final = 1_583_074_800_000_000_000
KST_2020_04_01: Final = 1_585_666_800_000_000_000


class Case(msgspec.Struct, frozen=True):
    """What to rehearse. folder: of the shared data. plan: all but its source.

    first, last: days that its data comes from; start: the day on which it begins to trade.
    """

    folder: str
    symbols: tuple[str, ...]
    plan: SimulationPlan
    first: str = "2018-01-01"
    last: str = "2099-12-31"
    start: str = "2018-01-01"

    @property
    def is_daily(self) -> bool:
        return self.folder != FIVE_MINUTES


def large(budget: int) -> Limits:
    """Room for many shares, so that orders meet the volume share and fill in parts."""
    return Limits(max_budget=budget, max_entries=100)


SIX: Final = ("005930", "000660", "035420", "035720", "035900", "053800")
ELEVEN: Final = (
    "000660", "001440", "005930", "005935", "010170", "034020", "035420", "042700", "047040", "098460", "108490",
)  # fmt: skip
ALONE: Final = SimulationPlan(
    cash=1_000_000_000,
    limits=msgspec.structs.replace(large(50_000_000), stop_loss=15_000_000),
    params={"fast": "3", "slow": "9"},
)
"""A plan that one symbol has for itself: many shares, quick averages, a near stop."""
CASES: Final = {
    "samsung": Case(FIVE_MINUTES, ("005930",), SimulationPlan()),
    "six": Case(FIVE_MINUTES, SIX, SimulationPlan(cash=300_000_000, limits=large(70_000_000))),
    "little cash": Case(
        FIVE_MINUTES,
        SIX,
        SimulationPlan(cash=60_000_000, limits=msgspec.structs.replace(large(60_000_000), position_share=300_000_000)),
    ),
    "split": Case(FIVE_MINUTES, ("000100",), SimulationPlan(limits=large(1_000_000))),
    "years": Case(
        DAILY,
        ELEVEN,
        SimulationPlan(cash=100_000_000, limits=large(40_000_000), params={"fast": "2", "slow": "5"}),
    ),
    "funds": Case(
        FUNDS,
        ("069500", "114800", "122630", "252670"),
        SimulationPlan(cash=100_000_000, limits=large(20_000_000), start=KST_2018),
    ),
    "samsung by day": Case(DAILY, ("005930",), SimulationPlan()),
    "march": Case(
        FIVE_MINUTES,
        ("005930",),
        SimulationPlan(start=KST_2020_03_02, end=KST_2020_04_01),
        start="2020-03-02",
        last="2020-03-31",
    ),
    "every print": Case(
        FIVE_MINUTES,
        SIX,
        SimulationPlan(
            strategy="tick_cross",
            params={"fast": "2", "slow": "3"},
            cash=300_000_000,
            limits=msgspec.structs.replace(large(70_000_000), max_entries=10_000, daily_loss=200_000_000),
            start=KST_2020_03_02,
            end=KST_2020_04_01,
        ),
        start="2020-03-02",
        last="2020-03-31",
    ),
    **{f"{symbol} alone": Case(FIVE_MINUTES, (symbol,), ALONE) for symbol in ("000100", *SIX)},
    **{f"{symbol} by day": Case(DAILY, (symbol,), ALONE) for symbol in ELEVEN if symbol != "005930"},
}
MADE: Final = {
    "calm": SimulationPlan(),
    "calm, large": SimulationPlan(
        seed=7, cash=1_000_000_000, limits=msgspec.structs.replace(large(50_000_000), stop_loss=5_000_000)
    ),
    "a week": SimulationPlan(
        mock=MockPlan(days=4, ticks=5_000, price=182_000, volatility=40_000_000), seed=3, cash=1_000_000_000,
        limits=msgspec.structs.replace(large(50_000_000), stop_loss=10_000_000), params={"fast": "3", "slow": "9"},
    ),
    "thin": SimulationPlan(
        mock=MockPlan(ticks=600, price=4_200, volatility=60_000_000), seed=11, cash=1_000_000_000,
        limits=msgspec.structs.replace(large(50_000_000), stop_loss=8_000_000), params={"fast": "2", "slow": "5"},
    ),
    "trend": SimulationPlan(mock=MockPlan(scenario="trend"), seed=5),
}  # fmt: skip
"""Made markets of one symbol, without refusals at random."""
TROUBLED: Final = {
    "refusals": SimulationPlan(
        symbols=("005930", "035900", "069500"), venue=VenuePlan(reject_rate=200_000_000), seed=2, cash=100_000_000,
        limits=large(10_000_000),
    ),
    "crash": SimulationPlan(mock=MockPlan(scenario="crash"), limits=large(300_000)),
    "halt": SimulationPlan(mock=MockPlan(scenario="halt"), limits=large(300_000), params={"fast": "2", "slow": "4"}),
}  # fmt: skip
"""Made markets with several symbols, orders refused at random, or halts."""

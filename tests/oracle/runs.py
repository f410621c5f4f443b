"""The rehearsals that the oracle looks at, each played once, with its report, its journal and a database to judge them by."""

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
from duckdb import DuckDBPyConnection

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.plan import Limits, SimulationPlan
from qbtrade.app.session import simulate
from qbtrade.app.status import NoScreen
from qbtrade.domain.events import Signal
from qbtrade.domain.message import Event
from qbtrade.kernel.loop import StopRequest
from tests.oracle.ledger import load_report
from tests.oracle.market import load_market
from tests.oracle.retold import walk_through
from tests.oracle.rulebook import rulebook
from tests.oracle.walk import Walk
from tests.shared_data import shared

FIVE_MINUTES: Final = "intraday5m_2020"
DAILY: Final = "daily_2018_2026"
FUNDS: Final = "daily_adjusted_to_2023"
SESSIONS: Final = "krx_sessions_2000_2026.csv"
KST_2018: Final = 1_514_732_400_000_000_000
KST_2020_03_02: Final = 1_583_074_800_000_000_000
KST_2020_04_01: Final = 1_585_666_800_000_000_000


class Case(msgspec.Struct, frozen=True):
    """What to rehearse. folder: of the shared data. plan: all but its source. first, last: days that its data comes from;
    start: the day on which it begins to trade."""

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
    cash=1_000_000_000, limits=msgspec.structs.replace(large(50_000_000), stop_loss=15_000_000), params={"fast": "3", "slow": "9"}
)
"""A plan that one symbol has for itself: many shares, quick averages, a near stop."""
CASES: Final = {
    "samsung": Case(FIVE_MINUTES, ("005930",), SimulationPlan()),
    "six": Case(FIVE_MINUTES, SIX, SimulationPlan(cash=300_000_000, limits=large(70_000_000))),
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
            strategy="tick_cross", params={"fast": "2", "slow": "3"}, cash=300_000_000,
            limits=msgspec.structs.replace(large(70_000_000), max_entries=10_000, daily_loss=200_000_000),
        ),  # fmt: skip
    ),
    **{f"{symbol} alone": Case(FIVE_MINUTES, (symbol,), ALONE) for symbol in ("000100", *SIX)},
    **{f"{symbol} by day": Case(DAILY, (symbol,), ALONE) for symbol in ELEVEN if symbol != "005930"},
}


class Run:
    """One rehearsal that was played: what it says, and the means to check it."""

    def __init__(self, case: Case, home: Path) -> None:
        files = [shared(f"{case.folder}/{symbol}.csv") for symbol in case.symbols]
        self.case, self._files, self._sessions = case, files, shared(SESSIONS)
        self.plan = msgspec.structs.replace(case.plan, source=tuple(map(str, files)))
        result = simulate(self.plan, home, NoScreen(), StopRequest())
        self.report: dict[str, Any] = result.report
        self._report_path, self._journal = result.report_path, home / "journals" / f"{result.run_id}.sqlite3"

    @cached_property
    def db(self) -> DuckDBPyConnection:
        """Rules, prints and the report's rows, with what they have to be."""
        db = rulebook(self._sessions)
        load_market(db, self._files, daily=self.case.is_daily, first=self.case.first, last=self.case.last)
        load_report(db, self._report_path)
        return db

    @cached_property
    def events(self) -> list[Event]:
        """The journal, in order."""
        return list(read_events(self._journal))

    @cached_property
    def walk(self) -> Walk:
        """What a session of a single symbol must have done, found without a look at this one."""
        (symbol,) = self.case.symbols
        return walk_through(self.db, symbol, self.plan, self.case.start)

    def signals(self) -> list[tuple[int, str, str]]:
        """Time, symbol and side of every opinion of the strategy."""
        return [(event.ts, event.symbol, event.side.value) for event in self.events if isinstance(event, Signal)]

    def times(self, row: dict[str, Any], *keys: str) -> dict[str, int]:
        """Times of a row of the report as UTC ns."""
        return {key: self.row("SELECT iso_ns(?)", row[key])[0] for key in keys}

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return self.db.execute(sql, list(values)).fetchall()

    def row(self, sql: str, *values: object) -> tuple[Any, ...]:
        """The only row that a query finds."""
        (row,) = self.rows(sql, *values)
        return row

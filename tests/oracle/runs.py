"""A rehearsal that was played, with its report, its journal and a database to judge them by."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from duckdb import DuckDBPyConnection

from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.session import simulate
from qbtrade.app.status import NoScreen
from qbtrade.domain.events import Signal
from qbtrade.domain.message import Event
from qbtrade.kernel.loop import StopRequest
from tests.oracle.cases import Case
from tests.oracle.ledger import load_report
from tests.oracle.made import load_made
from tests.oracle.market import limit_prices, load_market
from tests.oracle.retold import walk_through
from tests.oracle.rulebook import rulebook
from tests.oracle.walk import Walk
from tests.shared_data import shared

SESSIONS = "krx_sessions_2000_2026.csv"


class Run:
    """One run of a plan: what it says, and the means to check it. start: the day on which it begins to trade."""

    start = "2018-01-01"

    def __init__(self, plan: SimulationPlan, home: Path) -> None:
        result = simulate(plan, home, NoScreen(), StopRequest())
        self.plan, self.report = plan, result.report
        self._report_path, self._journal = result.report_path, home / "journals" / f"{result.run_id}.sqlite3"

    def judge(self) -> DuckDBPyConnection:
        """A database with the rules and all prints."""
        db = rulebook(None)
        load_made(db, self.plan)
        limit_prices(db)
        return db

    @cached_property
    def db(self) -> DuckDBPyConnection:
        """Rules, prints and the report's rows, with what they have to be."""
        db = self.judge()
        load_report(db, self._report_path)
        return db

    def close(self) -> None:
        """Let go of the database."""
        if "db" in vars(self):
            vars(self).pop("db").close()

    @cached_property
    def events(self) -> list[Event]:
        """The journal, in order."""
        return list(read_events(self._journal))

    @cached_property
    def walk(self) -> Walk:
        """What a session of a single symbol must have done, found without a look at this one."""
        (symbol,) = self.report["session"]["symbols"]
        return walk_through(self.db, symbol, self.plan, self.start)

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


class BarsRun(Run):
    """A run of files of bars, named by their symbols."""

    def __init__(self, plan: SimulationPlan, files: Sequence[Path], home: Path, *, daily: bool = False) -> None:
        self._files, self._daily = files, daily
        super().__init__(msgspec.structs.replace(plan, source=tuple(map(str, files))), home)

    def judge(self) -> DuckDBPyConnection:
        """A database with the rules of the made market's days and all prints of the files."""
        db = rulebook(None)
        load_market(db, self._files, daily=self._daily)
        return db


class RecordedRun(BarsRun):
    """A run of bars from the shared data."""

    def __init__(self, case: Case, home: Path) -> None:
        self._case, self._sessions, self.start = case, shared(SESSIONS), case.start
        files = [shared(f"{case.folder}/{symbol}.csv") for symbol in case.symbols]
        super().__init__(case.plan, files, home, daily=case.is_daily)

    def judge(self) -> DuckDBPyConnection:
        """A database with the rules and all prints of the files that are inside the case's days."""
        db = rulebook(self._sessions)
        load_market(db, self._files, daily=self._daily, first=self._case.first, last=self._case.last)
        return db

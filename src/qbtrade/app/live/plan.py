"""What a live session is asked to do."""

from datetime import time
from enum import StrEnum
from typing import Final

import msgspec

from qbtrade.app.plan import SimulationPlan
from qbtrade.domain.calendar import MINUTE, NS, TradingDay, kst_ns

WATCHDOG_AFTER: Final = 30 * NS
"""Machine time of silence after which the watchdog cancels entries, unless something else is configured."""


class OnExit(StrEnum):
    """What becomes of working orders and shares when a session ends."""

    CANCEL = "cancel"
    FLATTEN = "cancel+flatten"
    LEAVE = "leave"


class Until(msgspec.Struct, frozen=True):
    """When a session ends by itself: so many ns before the close, or at a time of day in KST."""

    before_close: int = 0
    at: time | None = None

    def ts(self, day: TradingDay) -> int:
        """That moment of a day, UTC ns; never after the close."""
        if self.at is not None:
            return min(kst_ns(day.day, self.at), day.close)
        return day.close - self.before_close


class LivePlan(msgspec.Struct, frozen=True):
    """One live session. session: symbols, strategy, limits and all else that a rehearsal has, too.

    dry_run: real data, simulated fills. sells_only: sell what is held and end, as `qb halt --flatten` asks.
    watchdog_after: machine ns of silence after which the watchdog cancels entries; 0 for no watchdog. rejects: so many
    refusals of the broker within the window, ns of market time, halt trading; 0 for never.
    compare_every: ns between two comparisons of the books with the broker's. record: keep every trade and quote.
    base_slack: ppb by which the base price of a stock that is held may differ from its close before.
    paper_first: orders with real money wait for a session on paper that ended in order.
    """

    session: SimulationPlan
    dry_run: bool = False
    until: Until = Until()
    on_exit: OnExit = OnExit.CANCEL
    sells_only: bool = False
    watchdog_after: int = 0
    rejects: int = 5
    reject_window: int = 60 * NS
    compare_every: int = MINUTE
    record: bool = False
    base_slack: int = 0
    paper_first: bool = True

"""What a session's report says besides its orders: how it was set up, what happened to it, what the account became."""

from collections import Counter

import msgspec

from qbtrade.app.order_rows import Row
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import (
    Alert,
    BookCorrected,
    PositionChanged,
    RiskStateChanged,
    SessionEnded,
    SessionStarted,
    StrategyFailed,
    SymbolHalted,
    SymbolResumed,
    TickQuarantined,
)
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus


class Setting:
    """How a session was set up, how it ended, and what happened to it besides orders."""

    def __init__(self, bus: Bus) -> None:
        self.started: SessionStarted | None = None
        self.ended: SessionEnded | None = None
        self.alerts: list[Row] = []
        self.corrections: list[Row] = []
        self.failures: list[Row] = []
        self.risk_changes: list[Row] = []
        self.halts: list[Row] = []
        self.quarantined: Counter[str] = Counter()
        bus.subscribe(SessionStarted, self._on_started)
        bus.subscribe(SessionEnded, self._on_ended)
        bus.subscribe(Alert, lambda event: self.alerts.append(_row(event)))
        bus.subscribe(BookCorrected, lambda event: self.corrections.append(correction_row(event)))
        bus.subscribe(StrategyFailed, lambda event: self.failures.append(_row(event)))
        bus.subscribe(RiskStateChanged, lambda event: self.risk_changes.append(_row(event)))
        bus.subscribe(SymbolHalted, lambda event: self.halts.append({**_row(event), "resumed": None}))
        bus.subscribe(SymbolResumed, self._on_resumed)
        bus.subscribe(TickQuarantined, self._on_quarantined)

    def _on_started(self, event: SessionStarted) -> None:
        self.started = event

    def _on_ended(self, event: SessionEnded) -> None:
        self.ended = event

    def _on_resumed(self, event: SymbolResumed) -> None:
        for halt in self.halts:
            if halt["symbol"] == event.symbol and halt["resumed"] is None:
                halt["resumed"] = iso_kst(event.ts)

    def _on_quarantined(self, event: TickQuarantined) -> None:
        self.quarantined[event.reason] += 1


class Books:
    """The account as fills and corrections left it. worth: equity at the start; corrected: what others took, KRW."""

    def __init__(self, bus: Bus) -> None:
        self.initial = self.worth = self.cash = self.realized = self.commission = self.tax = self.corrected = 0
        self._positions: dict[str, tuple[int, int]] = {}
        self._last: dict[str, int] = {}
        bus.subscribe(SessionStarted, self._on_started)
        bus.subscribe(PositionChanged, self._on_booked)
        bus.subscribe(BookCorrected, self._on_corrected)
        bus.subscribe(SessionEnded, self._on_ended)

    def account(self) -> Row:
        """The report's `account`; without the session's end, positions stand at the price of their last fill."""
        positions: list[Row] = [
            {"symbol": symbol, "qty": qty, "cost": cost, "last": self._last[symbol]}
            for symbol, (qty, cost) in sorted(self._positions.items())
            if qty
        ]
        worth = sum(position["qty"] * position["last"] for position in positions)
        return {
            "initial_cash": self.initial,
            "initial_equity": self.worth,
            "cash": self.cash,
            "equity": self.cash + worth,
            "realized": self.realized,
            "unrealized": worth - sum(position["cost"] for position in positions),
            "commission": self.commission,
            "tax": self.tax,
            "positions": positions,
        }

    def _on_started(self, event: SessionStarted) -> None:
        self.initial = self.cash = event.cash
        for symbol, held in event.held.items():
            self._positions[symbol], self._last[symbol] = (held.qty, held.cost), held.price or held.last
        self.worth = event.worth

    def _on_booked(self, event: PositionChanged) -> None:
        self._positions[event.symbol] = (event.qty, event.cost)
        self._last[event.symbol] = event.price
        self.cash = event.cash
        self.realized += event.realized
        self.commission += event.commission
        self.tax += event.tax

    def _on_corrected(self, event: BookCorrected) -> None:
        """What others did is neither profit nor loss: it moves what the session's profit counts from."""
        self.corrected += event.cash - self.cash
        self.cash = event.cash
        if event.symbol in self._positions:
            cost = self._positions[event.symbol][1]
            self.corrected -= event.realized + cost - event.cost
            self._positions[event.symbol] = (event.qty, event.cost)

    def _on_ended(self, event: SessionEnded) -> None:
        self._last.update(event.last)


def correction_row(event: BookCorrected) -> Row:
    """A correction of the book with its evidence."""
    return {**_row(event), "seen": [iso_kst(ts) for ts in event.seen]}


def _row(event: Event) -> Row:
    row: Row = msgspec.to_builtins(event)
    del row["type"]
    return {**row, "ts": iso_kst(event.ts)}

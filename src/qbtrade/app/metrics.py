"""What a session's numbers say: all whole numbers, or None with no meaning behind them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isqrt
from typing import Any, Final

from qbtrade.app.round_trips import RoundTrip
from qbtrade.domain.calendar import DAY, MINUTE, Phase
from qbtrade.domain.events import EquityMarked, PhaseChanged, PositionChanged, SessionStarted, Terms
from qbtrade.domain.money import PPB
from qbtrade.kernel.bus import Bus

YEAR: Final = 252
"""Trading days by which a daily Sharpe ratio is annualized."""
FEWEST_DAYS: Final = 20
"""A Sharpe ratio of fewer daily returns says nothing."""
_FINE: Final = PPB * PPB  # grain of a daily return
_KST: Final = 9 * 60 * MINUTE

HOLDING: Final = frozenset({Phase.CONTINUOUS, Phase.CLOSING_AUCTION})
"""Phases in which we trade."""


class EquityCurve:
    """Equity at each mark, and at the end of each trading day."""

    def __init__(self, bus: Bus) -> None:
        self.points: list[tuple[int, int]] = []
        self._initial = self._latest = 0
        self._closes: dict[int, int] = {}
        bus.subscribe(SessionStarted, self._on_started)
        bus.subscribe(PhaseChanged, self._on_phase)
        bus.subscribe(EquityMarked, self._on_marked)

    def daily(self) -> list[int]:
        """Equity before the first day, then at the end of every trading day; a day without a mark keeps the last."""
        return [self._initial, *self._closes.values()]

    def _on_started(self, event: SessionStarted) -> None:
        self._initial = self._latest = event.worth

    def _on_phase(self, event: PhaseChanged) -> None:
        if event.phase is not Phase.CLOSED:
            self._closes.setdefault((event.ts + _KST) // DAY, self._latest)

    def _on_marked(self, event: EquityMarked) -> None:
        self.points.append((event.ts, event.equity))
        self._latest = self._closes[(event.ts + _KST) // DAY] = event.equity


class Exposure:
    """How much of the time in which a position can be got rid of one was held, and how much was traded."""

    def __init__(self, bus: Bus) -> None:
        self.turnover = 0
        self._held: set[str] = set()
        self._since = self._open_ns = self._held_ns = 0
        self._open = True  # a journal without phases counts from its first to its last event
        self._phase_seen = False
        bus.subscribe(SessionStarted, self._on_started)
        bus.subscribe(PhaseChanged, self._on_phase)
        bus.subscribe(PositionChanged, self._on_booked)

    def share(self, end: int) -> int | None:
        """Time with a position by `end` (UTC ns) in ppb; None when the venue was never open."""
        self._advance(end)
        return self._held_ns * PPB // self._open_ns if self._open_ns else None

    def _advance(self, ts: int) -> None:
        passed, self._since = ts - self._since, ts
        if self._open:
            self._open_ns += passed
            self._held_ns += passed if self._held else 0

    def _on_started(self, event: SessionStarted) -> None:
        self._since = event.ts

    def _on_phase(self, event: PhaseChanged) -> None:
        self._advance(event.ts)
        if not self._phase_seen:
            self._open_ns = self._held_ns = 0
            self._phase_seen = True
        self._open = event.phase in HOLDING

    def _on_booked(self, event: PositionChanged) -> None:
        self._advance(event.ts)
        self.turnover += event.price * event.fill_qty
        if event.qty:
            self._held.add(event.symbol)
        else:
            self._held.discard(event.symbol)


def drawdown(equities: Iterable[int]) -> tuple[int, int]:
    """Deepest fall below an earlier peak: in KRW, and in ppb of its peak."""
    peak = deepest = deepest_ppb = 0
    for equity in equities:
        peak = max(peak, equity)
        fall = peak - equity
        if fall > 0:
            deepest = max(deepest, fall)
            deepest_ppb = max(deepest_ppb, fall * PPB // peak)
    return deepest, deepest_ppb


def sharpe(daily: Sequence[int]) -> tuple[int | None, str]:
    """Annualized Sharpe ratio of daily returns over no interest, in ppb, or None and why. daily: equity at each close.

    Integers throughout, so that every machine gives the same. Source: Sharpe, The Sharpe Ratio, JPM 21 (1994).
    """
    returns = [(after - before) * _FINE // before for before, after in pairwise(daily) if before > 0]
    count = len(returns)
    if count < FEWEST_DAYS:
        return None, f"needs {FEWEST_DAYS} trading days, had {count}"
    total = sum(returns)
    spread = count * sum(each * each for each in returns) - total * total  # count * (count - 1) * variance
    if spread == 0:
        return None, "daily returns never varied"
    size = isqrt(total * total * YEAR * (count - 1) * PPB * PPB // (count * spread))
    return (size if total > 0 else -size), ""


def break_even(last: dict[str, int], terms: dict[str, Terms]) -> list[dict[str, Any]]:
    """What a round trip of one share costs at the last price (KRW, rounded up), and the ticks that pay for it."""
    rows = []
    for symbol, term in sorted(terms.items()):
        price = last[symbol]
        cost = -(-price * (2 * term.commission_ppb + term.tax_ppb) // PPB)
        rows.append({"symbol": symbol, "last": price, "tick": term.tick, "cost": cost, "ticks": -(-cost // term.tick)})
    return rows


def metrics(
    curve: EquityCurve, exposure: Exposure, trips: Sequence[RoundTrip], *, initial: int, equity: int, end: int
) -> dict[str, Any]:
    """The report's `metrics`, but for `break_even`. initial, equity: KRW at the start and the end. end: UTC ns."""
    deepest, deepest_ppb = drawdown([initial, *(point for _, point in curve.points), equity])
    sharpe_ppb, sharpe_reason = sharpe(curve.daily())
    nets = [trip.net for trip in trips]
    won, lost = sum(net for net in nets if net > 0), -sum(net for net in nets if net < 0)
    return {
        "profit": equity - initial,
        "return_ppb": _ratio(equity - initial, initial),
        "max_drawdown": deepest,
        "max_drawdown_ppb": deepest_ppb,
        "win_rate_ppb": _ratio(sum(net > 0 for net in nets), len(nets)),
        "profit_factor_ppb": _ratio(won, lost),
        "sharpe_ppb": sharpe_ppb,
        "sharpe_reason": sharpe_reason,
        "trading_days": len(curve.daily()) - 1,
        "exposure_ppb": exposure.share(end),
        "turnover": exposure.turnover,
        "turnover_ppb": _ratio(exposure.turnover, initial),
        "average_holding_ns": sum(trip.holding for trip in trips) // len(trips) if trips else None,
    }


def _ratio(part: int, whole: int) -> int | None:
    return part * PPB // whole if whole else None

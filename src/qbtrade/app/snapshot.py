"""Takes a picture of a running session for whoever watches it."""

import resource
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from qbtrade.app.status import NOT_TRADED, AlertStatus, ForeignStatus, LimitUse, Status, SymbolStatus
from qbtrade.app.wiring import Engines
from qbtrade.domain.events import Held
from qbtrade.domain.message import EventType
from qbtrade.kernel.clock import Stopwatch

E = EventType
PPB: Final = 10**9
STATM: Final = Path("/proc/self/statm")
STATUS: Final = Path("/proc/self/status")
PAGE: Final = 4096


class NotOurs(Protocol):
    """What is in the account and not for a session to trade."""

    @property
    def elsewhere(self) -> Mapping[str, Held]:
        """Shares of qb in symbols that the session does not trade."""
        ...

    @property
    def aside(self) -> int:
        """Cash that no limit counts today."""
        ...

    def shown(self, last: Mapping[str, int]) -> tuple[ForeignStatus, ...]:
        """Shares of others. last: newest prices by symbol."""
        ...


class Snapshots:
    """Pictures of one session; rates are measured from one picture to the next. idle: machine seconds slept so far.

    apart: what is in the account and not for this session to trade. is_live: the bus counts trades as they come; that
    of a rehearsal counts them when it ends.
    """

    def __init__(
        self, engines: Engines, mode: str, symbols: tuple[str, ...], idle: Callable[[], float],
        *, apart: NotOurs | None = None, is_live: bool = False,
    ) -> None:  # fmt: skip
        self._is_live = is_live
        self._engines, self._mode, self._symbols, self._idle = engines, mode, symbols, idle
        self._apart = apart
        self._watch = Stopwatch()
        self._ts = engines.clock.now()
        self._trades = self._events = 0
        self._seconds = self._slept = 0.0

    def events(self) -> int:
        """Events delivered so far, trades included."""
        return self._engines.bus.delivered + (0 if self._is_live else self._trade_count())

    def take(self, ts: int) -> Status:
        """The session at `ts` (UTC ns)."""
        engines = self._engines
        market, portfolio, count = engines.market, engines.portfolio, engines.monitoring.count
        alerts = engines.monitoring.alerts
        trades, events, seconds, slept = self._trade_count(), self.events(), self._watch.seconds(), self._idle()
        elapsed, wall = max(ts - self._ts, 1), max(seconds - self._seconds, 1e-9)
        busy = max(wall - (slept - self._slept), 0.0)
        account = portfolio.account
        status = Status(
            ts=ts,
            phase=market.phase().value,
            mode=self._mode,
            symbols=(*(self._symbol(symbol, ts) for symbol in self._symbols), *self._elsewhere()),
            trades=trades,
            trades_per_second=(trades - self._trades) * 1e9 / elapsed,
            bars=market.bars,
            quarantined=sum(market.quarantined.values()),
            late=market.late,
            signals=count(E.SIGNAL),
            orders=count(E.SUBMIT_ORDER),
            working=sum(len(engines.orders.open_orders(symbol)) for symbol in engines.orders.open_symbols()),
            fills=count(E.ORDER_FILLED),
            denied=count(E.ORDER_DENIED),
            rejected=count(E.ORDER_REJECTED),
            canceled=count(E.ORDER_CANCELED),
            cash=portfolio.cash(),
            equity=portfolio.equity(),
            realized=account.realized,
            unrealized=portfolio.total_unrealized(),
            commission=account.commission,
            tax=account.tax,
            risk_state=engines.risk.state().value,
            risk_reason=engines.risk.reason(),
            limits=tuple(LimitUse(*use) for use in engines.risk.limits_in_use()),
            events=events,
            events_per_second=(events - self._events) / wall,
            latency=busy * 1e9 / max(events - self._events, 1),
            memory=resident_bytes(),
            alerts=tuple(AlertStatus(each.ts, each.level.value, each.text, each.action) for each in alerts),
            foreign=self._foreign(),
            aside=self._apart.aside if self._apart else 0,
        )
        self._ts, self._trades, self._events = ts, trades, events
        self._seconds, self._slept = seconds, slept
        return status

    def _trade_count(self) -> int:
        return sum(map(self._engines.market.count, self._symbols))

    def _elsewhere(self) -> tuple[SymbolStatus, ...]:
        elsewhere = self._apart.elsewhere if self._apart else {}
        return tuple(_elsewhere(symbol, held) for symbol, held in elsewhere.items())

    def _foreign(self) -> tuple[ForeignStatus, ...]:
        return self._apart.shown(self._engines.market.last_prices()) if self._apart else ()

    def _symbol(self, symbol: str, ts: int) -> SymbolStatus:
        market, portfolio = self._engines.market, self._engines.portfolio
        trade, base = market.last(symbol), market.base(symbol)
        last = trade.price if trade else 0
        change = last - base if trade and base else 0
        return SymbolStatus(
            symbol=symbol,
            last=last,
            change=change,
            change_ppb=change * PPB // base if base else 0,
            trades=market.count(symbol),
            age=ts - trade.ts if trade else 0,
            qty=portfolio.qty(symbol),
            cost=portfolio.cost(symbol),
            unrealized=portfolio.unrealized(symbol),
            state=self._engines.risk.state(symbol).value,
            halted=market.halted(symbol),
        )


def _elsewhere(symbol: str, held: Held) -> SymbolStatus:
    return SymbolStatus(
        symbol=symbol, last=0, change=0, change_ppb=0, trades=0, age=0, qty=held.qty, cost=held.cost, unrealized=0,
        state=NOT_TRADED, halted=NOT_TRADED,
    )  # fmt: skip


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not tell."""
    try:
        return int(STATM.read_bytes().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):
        return 0


def peak_bytes() -> int:
    """Largest resident size of this process so far.

    Linux counts what a process was before it became this program in `ru_maxrss`, too, but not in VmHWM.
    """
    try:
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, ValueError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

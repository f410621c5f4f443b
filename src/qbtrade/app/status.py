"""What a running session looks like at one moment, for a panel, a log line or another process."""

from typing import Protocol

import msgspec


class SymbolStatus(msgspec.Struct, frozen=True):
    """One symbol.

    Prices and profit in KRW; age: ns of market time since its last trade; change against the base price.
    """

    symbol: str
    last: int
    change: int
    change_ppb: int
    trades: int
    age: int
    qty: int
    cost: int
    unrealized: int
    state: str
    halted: str


class LimitUse(msgspec.Struct, frozen=True):
    """How much of one limit is used. unit: KRW, orders, shares."""

    name: str
    used: int
    limit: int
    unit: str


class Status(msgspec.Struct, frozen=True):
    """One moment of a session. Money in KRW.

    ts: UTC ns of market time. trades_per_second: of market time. events_per_second: of machine time. latency: mean ns
    of machine time that one event takes. memory: resident bytes, 0 where it is unknown.
    """

    ts: int
    phase: str
    mode: str
    symbols: tuple[SymbolStatus, ...]
    trades: int
    trades_per_second: float
    bars: int
    quarantined: int
    late: int
    signals: int
    orders: int
    working: int
    fills: int
    denied: int
    rejected: int
    canceled: int
    cash: int
    equity: int
    realized: int
    unrealized: int
    commission: int
    tax: int
    risk_state: str
    risk_reason: str
    limits: tuple[LimitUse, ...]
    events: int
    events_per_second: float
    latency: float
    memory: int
    alerts: tuple[str, ...]


class Screen(Protocol):
    """Who watches a session. Called on the kernel thread; must return quickly."""

    def on_status(self, status: Status) -> None:
        """Every `--status-every` seconds of market time."""
        ...

    def on_notice(self, text: str, action: str) -> None:
        """Something to know before the run goes on. action: what to do."""
        ...

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """Now and then in an unpaced run. ts, first, last: UTC ns; events: so far."""
        ...


class NoScreen:
    """Nobody watches."""

    def on_status(self, status: Status) -> None:
        """Ignore it."""

    def on_notice(self, text: str, action: str) -> None:
        """Ignore it."""

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """Ignore it."""

"""What a running session looks like at one moment, for a panel, a log line or another process."""

from typing import Final, Protocol

import msgspec

from qbtrade.engines.reconcile import Difference

NOT_TRADED: Final = "not-traded-here"
"""State of a symbol in which qb holds shares that the session neither trades nor protects."""


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


class ForeignStatus(msgspec.Struct, frozen=True):
    """Shares in the account that qb did not buy and never sells. worth: KRW at the last price known, 0 without one."""

    symbol: str
    qty: int
    worth: int


class LimitUse(msgspec.Struct, frozen=True):
    """How much of one limit is used. unit: KRW, orders, shares."""

    name: str
    used: int
    limit: int
    unit: str


class AlertStatus(msgspec.Struct, frozen=True):
    """One alert. ts: UTC ns of market time. action: what to do, "" where there is nothing."""

    ts: int
    level: str
    text: str
    action: str


class WireStatus(msgspec.Struct, frozen=True):
    """How a session is joined to the broker. Times in ns of machine time, -1 where there was none yet.

    account: its tail. stream: connecting, open or lost. token_until: UTC ns, 0 without one. calls, calls_allowed: of
    the last second. opens_in: ns of market time to the open, 0 once it was. to_order: from a signal; to_ack: from the
    order; to_fill: from its acceptance; each the newest. behind: rows that the database lacks, -1 without one.
    """

    environment: str
    account: str
    stream: str
    token_until: int
    calls: int
    calls_allowed: int
    opens_in: int
    to_order: int
    to_ack: int
    to_fill: int
    behind: int = -1


class Status(msgspec.Struct, frozen=True):
    """One moment of a session. Money in KRW.

    ts: UTC ns of market time. trades_per_second: of market time. events_per_second: of machine time. latency: mean ns
    of machine time that one event takes. memory: resident bytes, 0 where it is unknown. wire: None where no broker is.
    foreign: shares of others, in neither equity nor limits; aside: cash that came today, which no limit counts.
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
    alerts: tuple[AlertStatus, ...]
    wire: WireStatus | None = None
    foreign: tuple[ForeignStatus, ...] = ()
    aside: int = 0


class Screen(Protocol):
    """Who watches a session. Called on the kernel thread; must return quickly."""

    def on_status(self, status: Status) -> None:
        """Every `--status-every` seconds of market time."""
        ...

    def on_glance(self, status: Status) -> None:
        """Every machine second of a live session, for what cannot wait for the next status: alerts, a countdown."""
        ...

    def on_notice(self, text: str, action: str) -> None:
        """Something to know before the run goes on. action: what to do."""
        ...

    def on_table(self, found: tuple[Difference, ...], action: str) -> None:
        """On what our books and the broker's disagree. action: what to do."""
        ...

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """Now and then in an unpaced run. ts, first, last: UTC ns; events: so far."""
        ...


class NoScreen:
    """Nobody watches."""

    def on_status(self, status: Status) -> None:
        """Ignore it."""

    def on_glance(self, status: Status) -> None:
        """Ignore it."""

    def on_notice(self, text: str, action: str) -> None:
        """Ignore it."""

    def on_table(self, found: tuple[Difference, ...], action: str) -> None:
        """Ignore it."""

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """Ignore it."""

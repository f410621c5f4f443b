"""Journals as the engines write them: a recording grows event by event, its books kept by the real account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    Check,
    EquityMarked,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderCanceling,
    OrderDenied,
    OrderFilled,
    OrderSending,
    Outcome,
    PhaseChanged,
    PositionChanged,
    SessionEnded,
    SessionStarted,
    Signal,
    SubmitOrder,
    Terms,
)
from qbtrade.domain.message import Event
from qbtrade.domain.money import Costs
from qbtrade.domain.order import OrderRequest, Purpose, Side
from qbtrade.domain.portfolio import Account
from tests.builders import SAMSUNG, SECOND, TODAY, an_order, at

COSTS = Costs(commission_ppb=140_527, tax_ppb=2_000_000)
PASSED = (Check("budget", 100_000, 75_000, 25_000, "KRW", passed=True),)
BROKEN = Check("position-share", 500_000, 750_000, -250_000, "KRW", passed=False)


@dataclass
class Recording:
    """One session's events. cash: KRW at its start."""

    cash: int = 10_000_000
    run_id: str = "20261120-090000-abcd"
    session_id: str = "0123456789abcdef"
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = Account(self.cash)

    def start(self, clock: str = "09:00", day: date = TODAY, symbols: tuple[str, ...] = (SAMSUNG,)) -> "Recording":
        """Write the first rows: the session and the continuous phase."""
        self.events += [
            SessionStarted(
                at(clock, day), self.session_id, self.run_id, "0.1.0", "simulate", symbols, "sma_cross",
                {"fast": "5", "slow": "20"}, 7, "mock", 60 * SECOND, self.cash, {"max_budget": 100_000},
                {"fill_model": "through", "slippage": 1},
            ),
            PhaseChanged(at(clock, day), Phase.CONTINUOUS, day.isoformat()),
        ]  # fmt: skip
        return self

    def signal(self, clock: str, side: Side = Side.BUY, reason: str = "a test", **values: str) -> "Recording":
        """Write a signal."""
        self.events.append(Signal(at(clock), SAMSUNG, side, reason, values))
        return self

    def send(self, clock: str, order: OrderRequest, day: date = TODAY) -> "Recording":
        """Write an order from its wish to its acceptance."""
        ts = at(clock, day)
        self.events += [
            SubmitOrder(ts, order),
            OrderApproved(ts, order, PASSED),
            OrderSending(ts, order),
            OrderAccepted(ts, order.order_id, f"B-{order.order_id}"),
        ]
        return self

    def deny(self, clock: str, order: OrderRequest, reason: str = "position-share") -> "Recording":
        """Write an order that risk stops."""
        checks = (*PASSED, BROKEN)
        self.events += [
            SubmitOrder(at(clock), order),
            OrderDenied(at(clock), order.order_id, order.symbol, reason, checks),
        ]
        return self

    def fill(self, clock: str, order: OrderRequest, price: int, qty: int, day: date = TODAY) -> "Recording":
        """Write one execution and what it did to the books."""
        ts = at(clock, day)
        booking = self.account.fill(order.order_id, order.symbol, order.side, price, qty, COSTS)
        position = self.account.positions[order.symbol]
        self.events += [
            OrderFilled(ts, order.order_id, order.symbol, order.side, price, qty),
            PositionChanged(
                ts, order.symbol, position.qty, position.cost, booking.realized, booking.commission, booking.tax,
                self.account.cash, order.order_id, order.side, price, qty, order.purpose,
            ),
        ]  # fmt: skip
        return self

    def cancel(self, clock: str, order: OrderRequest, qty: int, reason: str = "lifetime") -> "Recording":
        """Write the end of what had not filled."""
        ts = at(clock)
        self.events += [
            OrderCanceling(ts, order.order_id, reason),
            OrderCanceled(ts + SECOND // 20, order.order_id, qty, reason),
        ]
        return self

    def buy(self, clock: str, order_id: str, price: int, qty: int = 1, day: date = TODAY) -> "Recording":
        """Write a buy, filled one tick above the price it was made at."""
        order = an_order(order_id, price=price, qty=qty, reference=price - 100)
        return self.send(clock, order, day).fill(clock, order, price, qty, day)

    def sell(self, clock: str, order_id: str, price: int, qty: int = 1, day: date = TODAY) -> "Recording":
        """Write a sale, filled one tick below the price it was made at."""
        order = an_order(order_id, side=Side.SELL, price=price, qty=qty, reference=price + 100, purpose=Purpose.EXIT)
        return self.send(clock, order, day).fill(clock, order, price, qty, day)

    def phase(self, clock: str, phase: Phase, day: date = TODAY) -> "Recording":
        """Write a change of phase."""
        self.events.append(PhaseChanged(at(clock, day), phase, day.isoformat()))
        return self

    def mark(self, clock: str, equity: int, day: date = TODAY) -> "Recording":
        """Write an equity mark."""
        self.events.append(EquityMarked(at(clock, day), equity, self.account.cash, 0))
        return self

    def end(
        self, clock: str = "15:30", day: date = TODAY, outcome: Outcome = Outcome.DONE,
        last: Mapping[str, int] | None = None, **timing: float,
    ) -> "Recording":  # fmt: skip
        """Write the last row."""
        prices = dict(last or {SAMSUNG: 75_000})
        terms = {symbol: Terms(100, COSTS.commission_ppb, COSTS.tax_ppb) for symbol in prices}
        measured: dict[str, int | float | str] = {
            "wall_seconds": 0.5, "events": 1000, "events_per_second": 2000.0, "peak_memory_bytes": 80_000_000, **timing,
        }  # fmt: skip
        self.events.append(
            SessionEnded(at(clock, day), outcome, "", {"trades": 20_000, "bars": 390}, prices, measured, terms)
        )
        return self


def a_traded_day() -> Recording:
    """A day with a round trip that won, one that lost, a denial, a part fill and shares held at the end."""
    entry = an_order("Q5", price=75_000, qty=3, reference=74_900)
    return (
        Recording()
        .start()
        .signal("09:30", fast="75010", slow="74990")
        .buy("09:30", "Q1", 75_000, 2)
        .mark("09:31", 9_999_980)
        .sell("10:30", "Q2", 76_000, 2)
        .mark("10:31", 10_001_600)
        .deny("10:40", an_order("Q6", qty=10))
        .buy("11:00", "Q3", 76_000)
        .sell("11:30", "Q4", 75_500)
        .mark("11:31", 10_000_900)
        .send("13:00", entry)
        .fill("13:00", entry, 75_000, 1)
        .cancel("13:00:10", entry, 2)
        .phase("15:30", Phase.CLOSED)
        .end(last={SAMSUNG: 75_400})
    )

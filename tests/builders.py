"""Valid objects by default; a test names only what matters to it."""

from datetime import date, time

from qbtrade.domain.calendar import kst_ns
from qbtrade.domain.market import Bar, Trade
from qbtrade.domain.order import OrderKind, OrderRequest, Purpose, Side, TimeInForce

SAMSUNG = "005930"
TODAY = date(2026, 11, 20)  # a plain Friday
SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def at(clock: str, day: date = TODAY) -> int:
    """UTC ns of a KST time of day, `09:00` or `09:00:30.5`."""
    return kst_ns(day, time.fromisoformat(clock))


def a_trade(
    price: int = 75_000,
    qty: int = 10,
    *,
    ts: int | None = None,
    clock: str = "10:00",
    symbol: str = SAMSUNG,
    auction: bool = False,
) -> Trade:
    """A trade of 10 shares at 75,000 won at 10:00."""
    return Trade(at(clock) if ts is None else ts, symbol, price, qty, auction)


def a_bar(
    close: int = 75_000, *, end: str = "10:01", symbol: str = SAMSUNG, interval: int = MINUTE, volume: int = 100
) -> Bar:
    """A flat one-minute bar."""
    return Bar(at(end), symbol, at(end) - interval, close, close, close, close, volume)


def an_order(
    order_id: str = "Q1",
    *,
    symbol: str = SAMSUNG,
    side: Side = Side.BUY,
    qty: int = 1,
    price: int = 75_000,
    kind: OrderKind = OrderKind.LIMIT,
    tif: TimeInForce = TimeInForce.DAY,
    purpose: Purpose = Purpose.ENTRY,
    lifetime: int = 0,
    reference: int = 75_000,
) -> OrderRequest:
    """A limit buy of one share at 75,000 won."""
    return OrderRequest(
        order_id, symbol, side, qty, price,
        kind=kind, tif=tif, purpose=purpose, lifetime=lifetime, reference=reference, signal="a test",
    )  # fmt: skip

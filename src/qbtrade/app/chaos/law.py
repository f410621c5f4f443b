"""What the judge knows by itself: costs, price steps, limits and hours of KRX, written down apart from what it judges.

Source: KRX market business regulations (price steps since 2023-01-25, limits 30 %, hours), the rates of Nov. 2026.
"""

from collections.abc import Iterable
from typing import Final

from qbtrade.adapters.emulator.orders import Entry

BILLION: Final = 10**9
COMMISSION: Final = 140_527
TAX: Final = 2_000_000
STEPS: Final = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
LARGEST_STEP: Final = 1_000
OPENS, BUYS_END, CLOSES = 9 * 3600, 15 * 3600 + 20 * 60, 15 * 3600 + 30 * 60
DAY: Final = 86_400
KST: Final = 9 * 3600


def books(entries: Iterable[Entry], cash: int) -> tuple[int, dict[str, int]]:
    """Cash and shares after every fill that the broker has, to the won."""
    shares: dict[str, int] = {}
    for entry in entries:
        symbol, is_buy = entry.ticket.symbol, entry.ticket.side.value == "BUY"
        cash -= entry.amount * COMMISSION // BILLION + (0 if is_buy else entry.amount * TAX // BILLION)
        cash += -entry.amount if is_buy else entry.amount
        shares[symbol] = shares.get(symbol, 0) + (entry.filled if is_buy else -entry.filled)
    return cash, {symbol: qty for symbol, qty in shares.items() if qty}


def breach(ts: int, side: str, price: int, base: int) -> str:
    """Why an order may not leave at this time (UTC ns), or "". price: KRW, 0 for a market order."""
    second = (ts // BILLION + KST) % DAY
    if not OPENS <= second < (BUYS_END if side == "BUY" else CLOSES):
        return "outside the session"
    if not price:
        return ""
    step = next((step for below, step in STEPS if price < below), LARGEST_STEP)
    if price % step:
        return "off the grid"
    return "" if base * 7 <= price * 10 <= base * 13 else "outside the band"

"""What the judge knows by itself: costs, price steps, limits and hours of KRX, written down apart from what it judges.

Source: KRX market business regulations (price steps since 2023-01-25, limits 30 %, hours), the rates of Nov. 2026.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from qbtrade.adapters.emulator.orders import Entry

BILLION: Final = 10**9
COMMISSION: Final = 140_527
TAX: Final = 2_000_000
STEPS: Final = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
LARGEST_STEP: Final = 1_000
OPENS, BUYS_END, CLOSES = 9 * 3600, 15 * 3600 + 20 * 60, 15 * 3600 + 30 * 60
DAY: Final = 86_400
KST: Final = 9 * 3600


class Becomes(NamedTuple):
    """Since a day so many old shares of a stock are so many new ones."""

    day: date
    symbol: str
    new: int
    old: int


def books(entries: Iterable[Entry], cash: int, becomes: Iterable[Becomes] = ()) -> tuple[int, dict[str, int]]:
    """Cash and shares after every fill that the broker has, to the won. becomes: what became of shares, in time order.

    entries: oldest first.
    """
    shares: dict[str, int] = {}
    nights = list(becomes)
    for entry in entries:
        while nights and nights[0].day <= entry.day:
            _become(shares, nights.pop(0))
        symbol, is_buy = entry.ticket.symbol, entry.ticket.side.value == "BUY"
        cash -= entry.amount * COMMISSION // BILLION + (0 if is_buy else entry.amount * TAX // BILLION)
        cash += -entry.amount if is_buy else entry.amount
        shares[symbol] = shares.get(symbol, 0) + (entry.filled if is_buy else -entry.filled)
    for night in nights:
        _become(shares, night)
    return cash, {symbol: qty for symbol, qty in shares.items() if qty}


def costs(entries: Iterable[Entry], day: date) -> int:
    """What all fills of a day cost, KRW."""
    sides = ((each.amount, each.ticket.side.value == "BUY") for each in entries if each.day == day)
    return sum(krw * COMMISSION // BILLION + (0 if is_buy else krw * TAX // BILLION) for krw, is_buy in sides)


def _become(shares: dict[str, int], night: Becomes) -> None:
    shares[night.symbol] = shares.get(night.symbol, 0) * night.new // night.old


def cost_of(entries: Iterable[Entry], shares: Mapping[str, int], becomes: Iterable[Becomes] = ()) -> int:
    """What so many shares of each symbol cost when those that were bought first were sold first, KRW.

    becomes: what became of shares, in time order.
    """
    total, left, nights = 0, dict(shares), list(becomes)
    for entry in reversed([entry for entry in entries if entry.filled and entry.ticket.side.value == "BUY"]):
        symbol, bought = entry.ticket.symbol, {entry.ticket.symbol: entry.filled}
        for night in nights:
            if night.symbol == symbol and night.day > entry.day:
                _become(bought, night)
        taken = min(bought[symbol], max(left.get(symbol, 0), 0))
        left[symbol] = left.get(symbol, 0) - taken
        total += entry.amount * taken // max(bought[symbol], 1)
    return total


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

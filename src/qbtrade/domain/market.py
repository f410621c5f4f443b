"""Market data as it is received or folded: trades, quotes, bars."""

from qbtrade.domain.message import Event, EventType


class Trade(Event, frozen=True, gc=False, tag=EventType.TRADE.value):
    """One execution printed by the venue. Published by feeds.

    price: KRW per share; may lie off the order grid (mid-price trades, adjusted history).
    qty: shares, >= 0; 0 is a price without volume, against which nothing can fill.
    auction: True for a print of a call auction, which crosses at one price. side: BUY or SELL, of who took the other
    side's price; "" where nobody says. volume: shares of the day up to and with this trade, 0 where nobody says.
    """

    symbol: str
    price: int
    qty: int
    auction: bool = False
    side: str = ""
    volume: int = 0


class Quote(Event, frozen=True, gc=False, tag=EventType.QUOTE.value):
    """Best bid and ask. Prices in KRW, sizes in shares; 0 where a side is empty.

    depth: ten asks, ten bids, their sizes in the same order, as the venue wrote them; for recordings, read by nobody
    else. Empty where it was not told.
    """

    symbol: str
    bid: int
    bid_qty: int
    ask: int
    ask_qty: int
    depth: tuple[str, ...] = ()


class Bar(Event, frozen=True, gc=False, tag=EventType.BAR.value):
    """Open, high, low, close and volume of [start, ts). Published when it closes.

    ts: end of the interval. start: its beginning. Prices in KRW, volume in shares. told: True when the broker told it
    afterwards, because not all of its trades were seen.
    """

    symbol: str
    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    told: bool = False

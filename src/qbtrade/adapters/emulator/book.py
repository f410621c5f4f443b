"""The order book that is shown: ten levels around the best prices, sizes made from the prices."""

from typing import Final, NamedTuple

from qbtrade.adapters.emulator.market import Listing
from qbtrade.domain.instrument import TickTable

DEPTH: Final = 10
_MIX: Final = 2_654_435_761
_LARGEST: Final = 30_000


class Book(NamedTuple):
    """Best first; 0 beyond the price limits."""

    asks: tuple[int, ...]
    bids: tuple[int, ...]
    ask_qtys: tuple[int, ...]
    bid_qtys: tuple[int, ...]


def book_of(listing: Listing) -> Book:
    """The book around a listing's best ask and bid."""
    ticks, band, salt = listing.ticks, listing.band, listing.today.buys + listing.today.sells
    asks, bids = _ladder(ticks, listing.ask, 1), _ladder(ticks, listing.bid, -1)
    shown_asks = tuple(price if price <= band.upper else 0 for price in asks)
    shown_bids = tuple(price if price >= band.lower else 0 for price in bids)
    return Book(
        shown_asks,
        shown_bids,
        tuple(_size(price, salt if not level else 0) for level, price in enumerate(shown_asks)),
        tuple(_size(price, salt if not level else 1) for level, price in enumerate(shown_bids)),
    )


def _ladder(ticks: TickTable, best: int, way: int) -> list[int]:
    """Ten prices from the best one on; way: 1 up, -1 down."""
    tick = ticks.size(best)
    far = best + way * tick * DEPTH
    if best % tick == 0 and far > 0 and ticks.size(far) == tick:
        return list(range(best, far, way * tick))
    prices = [best]
    for _ in range(DEPTH - 1):
        prices.append(ticks.step(prices[-1], way))
    return prices


def _size(price: int, salt: int) -> int:
    return (price + salt) * _MIX // 1000 % _LARGEST + 1 if price else 0

"""The order book that is shown: ten levels around the best prices, sizes made from the prices."""

from functools import lru_cache
from typing import Final, NamedTuple

from qbtrade.adapters.emulator.market import Listing
from qbtrade.domain.instrument import PriceBand, TickTable

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
    """The book around a listing's best ask and bid. Each trade changes the quantity of both."""
    salt = listing.today.buys + listing.today.sells
    asks, behind_ask = _shown(listing.ticks, listing.band, listing.ask, 1)
    bids, behind_bid = _shown(listing.ticks, listing.band, listing.bid, -1)
    return Book(asks, bids, (_size(asks[0], salt), *behind_ask), (_size(bids[0], salt), *behind_bid))


@lru_cache(maxsize=4096)
def _shown(ticks: TickTable, band: PriceBand, best: int, way: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Prices of one side, and the quantities behind the best one. way: 1 up, -1 down."""
    limit, salt = (band.upper, 0) if way > 0 else (band.lower, 1)
    prices = tuple([price if way * price <= way * limit else 0 for price in _ladder(ticks, best, way)])
    return prices, tuple([_size(price, salt) for price in prices[1:]])


def _ladder(ticks: TickTable, best: int, way: int) -> list[int]:
    """Ten prices from the best one on."""
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

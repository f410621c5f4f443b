"""The made market: a seeded generator of KRX days for one symbol, in integers so that every machine agrees."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import isqrt
from random import Random
from typing import Final

from qbtrade.adapters.sim.scenarios import EVERY_DAY, Script, calm, scenario_script
from qbtrade.domain.calendar import MINUTE, TradingDay
from qbtrade.domain.events import SymbolHalted, SymbolResumed
from qbtrade.domain.instrument import BAND_PPB, TickTable, price_band
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.money import PPB
from qbtrade.errors import UsageError

USUAL_PRICE: Final = 75_000
MEAN_QTY: Final = 126
AUCTION_SHARE: Final = 25
"""A call auction trades about one part in so many of the day's volume."""

_FEWEST_TICKS: Final = 2  # one at the open, one at the close
_FINE: Final = 20  # bits below the won in which the price walks
_BELL_BITS: Final = 64  # the number of ones among them is nearly normal, with mean 32 and deviation 4
_DEVIATION: Final = 4
_USUAL: Final = 10**6  # variance of an ordinary minute
_ROOT_USUAL: Final = 1000
_WILDEST: Final = 25 * _USUAL


class MockMarket:
    """Trades, halts and resumptions of one symbol over the given days; iterating again gives the same.

    ticks: trades a day, at least 2. price: KRW of the first open, 0 for one near 75,000. volatility: of a day, ppb.
    tick_table: tick sizes by day. width_ppb: of the price band, to either side. base: KRW, the close before the
    first day.
    """

    def __init__(
        self,
        symbol: str,
        days: Sequence[TradingDay],
        *,
        ticks: int,
        price: int,
        volatility: int,
        scenario: str,
        tick_table: Callable[[date], TickTable],
        seed: int,
        width_ppb: int = BAND_PPB,
    ) -> None:
        if ticks < _FEWEST_TICKS:
            raise UsageError(
                "a made day needs at least {fewest} ticks, not {ticks}",
                hint="Say --ticks 20000",
                fewest=_FEWEST_TICKS,
                ticks=ticks,
            )
        self._symbol, self._days, self._ticks, self._volatility = symbol, tuple(days), ticks, volatility
        self._width_ppb = width_ppb
        self._tick_table, self._seed = tick_table, f"{seed}:{symbol}"
        self._script, self._is_daily = scenario_script(scenario), scenario in EVERY_DAY
        usual = USUAL_PRICE + USUAL_PRICE * _bell(Random(self._seed)) // 1000
        self.base = max(tick_table(self._days[0].day).down(price or usual), 1)

    def __iter__(self) -> Iterator[Event]:
        rng = Random(self._seed)
        base = self.base
        for number, day in enumerate(self._days):
            minutes = (day.continuous_end - day.open) // MINUTE
            script = (self._script if self._is_daily or not number else calm)(minutes)
            gap = base * self._volatility // PPB * _bell(rng) // (3 * _DEVIATION) if number else 0
            made = _Day(self._symbol, day, script, self._tick_table(day.day), base, self._width_ppb, rng)
            yield from made.play(base + gap, self._volatility, self._ticks)
            base = made.last


class _Day:
    """One day in the making. mid: where the price walks, in fine units of a won. last: KRW, the newest print."""

    def __init__(
        self,
        symbol: str,
        day: TradingDay,
        script: Script,
        ticks: TickTable,
        base: int,
        width_ppb: int,
        rng: Random,
    ) -> None:
        self._symbol, self._day, self._script, self._ticks, self._rng = symbol, day, script, ticks, rng
        self._band = price_band(base, ticks, width_ppb)
        self._mid = base << _FINE
        self._variance = _USUAL
        self.last = base

    def play(self, opening: int, volatility: int, count: int) -> Iterator[Event]:
        """Auction, continuous minutes, auction. opening: KRW; volatility: of the day, ppb; count: trades."""
        symbol, script, day = self._symbol, self._script, self._day
        starts, ends = {halt.first: halt for halt in script.halts}, {halt.end: halt for halt in script.halts}
        block = max(count * MEAN_QTY // AUCTION_SHARE, 1)
        root = isqrt(10_000 * len(script.noise))
        self._mid = opening << _FINE
        yield self._auction(day.open, block)
        for minute, trades in enumerate(_shares(count - _FEWEST_TICKS - len(ends), script.activity)):
            ts = day.open + minute * MINUTE
            if minute in ends:
                yield SymbolResumed(ts, symbol, ends[minute].reason)
                yield self._auction(ts, block)
            if minute in starts:
                yield SymbolHalted(ts, symbol, starts[minute].reason, starts[minute].detail)
            usual = self._mid * volatility // PPB * script.noise[minute] // root
            yield from self._minute(ts, trades, usual, self._mid * script.drift[minute] // PPB)
        yield self._auction(day.close - 1, block)

    def _minute(self, ts: int, trades: int, usual: int, drift: int) -> list[Trade]:
        sigma = usual * isqrt(self._variance) // _ROOT_USUAL
        before = self._mid
        if trades:
            prints = self._walk(ts, trades, sigma * 100 // (isqrt(10_000 * trades) * _DEVIATION), drift // trades)
            self.last = prints[-1].price
        else:
            prints = []
            self._mid += drift + sigma * _bell(self._rng) // _DEVIATION
        if sigma:
            self._cluster((self._mid - before) * _ROOT_USUAL // sigma)
        return prints

    def _cluster(self, shock: int) -> None:
        """Let a large move make the next ones large (GARCH 0.10, 0.85). shock: thousandths of a deviation."""
        variance = self._variance
        variance = (5 * _USUAL + 85 * variance + 10 * variance * shock * shock // _USUAL) // 100
        self._variance = min(variance, _WILDEST)

    def _walk(self, ts: int, trades: int, step: int, push: int) -> list[Trade]:
        symbol, size, bits, mid, slots = self._symbol, self._ticks.size, self._rng.getrandbits, self._mid, trades << 8
        lowest, highest = self._band.lower << _FINE, self._band.upper << _FINE
        prints = []
        for number in range(trades):
            mid += (bits(_BELL_BITS).bit_count() - _BELL_BITS // 2) * step + push
            mid = lowest if mid < lowest else min(mid, highest)
            tick = size(mid >> _FINE)
            above = mid % (tick << _FINE)
            draw = bits(40)
            price = mid - above >> _FINE
            if (draw & 255) * tick << _FINE < above << 8:  # the nearer side of the spread trades more often
                price += tick
            qty = 1 + ((draw >> 8 & 255) * (draw >> 16 & 255) * (draw >> 24 & 255) >> 14)
            prints.append(Trade(ts + ((number << 8) + (draw >> 32)) * MINUTE // slots, symbol, price, qty))
        self._mid = mid
        return prints

    def _auction(self, ts: int, block: int) -> Trade:
        band = self._band
        self._mid = min(max(self._mid, band.lower << _FINE), band.upper << _FINE)
        self.last = self._ticks.down(self._mid >> _FINE)
        return Trade(ts, self._symbol, self.last, block * (50 + self._rng.getrandbits(7)) // 100 + 1, auction=True)


def _bell(rng: Random) -> int:
    return rng.getrandbits(_BELL_BITS).bit_count() - _BELL_BITS // 2


def _shares(count: int, weights: Sequence[int]) -> Iterator[int]:
    """Split `count` in proportion to the weights; the parts add up to it."""
    total, before, given = sum(weights), 0, 0
    for weight in weights:
        before += weight
        share = max(count, 0) * before // total - given
        given += share
        yield share

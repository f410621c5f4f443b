"""Bars that the stream did not bring whole, made whole over REST: none twice, none with a part of its trades.

Source: PROTOCOL 5.8 (minute bars, conclusions), 6.8 (no replay).
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.quotes import Conclusion
from qbtrade.domain.calendar import KST, MINUTE, NS, Calendar, TradingDay, kst_date, kst_ns
from qbtrade.domain.events import Alert, Level
from qbtrade.domain.market import Bar
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import FOREVER
from qbtrade.ports import Clock, MarketView

SETTLED: Final = 2 * NS
"""KIS's bars are believed so long after their end: our clock may be ahead of its."""
MOST_PAGES: Final = 20
"""Questions for one gap: thirty minutes each make more than a whole day; of conclusions they are thirty each."""
TRIES: Final = 5
AGAIN: Final = 10 * NS


class Piece(NamedTuple):
    """A minute or a single trade of the past. key: grows from each to the next."""

    key: int
    bar: Bar


class _Fill(msgspec.Struct, frozen=True):
    """One attempt to make a symbol's bars whole up to `end`, UTC ns. number: of the loss that it belongs to."""

    symbol: str
    number: int
    end: int
    tries: int


class Gaps:
    """Withholds the bars of symbols that the stream does not tell, and shows them when REST knows them whole.

    interval: ns of a bar. What is known begins with the bars that were shown, or where the symbol was first `lost`.
    """

    def __init__(
        self, bus: Bus, clock: Clock, market: MarketView, caller: Caller, environment: Environment,
        calendar: Calendar, interval: int,
    ) -> None:  # fmt: skip
        self._bus, self._clock, self._market, self._caller = bus, clock, market, caller
        self._environment, self._interval = environment, interval
        today = kst_date(clock.now())
        self._day = calendar.trading_day(today) if calendar.is_trading_day(today) else None
        self._is_by_minute = interval % MINUTE == 0
        self._known: dict[str, int] = {}
        self._losses: dict[str, int] = {}
        self._whole: set[str] = set()
        bus.subscribe(Bar, self.on_bar)

    def on_bar(self, bar: Bar) -> None:
        """Remember up to where the bars of a symbol are known."""
        self._known[bar.symbol] = max(bar.ts, self._known.get(bar.symbol, 0))

    def lost(self, symbol: str) -> None:
        """Trades of the symbol go by unseen from now on."""
        self._losses[symbol] = self._losses.get(symbol, 0) + 1
        self._whole.discard(symbol)
        self._market.trust(symbol, FOREVER)
        if self._day is not None:
            self._known.setdefault(symbol, max(self._start_of(self._clock.now()), self._day.open))

    def found(self, symbol: str) -> None:
        """Its trades are seen again; the bar that is open now is the last one that lacks some."""
        if symbol in self._whole or self._day is None:
            return
        self._whole.add(symbol)
        now = self._clock.now()
        if now < self._day.open:
            self._market.trust(symbol, self._day.open)
        elif now < self._day.close:
            self._plan(symbol, self._losses.get(symbol, 0), TRIES, self._start_of(now) + self._interval + SETTLED)

    def _start_of(self, ts: int) -> int:
        """Where the bar begins in which a moment falls."""
        return ts - (ts - self._day.open) % self._interval if self._day else ts

    def _plan(self, symbol: str, number: int, tries: int, at: int) -> None:
        self._clock.call_at(at, lambda _due: self._begin(symbol, number, tries))

    def _begin(self, symbol: str, number: int, tries: int) -> None:
        now = self._clock.now()
        fill = _Fill(symbol, number, self._start_of(now - SETTLED), tries)
        if number == self._losses.get(symbol, 0):
            self._ask(fill, (), now, MOST_PAGES)

    def _ask(self, fill: _Fill, later: tuple[Piece, ...], until: int, left: int) -> None:
        at = datetime.fromtimestamp(until // NS, KST).time()
        environment, symbol = self._environment, fill.symbol
        if self._is_by_minute:
            minutes = partial(self._on_page, fill, later, left - 1, _of_minutes)
            self._caller.ask(calls.minute_bars(environment, symbol, at), minutes)
        else:
            trades = partial(self._on_page, fill, later, left - 1, partial(_of_trades, symbol, until))
            self._caller.ask(calls.conclusions_until(environment, symbol, at), trades)

    def _on_page(
        self, fill: _Fill, later: tuple[Piece, ...], left: int, read: Callable[[Any], tuple[Piece, ...]],
        found: Any,
    ) -> None:  # fmt: skip
        """Put a page before those that came first, and turn to the one before it until everything is there."""
        if fill.number != self._losses[fill.symbol]:
            return  # lost once more meanwhile
        if isinstance(found, Failed):
            self._try_again(fill, found.reason)
            return
        page = read(found)
        new = tuple(piece for piece in page if not later or piece.key < later[0].key)
        pieces = (*new, *later)
        if self._reaches(fill, pieces, is_all=not new):
            self._show(fill, pieces)
        elif new and left:
            self._ask(fill, pieces, new[0].bar.start, left)
        else:
            self._give_up(fill, "KIS does not tell enough of the past")

    def _reaches(self, fill: _Fill, pieces: tuple[Piece, ...], *, is_all: bool) -> bool:
        if not pieces:
            return True
        first, known = pieces[0], self._known[fill.symbol]
        if self._is_by_minute:
            return is_all or first.bar.start <= known
        return first.bar.start < known or first.key == first.bar.volume  # that was the day's first trade

    def _show(self, fill: _Fill, pieces: tuple[Piece, ...]) -> None:
        """Publish what was missed, and let the stream go on from there; ask again when a bar ended meanwhile."""
        day, symbol, end = self._day, fill.symbol, fill.end
        if day is None:
            return
        if self._start_of(self._clock.now()) != end and self._clock.now() < day.close:
            self._try_again(fill, "KIS answers too late", 0)
            return
        known = self._known[symbol]
        missed = (piece.bar for piece in pieces if known <= piece.bar.start < end)
        for bar in folded(missed, self._interval, lambda _ts: day):
            self._bus.publish(msgspec.structs.replace(bar, told=True))
        self._known[symbol] = max(end, known)
        self._market.trust(symbol, end)

    def _try_again(self, fill: _Fill, reason: str, after: int = AGAIN) -> None:
        if fill.tries > 1:
            soon = max(self._clock.now() + after, self._start_of(self._clock.now()) + SETTLED)
            self._plan(fill.symbol, fill.number, fill.tries - 1, soon)
        else:
            self._give_up(fill, reason)

    def _give_up(self, fill: _Fill, reason: str) -> None:
        """Leave the gap open: a bar less is better than a wrong one."""
        now = self._clock.now()
        self._market.trust(fill.symbol, self._start_of(now) + self._interval)
        text = f"bars of {fill.symbol} that went by cannot be asked for: {reason}"
        action = "the strategy goes on without them"
        self._bus.publish(Alert(now, Level.WARNING, "gap-not-filled", text, action))


def _of_minutes(found: tuple[Bar, ...]) -> tuple[Piece, ...]:
    return tuple(Piece(bar.start, bar) for bar in found)


def _of_trades(symbol: str, until: int, found: tuple[Conclusion, ...]) -> tuple[Piece, ...]:
    """Conclusions as bars of one trade. until: UTC ns of the day that they belong to."""
    day = kst_date(until)
    pieces = list[Piece]()
    for each in found:
        ts = kst_ns(day, each.at)
        price = each.price
        pieces.append(Piece(each.volume, Bar(ts, symbol, ts, price, price, price, price, each.qty)))
    return tuple(pieces)


def folded(parts: Iterable[Bar], interval: int, day_of: Callable[[int], TradingDay]) -> list[Bar]:
    """Shorter bars of sessions, oldest first, put together as market data folds trades: from the open on, no empty one.

    interval: ns. day_of: the trading day of a time.
    """
    bars = list[Bar]()
    for part in parts:
        day = day_of(part.start)
        if not day.open <= part.start < day.close or not part.volume:
            continue
        start = part.start - (part.start - day.open) % interval
        if bars and bars[-1].start == start:
            before = bars[-1]
            bars[-1] = Bar(
                before.ts, part.symbol, start, before.open, max(before.high, part.high), min(before.low, part.low),
                part.close, before.volume + part.volume,
            )  # fmt: skip
        else:
            end = min(start + interval, day.close)
            bars.append(Bar(end, part.symbol, start, part.open, part.high, part.low, part.close, part.volume))
    return bars

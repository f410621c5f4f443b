"""What the local KIS knows of each stock: last price, day figures, minutes, prints, halts."""

from collections import deque
from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from qbtrade.domain.calendar import MINUTE, Phase, kst_date
from qbtrade.domain.instrument import Instrument, PriceBand
from qbtrade.domain.market import Trade
from qbtrade.domain.rules import Rules

KEPT: Final = 20_000
"""Prints of a day that can be asked for again."""
BUYER: Final = "1"
SELLER: Final = "5"
AUCTION: Final = "3"


class Print(msgspec.Struct, frozen=True, gc=False):
    """One trade as it is told. volume, value: of the day so far, in shares and KRW. taker: CCLD_DVSN."""

    ts: int
    price: int
    qty: int
    volume: int
    value: int
    ask: int
    bid: int
    taker: str


class BarRow(msgspec.Struct, gc=False):
    """Figures of a minute or a day. start: UTC ns. value: KRW, of the day up to its end."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int

    def add(self, trade: Trade, value: int) -> None:
        """Take one trade in."""
        self.high, self.low, self.close = max(self.high, trade.price), min(self.low, trade.price), trade.price
        self.volume += trade.qty
        self.value = value


class Vi(msgspec.Struct):
    """One volatility interruption. ended: 0 while it lasts."""

    began: int
    price: int
    reference: int
    ended: int = 0


class Figures(msgspec.Struct):
    """What one day has brought so far. opened, highest, lowest: when, UTC ns."""

    open: int = 0
    high: int = 0
    low: int = 0
    opened: int = 0
    highest: int = 0
    lowest: int = 0
    volume: int = 0
    value: int = 0
    buys: int = 0
    sells: int = 0
    bought: int = 0
    sold: int = 0


class Listing:
    """One stock. base: close of the day before, KRW. expected: KRW, the price of the next call auction."""

    def __init__(
        self, instrument: Instrument, base: int, rules: Rules, past: Iterable[Trade], *, is_halted: bool
    ) -> None:
        self.instrument, self.is_halted = instrument, is_halted
        self._rules, self._past = rules, past
        self.halt = ""
        self.last = self.base = base
        self.expected = base
        self.minutes: list[BarRow] = []
        self._past_minutes: dict[date, list[BarRow]] = {}
        self._days: list[tuple[date, BarRow]] = []
        self.interruptions: list[Vi] = []
        self.day: date | None = None
        self.prints: deque[Print] = deque(maxlen=KEPT)
        self._actions: list[tuple[date, int, int]] = []
        self.today = Figures()

    @property
    def days(self) -> list[tuple[date, BarRow]]:
        """Figures of earlier days, oldest first."""
        self._remember()
        return self._days

    @property
    def past_minutes(self) -> dict[date, list[BarRow]]:
        """Minutes of earlier days, oldest first."""
        self._remember()
        return self._past_minutes

    def _remember(self) -> None:
        """Fold the trades of earlier days when they are first asked for."""
        trades, self._past = self._past, ()
        for trade in trades:
            day = kst_date(trade.ts)
            if not self._days or self._days[-1][0] != day:
                self._days.append((day, _bar(trade, trade.ts, 0)))
                self._past_minutes[day] = []
            whole = self._days[-1][1]
            whole.add(trade, whole.value + trade.price * trade.qty)
            _fold(self._past_minutes[day], trade, whole.value)

    def rebase(self, day: date, price: tuple[int, int]) -> None:
        """From a day on all prices are so many parts of what they were; called before that day opens."""
        self.close_day()
        self._actions.append((day, *price))
        self.last = self._rules.ticks(self.instrument, day).down(self.last * price[0] // price[1])

    def scaled(self, trade: Trade) -> Trade:
        """A trade of the market at the prices that its day has."""
        if not self._actions:
            return trade
        price = self._at_prices_of(kst_date(trade.ts), trade.price)
        return trade if price == trade.price else msgspec.structs.replace(trade, price=self.ticks.down(price))

    def _at_prices_of(self, day: date, price: int) -> int:
        for since, num, den in self._actions:
            price = price * num // den if since <= day else price
        return price

    def adjusted(self, day: date, price: int) -> int:
        """What a price of an earlier day is at today's prices."""
        for since, num, den in self._actions:
            price = price * num // den if since > day else price
        return price

    def open_day(self, day: date) -> None:
        """Begin a trading day: the last close becomes the base of the price limits."""
        self.close_day()
        self.day, self.base, self.expected = day, self.last, self.last
        self.ticks = self._rules.ticks(self.instrument, day)
        self.band: PriceBand = self._rules.band(self.instrument, day, self.base)
        self.ask, self.bid = self.ticks.step(self.last, 1), self.last
        self.today = Figures()
        self.prints.clear()
        self.minutes = []
        self.interruptions = []

    def close_day(self) -> None:
        """Put the day's figures to those of earlier days."""
        if self.day is not None and self.today.volume and (not self.days or self.days[-1][0] != self.day):
            self.days.append((self.day, self.whole_day()))
            self.past_minutes[self.day] = self.minutes

    def whole_day(self) -> BarRow:
        """Today so far."""
        today = self.today
        return BarRow(today.opened, today.open, today.high, today.low, self.last, today.volume, today.value)

    def add(self, trade: Trade) -> Print:
        """Take one trade in and say how it is told."""
        taker = self._taker(trade)
        today = self.today
        today.volume += trade.qty
        today.value += trade.price * trade.qty
        if taker == SELLER:
            today.sells, today.sold = today.sells + 1, today.sold + trade.qty
        else:
            today.buys, today.bought = today.buys + 1, today.bought + trade.qty
        if not today.open:
            today.open, today.opened = trade.price, trade.ts
        if trade.price > today.high:
            today.high, today.highest = trade.price, trade.ts
        if trade.price < today.low or not today.low:
            today.low, today.lowest = trade.price, trade.ts
        self.last = trade.price
        _fold(self.minutes, trade, today.value)
        told = Print(trade.ts, trade.price, trade.qty, today.volume, today.value, self.ask, self.bid, taker)
        self.prints.append(told)
        return told

    @property
    def vi_reference(self) -> int:
        """The price from which 10 % set off a static interruption: the open, before it the base; KRW."""
        return self.interruptions[-1].price if self.interruptions else self.today.open or self.base

    @property
    def is_interrupted(self) -> bool:
        """True during a volatility interruption."""
        return self.halt == "vi"

    def is_auction(self, phase: Phase) -> bool:
        """True while prices are only expected."""
        return phase in {Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION} or self.is_interrupted

    def _taker(self, trade: Trade) -> str:
        """Who traded: a buyer at the ask or a seller at the bid; moves both around the print."""
        ticks, price = self.ticks, trade.price
        is_buyer = price > self.last or (price == self.last and price >= self.ask)
        if is_buyer:
            self.ask, self.bid = price, ticks.step(price, -1)
        else:
            self.ask, self.bid = ticks.step(price, 1), price
        if trade.auction:
            return AUCTION
        return BUYER if is_buyer else SELLER


def _fold(bars: list[BarRow], trade: Trade, value: int) -> None:
    start = trade.ts - trade.ts % MINUTE
    if not bars or bars[-1].start != start:
        bars.append(_bar(trade, start, value))
    bars[-1].add(trade, value)


def _bar(trade: Trade, start: int, value: int) -> BarRow:
    return BarRow(start, trade.price, trade.price, trade.price, trade.price, 0, value)

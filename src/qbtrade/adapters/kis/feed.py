"""Market data of KIS: subscriptions, halts, and what REST can tell while the stream is away or after it was.

Source: PROTOCOL 5.8 (prices, minute bars), 6.1 (channels), 6.8 (no replay).
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.adapters.kis.events import (
    Gap,
    KeyWanted,
    Missed,
    Operation,
    OperationUnread,
    Registered,
    RegistrationRefused,
)
from qbtrade.adapters.kis.frames import OPERATIONS, QUOTES, TRADES
from qbtrade.adapters.kis.halts import Halts
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.domain.calendar import KST, NS, Phase
from qbtrade.domain.events import Alert, FeedLost, FeedRestored, Level
from qbtrade.domain.market import Bar, Trade
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Clock, MarketView

NOTICE: Final = {"real": "H0STCNI0", "paper": "H0STCNI9"}
_INSTEAD: Final = {
    NOTICE["real"]: "order totals are asked over REST",
    NOTICE["paper"]: "order totals are asked over REST",
    TRADES: "check the symbol",
    OPERATIONS: "halts are asked after over REST, and known later",
    QUOTES: "the best prices come with each trade",
}
"""What is done without a channel."""
_SPARE: Final = frozenset({OPERATIONS, QUOTES})
QUIET: Final = 10 * NS
"""A symbol without a trade for so long is asked after: it may be halted."""
MOST_CHARTS: Final = 14
"""Questions that fill one gap: thirty minutes each make a whole day."""


class StreamPort(Protocol):
    """The stream, wherever it runs."""

    def start(self) -> None:
        """Connect and stay connected."""
        ...

    def use_key(self, key: str) -> None:
        """Connect with this approval key from now on."""
        ...

    def register(self, channel: Channel) -> None:
        """Want a channel."""
        ...


class KisFeed:
    """Subscribes to what a session needs, and asks REST when the stream cannot tell.

    held: symbols whose price matters while the stream is away. interval: ns of a bar. Trades, quotes, FeedLost and
    FeedRestored come from the stream itself, through the inbox.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        market: MarketView,
        caller: Caller,
        stream: StreamPort,
        environment: Environment,
        *,
        symbols: tuple[str, ...],
        interval: int,
        held: Callable[[], Iterable[str]],
    ) -> None:
        self._bus, self._clock, self._market, self._caller = bus, clock, market, caller
        self._stream, self._environment = stream, environment
        self._symbols, self._interval, self._held = symbols, interval, held
        rate = environment.limits.calls_per_second_milli // 1000
        self._every = NS * max(2, -(-len(symbols) * 5 // max(rate, 1)))
        self._halts = Halts(bus, market, symbols)
        self._asked: set[str] = set()
        self._last_bar: dict[str, int] = {}
        self.is_lost = True
        bus.subscribe(KeyWanted, lambda _event: self._ask_key())
        bus.subscribe(Registered, self.on_registered)
        bus.subscribe(RegistrationRefused, self.on_refused)
        bus.subscribe(Operation, self._halts.on_operation)
        bus.subscribe(OperationUnread, lambda _event: self._ask_prices())
        bus.subscribe(FeedLost, self.on_lost)
        bus.subscribe(FeedRestored, self.on_restored)
        bus.subscribe(Missed, self.on_missed)
        bus.subscribe(Bar, self.on_bar)

    def start(self) -> None:
        """Ask for what a session needs; look after quiet symbols from now on.

        When registrations are short, quotes give way first, for trades carry the best prices, then the market's
        operation of the last symbols, whose halts REST tells later.
        """
        wanted = [Channel(NOTICE[self._environment.speaks], self._environment.hts_id)]
        wanted += [Channel(TRADES, symbol) for symbol in self._symbols]
        room = self._environment.limits.registrations - len(wanted)
        if self._environment.capabilities.market_operation:
            wanted += [Channel(OPERATIONS, symbol) for symbol in self._symbols[: max(room, 0)]]
            room -= len(self._symbols)
        if len(self._symbols) <= room:
            wanted += [Channel(QUOTES, symbol) for symbol in self._symbols]
        for channel in wanted:
            self._stream.register(channel)
        self._stream.start()
        self._clock.call_at(self._clock.now() + self._every, self._on_timer)

    def prepare(self, symbol: str, price: Price) -> None:
        """Say at the beginning of a session what REST told of a symbol."""
        now = self._clock.now()
        self._halts.on_price(now, symbol, price, now)

    # the stream

    def _ask_key(self) -> None:
        self._caller.ask(calls.approval_key(), self._on_key)

    def _on_key(self, found: Secret | Failed) -> None:
        if isinstance(found, Failed):
            text = f"KIS gives no key for the stream: {found.reason}"
            self._bus.publish(
                Alert(self._clock.now(), Level.WARNING, "no-stream-key", text, "qb asks again in a minute")
            )
        else:
            self._stream.use_key(found.reveal())

    def on_registered(self, event: Registered) -> None:
        """Trades come from here on."""
        self.is_lost = self.is_lost and event.tr_id != TRADES

    def on_refused(self, event: RegistrationRefused) -> None:
        """A channel that does not come must be known."""
        text = f"the stream refuses {event.tr_id} {event.tr_key}: {event.code} {event.text}".rstrip()
        level = Level.WARNING if event.tr_id in _SPARE else Level.CRITICAL
        self._bus.publish(Alert(event.ts, level, "stream-refused", text, _INSTEAD[event.tr_id]))

    def on_lost(self, event: FeedLost) -> None:
        """From here on REST is asked for the prices of what is held."""
        del event
        self.is_lost = True

    def on_restored(self, event: FeedRestored) -> None:
        """The stream tells prices again; a halt that began or ended meanwhile it does not tell."""
        del event
        self.is_lost = False
        if self._environment.capabilities.market_operation:
            self._ask_prices()

    # halts, and prices while the stream is away

    def _on_timer(self, due: int) -> None:
        self._clock.call_at(max(due + self._every, self._clock.now()), self._on_timer)
        if self._market.phase() is Phase.CONTINUOUS:
            held = frozenset(self._held()) if self.is_lost else frozenset[str]()
            for symbol in self._symbols:
                if symbol in held or (not self.is_lost and self._is_quiet(symbol)):
                    self._ask_price(symbol)

    def _is_quiet(self, symbol: str) -> bool:
        last = self._market.last(symbol)
        return last is None or self._clock.now() - last.ts > QUIET or symbol in self._halts

    def _ask_prices(self) -> None:
        for symbol in self._symbols:
            self._ask_price(symbol)

    def _ask_price(self, symbol: str) -> None:
        if symbol not in self._asked:
            self._asked.add(symbol)
            then = partial(self._on_price, symbol, self._clock.now())
            self._caller.ask(calls.price(self._environment, symbol), then)

    def _on_price(self, symbol: str, asked: int, found: Price | Failed) -> None:
        self._asked.discard(symbol)
        if isinstance(found, Failed):
            return
        now = self._clock.now()
        self._halts.on_price(now, symbol, found, asked)
        if self.is_lost and found.last:
            self._bus.publish(Trade(now, symbol, found.last, 0))

    # what went by

    def on_bar(self, bar: Bar) -> None:
        """Remember up to where the bars of a symbol are known."""
        self._last_bar[bar.symbol] = max(bar.ts, self._last_bar.get(bar.symbol, 0))

    def on_missed(self, event: Missed) -> None:
        """Ask for the minutes of each gap."""
        for gap in event.gaps:
            self._ask_minutes(gap, (), gap.end, MOST_CHARTS)

    def _ask_minutes(self, gap: Gap, later: tuple[Bar, ...], until: int, left: int) -> None:
        at = datetime.fromtimestamp(until // NS, KST).time()
        then = partial(self._on_minutes, gap, later, left - 1)
        self._caller.ask(calls.minute_bars(self._environment, gap.symbol, at), then)

    def _on_minutes(self, gap: Gap, later: tuple[Bar, ...], left: int, found: tuple[Bar, ...] | Failed) -> None:
        if isinstance(found, Failed):
            text = f"bars of {gap.symbol} that went by cannot be asked for: {found.reason}"
            self._bus.publish(Alert(self._clock.now(), Level.WARNING, "gap-not-filled", text))
            return
        bars = (*(bar for bar in found if not later or bar.start < later[0].start), *later)
        if left and found and len(bars) > len(later) and found[0].start > gap.start:
            self._ask_minutes(gap, bars, found[0].start, left)
        else:
            self._show(gap, bars)

    def _show(self, gap: Gap, minutes: tuple[Bar, ...]) -> None:
        """Publish the bars of a gap that ended before its last interval and were not seen yet."""
        known = max(self._last_bar.get(gap.symbol, 0), gap.start)
        last_open = gap.end - gap.end % self._interval
        missed = [bar for bar in minutes if bar.start >= known and bar.ts <= last_open]
        for bar in folded(missed, self._interval):
            self._bus.publish(bar)


def folded(minutes: Iterable[Bar], interval: int) -> list[Bar]:
    """Minute bars, oldest first, put together to longer ones; UTC ns, aligned to the hour."""
    bars = list[Bar]()
    for bar in minutes:
        start = bar.start - bar.start % interval
        if bars and bars[-1].start == start:
            before = bars[-1]
            bars[-1] = Bar(
                before.ts, bar.symbol, start, before.open, max(before.high, bar.high), min(before.low, bar.low),
                bar.close, before.volume + bar.volume,
            )  # fmt: skip
        else:
            bars.append(Bar(start + interval, bar.symbol, start, bar.open, bar.high, bar.low, bar.close, bar.volume))
    return bars

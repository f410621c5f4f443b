"""Market data of KIS: subscriptions, halts, and the prices that REST tells while the stream does not.

Source: PROTOCOL 5.8 (prices), 6.1 (channels), 6.8 (no replay).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Protocol

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.adapters.kis.events import (
    KeyWanted,
    Operation,
    OperationUnread,
    Registered,
    RegistrationRefused,
)
from qbtrade.adapters.kis.frames import OPERATIONS, QUOTES, TRADES
from qbtrade.adapters.kis.gaps import Gaps
from qbtrade.adapters.kis.halts import Halts
from qbtrade.adapters.kis.missed import Missed
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.domain.calendar import NS, Calendar, Phase
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
"""A symbol without a trade for so long is asked after: it may be halted, or the stream may not bring its trades."""
EVERY: Final = 2 * NS
"""Between two questions for the price of what is held, while the stream does not tell it."""


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

    def reconnect(self, reason: str) -> None:
        """Give up a connection that stands and brings nothing, and make another."""
        ...


class KisFeed:
    """Subscribes to what a session needs, and asks REST when the stream cannot tell.

    held: symbols whose price matters while the stream does not tell it. interval: ns of a bar. notices: of orders, for
    those who send some. Trades, quotes, FeedLost
    and FeedRestored come from the stream itself, through the inbox.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        market: MarketView,
        caller: Caller,
        stream: StreamPort,
        environment: Environment,
        calendar: Calendar,
        *,
        symbols: tuple[str, ...],
        interval: int,
        held: Callable[[], Iterable[str]],
        notices: bool = True,
    ) -> None:
        self._bus, self._clock, self._market, self._caller = bus, clock, market, caller
        self._stream, self._environment = stream, environment
        self._symbols, self._held, self._has_notices = symbols, held, notices
        self._gaps = Gaps(bus, clock, market, caller, environment, calendar, interval)
        rate = environment.limits.calls_per_second_milli // 1000
        self._look_every = NS * max(2, -(-len(symbols) * 5 // max(rate, 1)))
        self._looked: dict[str, int] = {}  # when each quiet symbol was asked after
        self._halts, self._missed = Halts(bus, market, symbols), Missed()
        self._asked: set[str] = set()
        self._told: set[str] = set()  # symbols whose stream brings trades
        self._was_lost = False
        self._dark: set[str] = set()  # symbols of which neither stream nor REST tells the price
        bus.subscribe(KeyWanted, lambda _event: self._ask_key())
        bus.subscribe(Registered, self.on_registered)
        bus.subscribe(RegistrationRefused, self.on_refused)
        bus.subscribe(Operation, self._halts.on_operation)
        bus.subscribe(OperationUnread, lambda _event: self._ask_prices())
        bus.subscribe(FeedLost, self.on_lost)

    def start(self) -> None:
        """Ask for what a session needs; look after quiet symbols from now on.

        When registrations are short, the market's operation of the last symbols gives way first, whose halts REST tells
        later; then quotes, for trades carry the best prices.
        """
        notices = Channel(NOTICE[self._environment.speaks], self._environment.hts_id)
        wanted = [notices] if self._has_notices else []
        wanted += [Channel(TRADES, symbol) for symbol in self._symbols]
        most = self._environment.limits.registrations
        if len(wanted) + len(self._symbols) <= most:
            wanted += [Channel(QUOTES, symbol) for symbol in self._symbols]
        if self._environment.capabilities.market_operation:
            wanted += [Channel(OPERATIONS, symbol) for symbol in self._symbols[: max(most - len(wanted), 0)]]
        for channel in wanted:
            self._stream.register(channel)
        for symbol in self._symbols:
            self._gaps.lost(symbol)
        self._stream.start()
        self._clock.call_at(self._clock.now() + EVERY, self._on_timer)

    def prepare(self, symbol: str, price: Price) -> None:
        """Say at the beginning of a session what REST told of a symbol."""
        now = self._clock.now()
        self._halts.on_price(now, symbol, price, now)

    def know(self, bar: Bar) -> None:
        """Say at the beginning of a session which bars were seen already."""
        self._gaps.on_bar(bar)

    @property
    def state(self) -> str:
        """`open` while trades of a symbol come, `connecting` before they did for the first time, else `lost`."""
        return "open" if self._told else "lost" if self._was_lost else "connecting"

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
        """Trades of a symbol come from here on."""
        if event.tr_id == TRADES:
            self._told.add(event.tr_key)
            self._dark.discard(event.tr_key)
            self._gaps.found(event.tr_key)

    def on_refused(self, event: RegistrationRefused) -> None:
        """A channel that does not come must be known."""
        text = f"the stream refuses {event.tr_id} {event.tr_key}: {event.code} {event.text}".rstrip()
        level = Level.WARNING if event.tr_id in _SPARE else Level.CRITICAL
        self._bus.publish(Alert(event.ts, level, "stream-refused", text, _INSTEAD[event.tr_id]))

    def on_lost(self, event: FeedLost) -> None:
        """From here on REST is asked for the prices of what is held."""
        del event
        self._was_lost = True
        self._told.clear()
        self._missed.forget()
        for symbol in self._symbols:
            self._gaps.lost(symbol)

    def on_restored(self, event: FeedRestored) -> None:
        """A halt that began or ended meanwhile the stream does not tell."""
        del event
        if self._environment.capabilities.market_operation:
            self._ask_prices()

    # halts, and prices while the stream is away

    def _on_timer(self, due: int) -> None:
        now = self._clock.now()
        self._clock.call_at(max(due + EVERY, now), self._on_timer)
        if self._market.phase() is Phase.CONTINUOUS:
            untold = {symbol for symbol in self._symbols if not self._is_told(symbol)}
            untold_held = untold.intersection(self._held()) if untold else untold
            for symbol in self._symbols:
                if symbol in untold_held:
                    self._ask_price(symbol)
                elif symbol in self._told and self._is_quiet(symbol) and self._may_look(symbol, now):
                    self._looked[symbol] = now
                    self._ask_price(symbol)

    def _may_look(self, symbol: str, now: int) -> bool:
        return now - self._looked.get(symbol, 0) >= self._look_every

    def _is_told(self, symbol: str) -> bool:
        """Whether the stream brings its trades, as far as anybody knows."""
        return symbol in self._told and not self._missed.doubts(symbol, self._market.last(symbol))

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
            self._say_dark(symbol, found.reason)
            return
        self._dark.discard(symbol)
        self._halts.on_price(self._clock.now(), symbol, found, asked)
        last, now = self._market.last(symbol), self._clock.now()
        if symbol in self._told and self._missed.looked(symbol, last, found.volume, now):
            self._stream.reconnect(f"trades of {symbol} go by that it does not bring")
        if found.last and not self._is_told(symbol):
            self._show(symbol, found.last)

    def _show(self, symbol: str, price: int) -> None:
        """Publish a price as a trade of no shares, dated like the stream's: in whole seconds, and never backwards."""
        now, last = self._clock.now(), self._market.last(symbol)
        self._bus.publish(Trade(max(now - now % NS, last.ts if last else 0), symbol, price, 0))

    def _say_dark(self, symbol: str, reason: str) -> None:
        """Say once for each outage that a stop-loss sees nothing."""
        if self._is_told(symbol) or symbol in self._dark or symbol not in self._held():
            return
        self._dark.add(symbol)
        text = f"neither the stream nor REST tells the price of {symbol}: {reason}"
        action = "its stop-loss sees nothing; watch the position elsewhere"
        self._bus.publish(Alert(self._clock.now(), Level.CRITICAL, "no-price", text, action))

"""What the rooms need of each other and of the world, as protocols: the only thing that engines and adapters share."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Protocol

import msgspec

from qbtrade.domain.calendar import Phase
from qbtrade.domain.instrument import Instrument, PriceBand, TickTable
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import Order, OrderRequest


class TimerHandle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """Never fire. Harmless when it has fired."""
        ...


class Clock(Protocol):
    """The time of the market and its alarms."""

    def now(self) -> int:
        """UTC ns."""
        ...

    def call_at(self, ts: int, fn: Callable[[int], None]) -> TimerHandle:
        """Call `fn(due)` once when the clock reaches `ts` (UTC ns); at once on the next turn when that has passed."""
        ...


class PacedClock(Clock, Protocol):
    """A clock that may run faster than the machine's. speed: market seconds per machine second."""

    speed: int

    def drift(self) -> int:
        """Ns of machine time by which the machine's wall clock was set since; this clock went on without it."""
        ...


class Publisher(Protocol):
    """The one thing that engines and adapters do to the bus once it is wired."""

    def publish(self, event: Event) -> None:
        """Queue an event behind those already published."""
        ...


class Feed(Protocol):
    """Market data of one source, in time order."""

    def __iter__(self) -> Iterator[Event]:
        """Trades, quotes, halts and resumptions, oldest first."""
        ...


class Broker(Protocol):
    """Order desk of one venue. Answers come back as events, never as return values."""

    def submit(self, order: OrderRequest) -> None:
        """Hand over once. Must not block, retry, or raise for a venue refusal."""
        ...

    def cancel(self, order_id: str) -> None:
        """Ask to cancel what remains. Must not block or raise for a venue refusal."""
        ...

    def last_number(self) -> str:
        """The highest number of an order that the venue is known to have given today, "" before the first."""
        ...


class JournalStore(Protocol):
    """Append-only rows of events."""

    def append(self, events: Iterable[Event], *, durable: bool) -> None:
        """Write in order, all or none. durable: on disk before it returns. Raises: JournalError."""
        ...

    def rescue(self, rows: Iterable[tuple[int, Event]], *, vital: bool) -> None:
        """Write rows that `append` refused, by their numbers, 1 for the first, into room that was taken beforehand.

        What `append` took is on disk before them, where the disk lets it. vital: so are they before it returns, even
        where little room is left. Raises: JournalError.
        """
        ...

    def close(self) -> None:
        """Write what is left and let go of the file."""
        ...


class MarketView(Protocol):
    """What is known of the market right now."""

    def last(self, symbol: str) -> Trade | None:
        """The newest accepted trade of this session's data."""
        ...

    def quote(self, symbol: str) -> Quote | None:
        """The newest quote, where the feed has quotes."""
        ...

    def phase(self) -> Phase:
        """The venue's phase."""
        ...

    def halted(self, symbol: str) -> str:
        """Why the symbol is halted, or ""."""
        ...

    def band(self, symbol: str) -> PriceBand | None:
        """Today's price limits; None while no base price is known."""
        ...

    def ticks(self, symbol: str) -> TickTable:
        """Today's tick sizes."""
        ...

    def instrument(self, symbol: str) -> Instrument:
        """What the symbol is."""
        ...

    def watch(self, symbol: str, owner: str, low: int) -> None:
        """Publish PriceTouched when a trade prints at or below `low` KRW, once; 0 calls the watch off."""
        ...

    def wake(self, symbol: str) -> None:
        """Publish PriceTouched at the next accepted trade of the symbol, once."""
        ...

    def trust(self, symbol: str, since: int) -> None:
        """Publish only bars that begin at `since` (UTC ns) or later: before it trades go by unseen."""
        ...


class PositionView(Protocol):
    """What we hold and what it did, in KRW and shares."""

    def qty(self, symbol: str) -> int:
        """Shares held."""
        ...

    def cost(self, symbol: str) -> int:
        """What the shares held cost, without fees."""
        ...

    def total_cost(self) -> int:
        """Cost of all positions."""
        ...

    def cash(self) -> int:
        """D+2 cash."""
        ...

    def equity(self) -> int:
        """Cash plus positions at last price."""
        ...

    def day_start_equity(self) -> int:
        """Equity when the KST day began."""
        ...

    def day_profit(self) -> int:
        """Realized + unrealized - costs since the previous close."""
        ...

    def session_realized(self) -> int:
        """Gross profit taken since the session began."""
        ...


class OrderView(Protocol):
    """Our open orders."""

    def get(self, order_id: str) -> Order | None:
        """One order of this session."""
        ...

    def open_orders(self, symbol: str) -> tuple[Order, ...]:
        """Every order of the symbol that may still fill, oldest first."""
        ...

    def open_symbols(self) -> tuple[str, ...]:
        """Symbols with an order that may still fill, sorted."""
        ...

    def abandoned(self, symbol: str) -> tuple[Order, ...]:
        """Every order of the symbol that was given up for lost and did not turn up, oldest first."""
        ...

    def buying(self) -> int:
        """KRW that all open and abandoned buys may still cost at their limits (a market buy at the upper limit)."""
        ...

    def selling(self, symbol: str) -> int:
        """Shares of the symbol in open sells."""
        ...


class Desk(Protocol):
    """What a strategy may see and ask. It never sees the bus."""

    def now(self) -> int:
        """UTC ns of market time."""
        ...

    def last(self, symbol: str) -> int:
        """Last price in KRW; 0 while there is none."""
        ...

    def position(self, symbol: str) -> int:
        """Shares held."""
        ...

    def buy(self, symbol: str, reason: str, **values: object) -> None:
        """Ask to enter. Sizing belongs to the engine; `values` are kept for `qb report why`."""
        ...

    def sell(self, symbol: str, reason: str, **values: object) -> None:
        """Ask to leave the whole position."""
        ...


class NoParams(msgspec.Struct, frozen=True):
    """A strategy without parameters."""


class Strategy:
    """Base of all strategies: override `on_bar`, or `on_trade` for every trade, and ask through `self.desk`.

    Params: a msgspec struct whose fields, types and defaults are the strategy's parameters.
    """

    Params: ClassVar[type[msgspec.Struct]] = NoParams

    def __init__(self, desk: Desk, symbols: tuple[str, ...], params: Any) -> None:
        self.desk = desk
        self.symbols = symbols
        self.params = params

    def warm_up(self) -> int:
        """How many closed bars of each symbol must be seen before a signal counts."""
        return 0

    def on_bar(self, bar: Bar) -> None:
        """See one closed bar."""

    def on_trade(self, trade: Trade) -> None:
        """See one trade. Only called when overridden."""

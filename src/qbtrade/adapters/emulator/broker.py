"""The broker of the local KIS: takes orders, checks them, carries them to the exchange and books what happens."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final

from qbtrade.adapters.emulator.checks import Checks
from qbtrade.adapters.emulator.faults import Faults
from qbtrade.adapters.emulator.ledger import Ledger
from qbtrade.adapters.emulator.market import Listing
from qbtrade.adapters.emulator.orders import CONDITIONAL, OPPOSITE, OWN, Action, Entry, Notice, Tale, Ticket
from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.domain.calendar import NS, Phase, kst_date
from qbtrade.domain.events import OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, Side
from qbtrade.kernel.clock import SimClock

TRAVEL: Final = 10_000_000
"""From the broker to the exchange, ns."""
BALANCE_LAG: Final = 8 * NS
ROWS_LAG: Final = 5 * NS


class Broker:
    """Keeps the orders and the account. tell: takes each notice. books: what the balance shows, which may lag."""

    def __init__(
        self, clock: SimClock, exchange: SimExchange, checks: Checks, ledger: Ledger, shown: Ledger,
        faults: Faults, tell: Callable[[Notice], None],
    ) -> None:  # fmt: skip
        self._clock, self._exchange, self._checks, self._faults, self._tell = clock, exchange, checks, faults, tell
        self.ledger, self.shown = ledger, shown
        self.entries: dict[int, Entry] = {}
        self._last: dict[str, Trade] = {}
        self._number, self._shown_at = 1000, 0

    def place(self, ticket: Ticket, *, by_hand: bool = False) -> Entry:
        """Take a new order. Raises: Refusal."""
        listing = self._checks.listing(ticket.symbol)
        ticket = _priced(ticket, listing)
        limit = _limit(ticket, listing)
        self._checks.order(self._clock.now(), ticket, limit, self.buying_power(), self.sellable(ticket.symbol))
        entry = self._enter(ticket, limit, Action.NEW, 0)
        entry.by_hand = by_hand
        self._later(lambda: self._arrive(entry))
        return entry

    def amend(self, original: Entry, code: str, qty: int, price: int) -> Entry:
        """Take an amendment of part or all of what remains. Raises: Refusal."""
        old = original.ticket
        listing = self._checks.listing(old.symbol)
        ticket = _priced(Ticket(old.symbol, old.side, code, qty, price, old.venue), listing)
        limit = _limit(ticket, listing)
        self._checks.remainder(original, qty)
        freed = self._checks.reserve(ticket.symbol, original.limit, qty)
        self._checks.order(
            self._clock.now(), ticket, limit, self.buying_power() + (freed if old.side is Side.BUY else 0),
            self.sellable(ticket.symbol) + (qty if old.side is Side.SELL else 0),
        )  # fmt: skip
        entry = self._enter(ticket, limit, Action.AMEND, original.number)
        entry.is_open = False
        self._later(lambda: self._arrive_amendment(entry, original))
        return entry

    def cancel(self, original: Entry, qty: int) -> Entry:
        """Take a cancel of part or all of what remains. Raises: Refusal."""
        self._checks.hours(self._clock.now())
        self._checks.remainder(original, qty)
        old = original.ticket
        entry = self._enter(
            Ticket(old.symbol, old.side, old.code, qty, old.price, old.venue), 0, Action.CANCEL, original.number
        )
        entry.is_open = False
        self._later(lambda: self._arrive_cancel(entry, original))
        return entry

    def on_trade(self, trade: Trade) -> None:
        """Match one print of the market."""
        self._last[trade.symbol] = trade
        if self._exchange.books.get(trade.symbol):
            self._book(self._exchange.on_trade(trade))

    def on_phase(self, phase: Phase) -> None:
        """Move the exchange's day on."""
        self._book(self._exchange.on_phase(self._clock.now(), phase))
        if phase is Phase.CLOSING_AUCTION:
            for entry in list(self.open_entries()):
                if entry.ticket.code == CONDITIONAL:
                    self._turn_to_market(entry)

    def end_day(self, day: date) -> None:
        """Take no more orders that day."""
        self._checks.ended = day

    def exchange_shares(self, symbol: str, shares: tuple[int, int]) -> None:
        """Overnight shares become others."""
        self._last.pop(symbol, None)
        for books in (self.ledger, self.shown):
            books.exchange(symbol, shares)

    def open_entries(self, symbol: str = "") -> Iterator[Entry]:
        """Orders that may still fill, oldest first; of one symbol or of all."""
        return (
            entry for entry in self.entries.values() if entry.remaining and symbol in {"", entry.ticket.symbol}
        )  # fmt: skip

    def buying_power(self) -> int:
        """KRW that new buys may cost, fees included."""
        bound = sum(
            self._checks.reserve(entry.ticket.symbol, entry.limit, entry.remaining)
            for entry in self.open_entries() if entry.ticket.side is Side.BUY
        )  # fmt: skip
        return self.ledger.cash - bound

    def sellable(self, symbol: str, ledger: Ledger | None = None) -> int:
        """Shares held, in the true books unless others are named, that no open order sells."""
        bound = sum(entry.remaining for entry in self.open_entries(symbol) if entry.ticket.side is Side.SELL)
        return max((ledger or self.ledger).held(symbol) - bound, 0)

    def find(self, number: str) -> Entry:
        """The order of a number, padded or not. Raises: Refusal."""
        entry = self.entries.get(int(number)) if number.strip().isdigit() else None
        if entry is None:
            raise self._checks.no_remainder()
        return entry

    def on_day(self, day: date) -> list[Entry]:
        """Every order number of a trading day that the lists show by now, oldest first."""
        now = self._clock.now()
        return [entry for entry in self.entries.values() if entry.day == day and entry.shown <= now]

    def _enter(self, ticket: Ticket, limit: int, action: Action, original: int) -> Entry:
        now = self._clock.now()
        self._number += 1
        shown = now + ROWS_LAG if self._faults.hits("late-rows") else now
        entry = Entry(self._number, ticket, now, kst_date(now), limit, action, original, shown)
        self.entries[entry.number] = entry
        return entry

    def _later(self, fn: Callable[[], None]) -> None:
        self._clock.call_at(self._clock.now() + TRAVEL, lambda _due: fn())

    def _say(self, tale: Tale, entry: Entry, qty: int, price: int) -> None:
        self._tell(Notice(self._clock.now(), tale, entry, qty, price))

    def _reject(self, entry: Entry) -> None:
        entry.rejected, entry.is_open = entry.ticket.qty, False
        self._say(Tale.REJECTED, entry, entry.ticket.qty, entry.ticket.price)

    def _arrive(self, entry: Entry) -> None:
        if self._faults.hits("exchange-reject"):
            self._reject(entry)
        else:
            self._submit(entry, entry.ticket.kind, Tale.ACCEPTED)

    def _submit(self, entry: Entry, kind: OrderKind, tale: Tale | None) -> None:
        ticket, listing = entry.ticket, self._checks.listing(entry.ticket.symbol)
        order = OrderRequest(
            str(entry.number), ticket.symbol, ticket.side, entry.remaining,
            0 if kind is OrderKind.MARKET else ticket.price, kind=kind, tif=ticket.tif,
        )  # fmt: skip
        now, last = self._clock.now(), self._last.get(ticket.symbol)
        first, *rest = self._exchange.submit(now, order, listing.band, listing.ticks, last)
        if isinstance(first, OrderRejected):
            self._reject(entry)
            return
        if tale:
            self._say(tale, entry, ticket.qty, ticket.price)
        self._book(rest)

    def _take_out(self, entry: Entry, original: Entry) -> bool:
        """Take the shares of an amend or cancel out of the book; too late when some are gone."""
        qty = entry.ticket.qty
        if not self._is_done(self._exchange.reduce(self._clock.now(), str(original.number), qty)):
            self._reject(entry)
            return False
        original.gone += qty
        original.is_open = original.remaining > 0
        return True

    def _arrive_cancel(self, entry: Entry, original: Entry) -> None:
        if self._take_out(entry, original):
            self._say(Tale.CONFIRMED, entry, entry.ticket.qty, 0)

    def _arrive_amendment(self, entry: Entry, original: Entry) -> None:
        if self._take_out(entry, original):
            entry.is_open = True
            self._submit(entry, entry.ticket.kind, Tale.CONFIRMED)

    def _turn_to_market(self, entry: Entry) -> None:
        self._exchange.cancel(self._clock.now(), str(entry.number))
        self._submit(entry, OrderKind.MARKET, None)

    @staticmethod
    def _is_done(outputs: Sequence[Event]) -> bool:
        return all(isinstance(output, OrderCanceled) for output in outputs)

    def _book(self, outputs: Sequence[Event]) -> None:
        for output in outputs:
            if isinstance(output, OrderFilled):
                self._fill(self.entries[int(output.order_id)], output)
            elif isinstance(output, OrderCanceled | OrderExpired):
                entry = self.entries[int(output.order_id)]
                entry.gone, entry.is_open = entry.gone + output.qty, False
                if isinstance(output, OrderCanceled):
                    self._say(Tale.CUT, entry, output.qty, 0)

    def _fill(self, entry: Entry, fill: OrderFilled) -> None:
        day, args = kst_date(fill.ts), (fill.order_id, fill.symbol, fill.side, fill.price, fill.qty)
        entry.filled, entry.amount = entry.filled + fill.qty, entry.amount + fill.price * fill.qty
        entry.filled_at, entry.is_open = fill.ts, entry.remaining > 0
        self.ledger.fill(day, *args)
        if self._faults.hits("balance-lag"):
            self._shown_at = fill.ts + BALANCE_LAG
        if fill.ts < self._shown_at:  # also behind one that lags: shares cannot be sold before they are shown
            self._clock.call_at(self._shown_at, lambda _due: self.shown.fill(day, *args))
        else:
            self.shown.fill(day, *args)
        self._say(Tale.FILLED, entry, fill.qty, fill.price)


def _priced(ticket: Ticket, listing: Listing) -> Ticket:
    """The ticket with the limit that its code stands for."""
    if ticket.code not in OPPOSITE | {OWN}:
        return ticket
    takes_ask = (ticket.side is Side.BUY) == (ticket.code in OPPOSITE)
    price = listing.ask if takes_ask else listing.bid
    price = min(max(price, listing.band.lower), listing.band.upper)
    return Ticket(ticket.symbol, ticket.side, ticket.code, ticket.qty, price, ticket.venue)


def _limit(ticket: Ticket, listing: Listing) -> int:
    """KRW per share that bind cash: the upper price limit for what is or may become a market order."""
    may_be_market = ticket.kind is OrderKind.MARKET or ticket.code == CONDITIONAL
    return listing.band.upper if may_be_market else ticket.price

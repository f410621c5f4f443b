"""Market data: vets every trade, remembers the last, and folds trades into bars aligned to the session.

The path of an ordinary trade is one comparison and the fold. Whatever is out of the ordinary (a first trade, a new
bar, a price outside the expected window, a watched level, time going back) leaves that window and is looked at in
`_inspect`.
"""

from collections.abc import Mapping
from typing import Final

from qbtrade.domain.calendar import Calendar, Phase, kst_date
from qbtrade.domain.events import PhaseChanged, PriceTouched, SymbolHalted, SymbolResumed, TickQuarantined
from qbtrade.domain.instrument import DayTerms, Instrument, PriceBand, TickTable
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.money import PPB
from qbtrade.domain.rules import Rules
from qbtrade.engines.market_data.book import EVERYTHING, Book
from qbtrade.ports import Clock, Publisher

SPIKE: Final = 100_000_000  # a print 10 % away from the last one
PRICE_BASE_CHANGED: Final = "price-base-changed"
ROUNDED: Final = 10_000_000  # bars may be adjusted history, rounded: 1 % more room
CONFIRM: Final = 3  # so many prints in a row at a new level are no spike


class MarketData:
    """Folds trades to bars of `interval` ns and answers what the market looks like.

    An interval without a trade gives no bar. A trade older than the newest one counts as out of order and adds volume
    and range to the open bar only; one older than the open bar counts as late and is left out. spike: ppb, 0 for
    sources that are bars themselves. grace: ns that a bar waits for stragglers before it closes without a newer
    trade. terms: what the venue told of a day; the rules tell of all others.
    """

    def __init__(
        self,
        bus: Publisher,
        clock: Clock,
        rules: Rules,
        instruments: tuple[Instrument, ...],
        *,
        interval: int,
        bases: dict[str, int] | None = None,
        spike: int = SPIKE,
        grace: int = 0,
        terms: Mapping[str, DayTerms] | None = None,
    ) -> None:
        self._bus, self._clock, self._rules = bus, clock, rules
        self._calendar: Calendar = rules.calendar
        self._interval, self._spike, self._grace = interval, spike, grace
        self._books = {
            i.symbol: Book(i, (bases or {}).get(i.symbol, 0), (terms or {}).get(i.symbol)) for i in instruments
        }
        self._phase = Phase.CLOSED
        self._timer_end = 0
        self.bars = self.late = self.out_of_order = self.outside = self.unknown = 0
        self.quarantined: dict[str, int] = {}

    # events

    def on_trade(self, trade: Trade) -> None:
        """Accept, fold or set aside one trade."""
        try:
            book = self._books[trade.symbol]
        except KeyError:
            self.unknown += 1
            return
        price, ts = trade.price, trade.ts
        if book.floor < price < book.ceiling and book.ts <= ts < book.day_end and trade.qty >= 0:
            if ts >= book.bar_end:
                self._close_bar(book)
                self._open_bar(book, trade)
            elif price > book.bar_high:
                book.bar_high = price
            elif price < book.bar_low:
                book.bar_low = price
            book.trade = trade
            book.ts = ts
            book.count += 1
            book.bar_volume += trade.qty
            return
        self._inspect(book, trade)

    def on_quote(self, quote: Quote) -> None:
        """Remember the best bid and ask."""
        book = self._books.get(quote.symbol)
        if book is not None:
            book.quote = quote

    def on_phase(self, event: PhaseChanged) -> None:
        """Remember the venue's phase."""
        self._phase = event.phase

    def on_halted(self, event: SymbolHalted) -> None:
        """Remember why a symbol does not trade."""
        if event.symbol in self._books and event.reason != PRICE_BASE_CHANGED:
            self._books[event.symbol].halted = event.reason

    def rebase(self, ts: int, symbol: str, detail: str) -> None:
        """Let nothing of a symbol trade until the session ends: its prices count from another base. detail: words."""
        self._books[symbol].is_rebased = True
        self._bus.publish(SymbolHalted(ts, symbol, PRICE_BASE_CHANGED, detail))

    def on_resumed(self, event: SymbolResumed) -> None:
        """It trades again; any price inside the band may come first."""
        if event.symbol in self._books:
            book = self._books[event.symbol]
            book.halted, book.strange_count = "", CONFIRM
            book.floor = EVERYTHING

    # MarketView

    def last(self, symbol: str) -> Trade | None:
        """The newest accepted trade."""
        return self._books[symbol].trade

    def quote(self, symbol: str) -> Quote | None:
        """The newest quote, where the feed has quotes."""
        return self._books[symbol].quote

    def phase(self) -> Phase:
        """The venue's phase."""
        return self._phase

    def halted(self, symbol: str) -> str:
        """Why the symbol is halted, or ""."""
        book = self._books[symbol]
        return PRICE_BASE_CHANGED if book.is_rebased else book.halted

    def band(self, symbol: str) -> PriceBand | None:
        """Today's price limits; None while no base price is known."""
        return self._books[symbol].band

    def base(self, symbol: str) -> int:
        """Yesterday's last price in KRW, 0 while unknown."""
        return self._books[symbol].base

    def count(self, symbol: str) -> int:
        """Trades accepted so far."""
        return self._books[symbol].count

    def ticks(self, symbol: str) -> TickTable:
        """Today's tick sizes."""
        book = self._books[symbol]
        return book.ticks or self._rules.ticks(book.instrument, kst_date(self._clock.now()))

    def instrument(self, symbol: str) -> Instrument:
        """What the symbol is."""
        return self._books[symbol].instrument

    def last_prices(self) -> dict[str, int]:
        """Last price by symbol in KRW, for symbols that have traded."""
        return {symbol: book.trade.price for symbol, book in self._books.items() if book.trade}

    def watch(self, symbol: str, owner: str, low: int) -> None:
        """Publish PriceTouched when a trade prints at or below `low` KRW, once; 0 calls the watch off."""
        book = self._books[symbol]
        book.watches.pop(owner, None)
        if low > 0:
            book.watches[owner] = low
        self._aim(book)

    def wake(self, symbol: str) -> None:
        """Publish PriceTouched at the next accepted trade of the symbol, once."""
        book = self._books[symbol]
        book.wake = True
        book.floor = EVERYTHING

    def trust(self, symbol: str, since: int) -> None:
        """Publish only bars that begin at `since` (UTC ns) or later: before it trades go by unseen, and quotes age."""
        book = self._books[symbol]
        book.whole_from = since
        if since > self._clock.now():
            book.quote = None

    def close_bars(self) -> None:
        """Publish every open bar as it stands: the data has ended."""
        for book in self._books.values():
            self._close_bar(book)

    # the unusual

    def _inspect(self, book: Book, trade: Trade) -> None:
        ts = trade.ts
        if not (ts < book.ts or book.day_open <= ts < book.day_end or self._turn_day(book, trade)):
            self.outside += 1
        elif reason := self._objection(book, trade):
            self._quarantine(book, trade, reason)
        elif ts < book.ts:
            self._fold_older(book, trade)
        else:
            self._accept(book, trade)

    def _turn_day(self, book: Book, trade: Trade) -> bool:
        """Make this trade's day the book's; False when the trade lies outside of a session."""
        today = kst_date(trade.ts)
        if not self._calendar.is_trading_day(today):
            return False
        day = self._calendar.trading_day(today)
        if not day.open <= trade.ts < day.close:
            return False
        if book.trade is not None:
            book.base = book.trade.price
        book.day_open, book.day_end = day.open, day.close
        book.begin(today, self._rules, 0 if self._spike else ROUNDED)
        book.strange, book.strange_count = 0, CONFIRM  # the first print of a day may be anywhere inside the band
        return True

    def _objection(self, book: Book, trade: Trade) -> str:
        price = trade.price
        if price <= 0 or trade.qty < 0:
            return "bad-value"
        if book.is_rebased:
            return "halted"
        if book.base and abs(price - book.base) > book.room:
            return "off-band"
        last = book.trade
        if (
            self._spike
            and last is not None
            and abs(price - last.price) * PPB > last.price * self._spike
            and not trade.auction
        ):
            return self._spike_objection(book, price)
        return ""

    def _spike_objection(self, book: Book, price: int) -> str:
        """A far print is set aside until enough prints in a row agree with it."""
        if book.strange_count >= CONFIRM:
            return ""
        return "" if self._agreeing(book, price) >= CONFIRM else "spike"

    def _agreeing(self, book: Book, price: int) -> int:
        """How many strange prints in a row, this one included, stand near each other."""
        near = book.strange and abs(price - book.strange) * PPB <= book.strange * SPIKE
        book.strange_count = book.strange_count + 1 if near else 1
        book.strange = price
        book.floor = EVERYTHING  # the next print is looked at, too
        return book.strange_count

    def _quarantine(self, book: Book, trade: Trade, reason: str) -> None:
        self.quarantined[reason] = self.quarantined.get(reason, 0) + 1
        if reason == "off-band" and book.ts < book.day_open and self._agreeing(book, trade.price) == CONFIRM:
            detail = f"the day begins at {trade.price:,}, off the band of its base {book.base:,}: a split or raw data"
            self.rebase(trade.ts, trade.symbol, detail)
        if reason != "halted":
            self._bus.publish(TickQuarantined(trade.ts, trade.symbol, trade.price, trade.qty, reason))

    def _fold_older(self, book: Book, trade: Trade) -> None:
        if not book.bar_end or trade.ts < book.bar_start:
            self.late += 1
            return
        self.out_of_order += 1
        book.bar_volume += trade.qty
        book.bar_high = max(book.bar_high, trade.price)
        book.bar_low = min(book.bar_low, trade.price)

    def _accept(self, book: Book, trade: Trade) -> None:
        price = trade.price
        if trade.ts >= book.bar_end:
            self._close_bar(book)
            self._open_bar(book, trade)
        book.trade, book.ts = trade, trade.ts
        book.count += 1
        book.strange = book.strange_count = 0
        book.bar_volume += trade.qty
        book.bar_high = max(book.bar_high, price)
        book.bar_low = min(book.bar_low, price)
        touched = book.wake
        book.wake = False
        for owner, low in tuple(book.watches.items()):
            if price <= low:
                del book.watches[owner]
                touched = True
        self._aim(book)
        if touched:
            self._bus.publish(PriceTouched(trade.ts, trade.symbol, price))

    def _aim(self, book: Book) -> None:
        """Set the window of ordinary prices around the last one: inside it no jump can be a spike or touch a watch."""
        if book.trade is None or book.wake or book.is_rebased:
            book.floor = EVERYTHING
            return
        price, spike = book.trade.price, self._spike or 3 * SPIKE
        half = price * spike // (2 * PPB + spike)
        book.floor = max(price - half - 1, *book.watches.values()) if book.watches else price - half - 1
        book.ceiling = price + half + 1
        if book.base:
            book.floor = max(book.floor, book.base - book.room - 1)
            book.ceiling = min(book.ceiling, book.base + book.room + 1)

    # bars

    def _open_bar(self, book: Book, trade: Trade) -> None:
        start = trade.ts - (trade.ts - book.day_open) % self._interval
        book.bar_start, book.bar_end = start, min(start + self._interval, book.day_end)
        if book.bar_end <= book.closed:  # its bar was shown when its time was over, and no bar is shown twice
            book.bar_end, self.late = 0, self.late + 1
            return
        book.bar_open = book.bar_high = book.bar_low = trade.price
        book.bar_volume = 0
        if book.bar_end != self._timer_end:
            self._timer_end = book.bar_end
            self._clock.call_at(book.bar_end + self._grace, self._on_bar_end)

    def _on_bar_end(self, due: int) -> None:
        for book in self._books.values():
            if 0 < book.bar_end <= due - self._grace:
                self._close_bar(book)

    def _close_bar(self, book: Book) -> None:
        end, book.bar_end = book.bar_end, 0
        if not end or book.trade is None:
            return
        book.closed = end
        if book.bar_start >= book.whole_from:
            self.bars += 1
            prices = book.bar_open, book.bar_high, book.bar_low, book.trade.price
            self._bus.publish(Bar(end, book.trade.symbol, book.bar_start, *prices, book.bar_volume))

"""Plays the market: phases, trades and halts reach the broker, the listings and the stream in time order."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Final

from qbtrade.adapters.emulator import records
from qbtrade.adapters.emulator.actions import ACTIONS, Planned, planned
from qbtrade.adapters.emulator.broker import Broker
from qbtrade.adapters.emulator.incidents import INCIDENTS, Incident, incident_at
from qbtrade.adapters.emulator.market import Listing, Vi
from qbtrade.adapters.emulator.plan import Stage
from qbtrade.adapters.emulator.stream import Stream
from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.domain.calendar import MINUTE, NS, Calendar, Phase, kst_date, kst_ns
from qbtrade.domain.events import PhaseChanged, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.errors import UnknownNameError
from qbtrade.kernel.clock import SimClock
from qbtrade.kernel.loop import merge

FRAME_WINDOW: Final = 100_000_000
"""Trades of one stock within this time share a frame, ns."""
EXPECTED_EVERY: Final = 10 * NS
_FRIDAY: Final = 5
_TO_NOON: Final = 180 * MINUTE
_TOLD: Final = {
    Phase.OPENING_AUCTION: "opening",
    Phase.CONTINUOUS: "open",
    Phase.CLOSING_AUCTION: "closing",
    Phase.CLOSED: "close",
}


class Venue:
    """Moves the day on. phase: what the venue does now."""

    def __init__(
        self, clock: SimClock, stage: Stage, listings: Mapping[str, Listing], exchange: SimExchange,
        broker: Broker, stream: Stream, incidents: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self._clock, self._listings, self._exchange = clock, listings, exchange
        self._broker, self._stream = broker, stream
        self.phase = Phase.CLOSED
        self._waiting: dict[str, list[str]] = {}
        self._events = merge([phases(stage.rules.calendar, stage.first, stage.last), stage.events])
        for listing in listings.values():
            listing.open_day(stage.first)
        self._stopped, self._ended = "", ""
        self._actions, self._days = dict[int, list[Planned]](), 1
        for text in incidents:
            if action := planned(text):
                if action.symbol and action.symbol not in listings:
                    raise UnknownNameError("symbol", action.symbol, listings)
                self._actions.setdefault(action.day, []).append(action)
            else:
                name, at = incident_at(text)
                clock.call_at(kst_ns(stage.first, at), partial(self._befall, name))
        self._pull()

    def _pull(self) -> None:
        """Wait for the next event."""
        event = next(self._events, None)
        if event is None:
            return
        if isinstance(event, Trade) and event.auction and event.symbol in self._listings:
            self._listings[event.symbol].expected = self._listings[event.symbol].scaled(event).price
        self._clock.call_at(event.ts, lambda _due: self._play(event))

    def _play(self, event: Event) -> None:
        if isinstance(event, Trade):
            self._on_trade(event)
        elif isinstance(event, PhaseChanged):
            self._on_phase(event)
        elif isinstance(event, SymbolHalted):
            self._on_halted(event)
        elif isinstance(event, SymbolResumed):
            self._on_resumed(event)
        self._pull()

    def _on_trade(self, trade: Trade) -> None:
        listing = self._listings.get(trade.symbol)
        if listing is None or listing.is_halted or not trade.qty or self._stopped:
            return
        trade = listing.scaled(trade)
        told = listing.add(trade)
        self._broker.on_trade(trade)
        if self._stream.wants(records.TRADE, trade.symbol):
            self._wait(trade.symbol).append(records.trade_record(listing, told, self.phase, kst_date(trade.ts)))
        elif self._stream.wants(records.BOOK, trade.symbol):
            self._wait(trade.symbol)

    def _wait(self, symbol: str) -> list[str]:
        """Records of a stock that wait for their frame."""
        if symbol not in self._waiting:
            self._waiting[symbol] = []
            self._clock.call_at(self._clock.now() + FRAME_WINDOW, lambda _due: self._flush(symbol))
        return self._waiting[symbol]

    def _flush(self, symbol: str) -> None:
        self._stream.publish(records.TRADE, symbol, self._waiting.pop(symbol))
        self._show_book(self._listings[symbol])

    def _show_book(self, listing: Listing) -> None:
        symbol, now = listing.instrument.symbol, self._clock.now()
        if self._stream.wants(records.BOOK, symbol):
            self._stream.publish(records.BOOK, symbol, [records.book_record(listing, now, self.phase, kst_date(now))])

    def _befall(self, name: str, due: int) -> None:
        """Let an incident begin; a market that it stops trades again when it ends, or not today."""
        incident, running = INCIDENTS[name], self.phase is Phase.CONTINUOUS and not self._stopped
        if not running:
            return
        if incident.halts:
            self._stop(name)
        self._operate_all(incident.begins)
        if incident.closes:
            today = kst_date(due)
            self._on_phase(PhaseChanged(due, Phase.CLOSED, today.isoformat()))
            self._broker.end_day(today)
            self._ended = today.isoformat()
        else:
            self._clock.call_at(due + incident.lasts, lambda _due: self._be_over(incident))

    def _stop(self, name: str) -> None:
        self._stopped = name
        for symbol, listing in self._listings.items():
            listing.halt = "circuit-breaker"
            self._exchange.halt(symbol)

    def _be_over(self, incident: Incident) -> None:
        if incident.halts:
            self._go_on()
        self._operate_all(incident.ends)

    def _go_on(self) -> None:
        self._stopped = ""
        for symbol, listing in self._listings.items():
            listing.halt = ""
            self._exchange.resume(symbol)

    def _operate_all(self, event: str) -> None:
        for listing in self._listings.values():
            self._operate(listing, event, "")

    def _on_phase(self, event: PhaseChanged) -> None:
        if event.day == self._ended:
            return
        if self._ended and self._stopped:
            self._go_on()
        self.phase = event.phase
        day = date.fromisoformat(event.day)
        if any(listing.day != day for listing in self._listings.values()):
            self._days += 1
            self._act(day)
        for listing in self._listings.values():
            if listing.day != day:
                listing.open_day(day)
            self._operate(listing, records.EVENTS[_TOLD.get(event.phase, "close")], "")
        self._broker.on_phase(event.phase)
        if event.phase in {Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION}:
            self._expect(event.phase)
        if event.phase is Phase.CONTINUOUS and day.isoweekday() == _FRIDAY:
            self._clock.call_at(event.ts + _TO_NOON, lambda _due: self._stream.restart())

    def _act(self, day: date) -> None:
        """Before a day opens: what has become of the shares overnight."""
        for name, _day, which in self._actions.get(self._days, ()):
            for symbol in (which,) if which else tuple(self._listings):
                self._listings[symbol].rebase(day, ACTIONS[name].price)
                self._broker.exchange_shares(symbol, ACTIONS[name].shares)

    def _expect(self, phase: Phase) -> None:
        """Show the expected price as long as an auction gathers orders."""
        if self.phase is phase:
            for listing in self._listings.values():
                self._show_book(listing)
            self._clock.call_at(self._clock.now() + EXPECTED_EVERY, lambda _due: self._expect(phase))

    def _on_halted(self, event: SymbolHalted) -> None:
        listing = self._listings[event.symbol]
        reference, listing.halt = listing.vi_reference, event.reason
        if listing.is_interrupted:
            listing.interruptions.append(Vi(event.ts, listing.last, reference))
        self._exchange.halt(event.symbol)
        self._operate(listing, records.EVENTS.get(event.reason, ""), event.detail)
        self._show_interruption(listing)

    def _show_interruption(self, listing: Listing) -> None:
        if listing.is_interrupted:
            self._show_book(listing)
            self._clock.call_at(self._clock.now() + EXPECTED_EVERY, lambda _due: self._show_interruption(listing))

    def _on_resumed(self, event: SymbolResumed) -> None:
        listing = self._listings[event.symbol]
        if listing.is_interrupted:
            listing.interruptions[-1].ended = event.ts
        listing.halt = ""
        self._exchange.resume(event.symbol)
        self._operate(listing, records.EVENTS.get(f"{event.reason}-ended", ""), "")

    def _operate(self, listing: Listing, event: str, reason: str) -> None:
        symbol = listing.instrument.symbol
        if self._stream.wants(records.OPERATION, symbol):
            record = records.operation_record(listing, event, reason, kst_date(self._clock.now()))
            self._stream.publish(records.OPERATION, symbol, [record])


def phases(calendar: Calendar, first: date, last: date) -> Iterator[PhaseChanged]:
    """Every change of phase of the trading days from first to last."""
    day = first
    while day <= last:
        spans = calendar.trading_day(day).spans
        for span, following in pairwise((*spans, None)):
            if span:
                yield PhaseChanged(span.start, span.phase, day.isoformat())
                if following is None or following.start > span.end:
                    yield PhaseChanged(span.end, Phase.CLOSED, day.isoformat())
        if day == last:
            return
        day = calendar.next_day(day)

"""The simulated broker: the Broker port over the simulated exchange, on a bus and a clock."""

from collections.abc import Sequence

from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import Latency
from qbtrade.domain.events import PhaseChanged, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Clock, MarketView


class SimBroker:
    """Carries requests to the exchange after a delay, and prints at once. Subscribe market data to trades before it."""

    def __init__(self, bus: Bus, clock: Clock, market: MarketView, exchange: SimExchange, latency: Latency) -> None:
        self._bus, self._clock, self._market, self._exchange, self._latency = bus, clock, market, exchange, latency
        self._books = exchange.books
        bus.subscribe(Trade, self.on_trade)
        bus.subscribe(PhaseChanged, self.on_phase_changed)
        bus.subscribe(SymbolHalted, self.on_symbol_halted)
        bus.subscribe(SymbolResumed, self.on_symbol_resumed)

    def submit(self, order: OrderRequest) -> None:
        """Hand over once; the answer comes as events after the latency."""
        self._clock.call_at(self._latency.arrival(self._clock.now()), lambda due: self._arrive(due, order))

    def cancel(self, order_id: str) -> None:
        """Ask to cancel what remains; the answer comes as an event after the latency."""
        due = self._latency.arrival(self._clock.now())
        self._clock.call_at(due, lambda due: self._publish(self._exchange.cancel(due, order_id)))

    def last_number(self) -> str:
        """The exchange's newest."""
        return self._exchange.last_number

    def on_trade(self, trade: Trade) -> None:
        """Match the print unless market data set it aside."""
        if not self._books.get(trade.symbol):
            return
        if self._market.last(trade.symbol) is trade:
            self._publish(self._exchange.on_trade(trade))

    def on_phase_changed(self, event: PhaseChanged) -> None:
        """Move the exchange's day on."""
        self._publish(self._exchange.on_phase(event.ts, event.phase))

    def on_symbol_halted(self, event: SymbolHalted) -> None:
        """Stop matching the symbol."""
        self._exchange.halt(event.symbol)

    def on_symbol_resumed(self, event: SymbolResumed) -> None:
        """Match the symbol again."""
        self._exchange.resume(event.symbol)

    def _arrive(self, due: int, order: OrderRequest) -> None:
        market, symbol = self._market, order.symbol
        self._publish(self._exchange.submit(due, order, market.band(symbol), market.ticks(symbol), market.last(symbol)))

    def _publish(self, outputs: Sequence[Event]) -> None:
        for event in outputs:
            self._bus.publish(event)

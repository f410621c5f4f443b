"""How long things took, the newest of each: from signal to order, from order to answer, from acceptance to fill."""

from qbtrade.domain.events import OrderAccepted, OrderFilled, OrderSending, Signal
from qbtrade.kernel.bus import Bus
from qbtrade.ports import PacedClock


class Latency:
    """Figures in ns of machine time, -1 where there was none yet. Subscribe it behind the engines."""

    def __init__(self, bus: Bus, clock: PacedClock) -> None:
        self._clock = clock
        self.to_order = self.to_ack = self.to_fill = -1
        self._signals: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self._accepted: dict[str, int] = {}
        bus.subscribe(Signal, self.on_signal)
        bus.subscribe(OrderSending, self.on_sending)
        bus.subscribe(OrderAccepted, self.on_accepted)
        bus.subscribe(OrderFilled, self.on_filled)

    def on_signal(self, event: Signal) -> None:
        """A wish begins."""
        self._signals[event.symbol] = self._clock.now()

    def on_sending(self, event: OrderSending) -> None:
        """The order left."""
        self._sent[event.order.order_id] = self._clock.now()
        if (began := self._signals.pop(event.order.symbol, 0)) and self._sent:
            self.to_order = self._since(began)

    def on_accepted(self, event: OrderAccepted) -> None:
        """The broker answered."""
        if sent := self._sent.pop(event.order_id, 0):
            self.to_ack = self._since(sent)
        self._accepted[event.order_id] = self._clock.now()

    def on_filled(self, event: OrderFilled) -> None:
        """The first fill of an order."""
        if accepted := self._accepted.pop(event.order_id, 0):
            self.to_fill = self._since(accepted)

    def _since(self, then: int) -> int:
        return (self._clock.now() - then) // self._clock.speed

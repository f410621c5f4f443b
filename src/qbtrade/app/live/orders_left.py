"""The orders of one journal: which have no known end, what the book has of their fills, and who named their numbers."""

from msgspec.structs import replace

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side

ENDINGS = (ev.OrderRejected, ev.OrderNotSent, ev.OrderCanceled, ev.OrderExpired, ev.OrderDenied)
"""What ends an order for good; one that was given up may still turn up on its day."""


class OrdersLeft:
    """Reads rows, oldest first. qty, amount: shares and KRW of the fills that the book has; bought: KRW of its buys.

    answered: numbers that the broker named when it took an order, not those that were found. A process may end between
    the row of a fill and that of its booking; such a fill is to be booked from what the broker tells.
    """

    def __init__(self, started: ev.SessionStarted) -> None:
        self.qty = self.amount = self.bought = 0
        self.answered = set(started.answered)
        self._settled = started.settled
        self._orders = {left.order_id: left for left in started.leftovers}
        self._ended, self._unsure = set[str](), set(self._orders)
        self._unbooked = list[ev.OrderFilled]()

    def read(self, event: Event) -> None:
        """Look at the next row."""
        match event:
            case ev.OrderSending() if event.order.order_id not in self._orders:
                left = ev.Leftover(event.order.order_id, event.order, event.ts, after=event.after)
                self._orders[left.order_id] = left
            case ev.OrderResolved(number=""):
                self._ended.add(event.order_id)
            case ev.OrderUnconfirmed():
                self._unsure.add(event.order_id)
            case ev.OrderAccepted():
                self._accept(event.order_id, event.broker_order_id)
            case ev.OrderFilled():
                self._unbooked.append(event)
            case ev.PositionChanged():
                self._book(event.order_id)
            case ev.Alert(code="oversold") if self._unbooked:  # what was sold beyond what was held gets into no book
                self._book(self._unbooked[0].order_id)
            case _other:
                if isinstance(event, ENDINGS):
                    self._ended.add(event.order_id)

    def _accept(self, order_id: str, number: str) -> None:
        self._ended.discard(order_id)  # it turned up after all
        self._orders[order_id] = replace(self._orders[order_id], number=number)
        if order_id not in self._unsure:
            self.answered.add(number)

    def _book(self, order_id: str) -> None:
        """The book has the oldest fill of an order."""
        fill = next((each for each in self._unbooked if each.order_id == order_id), None)
        if fill is None:
            return
        self._unbooked.remove(fill)
        left, amount = self._orders[order_id], fill.price * fill.qty
        self._orders[order_id] = replace(left, filled=left.filled + fill.qty, amount=left.amount + amount)
        self.qty, self.amount = self.qty + fill.qty, self.amount + amount
        self.bought += amount if fill.side is Side.BUY else 0

    def open(self) -> list[ev.Leftover]:
        """Those without an end, or with a fill that the book lacks."""
        ended = self._ended - {fill.order_id for fill in self._unbooked}
        return [left for order_id, left in self._orders.items() if order_id not in ended and left.remaining > 0]

    def numbers(self) -> frozenset[str]:
        """The broker's, of all of them and of those before."""
        return frozenset(self._settled) | {left.number for left in self._orders.values() if left.number}

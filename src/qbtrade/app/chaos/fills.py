"""Follows what a session writes, and names every fill that KIS had not made when it was booked."""

from collections.abc import Callable, Iterable, Iterator

from qbtrade.adapters.emulator.orders import Entry
from qbtrade.app.chaos.disk import VirtualJournal
from qbtrade.domain.events import OrderAccepted, OrderFilled, SessionStarted


class Fills:
    """One process at a time. entries: the orders that KIS has now."""

    def __init__(self, entries: Callable[[], Iterable[Entry]]) -> None:
        self._entries = entries
        self.born()

    def born(self) -> None:
        """A new process begins, with a journal of its own."""
        self._read = 0
        self._numbers: dict[str, str] = {}
        self._booked: dict[str, int] = {}

    def invented(self, journal: VirtualJournal) -> Iterator[str]:
        """Fills among the rows that are new, beyond what KIS has filled of their order by now."""
        rows, self._read = journal.rows[self._read :], len(journal.rows)
        changed = set[str]()
        for row in rows:
            match row:
                case SessionStarted():
                    self._booked = {left.order_id: left.filled for left in row.leftovers}
                case OrderAccepted(order_id=order_id, broker_order_id=number):
                    self._numbers[order_id] = number
                    changed.add(order_id)
                case OrderFilled(order_id=order_id, qty=qty):
                    self._booked[order_id] = self._booked.get(order_id, 0) + qty
                    changed.add(order_id)
                case _other:
                    pass
        filled = {str(entry.number): entry.filled for entry in self._entries()} if changed else {}
        for order_id in sorted(changed & self._numbers.keys()):
            booked, at_kis = self._booked.get(order_id, 0), filled.get(self._numbers[order_id], 0)
            if booked > at_kis:
                yield f"{booked} shares of order {order_id} were booked when KIS had filled {at_kis}"

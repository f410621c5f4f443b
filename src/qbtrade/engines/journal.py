"""Decides what is written down, and when. Subscribed before every other engine."""

from typing import Final

from qbtrade.domain.events import (
    Alert,
    EquityMarked,
    Heartbeat,
    JournalLost,
    Level,
    OrderApproved,
    OrderCanceling,
    OrderNotSent,
    OrderSending,
    PhaseChanged,
    PriceTouched,
    SessionEnded,
    SubmitOrder,
    type_of,
)
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import GUARDING, OrderRequest
from qbtrade.errors import JournalError
from qbtrade.ports import Broker, Clock, JournalStore, Publisher

NOT_WRITTEN = frozenset({Trade, Quote, Bar, PriceTouched, Heartbeat})
WRITTEN: tuple[type[Event], ...] = tuple(cls for cls in type_of.values() if cls not in NOT_WRITTEN)
MARK_EVERY = 60_000_000_000
UNPROTECTED: Final = "unprotected"
WHOLE_AGAIN: Final = "journal-whole"


class Journal:
    """Collects events of consequence and appends them in batches.

    durable: an intent (OrderSending, OrderCanceling) is on disk before its event reaches the next subscriber, and a
    store that refuses rows does not end the session: it is halted, and what may still go out is rescued. A
    rehearsal, which sends nothing anywhere, writes batches of `batch` rows instead, and ends. Equity marks are thinned
    to one a minute. trouble: why rows are not on disk now, or "".
    """

    def __init__(self, store: JournalStore, bus: Publisher, *, durable: bool, batch: int = 512) -> None:
        self._store, self._bus, self._durable, self._batch = store, bus, durable, batch
        self.trouble = ""
        self._rows: list[Event] = []
        self._written = 0
        self._unkept: set[str] = set()  # orders whose intent is nowhere on disk
        self._alarmed: set[tuple[str, int]] = set()
        self._last_mark = 0
        self._mark: EquityMarked | None = None

    def is_kept(self, order_id: str) -> bool:
        """Whether the intent of this order may lead to a request: it is on disk, or need not be."""
        return order_id not in self._unkept

    def on_event(self, event: Event) -> None:
        """Write one event down, now or with the next batch."""
        self._add(event)
        if len(self._rows) >= self._batch and not self.trouble:
            self.flush()

    def on_intent(self, event: OrderSending | OrderCanceling) -> None:
        """Write an intent down before anything leaves; a cancel goes out in any case."""
        self._add(event)
        if not self._durable:
            if len(self._rows) >= self._batch:
                self.flush()
            return
        if not self.trouble:
            self.flush(durable=True)
        if self.trouble and isinstance(event, OrderSending):
            self._secure(event)

    def on_mark(self, event: EquityMarked) -> None:
        """Keep one mark a minute; the newest of the others is written when the phase changes or the session ends."""
        if event.ts - self._last_mark >= MARK_EVERY:
            self._last_mark, self._mark = event.ts, None
            self.on_event(event)
        else:
            self._mark = event

    def on_ended(self, event: SessionEnded) -> None:
        """The last row, and everything before it, on disk."""
        self._catch_up()
        self._add(event)
        self.flush(durable=True)

    def on_phase(self, event: PhaseChanged) -> None:
        """The newest mark goes first, so that no day lacks its last one."""
        self._catch_up()
        self.on_event(event)

    def _catch_up(self) -> None:
        if self._mark is not None:
            self._rows.append(self._mark)
            self._mark = None

    def flush(self, *, durable: bool = False) -> None:
        """Append what has been collected; what is refused is kept, and tried again with the next flush.

        Raises: JournalError in a rehearsal.
        """
        if not self._rows:
            return
        try:
            self._store.append(self._rows, durable=durable or bool(self.trouble))
        except JournalError as error:
            if not self._durable:
                raise
            self._lose(error)
            return
        self._written += len(self._rows)
        last, self._rows = self._rows[-1], []
        if self.trouble:
            self.trouble = ""
            text = "the journal can be written again, and lacks nothing; trading stays halted"
            self._bus.publish(
                Alert(last.ts, Level.WARNING, "journal-whole", text, "end this session and start qb again")
            )

    # when the store refuses

    def _lose(self, error: JournalError) -> None:
        if not self.trouble:
            self.trouble = error.message
            self._rescue(self._rows, vital=False)
            self._bus.publish(JournalLost(self._rows[-1].ts, self.trouble))

    def _add(self, event: Event) -> None:
        self._rows.append(event)
        if self.trouble:
            self._rescue([event], vital=_is_protective(event))

    def _rescue(self, newest: list[Event], *, vital: bool) -> bool:
        """Put the newest rows into the emergency file, but for marks, which are many and tell nothing that is lost."""
        first = self._written + len(self._rows) - len(newest) + 1
        rows = [each for each in enumerate(newest, first) if not isinstance(each[1], EquityMarked)]
        try:
            self._store.rescue(rows, vital=vital)
        except JournalError:
            return False
        return True

    def _secure(self, event: OrderSending) -> None:
        """Let a protective sell go when a line of it is on disk, and no other order."""
        order = event.order
        if _is_protective(event) and self._rescue([event], vital=True):
            return
        self._unkept.add(order.order_id)
        if _is_protective(event) and (order.symbol, order.qty) not in self._alarmed:
            self._alarmed.add((order.symbol, order.qty))
            text = f"{order.symbol}: {order.qty:,} shares cannot be sold, since nothing can be written to disk any more"
            self._bus.publish(Alert(event.ts, Level.CRITICAL, UNPROTECTED, text, "sell them in the KIS app, now"))


def _is_protective(event: Event) -> bool:
    return isinstance(event, SubmitOrder | OrderApproved | OrderSending) and event.order.purpose in GUARDING


class IntentGate:
    """Hands an order to the broker when its intent is on disk, and else says that it was not sent."""

    def __init__(self, bus: Publisher, clock: Clock, journal: Journal, broker: Broker) -> None:
        self._bus, self._clock, self._journal, self._broker = bus, clock, journal, broker

    def submit(self, order: OrderRequest) -> None:
        """Hand it over once, or not at all."""
        if self._journal.is_kept(order.order_id):
            self._broker.submit(order)
        else:
            reason = "it could not be written down"
            self._bus.publish(OrderNotSent(self._clock.now(), order.order_id, reason))

    def last_number(self) -> str:
        """The broker's."""
        return self._broker.last_number()

    def cancel(self, order_id: str) -> None:
        """A cancel needs no line of its own."""
        self._broker.cancel(order_id)

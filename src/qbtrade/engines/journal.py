"""Decides what is written down, and when. Subscribed before every other engine."""

from qbtrade.domain.events import (
    EquityMarked,
    Heartbeat,
    OrderCanceling,
    OrderSending,
    PhaseChanged,
    PriceTouched,
    SessionEnded,
    type_of,
)
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.ports import JournalStore

NOT_WRITTEN = frozenset({Trade, Quote, Bar, PriceTouched, Heartbeat})
WRITTEN: tuple[type[Event], ...] = tuple(cls for cls in type_of.values() if cls not in NOT_WRITTEN)
MARK_EVERY = 60_000_000_000


class Journal:
    """Collects events of consequence and appends them in batches.

    durable: an intent (OrderSending, OrderCanceling) is on disk before its event reaches the next subscriber. A
    rehearsal, which sends nothing anywhere, writes batches of `batch` rows instead. Equity marks are thinned to one a
    minute.
    """

    def __init__(self, store: JournalStore, *, durable: bool, batch: int = 512) -> None:
        self._store, self._durable, self._batch = store, durable, batch
        self._rows: list[Event] = []
        self._last_mark = 0
        self._mark: EquityMarked | None = None

    def on_event(self, event: Event) -> None:
        """Write one event down, now or with the next batch."""
        self._rows.append(event)
        if len(self._rows) >= self._batch:
            self.flush()

    def on_intent(self, event: OrderSending | OrderCanceling) -> None:
        """Write an intent down before anything leaves."""
        self._rows.append(event)
        if self._durable:
            self.flush(durable=True)
        elif len(self._rows) >= self._batch:
            self.flush()

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
        self._rows.append(event)
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
        """Append what has been collected."""
        if self._rows:
            rows, self._rows = self._rows, []
            self._store.append(rows, durable=durable)

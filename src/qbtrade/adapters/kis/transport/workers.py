"""The threads that do HTTP."""

import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Final

import requests

from qbtrade.adapters.kis.events import HttpDone
from qbtrade.adapters.kis.http import ConnectFailed, Heeds, HttpOutcome, HttpRequest
from qbtrade.adapters.kis.transport.exchange import Line, exchange, new_session
from qbtrade.domain.calendar import NS
from qbtrade.errors import QbError
from qbtrade.kernel.clock import Stopwatch
from qbtrade.kernel.loop import Inbox
from qbtrade.ports import Clock

CUT: Final = 5.0
"""Machine seconds that a thread may take to end."""

Gate = Callable[[Heeds], AbstractContextManager[str]]
"""Asked right before a request leaves, and held while it is on its way: why it may not leave, or ""."""


def open_gate(_heeds: Heeds) -> AbstractContextManager[str]:
    """Nobody objects."""
    return nullcontext("")


class _Orders:
    """Orders that wait for a thread, urgent ones first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._urgent: deque[tuple[HttpRequest, Stopwatch]] = deque()
        self._others: deque[tuple[HttpRequest, Stopwatch]] = deque()
        self._is_over = False

    def put(self, request: HttpRequest) -> None:
        """Let it wait."""
        with self._changed:
            (self._urgent if request.is_urgent else self._others).append((request, Stopwatch()))
            self._changed.notify_all()

    def take(self, *, urgent_alone: bool) -> tuple[HttpRequest, Stopwatch] | None:
        """The next one, and for how long it has waited; None when nothing comes any more."""
        lines = (self._urgent,) if urgent_alone else (self._urgent, self._others)
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or any(lines))
            line = next(filter(None, lines), None)
            return line.popleft() if line else None

    def end(self) -> None:
        """Nothing comes any more; what waits is still taken."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


class HttpWorkers:
    """Threads that do HTTP. Reads share connections; each order gets a fresh one, and its own threads.

    Every request handed over ends in exactly one `HttpDone` in the inbox. An order that finds no thread in its time is
    not sent; one sender more is kept for cancels and protective sells.
    """

    def __init__(
        self, inbox: Inbox, clock: Clock, *, readers: int = 2, senders: int = 4, gate: Gate = open_gate
    ) -> None:
        self._inbox, self._clock, self._gate = inbox, clock, gate
        self._reads: queue.SimpleQueue[HttpRequest | None] = queue.SimpleQueue()
        self._orders = _Orders()
        self._lines: dict[int, Line] = {}
        self._is_over, self._held = False, ""
        work = [(self._read, f"qb-http-{n}") for n in range(readers)]
        work += [(self._order, f"qb-order-{n}") for n in range(senders)]
        work += [(self._urgent, "qb-order-urgent")]
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for run, name in work]
        for thread in self._threads:
            thread.start()

    def send(self, request: HttpRequest) -> None:
        """Hand over one request; returns at once."""
        (self._orders if request.once else self._reads).put(request)

    def hold(self, why: str) -> None:
        """Let no order leave that heeds a halt, also none that waits for a thread; "" lets them go again."""
        self._held = why

    def close(self, patience: float = CUT) -> bool:
        """Finish what was handed over, cut off what takes longer, and end the threads; True when all have ended."""
        self._orders.end()
        for thread in self._threads:
            if thread.name.startswith("qb-http"):
                self._reads.put(None)
        self._join(patience)
        self._is_over = True
        for line in list(self._lines.values()):
            line.cut()
        self._join(CUT)
        return not any(thread.is_alive() for thread in self._threads)

    def _join(self, patience: float) -> None:
        watch = Stopwatch()
        for thread in self._threads:
            thread.join(max(patience - watch.seconds(), 0))

    def _read(self) -> None:
        with new_session() as session:
            while (request := self._reads.get()) is not None:
                self._serve(session, request)

    def _order(self, *, urgent_alone: bool = False) -> None:
        while (taken := self._orders.take(urgent_alone=urgent_alone)) is not None:
            with new_session() as session:
                self._serve(session, *taken)

    def _urgent(self) -> None:
        self._order(urgent_alone=True)

    def _serve(self, session: requests.Session, request: HttpRequest, waited: Stopwatch | None = None) -> None:
        outcome: HttpOutcome = ConnectFailed("closing" if self._is_over else "this machine could not send it")
        if not self._is_over:
            with suppress(OSError, QbError), self._gate(request.heeds) as objection:
                is_late = waited is not None and 0 < request.wait_ns < waited.seconds() * NS
                why = "it waited too long for a free thread" if is_late else objection
                why = why or (self._held if request.heeds == "halt" else "")
                outcome = ConnectFailed(why) if why else self._exchange(session, request)
        self._inbox.put(HttpDone(self._clock.now(), request.request_id, outcome))

    def _exchange(self, session: requests.Session, request: HttpRequest) -> HttpOutcome:
        line = self._lines[request.request_id] = Line()
        outcome = exchange(session, request, line)
        del self._lines[request.request_id]
        return outcome

"""The threads that do HTTP."""

import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import requests

from qbtrade.adapters.kis.events import HttpDone
from qbtrade.adapters.kis.http import ConnectFailed, Heeds, HttpOutcome, HttpRequest
from qbtrade.adapters.kis.transport.exchange import Line, exchange, new_session
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


class HttpWorkers:
    """Threads that do HTTP. Reads share connections; each order gets a fresh one, and its own threads.

    Every request handed over ends in exactly one `HttpDone` in the inbox.
    """

    def __init__(
        self, inbox: Inbox, clock: Clock, *, readers: int = 2, senders: int = 4, gate: Gate = open_gate
    ) -> None:
        self._inbox, self._clock, self._gate = inbox, clock, gate
        self._reads: queue.SimpleQueue[HttpRequest | None] = queue.SimpleQueue()
        self._orders: queue.SimpleQueue[HttpRequest | None] = queue.SimpleQueue()
        self._lines: dict[int, Line] = {}
        self._is_over = False
        work = [(self._read, f"qb-http-{n}") for n in range(readers)]
        work += [(self._order, f"qb-order-{n}") for n in range(senders)]
        self._threads = [threading.Thread(target=run, name=name, daemon=True) for run, name in work]
        for thread in self._threads:
            thread.start()

    def send(self, request: HttpRequest) -> None:
        """Hand over one request; returns at once."""
        (self._orders if request.once else self._reads).put(request)

    def close(self, patience: float = CUT) -> bool:
        """Finish what was handed over, cut off what takes longer, and end the threads; True when all have ended."""
        for thread in self._threads:
            (self._reads if thread.name.startswith("qb-http") else self._orders).put(None)
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

    def _order(self) -> None:
        while True:
            with new_session() as session:
                request = self._orders.get()
                if request is None:
                    return
                self._serve(session, request)

    def _serve(self, session: requests.Session, request: HttpRequest) -> None:
        outcome: HttpOutcome = ConnectFailed("closing")
        if not self._is_over:
            with self._gate(request.heeds) as objection:
                outcome = ConnectFailed(objection) if objection else self._exchange(session, request)
        self._inbox.put(HttpDone(self._clock.now(), request.request_id, outcome))

    def _exchange(self, session: requests.Session, request: HttpRequest) -> HttpOutcome:
        line = self._lines[request.request_id] = Line()
        outcome = exchange(session, request, line)
        del self._lines[request.request_id]
        return outcome

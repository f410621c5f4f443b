"""Joins the REST client to bus, clock and threads: whoever asks is called back on the kernel thread."""

from collections.abc import Callable
from itertools import count
from typing import Any, Protocol, TypeVar

from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.events import HttpDone
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.adapters.kis.limiter import Budget
from qbtrade.adapters.kis.outcomes import Alarm, Answer, Failed, OrderOutcome, Output, Send, WakeAt
from qbtrade.adapters.kis.parse.orders import OrderAck
from qbtrade.adapters.kis.rest import Rest
from qbtrade.domain.events import Alert, Level
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import FOREVER
from qbtrade.ports import Clock, TimerHandle

T = TypeVar("T")


class Outbox(Protocol):
    """Takes requests; each ends in one HttpDone in the inbox."""

    def send(self, request: HttpRequest) -> None:
        """Hand over one request; returns at once."""
        ...

    def hold(self, why: str) -> None:
        """Let no order leave that heeds a halt, not even one that was handed over; "" lets them go again."""
        ...


class Caller:
    """Asks KIS and remembers who wanted to know."""

    def __init__(self, bus: Bus, clock: Clock, rest: Rest, outbox: Outbox) -> None:
        self._bus, self._clock, self._rest, self._outbox = bus, clock, rest, outbox
        self._asked: dict[str, Callable[[Any], None]] = {}
        self._numbers = count(1)
        self._timer: TimerHandle | None = None
        self._wakes_at = FOREVER
        bus.subscribe(HttpDone, self.on_done)

    def ask(self, call: Call[T], then: Callable[[T | Failed], None]) -> None:
        """Ask a question; `then` gets its answer, or why there is none. It may be called before this returns."""
        self._take(call, then)

    def order(self, call: Call[OrderAck], then: Callable[[OrderOutcome], None]) -> None:
        """Send an order or a cancel, once; `then` gets what became of it."""
        self._take(call, then)

    def hold(self, why: str) -> None:
        """Hold back what a halt stops and has not left yet: it is not sent. why: words, "" when it may go again."""
        self._outbox.hold(why)
        self._do(self._rest.hold(self._clock.now(), why))

    def on_done(self, event: HttpDone) -> None:
        """An exchange is over."""
        self._do(self._rest.on_reply(self._clock.now(), event.request_id, event.outcome))

    def budget(self) -> Budget:
        """How much of the calls per second is used."""
        return self._rest.budget(self._clock.now())

    def under_way(self) -> int:
        """Calls that wait or were sent."""
        return self._rest.under_way()

    def _take(self, call: Call[Any], then: Callable[[Any], None]) -> None:
        call_id = f"{call.name} {next(self._numbers)}"
        self._asked[call_id] = then
        self._do(self._rest.ask(self._clock.now(), call_id, call))

    def _do(self, outputs: list[Output]) -> None:
        """Send first; an answer may lead to the next question."""
        answers = list[Answer]()
        for output in outputs:
            match output:
                case Send(request=request):
                    self._outbox.send(request)
                case WakeAt(ts=ts):
                    self._wake_at(ts)
                case Answer():
                    answers.append(output)
                case Alarm(code=code, message=message, action=action):
                    self._bus.publish(Alert(self._clock.now(), Level.CRITICAL, code, message, action))
        for answer in answers:
            self._asked.pop(answer.call_id)(answer.result)

    def _wake_at(self, ts: int) -> None:
        if ts == self._wakes_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = ts
        self._timer = self._clock.call_at(ts, self._wake)

    def _wake(self, _due: int) -> None:
        self._wakes_at = FOREVER
        self._do(self._rest.on_timer(self._clock.now()))

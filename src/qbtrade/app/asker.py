"""Asks KIS one question at a time and waits for the answer; for commands that have no loop."""

from collections import deque
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from qbtrade.adapters.kis.auth import Auth, TokenStore
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.adapters.kis.http import HttpOutcome, HttpReply, HttpRequest
from qbtrade.adapters.kis.limiter import Budget, GrantStore, Limiter
from qbtrade.adapters.kis.outcomes import Alarm, Answer, Failed, Output, Send, WakeAt
from qbtrade.adapters.kis.rest import Rest
from qbtrade.domain.calendar import NS
from qbtrade.kernel.clock import LiveClock, sleep

T = TypeVar("T")
PATIENCE: Final = 5 * NS
"""Machine time that a question may wait for its turn."""
NAP: Final = 0.05


class Asker:
    """One client without a loop. exchange: does one HTTP exchange and waits for it.

    alarms: what a person must know. skew: the server's clock less ours, ns, by the last answer; None before one.
    """

    def __init__(
        self,
        environment: Environment,
        clock: LiveClock,
        tokens: TokenStore,
        grants: GrantStore,
        exchange: Callable[[HttpRequest], HttpOutcome],
    ) -> None:
        self._clock, self._exchange = clock, exchange
        self._auth = Auth(environment, tokens)
        self._rest = Rest(environment, self._auth, Limiter(environment.limits, grants), Random(environment.key_id))
        self._asked = 0
        self._due = 0
        self.alarms: list[Alarm] = []
        self.skew: int | None = None

    def ask(self, call: Call[T]) -> T | Failed:
        """The answer, or why there is none. Takes as long as the call's tries and the call budget need."""
        self._asked += 1
        call_id = str(self._asked)
        patient = msgspec.structs.replace(call, patience=min(call.patience, PATIENCE * self._clock.speed))
        self._due = 0
        todo: deque[Output] = deque(self._rest.ask(self._clock.now(), call_id, patient))
        while True:
            while todo:
                output = todo.popleft()
                if isinstance(output, Answer) and output.call_id == call_id:
                    found: T | Failed = output.result
                    return found
                todo.extend(self._do(output))
            todo.extend(self._rested())

    def token(self) -> Secret | None:
        """The access token in use, if there is one."""
        return self._auth.token(self._clock.now())

    def token_expires(self) -> int:
        """When it ends, UTC ns; 0 without one."""
        return self._auth.expires()

    def token_trouble(self) -> str:
        """Why there is no token."""
        return self._auth.stopped or self._auth.trouble

    def budget(self) -> Budget:
        """How many calls of the window are used."""
        return self._rest.budget(self._clock.now())

    def _do(self, output: Output) -> Iterable[Output]:
        match output:
            case Send(request):
                outcome = self._exchange(request)
                if isinstance(outcome, HttpReply):
                    self._compare(outcome)
                return self._rest.on_reply(self._clock.now(), request.request_id, outcome)
            case WakeAt(ts):
                self._due = ts
            case Alarm():
                self.alarms.append(output)
            case Answer():
                pass
        return ()

    def _rested(self) -> Iterable[Output]:
        """Let time pass until the client wants to go on."""
        wait = (self._due - self._clock.now()) / self._clock.speed / NS
        if wait > 0:
            sleep(min(wait, NAP))
            return ()
        return self._rest.on_timer(self._clock.now())

    def _compare(self, reply: HttpReply) -> None:
        """Source: the Date header, in whole seconds; half a second is what it cuts off on average."""
        try:
            told: Any = parsedate_to_datetime(reply.headers.get("date", ""))
            self.skew = int(told.timestamp()) * NS + NS // 2 - self._clock.now()
        except (ValueError, OverflowError):
            pass

"""Asks KIS one question at a time and waits for the answer; for commands that have no loop."""

from collections import deque
from collections.abc import Callable, Iterable
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from qbtrade.adapters.kis.auth import Auth, TokenStore
from qbtrade.adapters.kis.call import Call, CallKind
from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.adapters.kis.http import HttpOutcome, HttpReply, HttpRequest
from qbtrade.adapters.kis.limiter import Budget, GrantStore, Limiter
from qbtrade.adapters.kis.outcomes import Alarm, Answer, Failed, Output, Send, WakeAt
from qbtrade.adapters.kis.rest import Rest
from qbtrade.domain.calendar import NS
from qbtrade.kernel.clock import LiveClock, sleep

T = TypeVar("T")
PATIENCE: Final = 5 * NS
"""Of somebody who waits at the screen."""
NAP: Final = 0.05


class Asker:
    """One client without a loop. exchange: does one HTTP exchange and waits for it.

    patience: machine time that a question may wait for its turn, ns.
    alarms: what a person must know. skew: the server's clock less ours, ns, by the last answer; None before one.
    silence: why nothing more is asked, "" while KIS may answer: the first request of all met nobody.
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
        self.patience = PATIENCE
        self._auth = Auth(environment, tokens)
        limiter, rng = Limiter(environment.limits, grants), Random(environment.key_id)
        self._rest = Rest(environment, self._auth, limiter, rng, speed=clock.speed)
        self._asked = 0
        self._due = 0
        self.alarms: list[Alarm] = []
        self.skew: int | None = None
        self.silence = ""
        self._replied = False
        self._no_token = ""

    def ask(self, call: Call[T]) -> T | Failed:
        """The answer, or why there is none. Takes as long as the call's tries and the call budget need.

        Nobody waits for what cannot come: a KIS that does not answer at all, a token that it did not give.
        """
        if self._hopeless(call):
            return Failed(self._hopeless(call))
        self._asked += 1
        call_id = str(self._asked)
        patient = msgspec.structs.replace(call, patience=min(call.patience, self.patience))
        self._due = 0
        todo: deque[Output] = deque(self._rest.ask(self._clock.now(), call_id, patient))
        while True:
            while todo:
                output = todo.popleft()
                if isinstance(output, Answer) and output.call_id == call_id:
                    found: T | Failed = output.result
                    self._learn(found)
                    return found
                todo.extend(self._do(output))
            if self._hopeless(call):
                self._rest.forget(call_id)
                return Failed(self._hopeless(call))
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
                    self._replied = True
                    self._compare(outcome)
                elif not self._replied:
                    self.silence = outcome.reason
                further = self._rest.on_reply(self._clock.now(), request.request_id, outcome)
                now = self._clock.now()
                if self.token() is None and self._auth.due(now, quiet=True) > now:
                    self._no_token = self.token_trouble()  # it was asked for, and did not come
                return further
            case WakeAt(ts):
                self._due = ts
            case Alarm():
                self.alarms.append(output)
            case Answer():
                pass
        return ()

    def _hopeless(self, call: Call[Any]) -> str:
        """Why this call will get no answer, or ""."""
        needs_token = call.kind is not CallKind.KEY and self.token() is None
        return self.silence or (self._no_token if needs_token else "")

    def _learn(self, found: object) -> None:
        """A question that waited for a token in vain is the last one that does."""
        if isinstance(found, Failed) and self.token() is None:
            self._no_token = self.token_trouble()

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

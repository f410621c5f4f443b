"""The REST client as a state machine: calls, replies and time go in; requests, answers and alarms come out.

Questions are repeated when KIS is in trouble; an order is sent once, whatever happens.
Source: PROTOCOL 3.
"""

from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any, Final

from qbtrade.adapters.kis.auth import Auth
from qbtrade.adapters.kis.call import Call, CallKind, Priority
from qbtrade.adapters.kis.codes import CODES, Verdict, verdict
from qbtrade.adapters.kis.environment import NS, Environment, Secret
from qbtrade.adapters.kis.http import HttpOutcome, HttpReply
from qbtrade.adapters.kis.limiter import Budget, Limiter, Wish
from qbtrade.adapters.kis.outcomes import Alarm, Answer, Failed, NotSent, Output, Send, WakeAt, order_outcome
from qbtrade.adapters.kis.parse.envelope import Page, read
from qbtrade.adapters.kis.remembered import Remembered
from qbtrade.adapters.kis.sending import request_for, token_request
from qbtrade.errors import WireError
from qbtrade.kernel.clock import FOREVER

BACKOFF: Final = NS // 4
LONGEST_BACKOFF: Final = 4 * NS
RESTARTS: Final = 2
"""How often a paged question begins anew because the rows changed meanwhile."""
LEDGER_LIMIT: Final = "EGW00215"
SERVER_TROUBLE: Final = 500


class _Pending:
    """One call that is not over. not_before: when it may go. token: with which it went last.

    revived: it went once more because its token had died. trouble: why it did not succeed so far, or "".
    """

    __slots__ = (
        "call", "call_id", "failures", "give_up", "not_before", "pages", "restarts", "revived", "token", "trouble",
    )  # fmt: skip

    def __init__(self, call_id: str, call: Call[Any], now: int, give_up: int) -> None:
        self.call_id, self.call = call_id, call
        self.not_before, self.give_up = now, give_up
        self.pages: list[Page] = []
        self.failures = 0
        self.restarts = 0
        self.revived = False
        self.trouble = ""
        self.token: Secret | None = None


class Rest:
    """One client of one environment. call_id: the caller's name for a call, in use once at a time.

    speed: market seconds per machine second; calls wait in machine time, as sockets do.
    """

    def __init__(self, environment: Environment, auth: Auth, limiter: Limiter, rng: Random, *, speed: int = 1) -> None:
        self._environment = environment
        self._auth, self._limiter, self._rng, self._speed = auth, limiter, rng, speed
        self._waiting: list[_Pending] = []
        self._sent: dict[int, _Pending | None] = {}  # None: a request for a token
        self._remembered = Remembered()
        self._requests = 0
        self._alarmed: set[str] = set()
        self._held = ""

    def ask(self, now: int, call_id: str, call: Call[Any]) -> list[Output]:
        """Take a call; exactly one Answer with this id will follow."""
        self._waiting.append(_Pending(call_id, call, now, now + call.patience * self._speed))
        return self._turn(now)

    def on_reply(self, now: int, request_id: int, outcome: HttpOutcome) -> list[Output]:
        """The one outcome of a request. One that is not expected changes nothing."""
        if request_id not in self._sent:
            return []
        pending = self._sent.pop(request_id)
        out: list[Output] = []
        if pending is None:
            out += self._auth.on_outcome(now, outcome)
        elif pending.call.kind is CallKind.ORDER:
            out += self._ordered(now, pending, outcome)
        else:
            out += self._told(now, pending, outcome)
        return out + self._turn(now)

    def on_timer(self, now: int) -> list[Output]:
        """The time of the last WakeAt has come, or any other."""
        return self._turn(now)

    def hold(self, now: int, why: str) -> list[Output]:
        """Send no order that a halt stops, not even one that waits already. why: "" to let them go again."""
        self._held = why
        return self._turn(now)

    def forget(self, call_id: str) -> None:
        """Nobody waits for the answer to this question any more; one that was not sent yet never will be."""
        self._waiting = [each for each in self._waiting if each.call_id != call_id]

    def under_way(self) -> int:
        """Calls that wait or were sent; for the status panel."""
        return len(self._waiting) + sum(pending is not None for pending in self._sent.values())

    def budget(self, now: int) -> Budget:
        """How much of the calls per second is used; for the status panel."""
        return self._limiter.budget(now)

    def _turn(self, now: int) -> list[Output]:
        """Do whatever can be done now, and say when to come back."""
        out: list[Output] = list(self._given_up(now)) if self._waiting else []
        soonest = self._seek_token(now, out)
        if self._waiting:
            soonest = min(soonest, self._send_what_may_go(now, out))
        if soonest < FOREVER:
            out.append(WakeAt(max(soonest, now + 1)))
        return out

    def _send_what_may_go(self, now: int, out: list[Output]) -> int:
        """Send what waits and may go; when to look at the rest again."""
        token = self._auth.token(now)
        ready = [each for each in self._waiting if each.not_before <= now and (token or each.call.kind is CallKind.KEY)]
        wishes = [Wish(each.call.priority, ledger=each.call.ledger) for each in ready]
        granted, soonest = self._limiter.take(now, wishes)
        for position in granted:
            out += self._go(now, ready[position], token)
        for each in self._waiting:
            soonest = min(soonest, each.give_up, each.not_before if each.not_before > now else FOREVER)
        return soonest

    def _seek_token(self, now: int, out: list[Output]) -> int:
        """Ask for a token when that is due; when it will be."""
        needed = self._auth.expires() or any(each.call.kind is not CallKind.KEY for each in self._waiting)
        if not needed:
            return FOREVER
        under_way = (*self._waiting, *self._sent.values())
        quiet = not any(each is not None and each.call.kind is CallKind.ORDER for each in under_way)
        due = self._auth.due(now, quiet=quiet)
        if due > now:
            return due
        if self._auth.begin(now):
            out.append(Send(token_request(self._environment, self._next_id(None))))
        return self._auth.due(now, quiet=quiet)

    def _given_up(self, now: int) -> Iterator[Answer]:
        """Answer what need not wait any longer."""
        stopped = self._auth.stopped
        for each in self._waiting.copy():
            if stopped and each.call.kind is not CallKind.KEY:
                yield self._unsent(each, stopped)
            elif self._held and each.call.priority is Priority.ORDER:
                yield self._unsent(each, self._held)
            elif now >= each.give_up:
                why = each.trouble or ("too many calls before it" if self._auth.token(now) else self._auth.trouble)
                yield self._unsent(each, f"it waited too long: {why}")

    def _unsent(self, pending: _Pending, why: str) -> Answer:
        """Give up a call that waits."""
        self._waiting.remove(pending)
        return Answer(pending.call_id, NotSent(why) if pending.call.kind is CallKind.ORDER else Failed(why))

    def _go(self, now: int, pending: _Pending, token: Secret | None) -> Iterator[Output]:
        """Send a call that may go now."""
        objection = self._environment.objection(pending.call.tr_id)
        if objection:
            yield self._unsent(pending, objection)
            yield Alarm("mixed-settings", objection, "Check the KIS part of the configuration with `qb config show`")
            return
        self._waiting.remove(pending)
        pending.token = token
        ctx = pending.pages[-1].ctx if pending.pages else None
        left, number = max((pending.give_up - now) // self._speed, 1), self._next_id(pending)
        yield Send(request_for(self._environment, number, pending.call, token, ctx, wait_ns=left))

    def _next_id(self, pending: _Pending | None) -> int:
        self._requests += 1
        self._sent[self._requests] = pending
        return self._requests

    def _ordered(self, now: int, pending: _Pending, outcome: HttpOutcome) -> Iterator[Output]:
        """What came of an order request; it ends here, whatever it was."""
        if isinstance(outcome, HttpReply):
            with suppress(WireError):
                yield from self._learn(now, pending, read(pending.call.name, outcome))
        yield Answer(pending.call_id, order_outcome(self._environment, pending.call, outcome))

    def _told(self, now: int, pending: _Pending, outcome: HttpOutcome) -> Iterator[Output]:
        """What came of a question."""
        if not isinstance(outcome, HttpReply):
            yield from self._again(now, pending, outcome.reason)
            return
        try:
            page = self._remembered.page(pending.call, outcome)
            yield from self._learn(now, pending, page)
            if page.ok:
                yield from self._turned(now, pending, page)
            else:
                yield from self._refused(now, pending, page, outcome.status)
        except WireError as error:
            pending.pages.clear()
            yield from self._again(now, pending, f"HTTP {outcome.status}: {error.problem}")

    def _learn(self, now: int, pending: _Pending, page: Page) -> Iterator[Output]:
        """What every reply says about token and rate, whatever it was asked."""
        meaning = None if page.ok else verdict(page.code)
        if meaning is Verdict.LIMIT:
            self._limiter.punish(now, ledger_only=page.code == LEDGER_LIMIT)
        if pending.token is None:
            return
        if meaning is Verdict.TOKEN:
            yield from self._auth.on_dead(now, pending.token, page.code)
        elif page.ok or page.code == LEDGER_LIMIT:  # it came as far as the ledger
            self._auth.on_alive(pending.token)
        if meaning is Verdict.SETTINGS and page.code not in self._alarmed:
            self._alarmed.add(page.code)
            advice = CODES[page.code]
            yield Alarm("wrong-settings", f"KIS: {advice.meaning} ({page.code})", advice.advice)

    def _turned(self, now: int, pending: _Pending, page: Page) -> Iterator[Output]:
        """One page of an answer."""
        pages = pending.pages
        if page.more and any(page.ctx == before.ctx for before in pages):
            raise WireError(pending.call.name, "the same page came twice")
        if page.more and len(pages) + 1 >= self._environment.limits.pages:
            yield Answer(pending.call_id, Failed(f"more than {self._environment.limits.pages} pages"))
            return
        pages.append(page)
        if not page.more:
            yield Answer(pending.call_id, self._remembered.value(pending.call, pages))
            return
        pending.give_up = now + pending.call.patience * self._speed
        self._wait(now, pending)

    def _refused(self, now: int, pending: _Pending, page: Page, status: int) -> Iterator[Output]:
        """An answer that says no."""
        reason = f"{page.code} {page.text}".strip() or f"HTTP {status}"
        match verdict(page.code):
            case Verdict.LIMIT | Verdict.AGAIN:
                yield from self._again(now, pending, reason, page.code)
            case Verdict.TOKEN if not pending.revived:
                pending.revived = True
                self._wait(now, pending)
            case None if status >= SERVER_TROUBLE:
                yield from self._again(now, pending, reason, page.code)
            case None if pending.pages and pending.restarts < RESTARTS:
                pending.restarts += 1
                pending.pages.clear()  # the rows changed while they were turned over
                yield from self._again(now, pending, reason, page.code)
            case _:
                yield Answer(pending.call_id, Failed(reason, page.code))

    def _again(self, now: int, pending: _Pending, reason: str, code: str = "") -> Iterator[Output]:
        """Ask once more after a while, unless that was tried often enough."""
        pending.failures += 1
        pending.trouble = reason
        if pending.failures >= self._environment.limits.tries:
            yield Answer(pending.call_id, Failed(reason, code))
        else:
            self._wait(now + self._backoff(pending.failures), pending)

    def _wait(self, until: int, pending: _Pending) -> None:
        pending.not_before = until
        self._waiting.append(pending)

    def _backoff(self, failures: int) -> int:
        longest = min(BACKOFF << failures, LONGEST_BACKOFF)
        return longest // 2 + self._rng.randrange(longest // 2)

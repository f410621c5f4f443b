"""The access token: when to ask for one, when to keep it, what to do when it dies before its time.

Source: PROTOCOL 2.1 (lifetime, one a minute, the same token within six hours).
"""

import hashlib
from typing import Final, Protocol

import msgspec

from qbtrade.adapters.kis.codes import Verdict, verdict
from qbtrade.adapters.kis.environment import NS, Environment, Secret
from qbtrade.adapters.kis.http import ConnectFailed, HttpOutcome, HttpReply, NoAnswer
from qbtrade.adapters.kis.outcomes import Alarm
from qbtrade.adapters.kis.parse import keys
from qbtrade.adapters.kis.parse.envelope import read
from qbtrade.errors import WireError
from qbtrade.kernel.clock import FOREVER

NO_TOKEN: Final = "no access token yet"  # noqa: S105 (a sentence)
LAST_SECONDS: Final = 10 * NS
"""A token is not used any more that long before it ends."""
UNCHANGED: Final = 600 * NS
"""KIS gave the same token once more: how long to wait before asking for another."""
RECONNECT: Final = (NS, 2 * NS, 4 * NS, 8 * NS, 16 * NS, 30 * NS)


class Held(msgspec.Struct, frozen=True):
    """What the processes of a key know of its token. asked: when one was last asked for, UTC ns; 0 for never."""

    grant: keys.Grant | None = None
    asked: int = 0


class TokenStore(Protocol):
    """Where the token of a key stands, shared by its processes."""

    def load(self) -> Held:
        """What is there."""
        ...

    def reserve(self, now: int, gap: int) -> int:
        """Take the right to ask: 0, and nobody else has it for `gap` ns; or else the time from which one may try."""
        ...

    def release(self) -> None:
        """Give that right back: nothing was asked."""
        ...

    def save(self, grant: keys.Grant) -> None:
        """Keep a new token."""
        ...

    def bury(self, token: Secret) -> None:
        """Forget this token, if it is the one that is kept."""
        ...


class OwnToken:
    """The token of one process."""

    def __init__(self) -> None:
        self.held = Held()

    def load(self) -> Held:
        """What is there."""
        return self.held

    def reserve(self, now: int, gap: int) -> int:
        """Take the right to ask."""
        until = may_ask_at(self.held, now, gap)
        if not until:
            self.held = Held(self.held.grant, now)
        return until

    def release(self) -> None:
        """Give it back."""
        self.held = Held(self.held.grant)

    def save(self, grant: keys.Grant) -> None:
        """Keep a token."""
        self.held = Held(grant, self.held.asked)

    def bury(self, token: Secret) -> None:
        """Forget a token."""
        self.held = without(self.held, token)


def may_ask_at(held: Held, now: int, gap: int) -> int:
    """0 when a token may be asked for, else the time from which. A time ahead of the clock came from another one."""
    return held.asked + gap if held.asked <= now < held.asked + gap and held.asked else 0


def without(held: Held, token: Secret) -> Held:
    """What is held, without this token."""
    return Held(None, held.asked) if held.grant and held.grant.token == token else held


class Auth:
    """The token's life. Once it is stopped nothing is asked any more, and `stopped` says why."""

    def __init__(self, environment: Environment, store: TokenStore) -> None:
        self._limits = environment.limits
        self._store = store
        self._grant: keys.Grant | None = None
        self._asking = False
        self._not_before = 0
        self._failed_connects = 0
        self._deaths = 0
        self._dead: set[str] = set()
        self.stopped = ""
        self.trouble = NO_TOKEN

    def token(self, now: int) -> Secret | None:
        """The token to use now, if there is one."""
        grant = self._grant
        return grant.token if grant and now < grant.expires - LAST_SECONDS and not self.stopped else None

    def expires(self) -> int:
        """When the token ends, UTC ns; 0 without one. For the status panel."""
        return self._grant.expires if self._grant else 0

    def due(self, now: int, *, quiet: bool) -> int:
        """When `begin` is to be called next. quiet: no order is under way."""
        if self.stopped or self._asking:
            return FOREVER
        if self.token(now) is None or self._grant is None:
            return max(now, self._not_before)
        ahead = self._limits.refresh_ahead_ns
        return max(self._grant.expires - (ahead if quiet else ahead // 2), self._not_before)

    def begin(self, now: int) -> bool:
        """True when a token is to be asked for right now; False when another process has one, or it is too soon."""
        if self._adopt(now):
            return False
        until = self._store.reserve(now, self._limits.token_gap_ns)
        if until:
            self._postpone(until, "a token may be asked for once a minute")
            return False
        self._asking = True
        return True

    def on_outcome(self, now: int, outcome: HttpOutcome) -> list[Alarm]:
        """What came of asking for a token."""
        self._asking = False
        match outcome:
            case ConnectFailed(reason=reason):
                self._store.release()
                wait = RECONNECT[min(self._failed_connects, len(RECONNECT) - 1)]
                self._failed_connects += 1
                return self._postpone(now + wait, f"no connection to KIS: {reason}")
            case NoAnswer(reason=reason):
                return self._wait(now, reason)
            case HttpReply():
                self._failed_connects = 0
                return self._replied(now, outcome)

    def on_dead(self, now: int, token: Secret, code: str) -> list[Alarm]:
        """KIS refused this token before its time: one new one is fetched; when that is refused too, no more."""
        if self.stopped or self._grant is None or token != self._grant.token:
            return []  # it was replaced meanwhile
        self._deaths += 1
        self._store.bury(token)
        self._grant = None
        if self._deaths > 1:
            return self._stop(f"the access token was refused again ({code})")
        self._dead.add(_digest(token))
        self._adopt(now)
        return self._postpone(self._not_before, f"the access token was refused ({code})")

    def on_alive(self, token: Secret) -> None:
        """KIS answered a call with this token."""
        if self._grant is not None and token == self._grant.token:
            self._deaths = 0
            self._dead.clear()

    def _adopt(self, now: int) -> bool:
        """Take what another process fetched, if it is better than ours."""
        found = self._store.load().grant
        if found is None or _digest(found.token) in self._dead or now >= found.expires - LAST_SECONDS:
            return False
        if self._grant is not None and found.expires <= self._grant.expires:
            return False
        self._grant = found
        return True

    def _replied(self, now: int, reply: HttpReply) -> list[Alarm]:
        try:
            page = read("tokenP", reply, bare=True)
            if page.ok:
                self._keep(now, keys.grant(now, page))
                return []
        except WireError as error:
            return self._wait(now, f"HTTP {reply.status}: {error.problem}")
        if verdict(page.code) in {Verdict.SETTINGS, Verdict.REQUEST}:
            return self._stop(f"KIS gives no access token: {page.code} {page.text}")
        return self._wait(now, f"{page.code} {page.text}".strip())

    def _keep(self, now: int, grant: keys.Grant) -> None:
        if self._grant is not None and grant.token == self._grant.token:
            self._not_before = now + UNCHANGED
        self._grant = grant
        self._store.save(grant)

    def _wait(self, now: int, trouble: str) -> list[Alarm]:
        return self._postpone(now + self._limits.token_gap_ns, trouble)

    def _postpone(self, until: int, trouble: str) -> list[Alarm]:
        self._not_before, self.trouble = until, trouble
        return []

    def _stop(self, why: str) -> list[Alarm]:
        self.stopped = why
        action = "Check keys and account with `qb preflight`, then start again; see docs/runbook.md"
        return [Alarm("token-refused", why, action)]


def _digest(token: Secret) -> str:
    return hashlib.sha256(token.reveal().encode()).hexdigest()

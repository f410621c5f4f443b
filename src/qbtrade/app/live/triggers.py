"""What else halts a session: many refusals, a clock that is not KIS's, a feed that stays away while shares are held."""

import re
from collections import deque
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from qbtrade.adapters.kis.events import HttpDone
from qbtrade.adapters.kis.http import HttpReply
from qbtrade.app.live.halting import REJECT_STORM, keep_halted
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import FeedLost, FeedRestored, OrderRejected
from qbtrade.engines.risk import FEED_LOST

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

CLOCK_SKEW: Final = "clock-skew"
FEED_GONE: Final = "feed-gone"
SKEW: Final = 10 * NS
"""Machine time that KIS's clock may differ from ours: what preflight calls too large."""
_USUAL: Final = re.compile(r"(\w{3}, \d\d \w{3} \d{4}) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d) GMT", re.ASCII)
GONE: Final = 60 * NS
"""Machine time without a feed after which a session that holds shares is halted."""


class Refusals:
    """Counts what the broker or the exchange refused. limit: so many within the window are a storm; 0 for none ever."""

    def __init__(self, limit: int, window: int) -> None:
        self._limit, self._window = limit, window
        self._at: deque[int] = deque()

    def is_storm(self, ts: int) -> bool:
        """Count one more."""
        self._at.append(ts)
        while self._at[0] <= ts - self._window:
            self._at.popleft()
        return 0 < self._limit <= len(self._at)


class Skew:
    """Compares KIS's clock, which its answers tell in whole seconds, with ours. slack: ns by which they may differ.

    An answer was dated between its request and its arrival, so it may be as old as a request may take. One answer
    proves nothing: it may come from a cache.
    """

    def __init__(self, slack: int, longest: int) -> None:
        self._slack, self._longest = slack, longest
        self._doubts = 0

    def learn(self, now: int, told: str) -> int:
        """By how many ns KIS is ahead of us, negative for behind, once two answers in a row say that it is too much."""
        theirs = _second(told)
        if theirs is None:
            return 0
        ahead, behind = theirs - now, now - self._longest - theirs - NS
        if max(ahead, behind) <= self._slack:
            self._doubts = 0
            return 0
        self._doubts += 1
        return ahead if self._doubts > 1 else 0


def _second(told: str) -> int | None:
    """UTC ns of a date header; None where it tells nothing."""
    usual = _USUAL.fullmatch(told)
    midnight = _parsed(f"{usual[1]} 00:00:00 GMT") if usual else None
    if usual is None or midnight is None:
        return _parsed(told)
    return midnight + (int(usual[2]) * 3600 + int(usual[3]) * 60 + int(usual[4])) * NS


@lru_cache
def _parsed(told: str) -> int | None:
    """A date in any of the ways in which HTTP allows it; most of one day differ in the time alone."""
    try:
        date: Any = parsedate_to_datetime(told)
        return int(date.timestamp()) * NS
    except (ValueError, OverflowError):
        return None


class Triggers:
    """Listens for one session."""

    def __init__(self, session: "LiveSession") -> None:
        self._session = session
        plan, limits, clock = session.live.plan, session.wire.environment.limits, session.wire.clock
        self._refusals = Refusals(plan.rejects, plan.reject_window)
        longest = max(limits.order_timeout_ns, limits.read_timeout_ns) * clock.speed
        self._skew = Skew(SKEW * clock.speed, longest)
        self._lost_at = 0
        bus = session.wire.bus
        bus.subscribe(OrderRejected, self.on_rejected)
        bus.subscribe(HttpDone, self.on_done)
        bus.subscribe(FeedLost, self.on_feed_lost)
        bus.subscribe(FeedRestored, self.on_feed_restored)

    def on_rejected(self, event: OrderRejected) -> None:
        """The broker or the exchange said no once more."""
        session, risk = self._session, self._session.engines.risk
        if not self._refusals.is_storm(event.ts) or risk.has(REJECT_STORM):
            return
        risk.halt(event.ts, REJECT_STORM)
        keep_halted(session, "orders were refused again and again")
        text = f"orders were refused again and again, the last one with {event.code} {event.reason}".rstrip()
        session.say(REJECT_STORM, text, "find out why, then `qb resume`")

    def on_done(self, event: HttpDone) -> None:
        """An answer tells KIS's time."""
        session, risk = self._session, self._session.engines.risk
        if not isinstance(event.outcome, HttpReply) or risk.has(CLOCK_SKEW):
            return
        skew = self._skew.learn(event.ts, event.outcome.headers.get("date", ""))
        if skew:
            risk.halt(session.wire.clock.now(), CLOCK_SKEW)
            seconds = round(skew / session.wire.clock.speed / NS)
            text = f"KIS's clock differs from this machine's by {seconds:+,} s: no entries until a new session"
            session.say(CLOCK_SKEW, text, "set this machine's clock right, then end this session and start qb again")

    def on_feed_lost(self, event: FeedLost) -> None:
        """Look again in a while."""
        clock, self._lost_at = self._session.wire.clock, event.ts
        clock.call_at(event.ts + GONE * clock.speed, partial(self._on_gone, event.ts))

    def _on_gone(self, lost_at: int, due: int) -> None:
        session, risk = self._session, self._session.engines.risk
        if lost_at == self._lost_at and risk.has(FEED_LOST) and session.held() and not risk.has(FEED_GONE):
            risk.halt(due, FEED_GONE)
            text = f"market data is away for {GONE // NS} s while shares are held: trading is halted until it is back"
            session.say(FEED_GONE, text, "watch your positions elsewhere meanwhile")

    def on_feed_restored(self, event: FeedRestored) -> None:
        """It is back."""
        self._session.engines.risk.resume(event.ts, FEED_GONE)

"""What a session does about a machine that slept, a process that stood still, and a clock that was set."""

from typing import TYPE_CHECKING, Final

from qbtrade.app.live.foreword import say_differences
from qbtrade.domain.calendar import NS
from qbtrade.errors import BrokerError

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

TURN: Final = NS
"""Machine time between two looks at the clock."""
STANDSTILL: Final = 10 * NS
"""Machine time without a look after which the account is looked at anew."""
STEP: Final = 5 * NS
"""Machine time by which the wall clock may be set: half of what preflight calls too large a difference from KIS's."""
PAUSE: Final = 5.0
"""Machine seconds for orders and fills to be told before books are compared."""
STOOD_STILL: Final = "stood-still"
CLOCK_SET: Final = "clock-set"


class Timekeeper:
    """Watches the time of one session. is_stale: the account has to be looked at anew before entries go on."""

    def __init__(self, session: "LiveSession") -> None:
        self._session, self._clock = session, session.wire.clock
        self._drift, self._due = self._clock.drift(), 0
        self.is_stale = False

    def look(self, due: int) -> None:
        """Look at the clock. due: when the first look should have come; each later one TURN after the one before it."""
        now, drift = self._clock.now(), self._clock.drift()
        late, self._due = (now - (self._due or due)) // self._clock.speed, now + TURN * self._clock.speed
        if late > STANDSTILL:
            self._stood_still(late // NS)
        if abs(drift - self._drift) > STEP:
            step, self._drift = drift - self._drift, drift
            self._was_set(round(step / NS))

    def _stood_still(self, seconds: int) -> None:
        self.is_stale = True
        self._session.engines.risk.reduce(self._clock.now(), STOOD_STILL)
        text = f"qb stood still for {seconds:,} s, as when a machine sleeps: no stop-loss was watched meanwhile"
        self._session.say(STOOD_STILL, text, "see what became of your positions; entries wait until the books agree")

    def _was_set(self, seconds: int) -> None:
        """Which time is right nobody knows here: a paused virtual machine is set forward, a wrong clock either way."""
        self.is_stale = True
        self._session.engines.risk.halt(self._clock.now(), CLOCK_SET)
        text = f"the machine's clock was set by {seconds:+,} s: qb goes on counting from its start, without entries"
        self._session.say(CLOCK_SET, text, "see that the clock is right, then end this session and start qb again")

    def look_anew(self) -> None:
        """Compare with the broker, and trade on when the books agree; when it does not tell them, this comes again."""
        session = self._session
        if not self.is_stale:
            return
        try:
            if not session.live.plan.dry_run and not self._agrees():
                return
        except (BrokerError, KeyboardInterrupt):
            return
        self.is_stale = False
        session.engines.risk.resume(self._clock.now(), STOOD_STILL)

    def _agrees(self) -> bool:
        """Whether the books were compared while nothing happened to them; those that disagree halt the account."""
        session = self._session
        session.wire.loop.run_until(lambda: session.has_to_end, PAUSE)
        if session.has_to_end:
            return False
        before = session.books.ours()
        found = session.books.compared()
        if session.books.ours() != before:
            return False
        say_differences(session, found)
        return True

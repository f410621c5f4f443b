"""What befalls the machine and the account of a virtual world: halts, disks, sleep, and the time at which all heals."""

from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from qbtrade.adapters.emulator.wire import Request
from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.http import Heeds
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.judge import Judge
from qbtrade.app.chaos.plan import NATURE, SERVER, ChaosPlan
from qbtrade.app.chaos.world import World
from qbtrade.app.halt_flag import Halt
from qbtrade.app.status import Status
from qbtrade.domain.calendar import MINUTE, NS
from qbtrade.domain.events import Alert
from qbtrade.domain.money import PPB
from qbtrade.kernel.loop import StopRequest

LOOKED_AT_EVERY = MINUTE
BLACKOUT = 3 * MINUTE
LONGEST_SLEEP = 90
LARGEST_STEP = 60
MOST_STOPS = 3
STARTS_ANEW_AFTER = 30 * NS
"""So long it takes a person to end a session that gets no token any more, as the runbook says."""


class Board:
    """The halt flag of a virtual world. Implements board.Board. see: takes a picture of the session now and then.

    run_id: the session that lives now. given: answers of people, by run and order.
    """

    def __init__(self, now: Callable[[], int], see: Callable[[Status], None]) -> None:
        self.flag: Halt | None = None
        self.run_id = ""
        self.given: dict[tuple[str, str], Answer] = {}
        self._answered = set[Answer]()
        self._now, self._see, self._seen_at = now, see, 0

    def halt(self) -> Halt | None:
        """The flag."""
        return self.flag

    def keep_halted(self, reason: str) -> tuple[str, ...]:
        """Set the flag."""
        self.flag = Halt(1, reason)
        return ()

    def taken_by(self) -> str:
        """Nobody takes an account over."""
        return ""

    def answers(self) -> tuple[Answer, ...]:
        """Those that are new, for orders of this session."""
        new = [each for each in self.given.values() if each.run_id == self.run_id and each not in self._answered]
        self._answered.update(new)
        return tuple(new)

    def refuse(self, answer: Answer) -> None:
        """Forget it."""
        self.given.pop((answer.run_id, answer.order_id), None)

    def is_watched(self) -> bool:
        """Somebody looks once a minute."""
        return self._now() - self._seen_at >= LOOKED_AT_EVERY

    def show(self, status: Status, _heeded: int) -> None:
        """Let it be seen."""
        self._seen_at = self._now()
        self._see(status)

    def beat(self) -> bool:
        """Nobody listens."""
        return True

    def gate(self, heeds: Heeds) -> str:
        """Why a request may not leave, or ""."""
        return "trading is halted from outside" if heeds == "halt" and self.flag is not None else ""


class Fate:
    """Draws what befalls a world before it begins. stop: of the process that lives now."""

    def __init__(self, plan: ChaosPlan, world: World, disk: Disk, board: Board, judge: Judge, rng: Random) -> None:
        self._world, self._disk, self._board, self._judge, self._rng = world, disk, board, judge, rng
        self._trouble, self._begins = plan.trouble * MINUTE, 0
        self._rates = {name: plan.rate(name) for name in SERVER}
        self.stop = StopRequest()
        self._stops = Random(f"{plan.seed}:stops")

    def draw(self, begins: int) -> None:
        """Plan everything of a day that begins now."""
        disk, rng, self._begins = self._disk, self._rng, begins
        self._world.at(self._begins + self._trouble, self._calm_down)
        self._once("halted", self._halt, self._resume, 5 * NS)
        self._once("disk-full", lambda: disk.fill(is_full=True), lambda: disk.fill(is_full=False), NS)
        self._once(
            "disk-read-only", lambda: disk.protect(is_read_only=True), lambda: disk.protect(is_read_only=False), NS
        )
        self._once("blackout", self._black_out, self._see_again, BLACKOUT)
        self._once("asleep", lambda: self._sleep(rng.randrange(NS, LONGEST_SLEEP * NS)))
        self._once("clock-set", self._set_clock, lambda: self.stop.ask("the clock was set"), NS)
        if self._stops.randrange(PPB) < self._world.plan.rate("stopped"):
            for _ in range(self._stops.randrange(1, MOST_STOPS + 1)):
                self._world.at(begins + self._stops.randrange(self._trouble), self._stop)

    def on_alert(self, alert: Alert) -> None:
        """The session says something that its person acts on."""
        if alert.code == "token-refused":
            self._world.sometimes["stopped, no token"] += 1
            self._world.at(self._world.now + STARTS_ANEW_AFTER, partial(self.stop.ask, "no token"))

    def _stop(self) -> None:
        self._world.sometimes["stopped"] += 1
        self.stop.ask("stopped by hand")

    def _once(
        self, name: str, begin: Callable[[], None], end: Callable[[], None] | None = None, shortest: int = 0
    ) -> None:
        """Let something begin once, if it happens at all, and end within a minute."""
        if not self._world.hits(name):
            return
        begins = self._begins + self._rng.randrange(self._trouble)
        self._world.at(begins, begin)
        if end is not None:
            until = begins + self._rng.randrange(shortest, max(shortest + 1, MINUTE))
            self._world.at(min(until, self._begins + self._trouble), end)

    def _calm_down(self) -> None:
        self._world.is_calm = True
        self._world.asleep_until = 0
        self._resume()
        self._disk.fill(is_full=False)
        self._disk.protect(is_read_only=False)
        self._set_faults({name: 0 for name in SERVER if name not in NATURE})

    def wake(self) -> None:
        """A new day: what was off goes wrong again."""
        self._world.is_calm = False
        self._set_faults(self._rates)

    def _black_out(self) -> None:
        """KIS tells nothing of the account; sometimes its notices stay away, too."""
        self._world.sight.dark.append(self._span(BLACKOUT))
        hides = {"ledger-busy": PPB, "notice-missing": PPB} if self._world.hits("silence") else {"ledger-busy": PPB}
        self._set_faults(hides)

    def _see_again(self) -> None:
        usual = 0 if self._world.is_calm else self._rates["notice-missing"]
        self._set_faults({"ledger-busy": 0} | ({"notice-missing": usual} if self._world.plan.rate("silence") else {}))

    def _set_faults(self, rates: dict[str, int]) -> None:
        body = msgspec.json.encode(rates)
        self._world.request(Request("PUT", "/emulator/faults", {}, {}, body), lambda _reply: None)

    def _halt(self) -> None:
        now = self._world.now
        self._board.flag, self._judge.halted_at = Halt(now, "chaos"), now

    def _resume(self) -> None:
        self._board.flag, self._judge.halted_at = None, 0

    def _span(self, lasts: int) -> tuple[int, int]:
        """From now on, at most until all heals."""
        now = self._world.now
        return now, min(now + lasts, self._begins + self._trouble)

    def _sleep(self, lasts: int) -> None:
        self._world.sight.asleep.append(self._span(lasts))
        self._world.asleep_until = self._judge.woke_at = self._world.now + lasts

    def _set_clock(self) -> None:
        self._world.clock.was_set += self._rng.randrange(-LARGEST_STEP, LARGEST_STEP + 1) * NS

"""What befalls the machine and the account of a virtual world: halts, disks, sleep, and the time at which all heals."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import msgspec

from qbtrade.adapters.emulator.wire import Request
from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.http import Heeds, HttpRequest
from qbtrade.app.chaos.disk import Disk
from qbtrade.app.chaos.judge import SIDES, Judge
from qbtrade.app.chaos.plan import NATURE, SERVER, ChaosPlan
from qbtrade.app.chaos.world import World
from qbtrade.app.halt_flag import Halt
from qbtrade.app.status import Status
from qbtrade.domain.calendar import MINUTE, NS
from qbtrade.domain.events import Alert, RiskState, RiskStateChanged
from qbtrade.domain.money import PPB
from qbtrade.kernel.loop import StopRequest

LOOKED_AT_EVERY = MINUTE
BLACKOUT = 3 * MINUTE
LONGEST_SLEEP = 90
LARGEST_STEP = 60
MOST_STOPS = 3
SOON = 20
"""Seconds within which somebody who sees trading halted ends qb, to start it again."""
LAST_START = 2 * MINUTE
"""Before a day's end nobody does."""
STAYS_HALTED = 90 * NS
"""Who ends qb while he has it halted resumes no earlier, when it runs again."""
DARK = ("ledger-busy",)
SILENT = ("ledger-busy", "notice-missing", "answer-lost")
"""What a blackout is made of, and one that takes notices and the answers to orders with it."""
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
        self._stops, self._starts = Random(f"{plan.seed}:stops"), Random(f"{plan.seed}:starts")
        self._awaits_order, self._dark_until, self._halted_until, self._restarts = False, 0, 0, 0
        self._lasts = (plan.trouble + plan.calm) * MINUTE

    def draw(self, begins: int) -> None:
        """Plan everything of a day that begins now."""
        disk, rng, self._begins, self._restarts = self._disk, self._rng, begins, 0
        self._world.at(self._begins + self._trouble, self._calm_down)
        self._once("halted", self._halt, self._resume, 5 * NS)
        self._once("disk-full", lambda: disk.fill(is_full=True), lambda: disk.fill(is_full=False), NS)
        self._once(
            "disk-read-only", lambda: disk.protect(is_read_only=True), lambda: disk.protect(is_read_only=False), NS
        )
        self._once("blackout", self._darken, self._see_again, BLACKOUT)
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

    def on_state(self, event: RiskStateChanged) -> None:
        """Who sees trading halted may end qb and start it again, as if that helped."""
        now, is_late = self._world.now, self._world.now > self._begins + self._lasts - LAST_START
        if event.symbol or event.state is not RiskState.HALTED or is_late or self._restarts >= MOST_STOPS:
            return
        if self._starts.randrange(PPB) < self._world.plan.rate("stopped"):
            self._restarts, self._halted_until = self._restarts + 1, now + STAYS_HALTED
            self._world.at(now + self._starts.randrange(SOON * NS), partial(self._stop, self.stop))

    def on_sent(self, request: HttpRequest) -> None:
        """An order leaves: the moment for a blackout that was waiting for it."""
        if request.headers["tr_id"] in SIDES:
            self._world.at(self._world.now, self._fall_silent)

    def _stop(self, only: StopRequest | None = None) -> None:
        if only in {None, self.stop}:  # else that process is gone already
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

    def _darken(self) -> None:
        """KIS tells nothing of the account; or of nothing at all, from when an order leaves within a minute."""
        self._awaits_order = self._world.hits("silence")
        if self._awaits_order:
            self._world.at(self._world.now + MINUTE, self._fall_silent)
        else:
            self._black_out(DARK)

    def _fall_silent(self) -> None:
        if self._awaits_order and not self._world.is_calm:
            self._black_out(SILENT)
        self._awaits_order = False

    def _black_out(self, hides: Sequence[str]) -> None:
        began, self._dark_until = self._span(BLACKOUT)
        self._world.sight.dark.append((began, self._dark_until))
        self._set_faults(dict.fromkeys(hides, PPB))
        self._world.at(self._dark_until, self._see_again)

    def _see_again(self) -> None:
        if self._world.now >= self._dark_until and not self._world.is_calm:
            self._set_faults({name: self._rates[name] for name in SILENT})

    def _set_faults(self, rates: dict[str, int]) -> None:
        body = msgspec.json.encode(rates)
        self._world.request(Request("PUT", "/emulator/faults", {}, {}, body), lambda _reply: None)

    def _halt(self) -> None:
        now = self._world.now
        self._board.flag, self._judge.halted_at = Halt(now, "chaos"), now

    def _resume(self) -> None:
        if self._world.now < self._halted_until and not self._world.is_calm:
            self._world.at(self._halted_until, self._resume)
        else:
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

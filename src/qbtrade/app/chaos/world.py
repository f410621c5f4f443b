"""Virtual time, the local KIS, and the network between it and whoever lives beside it."""

import hashlib
from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Final, Protocol

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.wire import Frame, Hangup, Reply, Request
from qbtrade.app.chaos.luck import drawn
from qbtrade.app.chaos.plan import ChaosPlan
from qbtrade.app.chaos.resolved import Sight
from qbtrade.domain.calendar import NS, iso_kst
from qbtrade.domain.money import PPB
from qbtrade.kernel.clock import SimClock

QUICK: Final = (2_000_000, 30_000_000)
"""One way through the network, ns, at least and at most."""


def never() -> bool:
    """Time alone ends what waits for this."""
    return False


class Session(Protocol):
    """The client's end of one stream connection."""

    def on_frame(self, text: str) -> None:
        """A text has come."""
        ...

    def on_hangup(self, reason: str) -> None:
        """The connection is gone."""
        ...


class VirtualClock(SimClock):
    """The clock of a process. was_set: ns by which somebody set the machine's clock meanwhile."""

    was_set = 0

    def drift(self) -> int:
        """By how much the machine's clock was set."""
        return self.was_set


class World:
    """One clock for all. sometimes: how often each rare thing happened. lines: what happened, when they are kept.

    asleep_until: no process does anything before; what was sent to it waits. sight: what a process could see.
    """

    def __init__(self, plan: ChaosPlan, core: Emulator, start: int, *, keeps_lines: bool = False) -> None:
        self.plan, self.core, self.now = plan, core, start
        self.rng = Random(f"{plan.seed}:network")
        self.is_calm = False
        self.clock = VirtualClock(start)  # of the process that lives now
        self.asleep_until, self.sight = 0, Sight()
        self.sometimes = Counter[str]()
        self.sessions: dict[int, Session] = {}
        self.lines: list[str] | None = [] if keeps_lines else None
        self._digest = hashlib.sha256()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._replies: dict[int, Callable[[Reply], None]] = {}
        self.on_order: Callable[[], None] = lambda: None

    # time

    def at(self, ts: int, fn: Callable[[], None]) -> None:
        """Let something happen at a time, after what was planned before for the same time."""
        self._number += 1
        heappush(self._heap, (max(ts, self.now), self._number, fn))

    def when_awake(self, fn: Callable[[], None]) -> None:
        """Let something happen on the machine of the process: now, or when it wakes up."""
        if self.now < self.asleep_until:
            self.at(self.asleep_until, fn)
        else:
            fn()

    def run(self, until: int, done: Callable[[], bool] = never) -> bool:
        """Let one thing after another happen until `done`; False when nothing more happens by `until`.

        Time then stands there. A process that sleeps sees neither before it wakes. What happens at the same time
        happens in this order: network, KIS, process.
        """
        heap, core, timers = self._heap, self.core, self.core.clock
        while (is_asleep := self.now < self.asleep_until) or not done():
            clock, due = self.clock, timers.next_due
            is_network = bool(heap) and heap[0][0] <= due
            if is_network:
                due = heap[0][0]
            if is_asleep and due > self.asleep_until:
                self._stand(self.asleep_until)
                continue
            is_process = clock.next_due < due and self.asleep_until < due
            if is_process:
                due = clock.next_due
            if due > until and not is_asleep:
                self._stand(until)
                return done()
            if due > self.now:
                self.now = clock.ts = due
            if is_process:
                clock.fire()
            elif is_network:
                heappop(heap)[2]()
            else:
                core.advance(due)
                if core.outputs:
                    self.carry()
        return True

    def _stand(self, ts: int) -> None:
        """Let it be that late, or as late as it is."""
        self.now = self.clock.ts = max(self.now, ts)

    # the network

    def request(self, request: Request, then: Callable[[Reply], None]) -> None:
        """A request arrives at KIS now."""
        self._number += 1
        number = self._number
        self._replies[number] = then
        self.note("arrives", f"{request.method} {request.path} {request.body.decode()}")
        self.core.request(self.now, number, request)
        self.carry()
        self.on_order()

    def carry(self) -> None:
        """Hand on what KIS wants sent."""
        if not self.core.outputs:
            return
        outputs, self.core.outputs[:] = list(self.core.outputs), []
        for output in outputs:
            match output:
                case Reply(number=number):
                    then = self._replies.pop(number, None)
                    if then is not None:
                        then(output)
                case Frame(session=number, data=data):
                    session = self.sessions.get(number)
                    if session is not None:
                        session.on_frame(data if isinstance(data, str) else data.decode(errors="replace"))
                case Hangup(session=number):
                    session = self.sessions.pop(number, None)
                    if session is not None:
                        session.on_hangup("the server hung up")

    def new_number(self) -> int:
        """A number that nothing else has."""
        self._number += 1
        return self._number

    # luck

    def hits(self, name: str) -> bool:
        """Whether a fault happens now; never once calm has come."""
        rate = self.plan.rates.get(name, 0)
        if rate <= 0 or self.is_calm or drawn(self.rng, 0, PPB) >= rate:
            return False
        self.sometimes[name] += 1
        return True

    def way(self) -> int:
        """How long something takes through the network, ns."""
        if self.hits("slow"):
            return drawn(self.rng, NS, 4 * NS)
        return drawn(self.rng, *QUICK)

    # memory

    def note(self, what: str, text: str) -> None:
        """Add a line to the trace."""
        line = f"{iso_kst(self.now)[11:29]} {what} {text}"
        self._digest.update(line.encode() + b"\n")
        if self.lines is not None:
            self.lines.append(line)

    def trace_hash(self) -> str:
        """A digest of everything that was noted."""
        return self._digest.hexdigest()[:16]

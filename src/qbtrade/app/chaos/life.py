"""One process of qb in a virtual world: it lives from its start to its end, or until it is killed."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from qbtrade.adapters.emulator.wire import Reply, Request
from qbtrade.adapters.kis.auth import OwnToken, TokenStore
from qbtrade.adapters.kis.caller import Outbox
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.events import HttpDone
from qbtrade.adapters.kis.http import ConnectFailed, Heeds, HttpOutcome, HttpReply, HttpRequest, NoAnswer
from qbtrade.adapters.kis.limiter import GrantStore, OwnGrants
from qbtrade.adapters.kis.stream import Stream
from qbtrade.app.chaos.line import VirtualLine
from qbtrade.app.chaos.plan import Crash
from qbtrade.app.chaos.world import VirtualClock, World
from qbtrade.domain.calendar import NS
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Loop
from qbtrade.ports import PacedClock

if TYPE_CHECKING:
    from qbtrade.app.chaos.judge import Judge

Gate = Callable[[Heeds], str]
"""Why a request may not leave, or ""."""
LATEST: Final = 600 * NS
TOLD: Final = {"TTC0011U": "sell", "TTC0012U": "buy", "TTC0013U": "cancel"}
"""What an order request is, by its TR id without the first letter."""
PAGE: Final = HttpReply(502, {"content-type": "text/html"}, b"<html><body>502 Bad Gateway</body></html>")


@lru_cache(maxsize=256)
def _asked(url: str) -> tuple[str, Mapping[str, str]]:
    """Path and query."""
    place = urlsplit(url)
    return place.path, dict(parse_qsl(place.query, keep_blank_values=True))


class KilledError(BaseException):
    """The process ended here. Nothing of it may go on."""


class Machine:
    """What outlives a process: tokens and the calls made lately."""

    def __init__(self) -> None:
        self.tokens, self.grants = OwnToken(), OwnGrants()


class Life:
    """A process: its clock, bus and connections. Implements wire.Ground, and is its own loop and outbox.

    visits: the points that it came to, in order. on_sent: hears of each order request that leaves.
    """

    environment: Environment
    clock: PacedClock
    bus: Bus
    loop: Loop
    tokens: TokenStore
    grants: GrantStore
    outbox: Outbox

    def __init__(
        self, world: World, environment: Environment, machine: Machine, judge: "Judge", crash: Crash | None,
        gate: Gate,
    ) -> None:  # fmt: skip
        self._world, self.environment, self._judge, self._crash, self._gate = world, environment, judge, crash, gate
        self.clock = world.clock = VirtualClock(world.now)
        self.bus = Bus()
        self.loop = self.outbox = self
        self.tokens, self.grants = machine.tokens, machine.grants
        self.is_dead = False
        self.visits: list[str] = []
        self.on_sent: Callable[[HttpRequest], None] = lambda _request: None
        self._hits = 0
        self._lines: list[VirtualLine] = []

    # the end

    def at_point(self, name: str) -> None:
        """Come to a place where the process may end. name: PLACE WHAT. Raises: KilledError."""
        place = name.partition(" ")[0]
        self.visits.append(name)
        crash = self._crash
        if crash is None or crash.point not in {place, name}:
            return
        self._hits += 1
        if self._hits == crash.hit:
            self._world.note("killed", f"{name} {crash.hit} {'power' if crash.power else 'kill'}")
            self._world.sometimes[f"killed {place}"] += 1
            self._world.sometimes["power lost"] += crash.power
            self.die(says_goodbye=not crash.power)
            raise KilledError

    def die(self, *, says_goodbye: bool) -> None:
        """Nothing of this process happens any more. says_goodbye: the other side learns that its sockets are closed."""
        self.is_dead = True
        self._world.clock = VirtualClock(self._world.now)
        for line in self._lines:
            line.die(says_goodbye=says_goodbye)

    # Ground

    def stream(self, stream: Stream) -> VirtualLine:
        """Join a stream client to the network."""
        line = VirtualLine(self._world, self.clock, self.bus, stream)
        self._lines.append(line)
        return line

    def close(self) -> None:
        """Take leave."""
        if not self.is_dead:
            for line in self._lines:
                line.close()
            self.die(says_goodbye=True)

    # Loop

    def run_until(self, done: Callable[[], bool], patience: float) -> bool:
        """Let time pass; see loop.Loop."""
        return self._world.run(self._world.now + int(min(patience, 10**8) * NS), done)

    def idle(self) -> float:
        """Nothing here takes time of its own: all of it is waiting."""
        return self._world.now / NS

    # Outbox

    def send(self, request: HttpRequest) -> None:
        """Hand over one request; luck decides what becomes of it."""
        what = TOLD.get(request.headers["tr_id"][1:], "order") if request.once else ""
        if what:
            self.at_point(f"before-send {what}")
            self._judge.on_handed(request)
        objection = self._gate(request.heeds)
        if objection:
            self._end(request, self._world.now, ConnectFailed(objection))
            return
        if what:
            self._judge.on_sent(request)
            self.on_sent(request)
        self._go(request)
        if what:
            self.at_point(f"after-send {what}")

    def hold(self, why: str) -> None:
        """What was handed over has left already."""

    def _go(self, request: HttpRequest) -> None:
        world, timeout = self._world, self._world.now + request.timeout_ns
        hits = world.hits
        if hits("connect-failed"):
            self._end(request, world.now + world.way(), ConnectFailed("no route"))
        elif hits("request-lost"):
            self._end(request, timeout, NoAnswer("timed out"))
        elif hits("arrives-late"):
            self._end(request, timeout, NoAnswer("timed out"))
            self._arrive(request, timeout + world.rng.randrange(1, LATEST), None)
        elif hits("answer-timeout"):
            self._end(request, timeout, NoAnswer("timed out"))
            self._arrive(request, world.now + world.way(), None)
        elif hits("answer-cut"):
            self._arrive(request, world.now + world.way(), None)
            self._end(request, world.now + 2 * world.way(), NoAnswer("connection reset"))
        elif hits("bad-gateway"):
            if world.rng.getrandbits(1):
                self._arrive(request, world.now + world.way(), None)
            self._end(request, world.now + 2 * world.way(), PAGE)
        else:
            self._arrive(request, world.now + world.way(), timeout)

    def _arrive(self, request: HttpRequest, ts: int, timeout: int | None) -> None:
        """Reach KIS at a time. timeout: until when its answer counts; None when it never comes back.

        Both ends write names of headers in lower case, as sockets hand them on.
        """
        path, query = _asked(request.url)
        wanted = Request(request.method, path, request.headers, query, request.body)
        is_over = False

        def end(outcome: HttpOutcome, when: int) -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._end(request, when, outcome)

        def on_reply(reply: Reply) -> None:
            if request.once and reply.answer is not None:
                self._judge.on_answered(reply.answer.body)
            if timeout is None:
                return
            back = self._world.now + self._world.way()
            if back >= timeout:
                return
            answer = reply.answer
            if answer is None:
                end(NoAnswer("connection reset"), back)
            else:
                end(HttpReply(answer.status, answer.headers, answer.body), back)

        self._world.at(ts, lambda: self._world.request(wanted, on_reply))
        if timeout is not None:
            self._world.at(timeout, lambda: end(NoAnswer("timed out"), timeout))

    def _end(self, request: HttpRequest, ts: int, outcome: HttpOutcome) -> None:
        """Tell the client what became of a request."""

        def tell() -> None:
            if not self.is_dead:
                self.bus.publish(HttpDone(self._world.now, request.request_id, outcome))

        self._world.at(ts, lambda: self._world.when_awake(tell))

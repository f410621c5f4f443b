"""This machine as the ground of a session: threads, sockets, files and the machine's clock."""

from pathlib import Path

from qbtrade.adapters.kis.auth import TokenStore
from qbtrade.adapters.kis.caller import Outbox
from qbtrade.adapters.kis.limiter import GrantStore
from qbtrade.adapters.kis.shared_state import GrantFile, TokenFile
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.transport import HttpWorkers, StreamThread
from qbtrade.adapters.kis.transport.workers import Gate, open_gate
from qbtrade.app.home import kis_dir
from qbtrade.app.live.world import World
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.loop import Inbox, LiveLoop, Loop, StopRequest
from qbtrade.ports import PacedClock


class Machine:
    """Threads and sockets of one session. Implements wire.Ground. gate: what every order has to pass."""

    clock: PacedClock
    loop: Loop
    tokens: TokenStore
    grants: GrantStore
    outbox: Outbox

    def __init__(self, world: World, home: Path, stop: StopRequest, gate: Gate = open_gate) -> None:
        self.environment, self.clock, self.bus = world.environment, world.clock, Bus()
        self._clock, self.inbox, self._streams = world.clock, Inbox(), list[StreamThread]()
        self.loop = LiveLoop(self.bus, world.clock, self.inbox, stop)
        self.tokens = TokenFile(kis_dir(home), world.environment)
        self.grants = GrantFile(kis_dir(home), world.environment)
        self.outbox = self._workers = HttpWorkers(self.inbox, world.clock.twin(), gate=gate)

    def stream(self, stream: Stream) -> StreamThread:
        """A thread for it."""
        url, clock = self.environment.ws_url, self._clock.twin()
        thread = StreamThread(stream, url, clock, self.inbox, speed=clock.speed)
        self._streams.append(thread)
        return thread

    def close(self) -> None:
        """End all threads."""
        for stream in self._streams:
            stream.close()
        self._workers.close()

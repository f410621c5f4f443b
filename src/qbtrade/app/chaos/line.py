"""The stream's connection in a virtual world."""

from collections.abc import Iterable
from typing import Final

from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import Close, Connect, Output, SendText
from qbtrade.app.chaos.world import World
from qbtrade.domain.calendar import NS
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import FOREVER
from qbtrade.ports import Clock, TimerHandle

DRAWN_EVERY: Final = 10 * NS


class Connection:
    """One TCP connection: what is sent arrives in order, or not at all once it is cut or dead."""

    def __init__(self, world: World, line: "VirtualLine") -> None:
        self._world, self._line = world, line
        self.number = world.new_number()
        self.is_open = self.is_mute = self.is_quiet = False
        self._up = self._down = 0

    def send(self, text: str) -> None:
        """A text for the server."""
        if not self.is_mute:
            self._up = max(self._up, self._world.now + self._world.way())
            self._world.at(self._up, lambda: self._receive(text))

    def _receive(self, text: str) -> None:
        if self.is_open:
            self._world.core.receive(self._world.now, self.number, text)
            self._world.carry()

    def on_frame(self, text: str) -> None:
        """A text for the client."""
        if not self.is_mute and not (self.is_quiet and "PINGPONG" not in text):
            self._down = max(self._down, self._world.now + self._world.way())
            self._world.at(self._down, lambda: self._reach(text))

    def _reach(self, text: str) -> None:
        """A text is at the client's machine."""
        if self._world.now < self._world.asleep_until:
            self._world.at(self._world.asleep_until, lambda: self._line.on_text(self, text))
        else:
            self._line.on_text(self, text)

    def on_hangup(self, reason: str) -> None:
        """The server ended it."""
        self.is_open = False
        self._down = max(self._down, self._world.now + self._world.way())
        self._world.at(self._down, lambda: self._world.when_awake(lambda: self._line.on_lost(self, reason)))

    def end(self) -> None:
        """The client ended it, and the server learns of it."""
        self._world.at(self._world.now + self._world.way(), self._ended)

    def _ended(self) -> None:
        if self.is_open:
            self.is_open = False
            self._world.sessions.pop(self.number, None)
            self._world.core.disconnect(self._world.now, self.number)
            self._world.carry()


class VirtualLine:
    """Drives one stream client. Implements wire.StreamHandle."""

    def __init__(self, world: World, clock: Clock, bus: Bus, stream: Stream) -> None:
        self._world, self._clock, self._bus, self._stream = world, clock, bus, stream
        self._connection: Connection | None = None
        self._timer: TimerHandle | None = None
        self._wakes_at = FOREVER
        self._is_dead = False

    def start(self) -> None:
        """Connect and stay connected."""
        self._do(self._stream.start(self._world.now))

    def use_key(self, key: str) -> None:
        """Connect with this key from now on."""
        self._do(self._stream.use_key(self._world.now, key))

    def register(self, channel: Channel) -> None:
        """Want a channel."""
        self._do(self._stream.register(self._world.now, channel))

    def unregister(self, channel: Channel) -> None:
        """Want a channel no more."""
        self._do(self._stream.unregister(self._world.now, channel))

    def reconnect(self, reason: str) -> None:
        """Give up a connection that stands. reason: words."""
        self._do(self._stream.reconnect(self._world.now, reason))

    def counts(self) -> dict[str, int]:
        """What was seen since the beginning, by name."""
        return self._stream.counts()

    def close(self) -> None:
        """Take leave."""
        self._do(self._stream.stop())

    def die(self, *, says_goodbye: bool) -> None:
        """The process is gone."""
        self._is_dead = True
        connection, self._connection = self._connection, None
        if connection is not None and says_goodbye:
            connection.end()

    # the network

    def on_text(self, connection: Connection, text: str) -> None:
        """A text has come."""
        if connection is self._connection:
            self._do(self._stream.on_text(self._world.now, text))

    def on_lost(self, connection: Connection, reason: str) -> None:
        """The connection is gone."""
        if connection is self._connection:
            self._connection = None
            self._do(self._stream.on_closed(self._world.now, reason))

    def _do(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Event():
                    self._bus.publish(output)
                case Connect():
                    self._connect()
                case SendText(text):
                    if self._connection is not None:
                        self._connection.send(text)
                case Close():
                    connection, self._connection = self._connection, None
                    if connection is not None:
                        connection.end()
        self._plan()

    def _plan(self) -> None:
        """Wake the stream up when it wants that; an earlier time, planned before what moved it, does no harm."""
        due = self._stream.due
        if due is None or due >= self._wakes_at or self._is_dead:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = due
        self._timer = self._clock.call_at(due, self._wake)

    def _wake(self, _due: int) -> None:
        self._wakes_at = FOREVER
        self._do(self._stream.on_timer(self._world.now))

    def _connect(self) -> None:
        connection = self._connection = Connection(self._world, self)
        opened = self._world.now + 2 * self._world.way()
        self._world.at(opened, lambda: self._world.when_awake(lambda: self._opened(connection)))

    def _opened(self, connection: Connection) -> None:
        if connection is not self._connection:
            return
        world = self._world
        connection.is_open = True
        world.sessions[connection.number] = connection
        world.core.connect(world.now, connection.number)
        world.carry()
        world.at(world.now + DRAWN_EVERY, lambda: self._draw(connection))
        self._do(self._stream.on_open(world.now))

    def _draw(self, connection: Connection) -> None:
        """Let luck look at the connection now and then."""
        if connection is not self._connection or not connection.is_open:
            return
        if self._world.hits("line-dead"):
            connection.is_mute = True
        elif self._world.hits("line-quiet"):
            connection.is_quiet = True
        elif self._world.hits("line-cut"):
            connection.end()
            self._world.when_awake(lambda: self.on_lost(connection, "connection reset"))
        else:
            self._world.at(self._world.now + DRAWN_EVERY, lambda: self._draw(connection))

"""The thread that owns the stream client and its connection."""

import queue
import select
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import Close, Connect, Output, SendText
from qbtrade.adapters.kis.transport.link import BROKEN, CHUNK, PATIENCE, Link
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import FeedLost
from qbtrade.domain.market import Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.errors import ConfigError
from qbtrade.kernel.loop import Inbox
from qbtrade.ports import Clock

MARKET: Final = (Trade, Quote)
"""What may be conflated."""


class StreamThread:
    """The thread that owns one `Stream` and its connection; every method may be called from any other thread.

    speed: how many times faster than the machine's the clock runs. Raises: ConfigError for anything but `ws://`.
    """

    def __init__(self, stream: Stream, url: str, clock: Clock, inbox: Inbox, *, speed: int = 1) -> None:
        if not url.startswith("ws://"):
            raise ConfigError("{url} is no stream address", hint="KIS's stream speaks ws://host:port", url=url)
        self._stream, self._url, self._clock, self._inbox, self._speed = stream, url, clock, inbox, speed
        self._asks: queue.SimpleQueue[Callable[[int], Iterable[Output]]] = queue.SimpleQueue()
        self._bell, self._ringer = socket.socketpair()
        self._link: Link | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="qb-stream", daemon=True)

    def start(self) -> None:
        """Connect and stay connected."""
        self._ask(self._stream.start)
        self._thread.start()

    def use_key(self, key: str) -> None:
        """Connect with this approval key from now on."""
        self._ask(partial(self._stream.use_key, key=key))

    def register(self, channel: Channel) -> None:
        """Want a channel."""
        self._ask(partial(self._stream.register, channel=channel))

    def unregister(self, channel: Channel) -> None:
        """Want a channel no more."""
        self._ask(partial(self._stream.unregister, channel=channel))

    def reconnect(self, reason: str) -> None:
        """Give up a connection that stands, and make another. reason: words."""
        self._ask(partial(self._stream.reconnect, reason=reason))

    def counts(self) -> dict[str, int]:
        """What was seen since the beginning, by name."""
        return {**self._stream.counts(), "conflated": self._inbox.dropped}

    def close(self, patience: float = 3 * PATIENCE) -> bool:
        """Take leave of the server and end the thread; True when it has ended."""
        self._ask(self._end)
        if self._thread.ident is None:
            self._bell.close()
            self._ringer.close()
            return True
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _ask(self, ask: Callable[[int], Iterable[Output]]) -> None:
        self._asks.put(ask)
        with suppress(OSError):  # closed already
            self._ringer.send(b"!")

    def _end(self, _: int) -> Iterable[Output]:
        self._is_over = True
        return self._stream.stop()

    def _run(self) -> None:
        try:
            with self._bell, self._ringer:
                while not self._is_over:
                    self._turn()
        finally:
            if not self._is_over:  # a fault of ours: the kernel must not believe that all is quiet
                self._inbox.put(FeedLost(self._clock.now(), "the stream's thread ended"))

    def _turn(self) -> None:
        """Wait for the bell, the server or the stream's timer, and serve whatever has come."""
        link, due, clock = self._link, self._stream.due, self._clock
        wait = None if due is None else max(due - clock.now(), 0) / NS / self._speed
        watched: list[socket.socket | Link] = [self._bell] if link is None else [self._bell, link]
        ready, _, _ = select.select(watched, [], [], wait)
        if self._bell in ready:
            self._bell.recv(CHUNK)
            while not self._asks.empty():
                self._do(self._asks.get()(clock.now()))
        if link is not None and link in ready and link is self._link:
            self._listen(link)
        if due is not None:
            self._do(self._stream.on_timer(clock.now()))

    def _listen(self, link: Link) -> None:
        on_text, now, offer = self._stream.on_text, self._clock.now, self._inbox.offer
        try:
            for text in link.texts():
                for output in on_text(now(), text):
                    if isinstance(output, MARKET):
                        offer(output, (output.__class__, output.symbol))
                    else:
                        self._do((output,))
                if self._link is not link:
                    return
        except BROKEN as error:
            self._fail(str(error))

    def _do(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Connect():
                    self._connect()
                case Close():
                    self._hang_up()
                case SendText(text):
                    self._send(text)
                case Event():
                    self._inbox.put(output)

    def _connect(self) -> None:
        try:
            self._link = Link(self._url)
        except BROKEN as error:
            self._fail(str(error))
        else:
            self._do(self._stream.on_open(self._clock.now()))

    def _send(self, text: str) -> None:
        if self._link is None:
            return
        try:
            self._link.send(text)
        except BROKEN as error:
            self._fail(str(error))

    def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _fail(self, reason: str) -> None:
        self._hang_up()
        self._do(self._stream.on_closed(self._clock.now(), reason))

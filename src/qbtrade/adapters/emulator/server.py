"""The face on localhost: a REST port and a stream port in front of one core, on a thread of their own."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from threading import Event as ThreadEvent
from threading import Thread
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from qbtrade.adapters.emulator.core import Emulator
from qbtrade.adapters.emulator.http_face import BadRequestError, encoded, read_request
from qbtrade.adapters.emulator.plan import Credentials, EmulatorPlan, Stage
from qbtrade.adapters.emulator.recorder import Recorder
from qbtrade.adapters.emulator.wire import Answer, Frame, Hangup, Output, Reply, Request
from qbtrade.errors import UsageError
from qbtrade.kernel.clock import LiveClock

HOST: Final = "127.0.0.1"
_STARTING: Final = 30.0
_STOPPING: Final = 10.0
_CLOSING: Final = 0.5
_IDLE: Final = 0.25
BACKLOG: Final = 10_000
"""Frames that may wait for a stream that reads slowly; with one more its connection is dropped."""


class _Connection(ServerConnection):
    """A stream that says when a pong came, also one that nobody asked for."""

    on_pong = staticmethod(lambda: None)

    def acknowledge_pings(self, data: bytes) -> None:
        """See every pong."""
        self.on_pong()
        super().acknowledge_pings(data)


class EmulatorServer:
    """A local KIS that runs until it is stopped. clock: its market time; take a `twin` for another thread.

    backlog: frames that may wait for a slow reader.
    """

    def __init__(self, plan: EmulatorPlan, stage: Stage, backlog: int = BACKLOG) -> None:
        self.plan, self._backlog = plan, backlog
        self.clock = LiveClock(start=stage.start, speed=plan.speed)
        self._stage = stage
        self._ready, self._thread = ThreadEvent(), Thread(target=self._run, name="emulator", daemon=True)
        self._failure: BaseException | None = None
        self._urls = ("", "")

    @property
    def credentials(self) -> Credentials:
        """The keys and the account that work here."""
        return self.plan.credentials

    @property
    def is_running(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    @property
    def failure(self) -> BaseException | None:
        """What ended it, if it was not `stop`."""
        return self._failure

    def start(self) -> tuple[str, str]:
        """Open both ports; their URLs. Raises: UsageError when a port is taken, FileError."""
        self._thread.start()
        self._ready.wait(_STARTING)
        if isinstance(self._failure, OSError):
            raise UsageError(
                "the emulator cannot listen on port {port}: {error}", hint="Choose another --port",
                port=self.plan.port, error=self._failure,
            ) from self._failure  # fmt: skip
        if self._failure is not None:
            raise self._failure
        return self._urls

    def stop(self) -> None:
        """Close everything. Harmless when it has ended."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(_STOPPING)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - whoever started it is told
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ended, self._awake = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._core = Emulator(self.plan, self._stage)
        self._numbers: Iterator[int] = count(1)
        self._waiting: dict[int, asyncio.Future[Answer | None]] = {}
        self._writers: set[asyncio.StreamWriter] = set()
        self._streams: dict[int, ServerConnection] = {}
        self._queues: dict[int, asyncio.Queue[str | bytes | None]] = {}
        with Recorder(self.plan.record) as self._recorder:
            rest = await asyncio.start_server(self._on_http, HOST, self.plan.port)
            port = self.plan.port + 1 if self.plan.port else 0
            async with rest, serve(
                self._on_stream, HOST, port, create_connection=_Connection, compression=None,
                close_timeout=_CLOSING, ping_interval=None, max_queue=None,
            ) as stream:  # fmt: skip
                self._urls = (f"http://{HOST}:{_port(rest)}", f"ws://{HOST}:{_port(stream)}")
                self._ready.set()
                pump, end = asyncio.create_task(self._pump()), asyncio.create_task(self._ended.wait())
                await asyncio.wait((pump, end), return_when=asyncio.FIRST_COMPLETED)
                pump.cancel()
                end.cancel()
                for queue in self._queues.values():
                    queue.put_nowait(None)
                for writer in self._writers:
                    writer.transport.abort()
                if pump.done() and not pump.cancelled():
                    pump.result()  # a market that broke down takes its server along

    async def _pump(self) -> None:
        """Let the market go on."""
        while True:
            now = self.clock.now()
            self._core.advance(now)
            self._carry(now)
            self._awake.clear()
            wait = min(max((self._core.clock.next_due - self.clock.now()) / self.plan.speed / 1e9, 0.0), _IDLE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), wait) if wait else await asyncio.sleep(0)

    def _carry(self, now: int) -> None:
        outputs, self._core.outputs[:] = list(self._core.outputs), []
        for output in outputs:
            self._recorder.out(now, output)
            self._deliver(output)
        self._awake.set()

    def _deliver(self, output: Output) -> None:
        match output:
            case Reply():
                waiting = self._waiting.pop(output.number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(output.answer)
            case Frame():
                self._queue(output)
            case Hangup():
                self._drop(output.session)

    def _queue(self, frame: Frame) -> None:
        """Let a frame wait for its stream; one that lets too many wait is dropped, as KIS does."""
        queue = self._queues.get(frame.session)
        if queue is None:
            return
        if queue.qsize() >= self._backlog:
            self._drop(frame.session)
        else:
            queue.put_nowait(frame.data)

    def _drop(self, number: int) -> None:
        """End a stream without a close frame."""
        stream = self._streams.get(number)
        if stream is not None:
            stream.transport.abort()

    async def _on_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (request := await read_request(reader)) is not None:
                answer = await self._answer(request)
                if answer is None:
                    writer.transport.abort()
                    return
                writer.write(encoded(answer))
                await writer.drain()
        except (BadRequestError, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, request: Request) -> Answer | None:
        number, now = next(self._numbers), self.clock.now()
        waiting = self._waiting[number] = self._loop.create_future()
        self._recorder.request(now, number, request)
        self._core.request(now, number, request)
        self._carry(now)
        answer: Answer | None = await waiting
        return answer

    async def _on_stream(self, stream: ServerConnection) -> None:
        number = next(self._numbers)
        self._streams[number] = stream
        queue = self._queues[number] = asyncio.Queue()
        self._core.connect(self.clock.now(), number)
        if isinstance(stream, _Connection):
            stream.on_pong = lambda: self._core.pong(self.clock.now(), number)
        writing = asyncio.create_task(_write(stream, queue))
        try:
            async for text in stream:
                now = self.clock.now()
                said = text if isinstance(text, str) else text.decode(errors="replace")
                self._recorder.received(now, number, said)
                self._core.receive(now, number, said)
                self._carry(now)
        except ConnectionClosed:
            pass
        finally:
            writing.cancel()
            del self._streams[number], self._queues[number]
            self._core.disconnect(self.clock.now(), number)


async def _write(stream: ServerConnection, queue: "asyncio.Queue[str | bytes | None]") -> None:
    with suppress(ConnectionClosed):
        while (data := await queue.get()) is not None:
            await stream.send(data, text=True) if isinstance(data, bytes) else await stream.send(data)
        await stream.close()


def _port(server: asyncio.Server | Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port

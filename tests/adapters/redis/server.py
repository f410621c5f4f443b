"""A real Redis that a test may pause, kill and start again."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from qbtrade.adapters.services.programs import redis as program
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.servers import HOST, PASSWORD, free_port

PATIENCE = 30.0


class Server:
    """One server on one port, with a password."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"redis://:{PASSWORD}@{HOST}:{self._port}/0"
        self.client = redis.Redis.from_url(self.url, decode_responses=True)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ("--port", str(self._port), "--bind", HOST, "--dir", str(self._folder), "--requirepass", PASSWORD)
        line = (program().path, *options, "--daemonize", "no", "--save", "", "--appendonly", "yes")
        self._process = subprocess.Popen(tuple(map(str, line)), stdout=subprocess.DEVNULL)
        watch = Stopwatch()
        while watch.seconds() < PATIENCE:
            try:
                self.client.ping()
            except redis.ConnectionError:
                sleep(0.02)
            else:
                return
        raise AssertionError("Redis does not answer")

    def pause(self) -> None:
        """Let it hang."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.client.close()
        if self._process.poll() is None:
            self.kill()


@contextmanager
def redis_at(folder: Path) -> Iterator[Server]:
    """A server while the `with` lasts."""
    server = Server(folder)
    try:
        yield server
    finally:
        server.close()

"""Processes that outlive the command which started them, and end only when they are told to.

A server inherits a locked file. The lock lasts exactly as long as a process holds it, so it tells whether the server
lives, whatever number a pid file holds and whoever has that number by now.
"""

import fcntl
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from qbtrade.adapters.services.owner import give, start_as
from qbtrade.errors import FileError
from qbtrade.kernel.clock import Stopwatch, sleep

ALIVE: Final = "alive.lock"
OWNER_ONLY: Final = 0o600
PATIENCE: Final = 240.0
"""Machine seconds that a server may take to start or to end."""
NAP: Final = 0.02
_DETACH: Final = 'log=$1; shift; exec "$@" >>"$log" 2>&1 &'


class Server:
    """One server process. name: of the program. folder: its own. pid_file: written by itself."""

    def __init__(self, name: str, folder: Path, pid_file: Path) -> None:
        self.name, self.folder, self._pid_file = name, folder, pid_file
        self.log = folder / "server.log"

    @property
    def is_alive(self) -> bool:
        """True while a process that was started here lives."""
        try:
            handle = os.open(self.folder / ALIVE, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return not _locked(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    @property
    def pid(self) -> int:
        """Its process, 0 while it is not alive or has not said. A pid file left over names nobody of its session."""
        with suppress(OSError, ValueError, IndexError):
            session = int((self.folder / ALIVE).read_text(encoding="ascii"))
            found = int(self._pid_file.read_text(encoding="ascii").split()[0])
            if self.is_alive and os.getsid(found) == session:
                return found
        return 0

    def start(self, line: Sequence[object], is_ready: Callable[[], bool]) -> None:
        """Start it in a session of its own and wait until it is ready. Raises: FileError with its last words."""
        _open_log(self.log)
        handle = os.open(self.folder / ALIVE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
        try:
            if not patiently(lambda: _locked(handle, fcntl.LOCK_EX)):
                raise FileError("{name} runs already in {folder}", name=self.name, folder=self.folder)
            os.ftruncate(handle, 0)
            detached = ["/bin/sh", "-c", _DETACH, "sh", self.log, *line]
            with subprocess.Popen(  # noqa: S603 (our own line)
                list(map(str, detached)), cwd="/", stdin=subprocess.DEVNULL, start_new_session=True,
                pass_fds=(handle,), umask=0o077, **start_as(),
            ) as shell:  # fmt: skip
                os.pwrite(handle, str(shell.pid).encode(), 0)
        finally:
            os.close(handle)
        if not patiently(lambda: not self.is_alive or is_ready()) or not self.is_alive:
            raise FileError(
                "{name} did not start: {cause}", name=self.name, cause=self.last_words(), hint="See {log}", log=self.log
            )

    def stop(self, how: signal.Signals) -> bool:
        """Tell it to end, and wait. Gives whether it lived. Raises: FileError."""
        if not self.is_alive:
            return False
        if not patiently(lambda: self.pid > 0 or not self.is_alive):
            raise FileError("{name} in {folder} does not tell its process", name=self.name, folder=self.folder)
        with suppress(ProcessLookupError):
            if pid := self.pid:
                os.kill(pid, how)
        if not patiently(lambda: not self.is_alive):
            raise FileError(
                "{name} (process {pid}) was told to end and does not", name=self.name, pid=self.pid,
                hint="See {log}", log=self.log,
            )  # fmt: skip
        return True

    def last_words(self) -> str:
        """The last line of its log."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return lines[-1] if lines else "?"
        return "?"


def is_surely_not(pid: int, program: str) -> bool:
    """True when the process is known not to run that program: gone, ended and not yet buried, or another by now.

    Only Linux tells.
    """
    if not Path("/proc/self/exe").exists():
        return False
    try:
        return not Path(f"/proc/{pid}/exe").readlink().name.startswith(program)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def patiently(holds: Callable[[], bool]) -> bool:
    """Wait until it holds, for PATIENCE at most; whether it does."""
    watch = Stopwatch()
    while not holds():
        if watch.seconds() > PATIENCE:
            return False
        sleep(NAP)
    return True


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Be the only command that starts or stops servers. Raises: FileError."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
    try:
        if not patiently(lambda: _locked(handle, fcntl.LOCK_EX)):
            raise FileError("another `qb services` is at work and does not end", hint="Try again, or end it")
        yield
    finally:
        os.close(handle)


def _open_log(path: Path) -> None:
    """A new log; the one before stays beside it."""
    with suppress(FileNotFoundError):
        path.replace(path.with_suffix(".before.log"))
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY))
    give(path)


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

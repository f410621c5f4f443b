"""Who may trade an account: one running session, or whoever sells out from outside; locked files that name them."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.http import Heeds
from qbtrade.app.account_files import (
    Running,
    fence_path,
    holder,
    lock_path,
    read_running,
    recording_path,
    running,
    selling_path,
)
from qbtrade.app.halt_flag import is_halted
from qbtrade.app.home import OURS_ALONE
from qbtrade.errors import FileError, LockedError
from qbtrade.kernel.clock import Stopwatch, sleep, wall_ns

OWNER_ONLY: Final = 0o600
NAP: Final = 0.05


@contextmanager
def account_lock(home: Path, environment: Environment, run_id: str) -> Iterator[None]:
    """Hold the account while the `with` lasts. Raises: LockedError that names whoever has it."""
    with _locked(lock_path(home, environment)) as name:
        other = holder(selling_path(home, environment))
        if other is not None and other.run_id != run_id:
            raise LockedError(
                "`qb halt --flatten` (process {pid}) sells what this account holds", hint="Wait until it ends",
                pid=other.pid,
            )  # fmt: skip
        name(run_id)
        yield


@contextmanager
def selling_lock(home: Path, environment: Environment, run_id: str) -> Iterator[None]:
    """Be the only one who sells out from outside. Raises: LockedError that names the other."""
    with _locked(selling_path(home, environment)) as name:
        name(run_id)
        yield


@contextmanager
def recording_lock(home: Path, environment: Environment, run_id: str) -> Iterator[None]:
    """Be the only one who records with the stream of a key, of which KIS gives one. Raises: LockedError."""
    with _locked(recording_path(home, environment), _recording) as name:
        name(run_id)
        if other := running(home, environment):
            raise LockedError(
                "session {run_id} (process {pid}) uses the one stream of this key, and records by itself",
                run_id=other.run_id or "?", pid=other.pid, hint="Its recording is in QB_HOME/recordings",
            )  # fmt: skip
        yield


def refuse_beside_recorder(home: Path, environment: Environment) -> None:
    """No session begins without a stream of its own. Raises: LockedError that names the recorder."""
    other = holder(recording_path(home, environment))
    if other is not None:
        raise _recording(other)


def _recording(other: Running) -> LockedError:
    return LockedError(
        "`qb data record` (process {pid}) uses the one stream of this key", pid=other.pid,
        hint="End it with Ctrl+C there; a session records by itself",
    )  # fmt: skip


@contextmanager
def _locked(path: Path, refusal: Callable[[Running], LockedError] | None = None) -> Iterator[Callable[[str], None]]:
    """Hold a lock; what is given writes down whose it is. refusal: what to say to the second one."""
    handle = _open(path)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise (refusal or _busy)(holder(path) or Running(0, "", 0)) from None
        yield lambda run_id: _write(handle, Running(os.getpid(), run_id, wall_ns()))
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _write(handle: int, running: Running) -> None:
    """In place: a lock belongs to the file, not to its name."""
    body = msgspec.json.encode(running)
    os.pwrite(handle, body, 0)
    os.ftruncate(handle, len(body))


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error


def _busy(other: Running) -> LockedError:
    if other.taken_by:
        return LockedError(
            "session {run_id} (process {pid}) hangs and still holds this account, which was taken over from it",
            run_id=other.run_id, pid=other.pid, hint="End it with `kill -9 {pid}`",
        )  # fmt: skip
    return LockedError(
        "session {run_id} (process {pid}) trades this account already", run_id=other.run_id or "?", pid=other.pid,
        hint="See `qb status`; end it with Ctrl+C there",
    )  # fmt: skip


# changing hands


def take_over(home: Path, environment: Environment, run_id: str, patience: float) -> None:
    """Take an account from the session that holds it: from here on it may send cancels, and nothing else, for ever.

    The session need not do anything for that: it reads whose account it is under the fence, before each order, and
    holds the fence until the order is answered. patience: machine seconds for an order on its way.
    Raises: LockedError while an order of the session may still leave.
    """
    handle, watch = _open(fence_path(home, environment)), Stopwatch()
    try:
        while not _fenced(handle, fcntl.LOCK_EX):
            if watch.seconds() > patience:
                other = read_running(home, environment) or Running(0, "?", 0)
                raise LockedError(
                    "process {pid} hangs with an order on its way: nothing is sold, since that order might still leave",
                    hint="End it with `kill -9 {pid}`, then start this command again", pid=other.pid,
                )  # fmt: skip
            sleep(NAP)
        found = read_running(home, environment) or Running(0, "?", 0)
        named = _open(lock_path(home, environment))
        try:
            _write(named, msgspec.structs.replace(found, taken_by=run_id))
        finally:
            os.close(named)
    finally:
        os.close(handle)


def taken_by(home: Path, environment: Environment, run_id: str) -> str:
    """The run that took the account over from this one, or ""."""
    found = read_running(home, environment)
    return "" if found is None or found.owner == run_id else found.owner


class Gate:
    """Lets the orders of one run pass while the account is its own and nobody halted it."""

    def __init__(self, home: Path, environment: Environment, run_id: str) -> None:
        self._home, self._environment, self._run_id = home, environment, run_id
        self._fence = fence_path(home, environment)

    @contextmanager
    def __call__(self, heeds: Heeds) -> Iterator[str]:
        """Why it may not leave, or "". The account cannot change hands while the `with` lasts."""
        if heeds == "nothing":
            yield ""
            return
        try:
            handle = _open(self._fence)
        except FileError as error:
            yield error.message
            return
        try:
            yield self._objection(handle, heeds)
        finally:
            os.close(handle)

    def _objection(self, handle: int, heeds: Heeds) -> str:
        owner = read_running(self._home, self._environment) if _fenced(handle, fcntl.LOCK_SH) else None
        if owner is None or owner.owner != self._run_id:
            return "another process took the account over"
        if heeds == "halt" and is_halted(self._home, self._environment):
            return "trading is halted from outside"
        return ""


def _fenced(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

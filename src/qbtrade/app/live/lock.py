"""One running session per account: a locked file that names who holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import Running, lock_path, running
from qbtrade.app.home import OURS_ALONE
from qbtrade.errors import FileError, LockedError
from qbtrade.kernel.clock import wall_ns

OWNER_ONLY: Final = 0o600


@contextmanager
def account_lock(home: Path, environment: Environment, run_id: str) -> Iterator[None]:
    """Hold the account while the `with` lasts. Raises: LockedError that names the other session."""
    path = lock_path(home, environment)
    try:
        path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(running(home, environment) or Running(0, "", 0)) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, msgspec.json.encode(Running(os.getpid(), run_id, wall_ns())), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _busy(other: Running) -> LockedError:
    return LockedError(
        "session {run_id} (process {pid}) trades this account already", run_id=other.run_id or "?", pid=other.pid,
        hint="See `qb status`; end it with Ctrl+C there",
    )  # fmt: skip

"""The running session as other processes see it: one small file, written anew every few seconds."""

from pathlib import Path

import msgspec

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import account_name, holder, locks, write_private
from qbtrade.app.status import Status


class Seen(msgspec.Struct, frozen=True):
    """A session at one moment. written: machine time, UTC ns. urls: REST and stream.

    heeded: since when the halt lasts that it obeys, UTC ns, or 0. account: its name among the files of accounts.
    """

    run_id: str
    pid: int
    written: int
    environment: str
    urls: tuple[str, str]
    status: Status
    heeded: int = 0
    account: str = ""


def status_path(home: Path, environment: Environment) -> Path:
    """Where a session of this account shows itself."""
    return home / "status" / f"{account_name(environment)}.json"


def show(home: Path, environment: Environment, seen: Seen) -> None:
    """Write it. Raises: FileError."""
    write_private(status_path(home, environment), seen)


def seen_on(home: Path, environment: Environment) -> Seen | None:
    """The session that showed itself last on an account."""
    return _read(status_path(home, environment))


def shown(home: Path) -> tuple[Seen, ...]:
    """Every session that showed itself last on its account, newest first."""
    found = filter(None, map(_read, (home / "status").glob("*.json")))
    return tuple(sorted(found, key=lambda seen: -seen.written))


def _read(path: Path) -> Seen | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Seen)
    except (OSError, msgspec.DecodeError):
        return None


def is_running(home: Path, seen: Seen) -> bool:
    """Whether that session holds its account still: its process number may be another program's by now.

    Raises: FileError.
    """
    lock = holder(locks(home) / f"{seen.account}.json")
    return lock is not None and lock.run_id == seen.run_id

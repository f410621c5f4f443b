"""Files that belong to one account of one environment: what preflight found, the lock of a session."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from qbtrade.adapters.kis.environment import Environment, EnvKind
from qbtrade.app.files import write_whole
from qbtrade.app.home import OURS_ALONE
from qbtrade.errors import FileError

LARGEST: Final = 1 << 20


class Running(msgspec.Struct, frozen=True):
    """The session that holds the lock. started: UTC ns.

    taken_by: the run of `qb halt --flatten` that took the account over because the session hung, or "".
    """

    pid: int
    run_id: str
    started: int
    taken_by: str = ""

    @property
    def owner(self) -> str:
        """The run that may send orders."""
        return self.taken_by or self.run_id


class Opening(msgspec.Struct, frozen=True):
    """Whether the exchange opens on a day, as KIS said. day: KST."""

    day: date
    open: bool


def account_of(environment: Environment, run_id: str = "") -> str:
    """Whose books these are, as journals name them: nobody else's account, and never that of another emulator.

    run_id: of the session with which its local KIS ends, else "".
    """
    where = environment.rest_url if environment.kind is EnvKind.EMULATOR else ""
    parts = (environment.kind, environment.account, where, run_id)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def account_name(environment: Environment) -> str:
    """`paper-3f9a…`: the environment and a digest of the account, which is not shown."""
    text = f"{environment.kind}|{environment.account}"
    return f"{environment.kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def verdict_path(home: Path, environment: Environment) -> Path:
    """Where preflight leaves its verdict."""
    return home / "preflight" / f"{account_name(environment)}.json"


def opening_path(home: Path, environment: Environment) -> Path:
    """Where the answer to the question about holidays is kept, which KIS wants to hear once a day."""
    return home / "preflight" / f"{account_name(environment)}-holiday.json"


def read_opening(home: Path, environment: Environment, day: date) -> Opening | None:
    """What KIS said of this day, if it was asked already."""
    found: Opening | None = _read(opening_path(home, environment), Opening)
    return found if found and found.day == day else None


def locks(home: Path) -> Path:
    """The folder of the locks of all accounts."""
    return home / "locks"


def lock_path(home: Path, environment: Environment) -> Path:
    """The file that a running session holds locked; it holds a Running."""
    return locks(home) / f"{account_name(environment)}.json"


def selling_path(home: Path, environment: Environment) -> Path:
    """The file that whoever sells out from outside holds locked; it holds a Running."""
    return locks(home) / f"{account_name(environment)}.selling.json"


def recording_path(home: Path, environment: Environment) -> Path:
    """The file that `qb data record` holds locked while it uses the stream of a key; it holds a Running."""
    return locks(home) / f"{account_name(environment)}.recording.json"


def fence_path(home: Path, environment: Environment) -> Path:
    """The file that is locked, shared, while an order is on its way, and alone while an account changes hands."""
    return locks(home) / f"{account_name(environment)}.fence"


def running(home: Path, environment: Environment) -> Running | None:
    """The session that holds the lock now, if any. Raises: FileError."""
    return holder(lock_path(home, environment))


def read_running(home: Path, environment: Environment) -> Running | None:
    """Whom the lock of an account names, whether it is held or not."""
    found: Running | None = _read(lock_path(home, environment), Running)
    return found


def holder(path: Path) -> Running | None:
    """Who holds a lock now, if anybody does. Raises: FileError."""
    import fcntl

    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(path, Running) or Running(0, "?", 0)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError("cannot read {path}: {cause}", path=path, cause=error.strerror or error) from error
    return None


def write_private(path: Path, value: Any) -> None:
    """Write a file for the owner alone, and its folder. Raises: FileError."""
    try:
        path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            "cannot create folder {path}: {cause}", path=path.parent, cause=error.strerror or error
        ) from error
    write_whole(path, msgspec.json.format(msgspec.json.encode(value)) + b"\n")


def _read(path: Path, kind: type[Any]) -> Any:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None

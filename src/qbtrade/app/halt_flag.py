"""The halt of one account, which outlives sessions. It is kept twice, as a file and as a row; either of them halts.

What is there and cannot be read halts, too.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.store.halt_row import read_row, write_row
from qbtrade.app.account_files import account_name, locks, write_private
from qbtrade.app.home import OURS_ALONE
from qbtrade.errors import FileError, UsageError
from qbtrade.kernel.clock import wall_ns

OWNER_ONLY: Final = 0o600
LARGEST: Final = 1 << 20


class Halt(msgspec.Struct, frozen=True):
    """Trading was halted until somebody resumes it. since: UTC ns; reason: words.

    flatten: what is held is to be sold.
    """

    since: int
    reason: str
    flatten: bool = False


class Kept(msgspec.Struct, frozen=True):
    """What became of a wish to halt. is_kept: the account is halted. problems: why a place does not hold it."""

    flag: Halt
    is_kept: bool
    problems: tuple[str, ...] = ()


def halt_path(home: Path, environment: Environment) -> Path:
    """Where the flag lies; any file there halts."""
    return home / "halt" / f"{account_name(environment)}.json"


def row_path(home: Path, environment: Environment) -> Path:
    """Where the row lies; any file there halts. Another folder: what befalls one need not befall the other."""
    return locks(home) / f"{account_name(environment)}.halt.sqlite3"


def is_halted(home: Path, environment: Environment) -> bool:
    """Whether anything halts the account; nothing is opened for that, so that it costs next to nothing."""
    return any(map(_found, (halt_path(home, environment), row_path(home, environment))))


def read_halt(home: Path, environment: Environment) -> Halt | None:
    """The newer of flag and row, if one is there. One that cannot be read halts all the same."""
    flag = _read(halt_path(home, environment), "the halt file", _content)
    row = _read(row_path(home, environment), "the row of the halt", read_row)
    return max(filter(None, (flag, row)), key=lambda each: each.since, default=None)


def set_halt(home: Path, environment: Environment, reason: str, *, flatten: bool = False) -> Kept:
    """Halt an account as well as the disk lets us: never raises, for orders have to be canceled all the same."""
    flag, problems = Halt(wall_ns(), reason, flatten), list[str]()
    path, row = halt_path(home, environment), row_path(home, environment)
    try:
        write_private(path, flag)
    except FileError as error:
        problems.append(error.message)
        with suppress(OSError):
            path.touch(OWNER_ONLY)  # an empty file needs no room on a full disk, and halts
    try:
        row.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        write_row(row, msgspec.json.encode(flag))
    except OSError as error:
        problems.append(f"cannot write {row}: {error.strerror or error}")
    for folder in (path.parent, row.parent):
        _sync(folder)
    return Kept(flag, is_halted(home, environment), tuple(problems))


def take_halt(home: Path, environment: Environment, seen: Halt, reason: str) -> None:
    """Take flag and row away, and keep why. seen: the halt that somebody looked into.

    Raises: FileError, UsageError when the account was halted anew meanwhile.
    """
    if read_halt(home, environment) != seen:
        raise UsageError("trading was halted anew meanwhile", hint="See `qb status`, then `qb resume` once more")
    path = halt_path(home, environment)
    try:
        path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        line = msgspec.json.encode({"resumed": wall_ns(), "halted": seen.since, "because": seen.reason, "why": reason})
        with path.with_name("resumed.jsonl").open("ab") as log:
            log.write(line + b"\n")
        row_path(home, environment).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error


def _found(path: Path) -> bool:
    """Whether anything is there, or nobody can tell."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _read(path: Path, what: str, content: Callable[[Path], bytes]) -> Halt | None:
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Halt(0, f"{what} cannot be looked for: {error.strerror or error}")
    try:
        return msgspec.json.decode(content(path), type=Halt)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Halt(0, f"{what} cannot be read") if _found(path) else None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST)


def _sync(folder: Path) -> None:
    """Let the names of new files reach the disk, too."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

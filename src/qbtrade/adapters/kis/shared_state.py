"""What the qb processes of one key share: its token and the calls they made, each a small file under a lock.

The files are made for the owner alone. A process that dies lets go of its locks.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from qbtrade.adapters.kis.auth import Held, may_ask_at, without
from qbtrade.adapters.kis.environment import Environment, Secret
from qbtrade.adapters.kis.limiter import Grants
from qbtrade.adapters.kis.parse.keys import Grant
from qbtrade.kernel.clock import Stopwatch, sleep

T = TypeVar("T")
OWNER_ONLY: Final = 0o600
FOLDER_MODE: Final = 0o700
LARGEST: Final = 1 << 20
LONGEST_WAIT: Final = 2.0
"""Machine seconds that trading may stand still for the token file of another process; it is held for microseconds."""
NAP: Final = 0.005


class _TokenFile(msgspec.Struct):
    """A token as it lies in its file. key: which key and server it belongs to."""

    key: str = ""
    token: str = ""
    expires: int = 0
    asked: int = 0


class TokenFile:
    """The token of one key; where its file cannot be used, that of this process. Raises: OSError without a folder."""

    def __init__(self, folder: Path, environment: Environment) -> None:
        self._key = environment.key_id
        self._path = _file(folder, f"token-{self._key}.json")
        self._own = Held()

    def load(self) -> Held:
        """What is there; nothing in a file that cannot be read or belongs to another key."""
        return self._change(lambda held: held)

    def reserve(self, now: int, gap: int) -> int:
        """Take the right to ask for a token; see TokenStore."""
        before = self._change(lambda held: held if may_ask_at(held, now, gap) else Held(held.grant, now))
        return may_ask_at(before, now, gap)

    def release(self) -> None:
        """Give that right back."""
        self._change(lambda held: Held(held.grant))

    def save(self, grant: Grant) -> None:
        """Keep a new token."""
        self._change(lambda held: Held(grant, held.asked))

    def bury(self, token: Secret) -> None:
        """Forget this token, if it is the one that is kept."""
        self._change(lambda held: without(held, token))

    def _change(self, change: Callable[[Held], Held]) -> Held:
        """Change what is held, alone; what was held before."""
        try:
            with _locked(self._path) as handle:
                before = self._read(handle)
                after = change(before)
                if after is not before:
                    self._write(handle, after)
        except OSError:
            before = self._own
            after = change(before)
        self._own = after
        return before

    def _read(self, handle: int) -> Held:
        found = _decode(handle, _TokenFile, _TokenFile())
        if found.key != self._key:
            return Held()
        return Held(Grant(Secret(found.token), found.expires) if found.token else None, found.asked)

    def _write(self, handle: int, held: Held) -> None:
        token, expires = (held.grant.token.reveal(), held.grant.expires) if held.grant else ("", 0)
        _encode(handle, _TokenFile(self._key, token, expires, held.asked))


class GrantFile:
    """The calls made with one key lately."""

    def __init__(self, folder: Path, environment: Environment) -> None:
        self._path = _file(folder, f"calls-{environment.key_id}.json")

    def update(self, change: Callable[[Grants], Grants]) -> bool:
        """Replace them; False while another process has them open, or where the file cannot be used."""
        try:
            with _locked(self._path, wait=False) as handle:
                _encode(handle, change(_decode(handle, Grants, Grants())))
        except OSError:
            return False
        return True


def _file(folder: Path, name: str) -> Path:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return folder / name


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[int]:
    """The file, made if it is not there, for this process alone. wait: for a moment; whoever holds it may be stopped.

    Raises: BlockingIOError while another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        os.fchmod(handle, OWNER_ONLY)
        watch = Stopwatch()
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not wait or watch.seconds() > LONGEST_WAIT:
                    raise
                sleep(NAP)
        yield handle
    finally:
        os.close(handle)


def _decode(handle: int, kind: type[T], nothing: T) -> T:
    try:
        return msgspec.json.decode(os.pread(handle, LARGEST, 0), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return nothing


def _encode(handle: int, value: object) -> None:
    content = msgspec.json.encode(value)
    os.pwrite(handle, content, 0)
    os.ftruncate(handle, len(content))

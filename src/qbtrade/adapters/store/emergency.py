"""Room for what a journal can no longer take: a file that has all its space from the beginning."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from qbtrade.errors import JournalError

ROOM: Final = 1 << 21
"""Bytes: about forty minutes of a protective sell that is priced anew every two seconds."""
RESERVE: Final = ROOM // 2
"""Bytes that only what is vital may use."""
_OWNER_ONLY: Final = 0o600
_UNUSED: Final = bytes(1 << 16)


def emergency_path(journal: Path) -> Path:
    """Where the emergency file of a journal lies."""
    return journal.with_suffix(".emergency")


class EmergencyFile:
    """Lines of a number and a text behind a journal, written over zeros: they need no space that is not there.

    On a file system that writes every block anew (btrfs, ZFS) the room is not certain.
    """

    def __init__(self, journal: Path) -> None:
        """Take the room. Raises: OSError."""
        self.path = emergency_path(journal)
        self._at = 0
        self._handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            _write(self._handle, bytes(ROOM), 0)
            os.fsync(self._handle)
            sync(self.path.parent)
        except OSError:
            self.remove()
            raise

    def write(self, lines: Iterable[tuple[int, bytes]], *, vital: bool) -> None:
        """Write lines. vital: on disk before it returns, and allowed to use the reserve.

        Raises: OSError, JournalError when the room is used up.
        """
        text = b"".join(b"%d %s\n" % line for line in lines)
        if self._at + len(text) > ROOM - (0 if vital else RESERVE):
            raise JournalError("the emergency file {path} is full", path=self.path)
        _write(self._handle, text, self._at)
        if vital:
            os.fdatasync(self._handle) if hasattr(os, "fdatasync") else os.fsync(self._handle)
        self._at += len(text)

    def close(self) -> None:
        """Let go of it; what was written stays."""
        with suppress(OSError):
            os.close(self._handle)

    def remove(self) -> None:
        """Let go of it, and of the room."""
        self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def rescued(journal: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a journal's emergency file, oldest first; none without one. A torn last line was never finished.

    Raises: OSError, JournalError when a line before the last is damaged.
    """
    path = emergency_path(journal)
    try:
        lines = _used(path).split(b"\n")
    except FileNotFoundError:
        return
    for number, line in enumerate(lines[:-1], 1):
        seq, _, text = line.partition(b" ")
        if not seq.isdigit() or b"\0" in text:
            if number == len(lines) - 1 and not lines[-1]:
                return
            raise JournalError("{path}, line {number} is damaged", path=path, number=number)
        yield int(seq), text


def _used(path: Path) -> bytes:
    """What was written over the zeros. Whole blocks of them go first: byte by byte they would take milliseconds."""
    with path.open("rb", buffering=0) as file:
        blocks = list(iter(lambda: file.read(len(_UNUSED)), b""))
    while blocks and blocks[-1] == _UNUSED:
        blocks.pop()
    return b"".join(blocks).rstrip(b"\0")


def _write(handle: int, content: bytes, at: int) -> None:
    """All of it: a full disk may take a part."""
    view = memoryview(content)
    while view:
        done = os.pwrite(handle, view, at)
        view, at = view[done:], at + done


def sync(path: Path) -> None:
    """Bring a file or folder to disk. Raises: OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

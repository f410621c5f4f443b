"""The log of a symbol's day: text in blocks with checksums, only ever appended to.

A block is a line `#qb BYTES CRC32` and as many bytes of CSV lines. What a crash or a bad disk left of a block is
skipped: reading goes on with the next one that is whole.
"""

import fcntl
import mmap
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from qbtrade.errors import FileError, LockedError

OURS_ALONE: Final = 0o700
OWNER_ONLY: Final = 0o600
MAGIC: Final = b"#qb "
HEAD: Final = re.compile(rb"#qb ([0-9]{1,12}) ([0-9a-f]{8})")
LONGEST_HEAD: Final = 40


class Piece(NamedTuple):
    """A stretch of a log. is_whole: a block whose lines are as they were written; else bytes that mean nothing."""

    at: int
    content: bytes
    is_whole: bool


def pieces(path: Path) -> Iterator[Piece]:
    """Everything in a log, in order, in the memory of its largest block. Raises: FileError."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size:
                with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
                    yield from _pieces(content, size)
    except OSError as error:
        raise FileError("cannot read {path}: {cause}", path=path, cause=error.strerror or error) from error


def _pieces(content: mmap.mmap, size: int) -> Iterator[Piece]:
    at = 0
    while at < size:
        head, end = _block(content, at, size)
        if end:
            yield Piece(at, content[head:end], is_whole=True)
        else:
            found = content.find(MAGIC, at + 1)
            end = size if found < 0 else found
            yield Piece(at, content[at:end], is_whole=False)
        at = end


def _block(content: mmap.mmap, at: int, size: int) -> tuple[int, int]:
    """Where the lines of the block begin and end that begins here; 0, 0 when none does, or not as it was written."""
    head, newline, _lines = content[at : at + LONGEST_HEAD].partition(b"\n")
    found = HEAD.fullmatch(head)
    if not (found and newline):
        return 0, 0
    begins = at + len(head) + 1
    ends = begins + int(found[1])
    if ends > size or zlib.crc32(content[begins:ends]) != int(found[2], 16):
        return 0, 0
    return begins, ends


def damaged(path: Path) -> int:
    """Bytes of a log that mean nothing. Raises: FileError."""
    return sum(len(piece.content) for piece in pieces(path) if not piece.is_whole)


class Log:
    """The one writer of a log, which holds it locked. Raises: FileError; LockedError when it has a writer already."""

    def __init__(self, path: Path) -> None:
        self.path, self._handle = path, _locked(path)
        self._end = os.fstat(self._handle).st_size

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it."""
        return not self._end

    def append(self, lines: bytes) -> None:
        """Add a block, whole or not at all. Raises: OSError."""
        block = b"%b%d %08x\n%b" % (MAGIC, len(lines), zlib.crc32(lines), lines)
        try:
            written = 0
            while written < len(block):
                written += os.pwrite(self._handle, block[written:], self._end + written)
        except OSError:
            os.ftruncate(self._handle, self._end)
            raise
        self._end += len(block)

    def sync(self) -> None:
        """Have on disk what was appended. Raises: OSError."""
        os.fsync(self._handle)

    def remove(self) -> None:
        """Let go of the log and of its file: its rows stand elsewhere."""
        self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the log."""
        os.close(self._handle)


def _locked(path: Path) -> int:
    """The log, open and locked; whoever held it may have removed it in between."""
    while True:
        try:
            path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
        except OSError as error:
            raise FileError("cannot write {path}: {cause}", path=path, cause=error.strerror or error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise LockedError(
                "another process records {path}", path=path, hint="Wait until it ends; each symbol has one recorder"
            ) from error
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)

"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qbtrade.errors import FileError


def check_writable(path: Path) -> None:
    """Find out before a long run whether a file can be written there. Raises: FileError."""
    with _draft(path.resolve()):
        pass


def write_whole(path: Path, content: bytes) -> None:
    """Write beside its place first, then move it there; only the owner may read it. Raises: FileError."""
    place = path.resolve()
    with _draft(place) as (handle, draft):
        with open(handle, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(handle)
        draft.replace(place)


@contextmanager
def _draft(place: Path) -> Iterator[tuple[int, Path]]:
    """A new file beside `place`, gone afterwards unless it was moved."""
    if place.exists() and not place.is_file():
        raise FileError("cannot write {path}: it is not a plain file", path=place)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        try:
            yield handle, Path(name)
        finally:
            os.close(handle)
            with suppress(OSError):
                Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise FileError("cannot write {path}: {cause}", path=place, cause=error.strerror or error) from error

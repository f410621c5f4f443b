"""A pipe from a process to another one that watches it: a letter, then a sign of life now and then, then a farewell.

No disk has a part in it. However the first process ends, by kill -9 too, the pipe ends with it.
"""

import os
import select
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from typing import Final

BEAT: Final = b"."
FAREWELL: Final = b"!"
_SIZE: Final = 4
_LARGEST: Final = 1 << 20
_PATIENCE: Final = 5.0
"""Machine seconds for the watcher to end after the farewell."""
_TOLD: Final = frozenset({"QB_LANG"})
"""What a watcher may know of our settings by its environment; all else comes in the letter."""


class Lifeline:
    """The end of the process that is watched."""

    def __init__(self, line: Sequence[str], letter: bytes) -> None:
        """Start the watcher, in a session of its own, where Ctrl+C does not reach it. Raises: OSError."""
        plain = {name: text for name, text in os.environ.items() if not name.startswith("QB_") or name in _TOLD}
        theirs, self._pipe = os.pipe()
        try:
            self._watcher = subprocess.Popen(  # noqa: S603 (our own program)
                line, stdin=theirs, stdout=subprocess.DEVNULL, start_new_session=True, env=plain, cwd="/",
                stderr=None if sys.stderr.isatty() else subprocess.DEVNULL,
            )  # fmt: skip
            os.write(self._pipe, len(letter).to_bytes(_SIZE, "big") + letter)  # shorter than what a pipe holds
        finally:
            os.close(theirs)
        os.set_blocking(self._pipe, False)

    def beat(self) -> bool:
        """Show that this process lives; False when nobody watches any more."""
        try:
            os.write(self._pipe, BEAT)
        except BlockingIOError:
            return True  # it was stopped, and has enough to read when it goes on
        except OSError:
            return False
        return True

    def farewell(self) -> None:
        """Say that nothing is left to watch, and let the watcher end."""
        try:
            os.write(self._pipe, FAREWELL)
            self._watcher.wait(_PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            self._watcher.kill()
            self._watcher.wait()
        os.close(self._pipe)


class Heard(Enum):
    """What a watcher has heard since it listened last."""

    NOTHING = 0
    LIFE = 1
    FAREWELL = 2
    END = 3


class Listener:
    """The end of the watcher: its standard input."""

    def __init__(self) -> None:
        self._handle = sys.stdin.fileno()
        self._is_over = False

    def letter(self) -> bytes:
        """What the watcher has to know; empty when the other process ended before it had said that."""
        size = int.from_bytes(self._exactly(_SIZE), "big")
        return self._exactly(min(size, _LARGEST))

    def listen(self, seconds: float) -> Heard:
        """Wait for a sign, at most so many machine seconds; after the end of the pipe that is all this does."""
        ready, _, _ = select.select([] if self._is_over else [self._handle], [], [], seconds)
        if not ready:
            return Heard.NOTHING
        told = os.read(self._handle, 65536)
        if FAREWELL in told:
            return Heard.FAREWELL
        self._is_over = not told
        return Heard.LIFE if told else Heard.END

    def _exactly(self, size: int) -> bytes:
        parts = b""
        while len(parts) < size and (part := os.read(self._handle, size - len(parts))):
            parts += part
        return parts if len(parts) == size else b""

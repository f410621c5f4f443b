"""A program on a terminal of its own: what it shows is read, keys are typed, Ctrl+C goes through the terminal."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from qbtrade.kernel.clock import Stopwatch

PATIENCE = 240
LOOK_AGAIN = 0.1
PRESS_AGAIN = 10
CTRL_C, CTRL_D = "\x03", "\x04"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TAKE_IT = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the one that controls the program, so that keys become signals."""


class Terminal:
    """What stands on the screen so far, without control codes, and a keyboard."""

    def __init__(self, process: "subprocess.Popen[bytes]", screen: int) -> None:
        self.process, self._screen, self._shown = process, screen, b""

    @property
    def shown(self) -> str:
        """Everything shown so far, one line ending for all."""
        return _CONTROL.sub("", self._shown.decode(errors="replace")).replace("\r\n", "\n")

    def until(self, text: str) -> None:
        """Read until the text stands there."""
        self.wait(lambda: text in self.shown)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Read until it is so; a program whose screen nobody reads would come to a halt."""
        watch = Stopwatch()
        while not condition():
            assert self._read(), f"it ended too early:\n{self.shown}"
            assert watch.seconds() < PATIENCE, f"it did not come to that:\n{self.shown}"

    def type(self, keys: str) -> None:
        """Press keys; Enter is \\n."""
        os.write(self._screen, keys.encode())

    def end(self, again: str = "") -> int:
        """Read to the end. Returns the exit code.

        again: keys that are pressed anew after a while, because a shell may lose a Ctrl+C before it reads.
        """
        watch, pressed = Stopwatch(), Stopwatch()
        while self._read():
            assert watch.seconds() < PATIENCE, f"it does not end:\n{self.shown}"
            if again and pressed.seconds() > PRESS_AGAIN:
                self.type(again)
                pressed = Stopwatch()
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        """Take what is there; False when nobody writes any more."""
        if not select.select([self._screen], [], [], LOOK_AGAIN)[0]:
            return True
        try:
            more = os.read(self._screen, 65536)
        except OSError:  # Linux's way of saying that the other side is closed
            return False
        self._shown += more
        return bool(more)


@contextmanager
def terminal(line: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Iterator[Terminal]:
    """A program on a terminal; killed at the end if it still lives."""
    screen, keyboard = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _TAKE_IT, *line], cwd=folder, env={**variables, "TERM": "xterm", "COLUMNS": "120"},
        stdin=keyboard, stdout=keyboard, stderr=keyboard, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(keyboard)
        try:
            yield Terminal(process, screen)
        finally:
            process.kill()
            os.close(screen)

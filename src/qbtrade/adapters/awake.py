"""Keeps the machine awake: caffeinate on macOS, systemd-inhibit elsewhere, where there is one and it may.

Both hold for as long as the command that they run, which here is a shell that waits for the end of a line to us.
However this process ends, by kill -9 too, the line ends with it, and so do the command and its tool.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

CAFFEINATE: Final = ("caffeinate", "-i", "-m", "-s")
SYSTEMD: Final = (
    "systemd-inhibit", "--what=idle:sleep:handle-lid-switch", "--mode=block", "--who=qb", "--why=a session trades",
)  # fmt: skip
_HELD: Final = b"held\n"
_WAIT: Final = ("/bin/sh", "-c", "echo held && exec cat >/dev/null")
"""Says that it was started, which is when the tool holds, and stays until its input ends."""
_PATIENCE: Final = 3.0
"""Machine seconds for a tool to begin and to end."""


def tool_here(platform: str = sys.platform) -> str:
    """The tool of this machine, or ""."""
    name = _line(platform)[0]
    return name if shutil.which(name) else ""


@contextmanager
def kept_awake(platform: str = sys.platform) -> Iterator[bool]:
    """Hold the machine awake while the `with` lasts; True when that is granted."""
    if not tool_here(platform):
        yield False
        return
    ours, theirs = socket.socketpair()
    with ours, _started(platform, theirs) as tool:
        try:
            yield _is_granted(ours)
        finally:
            ours.close()
            try:
                tool.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                tool.kill()


def _line(platform: str) -> tuple[str, ...]:
    return CAFFEINATE if platform == "darwin" else SYSTEMD


def _started(platform: str, end: socket.socket) -> "subprocess.Popen[bytes]":
    """The tool, in a session of its own: Ctrl+C is for us, who still have orders to cancel. It is told no secrets."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("QB_")}
    with end:
        return subprocess.Popen(  # noqa: S603 (a fixed line)
            [*_line(platform), *_WAIT], stdin=end.fileno(), stdout=end.fileno(), stderr=subprocess.DEVNULL,
            start_new_session=True, env=plain,
        )  # fmt: skip


def _is_granted(line: socket.socket) -> bool:
    """A tool that is refused ends without running its command."""
    line.settimeout(_PATIENCE)
    try:
        return line.recv(len(_HELD)) == _HELD
    except OSError:
        return False

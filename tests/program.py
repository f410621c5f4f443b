"""The installed `qb`, started as a shell would start it."""

import os
import signal
import subprocess
import sysconfig
from pathlib import Path

PATIENCE = 240
"""Seconds that a process may take for anything: a ceiling on a loaded machine, not what is expected."""
QB = str(Path(sysconfig.get_path("scripts")) / "qb")


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a shell has, with a home of its own, English, and nothing else that qbtrade was told."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("QB_")}
    return {**others, "QB_HOME": str(home), "QB_LANG": "en", **more}


def run_qb(*args: str, folder: Path, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """One command line in `folder`, to its end; neither stream is a terminal."""
    return subprocess.run(
        [QB, *args],
        cwd=folder,
        env=environment(home, **env),
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=PATIENCE,
    )


def press_twice(process: "subprocess.Popen[str]") -> None:
    """Two signals, and it looks at neither before both are there; two of a kind would be one."""
    freeze(process)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        process.send_signal(number)


def freeze(process: "subprocess.Popen[str]") -> None:
    """Stop it, and return when it stands still: until then it may still finish what it was writing."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

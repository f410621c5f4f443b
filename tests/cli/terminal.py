"""Runs `qb` as a user would: in this process, or as a process of its own."""

import os
import subprocess
import sys

from typer.testing import CliRunner, Result

from qbtrade.cli.main import app
from tests.program import PATIENCE

QB = (sys.executable, "-m", "qbtrade")


def qb(*args: str, **env: str) -> Result:
    """One command line in this process."""
    return CliRunner().invoke(app, list(args), env=env)


def qb_process(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """One command line in a process of its own; neither stream is a terminal."""
    return subprocess.run(
        [*QB, *args],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def one_line(text: str) -> str:
    """The only line of a text."""
    (line,) = text.splitlines()
    return line

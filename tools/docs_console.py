"""What README and tutorial show: real commands and what they print. Called by cog.

The commands run in an empty folder, with a home of their own, English and no terminal. What differs between two runs or
two machines (run ids, paths, speeds) is replaced by something that stays.
"""

import atexit
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
COMMENT: Final = re.compile(r"  +#.*$")
HOME: Final = ".local/share/qbtrade"
"""QB_HOME as it is shown; relative, so that no line is longer on one machine than on another."""
RUN_ID: Final = re.compile(r"\b\d{8}-\d{6}-\d{6}\b")
FIRST_RUN: Final = "20261123-200000-{:06d}"
ENVIRONMENT: Final = {
    "LANG": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "QB_HOME": HOME,
    "QB_LANG": "en",
    "TERM": "dumb",
}
_NUMBER: Final = r"\d+(?:[,.]\d+)*[KM]?"
SPEEDS: Final = (
    (re.compile(rf"(µs per event|journal rows/s|events/s|peak MB) {_NUMBER}"), r"\1 …"),
    (re.compile(rf"\b{_NUMBER} (events/s|MB|seconds)\b"), r"… \1"),
)
"""Figures of the machine."""


class Console:
    """One evening at a terminal: commands share a home, so a report finds what was simulated before it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, str] = {}
        (folder / "docs").symlink_to(ROOT / "docs")

    def run(self, line: str, *, columns: int = 100) -> subprocess.CompletedProcess[str]:
        """Run a line that begins with `qb`, as typed at the root of a checkout. A comment behind it is left out."""
        name, *args = shlex.split(COMMENT.sub("", line))
        if name != "qb":
            raise ValueError(f"{line!r} does not begin with qb")
        others = {name: value for name, value in os.environ.items() if not name.startswith("QB_")}
        return subprocess.run(
            [sys.executable, "-m", "qbtrade", *args],
            cwd=self._folder,
            env={**others, **ENVIRONMENT, "COLUMNS": str(columns)},
            capture_output=True,
            check=False,
            encoding="utf-8",
            timeout=100,
        )

    def show(self, line: str, *, exit_code: int = 0, columns: int = 100, cut: Callable[[str], str] = str) -> str:
        """The line and what it prints as a console block. cut: leaves out what the reader need not see.

        Raises: RuntimeError when it ends otherwise than it should.
        """
        ended = self.run(line, columns=columns)
        if ended.returncode != exit_code:
            raise RuntimeError(f"{line} ended with {ended.returncode}, not {exit_code}: {ended.stdout}{ended.stderr}")
        text = "\n".join(each.rstrip() for each in (ended.stdout + ended.stderr).splitlines())
        ending = f"\n$ echo $?\n{exit_code}" if exit_code else ""
        return f"```console\n$ {line}\n{cut(self._steady(text)).strip(chr(10))}{ending}\n```\n"

    def _steady(self, text: str) -> str:
        for pattern, steady in SPEEDS:
            text = pattern.sub(steady, text)
        return RUN_ID.sub(self._run, text).replace(HOME, f"~/{HOME}")

    def _run(self, found: re.Match[str]) -> str:
        return self._runs.setdefault(found[0], FIRST_RUN.format(len(self._runs) + 1))


def console() -> Console:
    """A console in a folder that is thrown away when cog ends."""
    folder = Path(tempfile.mkdtemp(prefix="qb-docs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Console(folder)


def only(*headings: str) -> Callable[[str], str]:
    """Keep the paragraphs that begin with one of these words; an ellipsis stands for the others between them."""

    def cut(text: str) -> str:
        kept: list[str] = []
        for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
            if paragraph.startswith(headings):
                kept.append(paragraph)
            elif kept[-1:] != ["…"]:
                kept.append("…")
        return "\n\n".join(kept)

    return cut


def source(path: str, language: str, lines: int | None = None) -> str:
    """A file of the checkout as a code block. lines: how many from its beginning, None for all."""
    text = (ROOT / path).read_text(encoding="utf-8").splitlines()[:lines]
    return "\n".join([f"```{language}", *text, "```", ""])

"""The files of the project as a reader finds them."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "qbtrade"


@cache
def project_files() -> tuple[Path, ...]:
    """Every file under version control or about to be; without git, every file outside of dot folders."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        listed = subprocess.run(
            [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True, text=True,
        ).stdout.split("\0")  # fmt: skip
        return tuple(path for name in sorted(filter(None, listed)) if (path := ROOT / name).is_file())
    return tuple(path for path in sorted(ROOT.rglob("*")) if path.is_file() and not _is_made(path))


def texts(suffixes: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Name from the root and content of every text file, of these suffixes if any are named."""
    for path in project_files():
        if not suffixes or path.suffix in suffixes:
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def _is_made(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return "__pycache__" in parts or (parts[0].startswith(".") and parts[0] not in {".ci", ".gitignore"})

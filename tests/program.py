"""The installed `qb`, started as a shell would start it."""

import os
import subprocess
import sysconfig
from pathlib import Path

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
        timeout=60,
    )

"""Plant known bugs, one at a time, in a copy of the sources, and count the seeds until the simulator catches each.

`python tools/planted.py [NAME…]`: patches of tests/planted whose names hold one of NAME, all of them without any. It
ends with 1 when fewer than 95 % are caught, or when a patch does not fit the sources any more. What it prints is
Markdown; `--into FILE` puts it into a file as well, between the marks that stand there.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PATCHES: Final = ROOT / "tests" / "planted"
ENOUGH: Final = 95
"""Percent of the bugs that have to be caught."""
CEILING: Final = 3600
"""Seconds for all seeds of one bug: a bug may make a world last for ever."""
MARKS: Final = "<!-- planted bugs -->", "<!-- end of planted bugs -->"
"""Around the table in a file."""
HEAD: Final = """\
| planted bug | the promise that it breaks | seeds until it was caught | what broke there first |
| --- | --- | --- | --- |"""
FIGURES: Final = re.compile(r"\{.*?\}|\[.*?\]|\b[LQ]?\d[\d,.]*")
"""What of a broken promise is of its world alone."""
PLAY: Final = """
import json, sys
from qbtrade.app.chaos.many import plans, verdicts
from qbtrade.app.chaos.plan import ACCOUNT_FAULTS, RATES
others = {name: RATES[name] for name in ACCOUNT_FAULTS}
for verdict in verdicts(plans(int(sys.argv[1]), int(sys.argv[2]), others, 0), processes=1):
    if verdict.broken:
        print(json.dumps([verdict.plan.seed, *verdict.broken]))
        break
"""
"""Plays worlds, with others in the account, up to the first one in which a promise breaks; that one is printed."""


class PlantError(Exception):
    """A patch that does not fit, or sources that do not run with it."""


class Planted(NamedTuple):
    """One bug. promise: what it breaks."""

    path: Path
    bug: str
    promise: str


class Caught(NamedTuple):
    """What became of a bug. seeds: until it was caught, 0 for never. said: by the judge, or why it was not tried."""

    planted: Planted
    seeds: int
    said: str


def planted(names: Sequence[str] = ()) -> list[Planted]:
    """The patches whose names hold one of these, in order; all of them without any."""
    wanted = [path for path in sorted(PATCHES.glob("*.patch")) if not names or any(name in path.stem for name in names)]
    return [_read(path) for path in wanted]


def _read(path: Path) -> Planted:
    head = path.read_text(encoding="utf-8").partition("\n---")[0]
    said = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    return Planted(path, said["Bug"], said["Promise"])


def plant(each: Planted, folder: Path) -> Path:
    """The sources with a bug, in a folder; what PYTHONPATH has to name. Raises: PlantError."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    around = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}  # a folder inside of a work tree is none
    told = subprocess.run(
        ["git", "apply", str(each.path)], cwd=folder, env=around, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if told.returncode:
        raise PlantError(f"does not apply: {told.stderr.strip()}")
    return folder / "src"


def play(sources: Path, seed: int, runs: int) -> tuple[int, str]:
    """The first seed that breaks a promise, and which; (-1, "") when none does. Raises: PlantError."""
    around = {**os.environ, "PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        told = subprocess.run(
            [sys.executable, "-c", PLAY, str(seed), str(runs)], env=around, capture_output=True, text=True,
            check=False, timeout=CEILING,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise PlantError(f"a world did not end within {CEILING} s") from error
    if told.returncode:
        raise PlantError(f"does not run: {told.stderr.strip().splitlines()[-1]}")
    found, *broken = json.loads(told.stdout or "[-1]")
    return found, "; ".join(broken)


def hunt(each: Planted, seed: int, runs: int) -> Caught:
    """Play worlds with a bug until one breaks a promise that holds there without it."""
    end, first = seed + runs, seed
    with TemporaryDirectory() as folder:
        try:
            sources = plant(each, Path(folder))
            while first < end:
                found, said = play(sources, first, end - first)
                if found < 0:
                    break
                if play(ROOT / "src", found, 1)[0] < 0:
                    return Caught(each, found - seed + 1, said)
                first = found + 1
        except PlantError as error:
            return Caught(each, 0, str(error))
    return Caught(each, 0, "")


def main(arguments: Sequence[str]) -> int:
    """Print what became of each bug, as a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=400, help="worlds for each bug, at most")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="bugs that are tried at a time")
    parser.add_argument("--into", type=Path, metavar="FILE", help="a file with marks, between which the table goes")
    asked = parser.parse_args(arguments)
    bugs, found, rows = planted(asked.names), list[Caught](), list[str]()
    print(HEAD, flush=True)
    with ThreadPoolExecutor(asked.processes) as pool:
        for each in pool.map(lambda bug: hunt(bug, asked.seed, asked.seeds), bugs):
            found.append(each)
            rows.append(_row(each))
            print(rows[-1], flush=True)
    caught = sum(each.seeds > 0 for each in found)
    share, day = caught * 1000 // len(found) / 10, time.strftime("%Y-%m-%d", time.gmtime())
    result = f"{caught} of {len(found)} ({share} %) caught within {asked.seeds} seeds from {asked.seed}"
    result += f", on {day} at {_commit()}."
    print(f"\n{result}")
    if asked.into:
        put(asked.into, "\n".join((result, "", HEAD, *rows)))
    return int(caught * 100 < ENOUGH * len(found) or any(each.said and not each.seeds for each in found))


def put(path: Path, text: str) -> None:
    """Replace what stands between the marks of a file. Raises: ValueError without them."""
    (before, rest), mark = path.read_text(encoding="utf-8").split(MARKS[0]), MARKS[1]
    path.write_text(f"{before}{MARKS[0]}\n{text}\n{mark}{rest.split(mark, 1)[1]}", encoding="utf-8")


def _row(caught: Caught) -> str:
    said = FIGURES.sub("…", caught.said.partition("; ")[0]) if caught.seeds else caught.said
    return f"| {caught.planted.bug} | {caught.planted.promise} | {caught.seeds or 'NOT CAUGHT'} | {said} |"


def _commit() -> str:
    """The sources that were played."""
    asked = ["git", "describe", "--always", "--dirty=, with changes", "--exclude=*"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip() or "no commit"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Hold the branch coverage of the rooms where money is decided: `python tools/coverage_floor.py coverage.json`."""

import json
import sys
from pathlib import Path
from typing import Final

ROOMS: Final = ("domain", "kernel", "engines")
FLOOR: Final = 95.0


def branch_percent(summaries: list[dict[str, int]]) -> float:
    """Branches taken, in percent."""
    branches = sum(summary["num_branches"] for summary in summaries)
    return 100 * sum(summary["covered_branches"] for summary in summaries) / max(branches, 1)


def main(report: str) -> int:
    """Print each room's branch coverage; 1 when one is below the floor."""
    files = json.loads(Path(report).read_text(encoding="utf-8"))["files"]
    below = 0
    for room in ROOMS:
        summaries = [entry["summary"] for name, entry in files.items() if f"qbtrade/{room}/" in name]
        percent = branch_percent(summaries)
        below += percent < FLOOR
        print(f"{room}: {percent:.1f} % of branches covered (at least {FLOOR:.0f} %)")
    return min(below, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

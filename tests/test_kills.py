"""A few of the kills that `just kills` deals out by the hundred; docs/reliability.md quotes those."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.program import PATIENCE, environment


@pytest.mark.slow
@pytest.mark.parametrize("side", ["real", "paper"])
def test_no_order_and_no_fill_is_lost_or_doubled_by_kills(side: str, tmp_path: Path) -> None:
    line = [sys.executable, "benchmarks/kills.py", "--kills", "5", "--speed", "40", "--side", side, "--json"]
    ended = subprocess.run(
        line, cwd=ROOT, env=environment(tmp_path), capture_output=True, check=False, text=True, timeout=2 * PATIENCE
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    figures = {name: figure for name, figure, _ in json.loads(ended.stdout)["rows"]}
    assert figures["kill -9 in all, days"] == "5, 1"

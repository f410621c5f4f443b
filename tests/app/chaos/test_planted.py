import ast
from pathlib import Path

import pytest

from tools.planted import Planted, hunt, plant, planted

QUICK = ("intent-not-synced", "off-the-grid")


def test_there_are_bugs_enough_and_each_says_what_it_breaks() -> None:
    bugs = planted()
    assert len(bugs) >= 20
    assert len({each.bug for each in bugs}) == len(bugs)
    assert all(each.promise for each in bugs)


@pytest.mark.parametrize("each", planted(), ids=lambda each: each.path.stem)
def test_a_planted_bug_still_fits_the_sources(each: Planted, tmp_path: Path) -> None:
    sources = plant(each, tmp_path)
    touched = [line.split("/", 1)[1] for line in each.path.read_text().splitlines() if line.startswith("+++ b/")]
    assert touched
    for name in touched:
        ast.parse((sources.parent / name).read_text())


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_caught(name: str) -> None:
    (bug,) = planted([name])
    caught = hunt(bug, seed=1000, runs=20)
    assert caught.seeds, caught.said

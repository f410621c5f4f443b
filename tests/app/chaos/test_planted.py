import ast
from pathlib import Path

import pytest

from tools.planted import Planted, hunt, main, plant, planted

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


def test_what_was_printed_goes_between_the_marks_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- planted bugs -->\nold\n<!-- end of planted bugs -->\nafter\n")
    assert main(["off-the-grid", "--seed", "1000", "--seeds", "5", "--into", str(page)]) == 0
    told, text = capsys.readouterr().out, page.read_text()
    row = next(line for line in told.splitlines() if "| limits are computed without ticks" in line)
    assert "1 of 1 (100.0 %) caught within 5 seeds from 1000" in text
    assert row in text
    assert "old" not in text
    assert text.startswith("before\n<!--")
    assert text.endswith("-->\nafter\n")

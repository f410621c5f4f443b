import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tools.docs_console import Console

FENCE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"#.*\bexit (\d+)")
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> list[str]:
    blocks = FENCE.findall(page.read_text(encoding="utf-8"))
    return [line for block in blocks for line in block.splitlines() if line.startswith("qb ")]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_every_command_that_a_page_tells_to_type_ends_as_the_page_says(page: Path, tmp_path: Path) -> None:
    console = Console(tmp_path)
    assert console.run("qb simulate --quiet").returncode == 0
    for line in commands(page):
        ended = console.run(line)
        expected = int(found[1]) if (found := EXIT.search(line)) else 0
        assert ended.returncode == expected, f"{line}\n{ended.stdout}{ended.stderr}"


def test_some_pages_tell_what_to_type() -> None:
    assert {page.name for page in PAGES if commands(page)} >= {"README.ko.md", "tutorial.md", "writing-a-strategy.md"}

"""Every command of the page on storage, as written, in order, in one shell."""

import json
import re
import subprocess
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.program import QB, environment
from tests.servers import services_folder

BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)

SESSION = "qb simulate --quiet --ticks 3000"
FIGURES = (
    "qb report --since 2020-01-01 --json > database.json",
    "qb report --since 2020-01-01 --json --journals > journals.json",
)
"""What was there at the beginning is there at the end: dumped, restored, and carried to another server."""


def test_every_command_of_the_page_works_as_written(tmp_path: Path) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "storage.md").read_text(encoding="utf-8"))
    first, *others = blocks
    lines = [line for line in first.splitlines() if " down" not in line]  # the page tells of it where it begins
    script = "set -eux\n" + "\n".join([SESSION, *lines, "qb db fill", *others, *FIGURES])
    with services_folder() as place:
        variables = environment(tmp_path / "home", QB_SERVICES_DIR=str(place))
        variables["PATH"] = f"{Path(QB).parent}:{variables['PATH']}"
        try:
            ended = subprocess.run(
                ["bash", "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
            )
        finally:
            subprocess.run([QB, "services", "down"], cwd=tmp_path, env=variables, check=True, capture_output=True)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    told, truth = (json.loads((tmp_path / f"{name}.json").read_bytes()) for name in ("database", "journals"))
    assert (told["source"], told["lacking"]["rows"]) == ("database", 0)
    assert told["rows"] == truth["rows"] != []
    assert len(blocks) >= 8
    assert ended.stdout.count("a row there and back") == 4

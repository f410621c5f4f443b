"""Rehearsals are played once for all tests that look at them, as those stand together."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.oracle.cases import CASES, MADE, TROUBLED
from tests.oracle.runs import RecordedRun, Run

Play = Callable[[str], Run]
KEPT: Final = 2
"""Runs that stay open: one may take some hundred megabytes."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that look at the same run together, so that none is played twice."""
    here = Path(__file__).parent
    places = [place for place, item in enumerate(items) if item.path.parent == here]
    for place, item in zip(places, sorted((items[place] for place in places), key=_name), strict=True):
        items[place] = item


def _name(item: pytest.Item) -> str:
    return str(item.callspec.params.get("name", "")) if hasattr(item, "callspec") else ""


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """The run of a case, by its name."""
    runs = OrderedDict[str, Run]()

    def played(name: str) -> Run:
        if name not in runs:
            home = Path(tmp_path_factory.mktemp("home"))
            runs[name] = RecordedRun(CASES[name], home) if name in CASES else Run((MADE | TROUBLED)[name], home)
        runs.move_to_end(name)
        if len(runs) > KEPT:
            runs.popitem(last=False)[1].close()
        return runs[name]

    yield played
    for run in runs.values():
        run.close()

"""Rehearsals are played once for all tests that look at them."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.oracle.cases import CASES, MADE, TROUBLED
from tests.oracle.runs import RecordedRun, Run

Play = Callable[[str], Run]


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """The run of a case, by its name."""
    runs: list[Run] = []

    @cache
    def played(name: str) -> Run:
        home = Path(tmp_path_factory.mktemp("home"))
        runs.append(RecordedRun(CASES[name], home) if name in CASES else Run((MADE | TROUBLED)[name], home))
        return runs[-1]

    yield played
    for run in runs:
        run.close()

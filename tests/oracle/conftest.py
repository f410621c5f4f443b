"""Rehearsals are played once for all tests that look at them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.oracle.cases import CASES, MADE, TROUBLED
from tests.oracle.runs import RecordedRun, Run

Play = Callable[[str], Run]


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """The run of a case, by its name."""

    @cache
    def played(name: str) -> Run:
        home = Path(tmp_path_factory.mktemp("home"))
        return RecordedRun(CASES[name], home) if name in CASES else Run((MADE | TROUBLED)[name], home)

    return played

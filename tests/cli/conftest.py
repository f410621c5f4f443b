"""Every test of the command line stands in an empty folder, with a home of its own, and reads English."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QB_LANG", "en")
    monkeypatch.delenv("QB_DEBUG", raising=False)

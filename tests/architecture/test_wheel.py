import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

import qbtrade
from tests.architecture.tree import ROOT, SOURCES, project_files


def run(arguments: Sequence[str], **environment: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, capture_output=True, check=True, text=True, env=os.environ | environment,
    ).stdout  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a user's installer builds it, with the backend that is here and without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    run(
        [
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--no-build-isolation",
            "--wheel-dir",
            str(folder),
            ".",
        ]
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    expected = {path.relative_to(SOURCES.parent).as_posix() for path in project_files() if path.is_relative_to(SOURCES)}

    with ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert expected - found == set()
    for pattern in ("data/*.toml", "data/*.json", "cli/locale/*/LC_MESSAGES/*.mo", "py.typed"):
        assert [name for name in found if Path(name).match(f"qbtrade/{pattern}")], pattern


def test_the_installed_wheel_gives_qb(wheel: Path, tmp_path: Path) -> None:
    run(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path), str(wheel)])

    said = subprocess.run(
        [sys.executable, tmp_path / "bin" / "qb", "--version"],
        cwd=tmp_path, capture_output=True, check=True, text=True, env=os.environ | {"PYTHONPATH": str(tmp_path)},
    ).stdout  # fmt: skip

    assert said == f"qb {qbtrade.__version__}\n"

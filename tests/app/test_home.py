"""Where files are kept."""

import stat
from pathlib import Path

import pytest

from qbtrade.app.home import create, home, journals_dir, reports_dir
from qbtrade.errors import FileError


def test_qb_home_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_HOME", str(tmp_path / "qb"))
    assert home() == tmp_path / "qb"
    assert not home().exists()


def test_tilde_in_qb_home_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("QB_HOME", "~/qb")
    assert home() == tmp_path / "qb"


@pytest.mark.parametrize("value", [None, ""])
def test_without_qb_home_the_platform_decides(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is None:
        monkeypatch.delenv("QB_HOME", raising=False)
    else:
        monkeypatch.setenv("QB_HOME", value)
    assert home().is_absolute()
    assert home().name == "qbtrade"


def test_folders_are_made_for_their_owner_alone_and_making_them_again_is_harmless(tmp_path: Path) -> None:
    place = tmp_path / "qb"
    create(place)
    create(place)
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (place, journals_dir(place), reports_dir(place))} == {
        0o700
    }


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"cannot create folder .*file"):
        create(tmp_path / "file" / "qb")

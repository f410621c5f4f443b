"""Files appear whole or not at all."""

import stat
from pathlib import Path

import pytest

from qbtrade.app.files import check_writable, write_whole
from qbtrade.errors import FileError


def test_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "report.json", b"new")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"report.json": b"new"}
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o600


def test_older_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(b"older and longer")
    write_whole(tmp_path / "report.json", b"new")
    assert (tmp_path / "report.json").read_bytes() == b"new"


def test_link_keeps_pointing_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "report.json")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "report.json").read_bytes() == b"new"


def test_asking_whether_it_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["nowhere/report.json", "file/report.json", "folder", "folder/"])
def test_unwritable_place_is_named_before_and_after_the_run(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="cannot write"):
        check_writable(tmp_path / path)
    with pytest.raises(FileError, match="cannot write"):
        write_whole(tmp_path / path, b"new")
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["file", "folder"]


def test_device_is_never_replaced() -> None:
    with pytest.raises(FileError, match="not a plain file"):
        check_writable(Path("/dev/null"))

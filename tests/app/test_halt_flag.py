"""A halt that is kept twice: either of flag and row halts, whatever became of the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.config import Settings
from qbtrade.app.halt_flag import halt_path, is_halted, read_halt, row_path, set_halt, take_halt
from qbtrade.app.kis_account import local_environment
from qbtrade.errors import FileError, UsageError

HERE = local_environment(Settings({}), "real", CREDENTIALS["real"], ("http://127.0.0.1:1", "ws://127.0.0.1:1"))
PLACES = pytest.mark.parametrize("path", [halt_path, row_path])
PathOf = Callable[..., Path]


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process takes a byte."""
    soft, hard = getrlimit(RLIMIT_FSIZE)
    setrlimit(RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        setrlimit(RLIMIT_FSIZE, (soft, hard))


def test_a_halt_stays_until_somebody_resumes_and_says_why(tmp_path: Path) -> None:
    assert (read_halt(tmp_path, HERE), is_halted(tmp_path, HERE)) == (None, False)
    kept = set_halt(tmp_path, HERE, "too wild")
    assert (kept.is_kept, kept.problems) == (True, ())
    flag = read_halt(tmp_path, HERE)
    assert flag == kept.flag
    assert (flag.reason, flag.flatten) == ("too wild", False)
    take_halt(tmp_path, HERE, flag, "it calmed down")
    assert (read_halt(tmp_path, HERE), is_halted(tmp_path, HERE)) == (None, False)
    assert "it calmed down" in (tmp_path / "halt" / "resumed.jsonl").read_text()


@PLACES
def test_the_other_place_keeps_a_halt_whose_file_is_gone(tmp_path: Path, path: PathOf) -> None:
    flag = set_halt(tmp_path, HERE, "too wild").flag
    path(tmp_path, HERE).unlink()
    assert (read_halt(tmp_path, HERE), is_halted(tmp_path, HERE)) == (flag, True)
    take_halt(tmp_path, HERE, flag, "it calmed down")
    assert not is_halted(tmp_path, HERE)


@PLACES
@pytest.mark.parametrize("content", [b"", b"{", b"SQLite format 3\0 and then nothing", b"\xff" * 5000])
def test_what_cannot_be_read_halts_and_can_be_taken_away(tmp_path: Path, path: PathOf, content: bytes) -> None:
    path(tmp_path, HERE).parent.mkdir()
    path(tmp_path, HERE).write_bytes(content)
    flag = read_halt(tmp_path, HERE)
    assert flag is not None
    assert "cannot be read" in flag.reason
    assert is_halted(tmp_path, HERE)
    take_halt(tmp_path, HERE, flag, "looked into")
    assert not is_halted(tmp_path, HERE)


@PLACES
def test_a_new_halt_replaces_a_damaged_place(tmp_path: Path, path: PathOf) -> None:
    path(tmp_path, HERE).parent.mkdir()
    path(tmp_path, HERE).write_bytes(b"\xff" * 5000)
    kept = set_halt(tmp_path, HERE, "too wild")
    assert (kept.problems, read_halt(tmp_path, HERE)) == ((), kept.flag)


def test_a_folder_that_cannot_be_looked_into_halts(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file in place of the folder")
    flag = read_halt(tmp_path / "home", HERE)
    assert flag is not None
    assert "cannot be looked for" in flag.reason
    assert is_halted(tmp_path / "home", HERE)


def test_a_full_disk_halts_all_the_same_and_says_so(tmp_path: Path) -> None:
    with full_disk():
        kept = set_halt(tmp_path, HERE, "no room")
    assert kept.is_kept
    assert len(kept.problems) == 2
    assert is_halted(tmp_path, HERE)
    flag = read_halt(tmp_path, HERE)
    assert flag is not None
    with full_disk(), pytest.raises(FileError, match="cannot write"):
        take_halt(tmp_path, HERE, flag, "why cannot be written down")
    assert is_halted(tmp_path, HERE)


def test_a_home_that_takes_nothing_is_told_and_does_not_raise(tmp_path: Path) -> None:
    for folder in ("halt", "locks"):
        (tmp_path / folder).write_text("a file in place of the folder")
    kept = set_halt(tmp_path, HERE, "no place")
    assert len(kept.problems) == 2
    assert kept.is_kept  # nobody can look there, and that halts


def test_a_halt_that_came_meanwhile_is_not_taken_away_unseen(tmp_path: Path) -> None:
    seen = set_halt(tmp_path, HERE, "first").flag
    set_halt(tmp_path, HERE, "second")
    with pytest.raises(UsageError, match="anew"):
        take_halt(tmp_path, HERE, seen, "the first is over")
    assert is_halted(tmp_path, HERE)

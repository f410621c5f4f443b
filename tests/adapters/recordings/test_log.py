from pathlib import Path

import pytest

from qbtrade.adapters.recordings.log import Log, damaged, pieces
from qbtrade.errors import LockedError


def lines(path: Path) -> list[bytes]:
    return [piece.content for piece in pieces(path) if piece.is_whole]


def written(path: Path, *blocks: bytes) -> Path:
    log = Log(path)
    for block in blocks:
        log.append(block)
    log.close()
    return path


def test_what_was_appended_is_read_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", b"one\n", b"two\nthree\n")
    assert lines(path) == [b"one\n", b"two\nthree\n"]
    assert damaged(path) == 0


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    written(tmp_path / "a.log", b"one\n")
    assert lines(written(tmp_path / "a.log", b"two\n")) == [b"one\n", b"two\n"]


@pytest.mark.parametrize("kept", range(1, 19))
def test_of_a_torn_tail_only_the_torn_block_is_lost(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path / "a.log", b"one\n", b"two\n")
    whole = path.read_bytes()
    block = whole.index(b"#qb", 1)
    path.write_bytes(whole[: block + kept])
    assert lines(path) == [b"one\n"]
    assert damaged(path) == kept


def test_reading_goes_on_behind_a_damaged_block(tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", b"one\n", b"two\n", b"three\n")
    path.write_bytes(path.read_bytes().replace(b"two", b"twO"))
    assert lines(path) == [b"one\n", b"three\n"]
    assert damaged(path) > 0


def test_a_new_block_behind_a_torn_one_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", b"one\n", b"two\n")
    path.write_bytes(path.read_bytes()[:-2])
    assert lines(written(path, b"three\n")) == [b"one\n", b"three\n"]


def test_a_log_has_one_writer(tmp_path: Path) -> None:
    log = Log(tmp_path / "a.log")
    with pytest.raises(LockedError, match="another process records"):
        Log(tmp_path / "a.log")
    log.close()
    Log(tmp_path / "a.log").close()

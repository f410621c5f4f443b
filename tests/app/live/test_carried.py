from datetime import date
from pathlib import Path

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.home import create, journals_dir
from qbtrade.app.live.carried import Carried, carried, journals
from qbtrade.errors import QbError

TODAY = date(2026, 11, 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path)
    return journals_dir(tmp_path)


def test_a_journal_that_cannot_be_read_is_never_left_out(tmp_path: Path, folder: Path) -> None:
    SqliteJournal(folder / "20261102-080000-000000.sqlite3").close()
    damaged = folder / "20261102-090000-000000.sqlite3"
    damaged.write_bytes(b"no database at all")

    with pytest.raises(QbError, match=damaged.name):
        carried(journals(tmp_path), "account", TODAY)


def test_a_session_killed_before_its_first_row_left_nothing(tmp_path: Path, folder: Path) -> None:
    SqliteJournal(folder / "20261102-080000-000000.sqlite3").close()
    (folder / "20261102-090000-000000.sqlite3").touch()

    assert carried(journals(tmp_path), "account", TODAY) == Carried()

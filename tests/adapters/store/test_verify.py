"""A journal that somebody touched is not sound, and the first row that cannot be trusted is named."""

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from qbtrade.adapters.store.emergency import emergency_path
from qbtrade.adapters.store.rows import encode, keys
from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.adapters.store.verify import head, verify
from qbtrade.domain.events import Alert, Level
from qbtrade.errors import ExitCode, FileError
from tests.recordings import a_traded_day

EVENTS = a_traded_day().events
COLUMNS = "seq, ts, type, symbol, order_id, body, hash"
OTHERS = "changed, moved or put in, or rows before it are gone"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.sqlite3"
    journal = SqliteJournal(path)
    for at in range(0, len(EVENTS), 7):
        journal.append(EVENTS[at : at + 7], durable=at % 2 == 0)
    journal.close()
    return path


def touch(path: Path, *statements: str) -> Path:
    """Change a journal as somebody would who knows SQLite."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TRIGGER event_stays; DROP TRIGGER event_stays_as_it_is;")
        connection.executescript(";".join(statements))
    return path


def test_what_a_session_wrote_is_sound(path: Path) -> None:
    found = verify(path)
    assert (found.rows, found.rescued, found.is_chained, found.is_ended) == (len(EVENTS), 0, True, True)
    assert found.last_hash == head(path)


def test_a_journal_that_is_being_written_is_sound_and_has_no_end(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "run.sqlite3")
    journal.append(EVENTS[:5], durable=True)
    found = verify(tmp_path / "run.sqlite3")
    journal.close()
    assert (found.rows, found.is_ended) == (5, False)


def test_an_empty_journal_is_sound(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "run.sqlite3").close()
    assert (verify(tmp_path / "run.sqlite3").last_hash, head(tmp_path / "run.sqlite3")) == ("", "")


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["UPDATE event SET body = body || ' ' WHERE seq = 5"], f"row 5: it was {OTHERS}"),
        (["UPDATE event SET hash = zeroblob(32) WHERE seq = 5"], f"row 5: it was {OTHERS}"),
        (["DELETE FROM event WHERE seq = 5"], "row 5: it is missing"),
        (["DELETE FROM event WHERE seq = 1"], "row 1: it is missing"),
        (
            ["DELETE FROM event WHERE seq = 5", "UPDATE event SET seq = -seq WHERE seq > 5",
             "UPDATE event SET seq = -seq - 1 WHERE seq < 0"],
            f"row 5: it was {OTHERS}",
        ),
        (
            ["UPDATE event SET seq = 9999 WHERE seq = 5", "UPDATE event SET seq = 5 WHERE seq = 6",
             "UPDATE event SET seq = 6 WHERE seq = 9999"],
            f"row 5: it was {OTHERS}",
        ),
        (
            [f"INSERT INTO event SELECT 9999, {COLUMNS.removeprefix('seq, ')} FROM event WHERE seq = 4",
             "UPDATE event SET seq = -seq WHERE seq > 4 AND seq < 9999",
             "UPDATE event SET seq = 5 WHERE seq = 9999", "UPDATE event SET seq = -seq + 1 WHERE seq < 0"],
            f"row 5: it was {OTHERS}",
        ),
        (
            [f"INSERT INTO event SELECT 0, {COLUMNS.removeprefix('seq, ')} FROM event WHERE seq = 4"],
            "row 0: it was put in",
        ),
        (["UPDATE event SET ts = ts + 1 WHERE seq = 5"], "row 5: its columns do not say what its event says"),
        (["UPDATE event SET type = 'MOON' WHERE seq = 5"], "row 5: its columns do not say what its event says"),
        (["UPDATE event SET symbol = '000660' WHERE seq = 5"], "row 5: its columns do not say what its event says"),
        (["UPDATE event SET order_id = 'Q9' WHERE seq = 5"], "row 5: its columns do not say what its event says"),
        (["UPDATE event SET body = '{' WHERE seq = 5"], "row 5: "),
    ],
)  # fmt: skip
def test_the_first_bad_row_is_named(path: Path, statements: list[str], named: str) -> None:
    with pytest.raises(FileError) as caught:
        verify(touch(path, *statements))
    assert named in caught.value.message
    assert caught.value.exit_code is ExitCode.BAD_FILE


def test_another_amount_in_a_chain_written_anew_is_found_by_whoever_kept_its_last_hash(path: Path) -> None:
    kept = head(path)
    assert verify(path, told=kept).last_hash == kept
    events = [event for event in read_events(path) if not isinstance(event, Alert)]
    events[3] = Alert(events[3].ts, Level.INFO, "note", "nothing happened")
    path.unlink()
    journal = SqliteJournal(path)
    journal.append(events, durable=True)
    journal.close()
    assert verify(path).rows == len(events)  # a chain alone proves nothing against somebody who writes all of it
    with pytest.raises(FileError, match=f"no row has the hash {kept}"):
        verify(path, told=kept)


def test_rows_cut_off_at_the_end_are_found_by_whoever_kept_the_last_hash(path: Path) -> None:
    kept = head(path)
    touch(path, f"DELETE FROM event WHERE seq > {len(EVENTS) - 2}")
    assert not verify(path).is_ended
    with pytest.raises(FileError, match="Rows at its end are gone"):
        verify(path, told=kept)


def test_a_hash_that_was_kept_of_an_earlier_moment_is_in_the_chain(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (kept,) = connection.execute("SELECT hash FROM event WHERE seq = 3").fetchone()
    assert verify(path, told=kept.hex()).rows == len(EVENTS)


def test_a_damaged_page_is_named_as_sqlite_names_it(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 3000)
        file.write(b"\xff" * 2000)
    with pytest.raises(FileError, match="damaged"):
        verify(path)


def test_a_journal_of_the_first_layout_is_read_and_is_not_chained(tmp_path: Path) -> None:
    path = an_old_journal(tmp_path / "old.sqlite3")
    assert list(read_events(path)) == EVENTS
    found = verify(path, told="ab" * 32)
    assert (found.rows, found.is_chained, found.last_hash, head(path)) == (len(EVENTS), False, "", "")


def test_a_row_that_an_old_journal_lacks_is_named_all_the_same(tmp_path: Path) -> None:
    path = an_old_journal(tmp_path / "old.sqlite3")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM event WHERE seq = 5")
        connection.commit()
    with pytest.raises(FileError, match="row 5: it is missing"):
        verify(path)


def an_old_journal(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE meta (schema_version INTEGER NOT NULL) STRICT; INSERT INTO meta VALUES (1);"
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, type TEXT NOT NULL,"
            " symbol TEXT NOT NULL, order_id TEXT NOT NULL, body TEXT NOT NULL) STRICT;"
        )
        for event in EVENTS:
            row = (*keys(event), encode(event).decode())
            connection.execute("INSERT INTO event (ts, type, symbol, order_id, body) VALUES (?, ?, ?, ?, ?)", row)
        connection.commit()
    return path


def test_the_hash_of_a_row_covers_that_of_the_row_before_it_and_the_first_that_of_the_session(path: Path) -> None:
    before = sha256(b"qbtrade journal\0" + b"0123456789abcdef").digest()
    for event in EVENTS:
        before = sha256(before + encode(event)).digest()
    assert head(path) == before.hex()


def a_rescue(folder: Path) -> Path:
    """A journal of five rows whose sixth was only rescued."""
    path = folder / "rescued.sqlite3"
    journal = SqliteJournal(path, is_live=True)
    journal.append(EVENTS[:5], durable=True)
    journal.rescue([(5, EVENTS[4]), (6, EVENTS[5])], vital=True)
    journal.close()
    return path


def test_rescued_rows_are_counted(tmp_path: Path) -> None:
    found = verify(a_rescue(tmp_path))
    assert (found.rows, found.rescued) == (5, 1)


def test_a_rescued_row_that_differs_from_the_table_is_named(tmp_path: Path) -> None:
    path = a_rescue(tmp_path)
    emergency = emergency_path(path)
    lines = emergency.read_bytes().split(b"\n")
    emergency.write_bytes(b"\n".join([lines[0].replace(encode(EVENTS[4]), encode(EVENTS[3])), *lines[1:]]))
    with pytest.raises(FileError, match="row 5: the emergency file holds another one"):
        verify(path)


@pytest.mark.parametrize("content", [b"x {}\n6 {}\n", b"6 {}\n6 {}\n"])
def test_a_damaged_emergency_file_is_not_sound(tmp_path: Path, content: bytes) -> None:
    path = a_rescue(tmp_path)
    emergency_path(path).write_bytes(content)
    with pytest.raises(FileError):
        verify(path)

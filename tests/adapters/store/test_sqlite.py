"""The journal: append-only, readable while it is written, whole after a kill."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from qbtrade.adapters.store.rows import SCHEMA_VERSION
from qbtrade.adapters.store.sqlite import SqliteJournal, last_event, read_events
from qbtrade.adapters.store.verify import integrity
from qbtrade.domain.events import Alert, CancelOrder, Level, OrderAccepted, OrderFilled, SubmitOrder, TickQuarantined
from qbtrade.domain.message import Event, EventType
from qbtrade.domain.order import Side
from qbtrade.errors import FileError, JournalError
from tests.builders import SAMSUNG, an_order, at
from tests.recordings import a_traded_day

HYNIX = "000660"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite3"


def written(path: Path, events: list[Event]) -> Path:
    journal = SqliteJournal(path)
    journal.append(events, durable=False)
    journal.close()
    return path


def alerts(count: int) -> list[Event]:
    return [Alert(at("10:00") + number, Level.INFO, "note", f"{number}") for number in range(count)]


def test_a_drive_that_keeps_no_write_ahead_log_takes_no_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    no_shared_memory = f"file:{path}?vfs=unix-dotfile"
    monkeypatch.setattr(sqlite3, "connect", lambda _path, **more: connect(no_shared_memory, uri=True, **more))
    with pytest.raises(JournalError, match="this drive lets SQLite keep no write-ahead log"):
        SqliteJournal(path)
    assert not path.exists()


def test_what_was_appended_is_read_back_equal_and_in_order(path: Path) -> None:
    events = a_traded_day().events
    assert list(read_events(written(path, events))) == events


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 64, 1000])
def test_any_number_of_events_in_one_append_is_written_once(path: Path, count: int) -> None:
    assert list(read_events(written(path, alerts(count)))) == alerts(count)


def test_durable_and_batched_appends_keep_their_order(path: Path) -> None:
    journal = SqliteJournal(path)
    for number, event in enumerate(alerts(9)):
        journal.append([event], durable=number % 3 == 0)
    journal.close()
    assert list(read_events(path)) == alerts(9)


def test_file_is_for_its_owner_alone(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append(alerts(1), durable=True)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    journal.close()
    assert modes == {0o600}


@pytest.mark.parametrize("statement", ["UPDATE event SET ts = 0", "DELETE FROM event"])
def test_rows_can_be_neither_changed_nor_deleted(path: Path, statement: str) -> None:
    connection = sqlite3.connect(written(path, alerts(2)))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    assert list(read_events(path)) == alerts(2)


def test_event_types_narrow_what_is_read(path: Path) -> None:
    events = a_traded_day().events
    wanted = {EventType.SIGNAL, EventType.ORDER_FILLED}
    found = list(read_events(written(path, events), types=wanted))
    assert found == [event for event in events if event.__struct_config__.tag in wanted]


def test_no_event_types_give_no_events(path: Path) -> None:
    assert list(read_events(written(path, alerts(3)), types=())) == []


def test_times_narrow_half_open(path: Path) -> None:
    first = at("10:00")
    assert list(read_events(written(path, alerts(9)), start=first + 2, end=first + 5)) == alerts(9)[2:5]


def test_symbol_finds_events_that_only_name_one_of_its_orders(path: Path) -> None:
    ours: list[Event] = [
        SubmitOrder(1, an_order("Q1")),
        OrderAccepted(2, "Q1", "77"),
        CancelOrder(3, "Q1", "lifetime"),
        OrderFilled(4, "Q1", SAMSUNG, Side.BUY, 75_000, 1),
    ]
    others: list[Event] = [
        SubmitOrder(5, an_order("Q2", symbol=HYNIX)),
        OrderAccepted(6, "Q2", "78"),
        TickQuarantined(7, HYNIX, 0, 1, "zero-price"),
        *alerts(2),
    ]
    assert list(read_events(written(path, ours + others), symbol=SAMSUNG)) == ours


def test_order_id_finds_the_order_however_it_is_carried(path: Path) -> None:
    events = a_traded_day().events
    found = list(read_events(written(path, events), order_id="Q1"))
    assert [str(event.__struct_config__.tag) for event in found] == [
        "SUBMIT_ORDER", "ORDER_APPROVED", "ORDER_SENDING", "ORDER_ACCEPTED", "ORDER_FILLED", "POSITION_CHANGED",
    ]  # fmt: skip


def test_last_event_is_the_newest_row(path: Path, tmp_path: Path) -> None:
    assert last_event(written(path, alerts(5))) == alerts(5)[-1]
    assert last_event(written(tmp_path / "empty.sqlite3", [])) is None


def test_journal_is_read_while_it_is_written(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.append(alerts(3)[:1], durable=False)
    reading = read_events(path)
    assert next(reading) == alerts(3)[0]
    journal.append(alerts(3)[1:], durable=True)
    assert list(reading) == []  # it sees the moment at which it began
    assert list(read_events(path)) == alerts(3)
    journal.close()


def test_reading_a_closed_journal_leaves_no_trace(path: Path) -> None:
    written(path, alerts(3))
    before = {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()}
    assert len(list(read_events(path))) == 3
    assert integrity(path) == ()
    assert (
        {file.name: file.stat().st_mtime_ns for file in path.parent.iterdir()}
        == before
        == {path.name: before[path.name]}
    )


def test_existing_file_is_never_taken_over(path: Path) -> None:
    written(path, alerts(3))
    with pytest.raises(JournalError, match=r"cannot create journal .*run\.sqlite3: File exists"):
        SqliteJournal(path)
    assert list(read_events(path)) == alerts(3)


def test_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"cannot create journal .*nowhere.*: No such file or directory"):
        SqliteJournal(tmp_path / "nowhere" / "run.sqlite3")


def test_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="Not a directory"):
        SqliteJournal(tmp_path / "file" / "run.sqlite3")


def test_append_after_close_is_a_journal_error(path: Path) -> None:
    journal = SqliteJournal(path)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.append(alerts(1), durable=False)


def test_missing_journal_is_a_file_error_and_creates_nothing(path: Path) -> None:
    with pytest.raises(FileError, match="no journal"):
        list(read_events(path))
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"ts,symbol,price,qty\n" * 1000])
def test_foreign_file_is_a_file_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FileError, match="is not a journal"):
        list(read_events(path))
    with pytest.raises(FileError, match="is not a journal"):
        integrity(path)


def test_other_database_is_a_file_error(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE meta (schema_version INTEGER)")
    connection.close()
    with pytest.raises(FileError, match="is not a journal"):
        list(read_events(path))


def test_newer_schema_is_refused_with_both_versions(path: Path) -> None:
    connection = sqlite3.connect(written(path, []))
    connection.execute("UPDATE meta SET schema_version = ?", (SCHEMA_VERSION + 1,))
    connection.commit()
    connection.close()
    with pytest.raises(
        FileError, match=f"newer qb: schema {SCHEMA_VERSION + 1}, this one reads up to {SCHEMA_VERSION}"
    ):
        list(read_events(path))


def test_unknown_event_names_its_row(path: Path) -> None:
    connection = sqlite3.connect(written(path, alerts(1)))
    connection.execute("INSERT INTO event VALUES (2, 0, 'MOON', '', '', '{\"type\":\"MOON\",\"ts\":0}', x'00')")
    connection.commit()
    connection.close()
    with pytest.raises(JournalError, match="row 2"):
        list(read_events(path))


def test_damage_is_found_and_named(path: Path) -> None:
    written(path, alerts(5000))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 20_000)
    assert integrity(path) != ()
    with pytest.raises(JournalError):
        list(read_events(path))


SCRIPT = """
import resource, signal, sys
from pathlib import Path
from qbtrade.adapters.store.rows import SCHEMA_VERSION
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.domain.events import Alert, Level
from qbtrade.errors import JournalError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[2]) or resource.RLIM_INFINITY
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    journal = SqliteJournal(Path(sys.argv[1]))
except JournalError as error:
    print(0, error, flush=True)
    sys.exit(int(error.exit_code))
number = 0
while True:
    batch = [Alert(number + each, Level.INFO, "note", "x" * 100) for each in range(50)]
    try:
        journal.append(batch, durable=number % 500 == 0)
    except JournalError as error:
        print(number, error, flush=True)
        journal.close()
        sys.exit(int(error.exit_code))
    number += 50
    print(number, flush=True)
"""


def writer(path: Path, limit: int) -> "subprocess.Popen[str]":
    source = Path(__file__).parents[3] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    command = [sys.executable, "-c", SCRIPT, str(path), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_kill_in_the_middle_leaves_a_sound_prefix(path: Path) -> None:
    with writer(path, 0) as process:
        assert process.stdout is not None
        told = 0
        while told < 2000:
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        told = max(told, *(int(line) for line in process.stdout.read().splitlines()[:-1]), 0)
    assert integrity(path) == ()
    found = [event.ts for event in read_events(path)]
    assert found == list(range(len(found)))
    assert len(found) >= told
    assert len(found) % 50 == 0  # a batch is written whole or not at all


def test_disk_too_full_for_a_new_journal_leaves_no_file(path: Path) -> None:
    with writer(path, 20_000) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == JournalError.exit_code
    assert out.startswith(f"0 cannot write journal {path}: ")
    assert list(path.parent.iterdir()) == []


def test_full_disk_is_one_line_and_keeps_what_was_written(path: Path) -> None:
    with writer(path, 400_000) as process:
        out, _ = process.communicate(timeout=60)
    line = out.splitlines()[-1]
    written_rows, _, message = line.partition(" ")
    assert process.returncode == JournalError.exit_code
    assert message.startswith(f"cannot write journal {path}: ")
    assert integrity(path) == ()
    assert [event.ts for event in read_events(path)] == list(range(int(written_rows)))

"""The sessions of a home: listed from journals, found by name, reported again from the journal alone."""

from pathlib import Path

import pytest

from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.adapters.store.verify import head
from qbtrade.app.home import create, journals_dir
from qbtrade.app.report import build, encode
from qbtrade.app.sessions import EMPTY, UNREADABLE, find, load, newest_with, sessions
from qbtrade.errors import ExitCode, FileError
from tests.builders import SAMSUNG, at
from tests.recordings import Recording, a_traded_day


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create(tmp_path)
    return tmp_path


def keep(home: Path, recording: Recording, run_id: str = "20261120-090000-abcd") -> Path:
    path = journals_dir(home) / f"{run_id}.sqlite3"
    journal = SqliteJournal(path)
    journal.append(recording.events, durable=False)
    journal.close()
    return path


def test_home_without_sessions_lists_none(tmp_path: Path) -> None:
    assert sessions(tmp_path / "nowhere", 9) == ((), 0)


def test_session_is_summed_up_from_its_journal(home: Path) -> None:
    keep(home, a_traded_day())
    ((session,), _) = sessions(home, 9)
    assert (session.run_id, session.session_id) == ("20261120-090000-abcd", "0123456789abcdef")
    assert (session.mode, session.symbols, session.strategy) == ("simulate", (SAMSUNG,), "sma_cross")
    assert (session.start, session.end) == (at("09:00"), at("15:30"))
    assert (session.outcome, session.profit, session.fills) == ("DONE", 1_373, 5)


def test_sessions_are_listed_newest_first(home: Path) -> None:
    for run_id in ("20261119-090000-aaaa", "20261120-090000-aaaa", "20261118-090000-zzzz"):
        keep(home, Recording().start(), run_id)
    assert [session.run_id[:8] for session in sessions(home, 9)[0]] == ["20261120", "20261119", "20261118"]
    newest, besides = sessions(home, 2)
    assert ([session.run_id[:8] for session in newest], besides) == (["20261120", "20261119"], 1)


def test_killed_session_is_unfinished_with_what_it_had(home: Path) -> None:
    keep(home, Recording().start().buy("10:00", "Q1", 75_000))
    ((session,), _) = sessions(home, 9)
    assert (session.outcome, session.fills, session.end) == ("UNFINISHED", 1, at("10:00"))


def test_run_that_wrote_nothing_and_file_that_cannot_be_read_are_listed_as_such(home: Path) -> None:
    keep(home, Recording(), "20261121-090000-aaaa")
    (journals_dir(home) / "20261122-090000-aaaa.sqlite3").write_text("not a journal")
    (unreadable, empty), _ = sessions(home, 9)
    assert (empty.outcome, empty.problem) == (EMPTY, "")
    assert unreadable.outcome == UNREADABLE
    assert "is not a journal" in unreadable.problem


def test_latest_is_the_newest_run_that_wrote_anything(home: Path) -> None:
    keep(home, Recording().start(), "20261119-090000-aaaa")
    newest = keep(home, Recording().start(), "20261120-090000-aaaa")
    keep(home, Recording(), "20261121-090000-aaaa")
    (journals_dir(home) / "20261122-090000-aaaa.sqlite3").write_text("not a journal")
    assert find(home) == find(home, "latest") == newest


@pytest.mark.parametrize("name", ["20261119", "20261119-090000-aaaa", "fee", "feedfeedfeedfeed"])
def test_session_is_found_by_the_beginning_of_either_id(home: Path, name: str) -> None:
    wanted = keep(home, Recording(session_id="feedfeedfeedfeed").start(), "20261119-090000-aaaa")
    keep(home, Recording().start(), "20261120-090000-aaaa")
    assert find(home, name) == wanted


def test_of_two_runs_of_one_session_the_later_is_found(home: Path) -> None:
    keep(home, Recording().start(), "20261119-090000-aaaa")
    later = keep(home, Recording().start(), "20261120-090000-aaaa")
    assert find(home, "0123") == find(home, "2026") == later


def test_name_that_fits_several_sessions_is_refused_with_some_of_them(home: Path) -> None:
    keep(home, Recording(session_id="a").start(), "20261119-090000-aaaa")
    keep(home, Recording(session_id="b").start(), "20261120-090000-aaaa")
    with pytest.raises(FileError, match=r"'2026' fits 2 sessions.*20261120-090000-aaaa, 20261119-090000-aaaa"):
        find(home, "2026")


def test_unknown_name_offers_the_nearest(home: Path) -> None:
    keep(home, Recording().start(), "20261119-090000-aaaa")
    with pytest.raises(FileError, match=r"no session '20261118-090000-aaaa'\. Nearest: 20261119-090000-aaaa") as error:
        find(home, "20261118-090000-aaaa")
    assert error.value.exit_code is ExitCode.BAD_FILE


def test_home_without_sessions_says_what_to_do(home: Path) -> None:
    with pytest.raises(FileError, match=r"no session in .*Run qb simulate first"):
        find(home)


def test_report_rebuilt_from_the_journal_is_the_report_of_the_events(home: Path) -> None:
    recording = a_traded_day()
    journal = keep(home, recording)
    assert encode(load(journal)) == encode(build(recording.events, head(journal)))


def test_order_is_found_in_the_latest_run_that_knows_it(home: Path) -> None:
    keep(home, a_traded_day(), "20261118-090000-aaaa")
    latest = keep(home, a_traded_day(), "20261119-090000-aaaa")
    keep(home, Recording().start(), "20261120-090000-aaaa")
    assert newest_with(home, "Q1") == latest
    with pytest.raises(FileError, match="no order 'Q99' in any session"):
        newest_with(home, "Q99")

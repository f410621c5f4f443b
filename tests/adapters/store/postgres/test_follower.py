"""The thread that passes a journal on while a session writes it."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from qbtrade.adapters.services.process import PATIENCE, patiently
from qbtrade.adapters.store.outbox import last_number
from qbtrade.adapters.store.postgres import follower as follower_of
from qbtrade.adapters.store.postgres.follower import Follower
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.adapters.store.postgres.sums import database_sums, journal_sums
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.domain.events import EquityMarked
from qbtrade.kernel.clock import Stopwatch
from tests.recordings import a_traded_day
from tests.servers import postgres_service

RUN = "20260302-090000-000000"


def a_journal(folder: Path) -> tuple[Path, SqliteJournal, int]:
    """A day's rows to begin with; their path, whoever writes more, and the time of the last one."""
    path = folder / f"{RUN}.sqlite3"
    store, events = SqliteJournal(path), a_traded_day().events
    store.append(events, durable=True)
    return path, store, events[-1].ts


def marks(last: int, count: int) -> list[EquityMarked]:
    return [EquityMarked(last + number, 10_000_000 + number, 10_000_000, number) for number in range(1, count + 1)]


def test_what_a_session_writes_arrives_and_nothing_is_left_at_the_end(database: str, tmp_path: Path) -> None:
    upgrade(database)
    path, store, last = a_journal(tmp_path)
    follower = Follower(database, path, most=100)
    follower.start()
    for start in range(0, 1000, 50):
        store.append(marks(last + start, 50), durable=False)
    assert patiently(lambda: follower.progress.passed == last_number(path))
    store.append(marks(last + 1000, 333), durable=False)

    progress = follower.stop(PATIENCE)
    store.close()

    assert (progress.passed, progress.behind, progress.problem) == (last_number(path), 0, "")
    assert database_sums(database, path) == journal_sums(path)


def test_an_outage_is_said_with_what_is_left_and_made_up_for(tmp_path: Path) -> None:
    path, store, last = a_journal(tmp_path)
    with postgres_service() as service:
        upgrade(service.url())
        follower = Follower(service.url(), path)
        follower.start()
        assert patiently(lambda: follower.progress.passed == last_number(path))

        os.kill(service.server.pid, signal.SIGKILL)
        assert patiently(lambda: not service.server.is_alive)
        store.append(marks(last, 500), durable=False)
        assert patiently(lambda: follower.progress.behind == 500)
        assert "PostgreSQL" in follower.progress.problem

        service.start()
        assert patiently(lambda: follower.progress.behind == 0 and not follower.progress.problem)
        assert follower.stop(PATIENCE).passed == last_number(path)
        assert database_sums(service.url(), path) == journal_sums(path)
    store.close()


def test_a_server_that_goes_away_is_noticed_also_while_nothing_is_written(tmp_path: Path) -> None:
    path, store, _last = a_journal(tmp_path)
    with postgres_service() as service:
        upgrade(service.url())
        follower = Follower(service.url(), path)
        follower.start()
        assert patiently(lambda: follower.progress.passed == last_number(path))
        service.stop()
        assert patiently(lambda: "PostgreSQL" in follower.progress.problem)
        assert follower.progress.behind == 0
        service.start()
        assert patiently(lambda: not follower.progress.problem)
        follower.stop(PATIENCE)
    store.close()


def test_a_server_that_stands_still_is_noticed_and_gets_the_rows_when_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(follower_of, "SILENT", 1.0)
    upgrade(database)
    path, store, last = a_journal(tmp_path)
    follower = Follower(database, path)
    follower.start()
    assert patiently(lambda: follower.progress.passed == last_number(path))
    with psycopg.connect(database) as onlooker:
        (pid,) = onlooker.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'qb' AND datname = current_database()"
        ).fetchone() or (0,)
    os.kill(pid, signal.SIGSTOP)
    try:
        store.append(marks(last, 500), durable=False)
        assert patiently(lambda: "has not answered" in follower.problem)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert patiently(lambda: follower.progress.passed == last_number(path))
    assert patiently(lambda: follower.problem == "")
    follower.stop(PATIENCE)
    store.close()
    assert database_sums(database, path) == journal_sums(path)


def test_a_server_that_is_away_does_not_hold_up_the_end(tmp_path: Path) -> None:
    path, store, _last = a_journal(tmp_path)
    with postgres_service() as service:
        url = service.url()
    follower = Follower(url, path)
    follower.start()
    assert patiently(lambda: bool(follower.progress.problem))

    watch = Stopwatch()
    progress = follower.stop(PATIENCE)
    store.close()

    assert watch.seconds() < PATIENCE
    assert progress.behind == last_number(path)

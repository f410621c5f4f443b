"""`qb live` beside a real PostgreSQL: it passes its rows on, also over the server's death."""

import os
import signal
from pathlib import Path

import psycopg

from qbtrade.adapters.services.process import patiently
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.adapters.store.postgres.sums import database_sums, journal_sums
from qbtrade.domain.events import Alert
from tests.live_days import events, hosted, session, wait_for
from tests.program import run_qb
from tests.servers import postgres_service

PATIENCE = 240


def journal_of(folder: Path) -> Path:
    (path,) = (folder / "home" / "journals").glob("*.sqlite3")
    return path


def alerts(folder: Path) -> list[str]:
    return [event.code for event in events(folder) if isinstance(event, Alert)]


def test_at_the_end_of_a_day_the_database_holds_what_the_journal_holds(database: str, tmp_path: Path) -> None:
    upgrade(database)
    with hosted("15:08") as kis:
        kis.variables.update(QB_DATABASE_URL=database)
        with session(kis, tmp_path) as process:
            stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stderr) == (0, ""), stdout[-2000:]
    assert database_sums(database, journal_of(tmp_path)) == journal_sums(journal_of(tmp_path))


def test_a_database_that_is_killed_costs_the_session_nothing_and_gets_everything_later(tmp_path: Path) -> None:
    with postgres_service() as service, hosted("10:00") as kis:
        upgrade(service.url())
        kis.variables.update(QB_DATABASE_URL=service.url())
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: len(events(tmp_path)) > 5)
            os.kill(service.server.pid, signal.SIGKILL)
            wait_for(process, lambda: "database-away" in alerts(tmp_path))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert patiently(lambda: not service.server.is_alive)
        service.start()
        lacking = run_qb("db", "verify", folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=service.url())
        assert (lacking.returncode, "rows in the journal" in lacking.stdout) == (1, True), lacking
        done = run_qb("db", "fill", folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=service.url())
        assert (done.returncode, done.stderr) == (0, "")
        assert database_sums(service.url(), journal_of(tmp_path)) == journal_sums(journal_of(tmp_path))
        alike = run_qb("db", "verify", folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=service.url())
        assert (alike.returncode, alike.stdout.endswith("rows: the database has the same\n")) == (0, True)
        with psycopg.connect(service.url()) as connection:
            connection.execute("UPDATE qb.alerts SET text = text || '!'")
        other = run_qb("db", "verify", "latest", folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=service.url())
        assert (other.returncode, "alerts: rows are not what the journal says" in other.stdout) == (1, True)


def test_a_database_that_comes_back_catches_up_while_the_session_goes_on(tmp_path: Path) -> None:
    with postgres_service() as service, hosted("10:00") as kis:
        upgrade(service.url())
        kis.variables.update(QB_DATABASE_URL=service.url())
        with session(kis, tmp_path) as process:
            wait_for(process, lambda: len(events(tmp_path)) > 5)
            os.kill(service.server.pid, signal.SIGKILL)
            wait_for(process, lambda: "database-away" in alerts(tmp_path))
            assert patiently(lambda: not service.server.is_alive)
            service.start()
            wait_for(process, lambda: "database-back" in alerts(tmp_path))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert database_sums(service.url(), journal_of(tmp_path)) == journal_sums(journal_of(tmp_path))

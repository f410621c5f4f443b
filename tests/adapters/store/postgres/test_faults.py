"""What goes wrong with PostgreSQL while rows are passed on: one clear line, and no row lost or doubled."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from qbtrade.adapters.services import owner
from qbtrade.adapters.store.postgres.market import held, load_trades, read_trades
from qbtrade.adapters.store.postgres.migrations import newest, upgrade
from qbtrade.adapters.store.postgres.sink import PostgresSink
from qbtrade.adapters.store.postgres.sums import database_sums, journal_sums
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.domain.events import Alert, Level
from qbtrade.errors import DatabaseError, FileError, QbError
from tests.adapters.store.postgres.deliveries import drained
from tests.builders import a_trade
from tests.recordings import a_traded_day
from tests.servers import postgres_service, services_folder

LONG = "a sentence that takes its room on a disk, " * 20


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A day with two megabytes of alerts behind it."""
    path = tmp_path / "20261120-090000-abcd.sqlite3"
    events = a_traded_day().events
    with closing(SqliteJournal(path)) as store:
        store.append(events[:-1], durable=False)
        store.append([Alert(events[-1].ts, Level.INFO, "long", LONG) for _ in range(2500)], durable=False)
        store.append(events[-1:], durable=False)
    return path


@pytest.fixture
def cramped() -> Iterator[tuple[str, Path]]:
    """The address of a server of its own with a tablespace of twelve megabytes, and where they are.

    Skips where no disk may be mounted.
    """
    with services_folder() as folder, postgres_service() as service:
        mount = shutil.which("mount")
        line = [mount or "mount", "-t", "tmpfs", "-o", "size=12m", "qb-test", str(folder)]
        if not mount or subprocess.run(line, capture_output=True, check=False).returncode:
            pytest.skip("only root may mount a small disk")
        try:
            owner.give(folder)
            upgrade(service.url())
            with psycopg.connect(service.url(), autocommit=True) as there:
                there.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
            yield service.url(), folder
        finally:
            service.stop()
            subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_of_the_server_is_one_line_and_all_is_there_when_it_has_room_again(
    journal: Path, cramped: tuple[str, Path]
) -> None:
    url, disk = cramped
    with psycopg.connect(url, autocommit=True) as there, closing(PostgresSink(url, journal)) as sink:
        there.execute("ALTER TABLE qb.alerts SET TABLESPACE small")
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(11_500_000))
        sink.drain(20)
        with pytest.raises(DatabaseError, match=r"the disk of PostgreSQL is full \(.*\)\. Free space there") as error:
            drained(sink, 5000)
        assert_one_line(error.value)
        assert database_sums(url, journal)["alerts"][0] == 0
        ballast.unlink()
        drained(sink, 5000)
    assert database_sums(url, journal) == journal_sums(journal)


def test_trades_that_meet_a_full_disk_leave_the_day_as_it_was(cramped: tuple[str, Path]) -> None:
    url, _disk = cramped
    before = [a_trade(price) for price in range(1, 1000)]
    load_trades(url, "mine", before)
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("ALTER TABLE qb.trades_2026_11 SET TABLESPACE small")
    with pytest.raises(DatabaseError, match="the disk of PostgreSQL is full"):
        load_trades(url, "mine", [a_trade(7)] * 200_000)
    day = a_trade().ts
    assert list(read_trades(url, [before[0].symbol], start=day, end=day + 1)) == before


def test_a_schema_that_is_not_ours_yet_or_of_a_newer_qb_gets_no_row(database: str, journal: Path) -> None:
    sink = PostgresSink(database, journal)
    old = rf"the schema of the database is 0, this qb needs {newest()}\. Run qb db upgrade"
    for deed in (sink.drain, sink.cursor, lambda: load_trades(database, "x", [a_trade()]), lambda: held(database)):
        with pytest.raises(DatabaseError, match=old) as error:
            deed()
        assert_one_line(error.value)
    upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO qb.migrations VALUES (99, 'future', '', 'x')")
    with pytest.raises(FileError, match="the database was made by a newer qb: schema 99") as newer:
        sink.drain()
    assert_one_line(newer.value)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM qb.cursors").fetchone() == (0,)
        connection.execute("DELETE FROM qb.migrations WHERE version = 99")
    drained(sink)
    sink.close()
    assert database_sums(database, journal) == journal_sums(journal)


def test_a_permission_that_lacks_is_one_line_and_nothing_is_written(database: str, journal: Path) -> None:
    upgrade(database)
    info = psycopg.conninfo.conninfo_to_dict(database)
    with psycopg.connect(database, autocommit=True) as there:
        there.execute("DROP ROLE IF EXISTS half")
        there.execute("CREATE ROLE half LOGIN PASSWORD 'half'")
        there.execute("GRANT USAGE ON SCHEMA qb TO half")
        there.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA qb TO half")
        there.execute("REVOKE INSERT ON qb.fills FROM half")
        url = f"postgresql://half:half@127.0.0.1:{info['port']}/{info['dbname']}"
        with closing(PostgresSink(url, journal)) as sink:
            with pytest.raises(DatabaseError, match="'half' lacks a permission in PostgreSQL") as error:
                drained(sink)
            assert_one_line(error.value)
        counts = [count for count, _sum in database_sums(database, journal).values()]
        assert counts == [0] * len(counts)
        there.execute("DROP OWNED BY half")
        there.execute("DROP ROLE half")


def assert_one_line(error: QbError) -> None:
    assert len(str(error).splitlines()) == 1

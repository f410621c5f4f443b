import os
from pathlib import Path

import pytest

from qbtrade.adapters.services.redis import RedisService
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.home import create, journals_dir
from qbtrade.app.preflight import Status
from qbtrade.domain.events import Heartbeat
from tests.app.preflight.stand import row, rows
from tests.servers import free_port, services_folder


def test_an_empty_home_has_nothing_but_good_rows(tmp_path: Path) -> None:
    found = rows(tmp_path, {}, "journal", "intact", "postgresql", "redis")

    assert [each.status for each in found.values()] == [Status.OK, Status.OK, Status.SKIP, Status.SKIP]
    assert list(journals_dir(tmp_path / "home").iterdir()) == []


def test_a_home_that_cannot_be_made_fails(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way", encoding="utf-8")

    found = row(tmp_path, {}, "journal")

    assert found.status is Status.FAIL
    assert found.mend == "Set QB_HOME to a folder that you may write"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_fails(tmp_path: Path) -> None:
    create(tmp_path / "home")
    journals_dir(tmp_path / "home").chmod(0o500)

    assert row(tmp_path, {}, "journal").status is Status.FAIL


def test_a_damaged_journal_fails(tmp_path: Path) -> None:
    create(tmp_path / "home")
    path = journals_dir(tmp_path / "home") / "20260102-090000-000000.sqlite3"
    store = SqliteJournal(path)
    store.append([Heartbeat(ts, {"n": ts}) for ts in range(5000)], durable=True)
    store.close()
    content = bytearray(path.read_bytes())
    content[40_000:60_000] = b"\xff" * 20_000
    path.write_bytes(content)

    found = row(tmp_path, {}, "intact")

    assert found.status is Status.FAIL
    assert path.name in found.seen


def test_a_journal_that_a_killed_process_did_not_finish_making_is_none(tmp_path: Path) -> None:
    create(tmp_path / "home")
    path = journals_dir(tmp_path / "home") / "20260102-090000-000000.sqlite3"
    path.write_bytes(b"SQLite format 3\0")
    path.with_name(path.name + "-journal").write_bytes(b"\0" * 512)

    found = row(tmp_path, {}, "intact")

    assert (found.status, found.seen) == (Status.OK, "no journals yet")


def test_servers_answer_with_their_round_trips(tmp_path: Path, database: str, redis_server: RedisService) -> None:
    upgrade(database)
    variables = {"QB_DATABASE_URL": database, "QB_REDIS_URL": redis_server.url()}
    found = rows(tmp_path, variables, "postgresql", "redis")

    assert {each.status for each in found.values()} == {Status.OK}
    assert "keeps a row in " in found["postgresql"].seen
    assert found["redis"].seen.startswith("answers in ")


def test_a_database_without_our_schema_fails_with_the_command_that_mends_it(tmp_path: Path, database: str) -> None:
    found = row(tmp_path, {"QB_DATABASE_URL": database}, "postgresql")

    assert found.status is Status.FAIL
    assert found.mend == "Run qb db upgrade"


def test_servers_that_do_not_answer_fail_without_their_passwords(tmp_path: Path) -> None:
    port = free_port()
    variables = {
        "QB_DATABASE_URL": f"postgresql://qb:open-sesame@127.0.0.1:{port}/x",
        "QB_REDIS_URL": f"redis://:open-sesame@127.0.0.1:{port}/0",
    }
    found = rows(tmp_path, variables, "postgresql", "redis")

    assert {each.status for each in found.values()} == {Status.FAIL}
    assert "open-sesame" not in str(found)


def test_a_redis_that_gives_keys_up_is_a_warning(tmp_path: Path) -> None:
    with services_folder() as folder:
        service = RedisService(folder / "redis", ["maxmemory-policy allkeys-lru"])
        service.start()
        try:
            found = row(tmp_path, {"QB_REDIS_URL": service.url()}, "redis")
        finally:
            service.stop()

    assert (found.status, found.mend) == (Status.WARN, "Set its maxmemory-policy to noeviction")
    assert "allkeys-lru" in found.seen

"""Real servers that are started, killed, paused, started again and ended."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis

from qbtrade.adapters.services.access import Access, made_access
from qbtrade.adapters.services.postgres import PostgresService
from qbtrade.adapters.services.process import is_surely_not, patiently
from qbtrade.adapters.services.redis import RedisService
from qbtrade.errors import FileError
from tests.architecture.tree import ROOT
from tests.servers import postgres_service, redis_service

Service = PostgresService | RedisService


@pytest.fixture(params=[postgres_service, redis_service], ids=["postgresql", "redis"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with request.param() as started:
        yield started


def remember(service: Service) -> None:
    """Write something down that must still be there later."""
    if isinstance(service, PostgresService):
        with psycopg.connect(service.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    else:
        with closing(redis.Redis.from_url(service.url())) as client:
            client.set("qb:kept", 7)


def remembered(service: Service) -> int:
    if isinstance(service, PostgresService):
        with psycopg.connect(service.url()) as connection:
            row = connection.execute("SELECT n FROM kept").fetchone()
            return int(row[0]) if row else 0
    with closing(redis.Redis.from_url(service.url(), decode_responses=True)) as client:
        return int(client.get("qb:kept") or 0)


def access_of(service: Service) -> Access:
    access = service.access
    assert access is not None
    return access


def test_a_server_keeps_its_data_address_and_password_over_an_end(service: Service) -> None:
    remember(service)
    before = service.url()

    assert service.stop()
    assert (service.server.is_alive, service.server.pid) == (False, 0)
    assert service.start()

    assert service.url() == before
    assert remembered(service) == 7


def test_starting_what_runs_and_ending_what_does_not_changes_nothing(service: Service) -> None:
    pid = service.server.pid

    assert not service.start()
    assert service.server.pid == pid > 0
    assert service.stop()
    assert not service.stop()


def test_a_killed_server_is_seen_as_dead_and_starts_again_with_its_data(service: Service) -> None:
    remember(service)
    os.kill(service.server.pid, signal.SIGKILL)
    assert patiently(lambda: not service.server.is_alive)

    assert not service.stop()
    assert service.start()
    if isinstance(service, PostgresService):  # Redis may lose its last second
        assert remembered(service) == 7


def test_a_paused_server_lives_and_goes_on(service: Service) -> None:
    pid = service.server.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        assert (service.server.is_alive, service.server.pid) == (True, pid)
        assert not service.start()
    finally:
        os.kill(pid, signal.SIGCONT)
    remember(service)
    assert remembered(service) == 7


def test_only_who_runs_it_may_read_what_it_keeps(service: Service) -> None:
    assert stat.S_IMODE(service.folder.stat().st_mode) == 0o700
    files = [path for path in service.folder.iterdir() if path.is_file()]
    assert len(files) >= 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_number_left_over_in_the_pid_file_is_nobodys(service: Service) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        service.stop()
        pid_file = service.server._pid_file  # noqa: SLF001 (what a crash leaves behind)
        pid_file.write_text(f"{stranger.pid}\n")
        try:
            assert service.server.pid == 0
            assert not service.stop()
            assert stranger.poll() is None
        finally:
            pid_file.unlink()
            stranger.communicate(b"\n")


def test_neither_command_line_nor_log_tells_the_password(service: Service) -> None:
    password = access_of(service).password
    line = subprocess.run(
        ["ps", "-o", "args=", "-p", str(service.server.pid)], capture_output=True, text=True, check=False
    ).stdout if Path("/bin/ps").exists() else ""  # fmt: skip
    assert password not in line
    assert password not in service.server.log.read_text(encoding="utf-8")


def test_nobody_gets_in_with_another_password(service: Service) -> None:
    wrong = service.url().replace(access_of(service).password, "another")
    if isinstance(service, PostgresService):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    else:
        with closing(redis.Redis.from_url(wrong)) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_redis_lets_qb_touch_nothing_but_its_own(redis_server: RedisService) -> None:
    with closing(redis.Redis.from_url(redis_server.url())) as client:
        assert client.set("qb:x", 1)
        for forbidden in (["SET", "x", "1"], ["CONFIG", "GET", "*"], ["FLUSHALL"], ["PUBLISH", "x", "1"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*forbidden)  # type: ignore[no-untyped-call]
        client.delete("qb:x")


def test_a_server_that_cannot_start_says_its_last_words() -> None:
    with redis_service() as service:
        service.stop()
        lame = RedisService(service.folder, ["no-such-setting 1"])
        with pytest.raises(FileError, match=r"Redis did not start: .*See "):
            lame.start()
        assert not lame.server.is_alive


def test_a_port_that_somebody_took_meanwhile_is_given_up(tmp_path: Path) -> None:
    import socket

    before = made_access(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", before.port))
        other.listen()
        after = made_access(tmp_path)

    assert after.port != before.port
    assert after.password == before.password


def test_servers_of_tests_that_were_killed_are_ended() -> None:
    program = (
        "from tests.servers import redis_service\nwith redis_service() as s:\n print(s.server.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as tests:
        assert tests.stdout
        pid = int(tests.stdout.readline())
        os.kill(pid, 0)
        tests.kill()

    assert patiently(lambda: is_surely_not(pid, "redis") if Path("/proc").is_dir() else not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

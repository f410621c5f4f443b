"""The connectivity scenario against real servers: right, with a wrong password, and with nobody listening."""

import re
from pathlib import Path

import pytest

from qbtrade.adapters.redis import client
from qbtrade.adapters.services.redis import RedisService
from qbtrade.app.scenarios import ScenarioResult, run_suite
from qbtrade.errors import ConfigError
from tests.program import run_qb
from tests.servers import HOST, PASSWORD, free_port

MS = re.compile(r"\d+\.\d ms")
WRONG = "close-sesame"


@pytest.fixture
def views(redis_server: RedisService) -> str:
    return redis_server.url()


def connectivity() -> ScenarioResult:
    return run_suite()[0]


def test_redis_gives_back_what_was_written_and_keeps_nothing(views: str) -> None:
    import redis

    assert 0 < client.round_trip(views) < 60
    with redis.Redis.from_url(views) as server:
        assert server.dbsize() == 0


def test_suite_shows_how_long_configured_servers_took(
    database: str, views: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QB_DATABASE_URL", database)
    monkeypatch.setenv("QB_REDIS_URL", views)
    result = connectivity()
    assert (result.passed, result.detail) == (True, "")
    assert MS.fullmatch(str(result.figures["postgresql"]))
    assert MS.fullmatch(str(result.figures["redis"]))


def test_wrong_password_is_one_line_without_it(views: str) -> None:
    with pytest.raises(ConfigError, match="Check QB_") as error:
        client.round_trip(re.sub(r":[^:@/]+@", f":{WRONG}@", views))
    assert_one_line_without_passwords(str(error.value))


@pytest.mark.parametrize("end", [f"@{HOST}:{{port}}/0", f"@{HOST}:port/0", "@[half/0"])
def test_server_that_does_not_answer_is_one_line_without_the_password(end: str) -> None:
    url = f"redis://:{PASSWORD}" + end.format(port=free_port())
    with pytest.raises(ConfigError, match="Check QB_") as error:
        client.round_trip(url)
    assert_one_line_without_passwords(str(error.value))


@pytest.mark.parametrize("name", ["QB_DATABASE_URL", "QB_REDIS_URL"])
def test_suite_fails_and_names_the_setting_when_a_configured_server_is_away(name: str, tmp_path: Path) -> None:
    scheme = "postgresql" if name == "QB_DATABASE_URL" else "redis"
    url = f"{scheme}://qb:{PASSWORD}@{HOST}:{free_port()}/0"
    ended = run_qb("simulate", "--suite", folder=tmp_path, home=tmp_path / "home", **{name: url})
    assert (ended.returncode, ended.stderr) == (1, "")
    (failed,) = (line for line in ended.stdout.splitlines() if "failed" in line)
    assert "connectivity" in failed
    assert f"Check {name}" in ended.stdout
    assert PASSWORD not in ended.stdout


def assert_one_line_without_passwords(said: str) -> None:
    assert len(said.splitlines()) == 1
    assert PASSWORD not in said
    assert WRONG not in said

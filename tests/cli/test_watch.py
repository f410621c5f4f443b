"""`qb watch` and `qb halt --over-redis` beside a real session and a real Redis."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.message import Event
from tests.adapters.redis.server import Server, redis_at
from tests.live_days import events, hosted, session, wait_for
from tests.program import QB, environment, run_qb

PATIENCE = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "redis").mkdir()
    with redis_at(tmp_path / "redis") as running:
        yield running


@contextmanager
def shown(server: Server, folder: Path, clock: str, **more: str) -> Iterator["subprocess.Popen[str]"]:
    """A session that others can watch."""
    with hosted(clock) as kis:
        kis.variables.update(QB_REDIS_URL=server.url, **more)
        with session(kis, folder) as process:
            yield process


def watching(folder: Path, server: Server, *args: str) -> "subprocess.Popen[str]":
    env = environment(folder / "elsewhere", QB_REDIS_URL=server.url)
    return subprocess.Popen(
        [QB, "watch", *args], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def name_of(event: Event) -> str:
    return str(event.__struct_config__.tag)


def test_a_watcher_is_told_what_the_journal_holds_in_the_same_words(tmp_path: Path, server: Server) -> None:
    with shown(server, tmp_path, "15:08") as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr) == (0, ""), stdout[-2000:]
    run = next((tmp_path / "home" / "journals").glob("*.sqlite3")).stem
    with watching(tmp_path, server, "--run", run, "--from", "start", "--json") as watcher:
        told, problems = watcher.communicate(timeout=PATIENCE)
    assert (watcher.returncode, problems) == (0, "")
    rows = [json.loads(line) for line in told.splitlines()]
    assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
    journal = [name_of(event) for event in events(tmp_path) if not isinstance(event, ev.EquityMarked)]
    assert [row["event"]["type"] for row in rows if row["event"]["type"] not in {"BAR", "EQUITY_MARKED"}] == journal
    assert server.url.split("@")[0].rpartition(":")[2] not in told


def test_a_watcher_sees_a_session_that_runs_and_says_where_to_go_on(tmp_path: Path, server: Server) -> None:
    with shown(server, tmp_path, "10:00") as process:
        with watching(tmp_path, server, "--from", "start") as watcher:
            assert watcher.stdout
            assert any("SESSION_STARTED" in line for line in watcher.stdout)
            watcher.send_signal(signal.SIGINT)
            _told, said = watcher.communicate(timeout=PATIENCE)
        assert watcher.returncode == 130
        assert "qb watch --from " in said
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def test_a_watcher_of_a_session_that_is_not_there_says_that_it_waits(tmp_path: Path, server: Server) -> None:
    with watching(tmp_path, server, "--run", "latest") as watcher:
        assert watcher.stdout
        assert watcher.stdout.readline() == "no session latest shows itself now; waiting for it\n"
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=PATIENCE)


def test_a_watcher_waits_for_a_redis_that_was_killed(tmp_path: Path, server: Server) -> None:
    with watching(tmp_path, server) as watcher:
        assert watcher.stdout
        wait_for(watcher, lambda: "watch" in str(server.client.client_list()) or len(server.client.client_list()) > 1)
        server.kill()
        assert "Redis is away (no connection)" in watcher.stdout.readline()
        server.start()
        assert "Redis is back" in watcher.stdout.readline()
        watcher.send_signal(signal.SIGINT)
        watcher.communicate(timeout=PATIENCE)


def test_a_session_outlives_a_redis_that_dies_and_says_so(tmp_path: Path, server: Server) -> None:
    with shown(server, tmp_path, "10:00") as process:
        wait_for(process, lambda: server.client.xlen("qb:events") > 0)
        server.kill()
        wait_for(process, lambda: "views-lost" in alerts(tmp_path))
        server.start()
        wait_for(process, lambda: "views-back" in alerts(tmp_path))
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130


def alerts(folder: Path) -> list[str]:
    return [event.code for event in events(folder) if isinstance(event, ev.Alert)]


def test_a_session_is_halted_from_another_machine(tmp_path: Path, server: Server) -> None:
    key = "a key of both sides"
    with shown(server, tmp_path, "10:00", QB_REDIS_HALT_KEY=key) as process:
        wait_for(process, lambda: server.client.xlen("qb:events") > 0)
        wait_for(process, lambda: bool(server.client.keys("qb:status:*")))
        said = {"QB_REDIS_URL": server.url, "QB_REDIS_HALT_KEY": key}
        away = tmp_path / "elsewhere"
        done = run_qb("halt", "--over-redis", "--reason", "too hot", folder=tmp_path, home=away, **said)
        assert (done.returncode, done.stderr) == (0, "")
        assert "is halted, until `qb resume` there" in done.stdout
        assert "trading is halted from outside: too hot" in [
            event.text for event in events(tmp_path) if isinstance(event, ev.Alert)
        ]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("args", "env", "said", "code"),
    [
        (["watch"], {}, "no Redis is configured", 3),
        (["watch", "--from", "yesterday"], {"QB_REDIS_URL": "redis://127.0.0.1:1/0"}, "is no entry", 2),
        (["halt", "--over-redis"], {}, "needs its address and a key", 3),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    args: list[str], env: dict[str, str], said: str, code: int, tmp_path: Path
) -> None:
    done = run_qb(*args, folder=tmp_path, home=tmp_path / "home", **env)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_password_is_one_line_without_it(tmp_path: Path, server: Server) -> None:
    url = server.url.replace("open-sesame", "wrong-word")
    done = run_qb("watch", folder=tmp_path, home=tmp_path / "home", QB_REDIS_URL=url)
    assert done.returncode == 3
    assert "refuses this user and password" in done.stderr
    assert "wrong-word" not in done.stdout + done.stderr

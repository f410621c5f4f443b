"""Real PostgreSQL and Redis servers for tests, run by the code that runs them for users.

A machine that has neither program fails the test that asked: what is configured must have been seen to work.
"""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from qbtrade.adapters.services.postgres import NO_SYNC, PostgresService
from qbtrade.adapters.services.redis import RedisService

HOST: Final = "127.0.0.1"
PASSWORD: Final = "open-sesame"  # noqa: S105 (of servers that are not there)
HASTY: Final = (NO_SYNC,)
"""A test's data need not outlive the machine."""

WATCH: Final = """
cat >/dev/null
cd "$0" 2>/dev/null || exit 0
for file in */data/postmaster.pid */server.pid; do
    if [ -f "$file" ]; then kill -9 "$(head -n 1 "$file")"; fi
done
rm -rf "$0"
"""
"""Servers outlive whoever starts them; this ends them when the tests were killed, which closes its input."""


def free_port() -> int:
    """A port on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def services_folder() -> Iterator[Path]:
    """A folder for servers: not tmp_path, which nobody but its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="qb-services-"))
    folder.chmod(0o755)
    watch = ["/bin/sh", "-c", WATCH, str(folder)]
    with subprocess.Popen(watch, stdin=subprocess.PIPE, cwd="/", start_new_session=True):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_service() -> Iterator[PostgresService]:
    """A PostgreSQL server of its own."""
    with services_folder() as folder:
        service = PostgresService(folder / "postgresql", HASTY)
        try:
            service.start()
            yield service
        finally:
            service.stop()


@contextmanager
def redis_service() -> Iterator[RedisService]:
    """A Redis server of its own."""
    with services_folder() as folder:
        service = RedisService(folder / "redis")
        try:
            service.start()
            yield service
        finally:
            service.stop()

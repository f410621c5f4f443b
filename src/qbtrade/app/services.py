"""PostgreSQL and Redis of the user's own: up, down, and what they look like."""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.redis.client import eviction
from qbtrade.adapters.services import owner
from qbtrade.adapters.services.access import HOST
from qbtrade.adapters.services.postgres import PostgresService
from qbtrade.adapters.services.process import alone
from qbtrade.adapters.services.redis import RedisService
from qbtrade.app.config import configured
from qbtrade.app.service_urls import make_services_dir, remove_urls, services_dir, write_urls
from qbtrade.domain.calendar import NS
from qbtrade.errors import FileError

ROOTS: Final = Path("/var/lib/qbtrade")
"""Where the data stand when root starts the servers: the user who runs them could not enter root's home."""
TIMEOUT: Final = 3

Service = PostgresService | RedisService


class State(StrEnum):
    """What a server does. SILENT: it lives and does not answer."""

    RUNNING = "running"
    SILENT = "silent"
    STOPPED = "stopped"


class Seen(msgspec.Struct, frozen=True):
    """One server at a glance. program: its binary. size: bytes of its data. uptime: ns. pid, uptime: 0 when stopped.

    evicts: the policy by which a Redis gives keys up when its memory is full, "" where it keeps them.
    """

    name: str
    state: State
    version: str
    program: str
    address: str
    folder: str
    size: int
    uptime: int
    pid: int
    evicts: str = ""


def services(home: Path) -> dict[str, Service]:
    """The servers by the configuration's key for their address."""
    folder = _folder(home)
    return {"database_url": PostgresService(folder / "postgresql"), "redis_url": RedisService(folder / "redis")}


def up(home: Path) -> Iterator[tuple[str, bool]]:
    """Start what does not run, and say the addresses. Gives each name and whether it had to be started.

    Raises: FileError.
    """
    make_services_dir(home)
    with alone(services_dir(home) / "lock"):
        both, urls, more = services(home), dict[str, str](), dict[str, str]()
        for service in both.values():
            _ = service.program  # all that is lacking is said before anything starts
        for key, service in both.items():
            began = service.start()
            urls[key] = service.url()
            more |= service.variables()
            write_urls(home, urls, more)
            yield service.name, began


def prepare(home: Path) -> None:
    """Bring the schema of our own database up to date. Raises: DatabaseError, FileError."""
    from qbtrade.app.database import upgrade

    upgrade(services(home)["database_url"].url())


def down(home: Path) -> Iterator[tuple[str, bool]]:
    """End what was started here. Gives each name and whether it ran. Raises: FileError."""
    make_services_dir(home)
    with alone(services_dir(home) / "lock"):
        remove_urls(home)
        for service in services(home).values():
            yield service.name, service.stop()


def status(home: Path) -> tuple[Seen, ...]:
    """Every server at a glance. Raises: FileError."""
    return tuple(map(_seen, services(home).values()))


def _folder(home: Path) -> Path:
    chosen = configured("services.dir")
    if chosen:
        return Path(chosen).expanduser().resolve()
    if owner.is_root():
        return ROOTS / sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return services_dir(home).resolve()


def _seen(service: Service) -> Seen:
    try:
        program, problem = service.program, ""
    except FileError as error:
        program, problem = None, error.message
    pid, access = service.server.pid, service.access
    version, uptime = _asked(service) if pid else ("", 0)
    return Seen(
        name=service.name,
        state=(State.RUNNING if version else State.SILENT) if pid else State.STOPPED,
        version=version or (f"{program.name} {program.version}" if program else ""),
        program=str(program.path) if program else problem,
        address=f"{HOST}:{access.port}" if access else "",
        folder=str(service.folder),
        size=_size(service.data),
        uptime=uptime,
        pid=pid,
        evicts=eviction(service.url()) if version and isinstance(service, RedisService) else "",
    )


def _asked(service: Service) -> tuple[str, int]:
    """What the server says of its version and uptime; nothing when it does not answer."""
    return _postgres_told(service.url()) if isinstance(service, PostgresService) else _redis_told(service.url())


def _postgres_told(url: str) -> tuple[str, int]:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT) as connection:
            row = connection.execute(
                "SELECT current_setting('server_version'), extract(epoch FROM now() - pg_postmaster_start_time())"
            ).fetchone()
    except psycopg.Error:
        return "", 0
    return (f"PostgreSQL {row[0].split()[0]}", int(row[1] * NS)) if row else ("", 0)


def _redis_told(url: str) -> tuple[str, int]:
    import redis

    try:
        with closing(redis.Redis.from_url(url, socket_timeout=TIMEOUT)) as client:
            told = client.info("server")
    except redis.RedisError:
        return "", 0
    valkey = told.get("valkey_version")
    return f"Valkey {valkey}" if valkey else f"Redis {told['redis_version']}", int(told["uptime_in_seconds"]) * NS


def _size(folder: Path) -> int:
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # it may be gone by now
                total += os.lstat(Path(place) / name).st_size
    return total

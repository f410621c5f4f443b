"""Where things are kept: the journal, and PostgreSQL and Redis where they are configured."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from qbtrade.adapters.store.rows import SCHEMA_VERSION
from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.adapters.store.verify import verify
from qbtrade.app.home import create, journal_files, journals_dir
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, skip, warn
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import Heartbeat
from qbtrade.errors import FileError
from qbtrade.kernel.clock import Stopwatch

NEWEST: Final = 3
"""Journals that are looked through."""


def journal(case: Case) -> Finding:
    """A journal can be written to disk and read back."""
    create(case.home)
    path = journals_dir(case.home) / f".preflight-{case.kind}.sqlite3"
    _remove(path)
    try:
        store = SqliteJournal(path)
        try:
            watch, row = Stopwatch(), Heartbeat(case.clock.now())
            store.append([row], durable=True)
            took = f"{watch.seconds() * 1e3:.1f}"
        finally:
            store.close()
        if list(read_events(path)) != [row]:
            return fail("the journal does not hold what was written", "Look after the disk, or set QB_HOME to another")
    finally:
        _remove(path)
    return ok(f"a durable row takes {took} ms; schema {SCHEMA_VERSION}")


def intact(case: Case) -> Finding:
    """The newest journals are whole."""
    newest = journal_files(case.home)[-NEWEST:]
    if not newest:
        return ok("no journals yet")
    for path in newest:
        try:
            verify(path)
        except FileError as error:
            return fail(error.message, "Move it away and keep it; see its report")
    return ok(f"the {len(newest)} newest journals are whole")


def postgresql(case: Case) -> Finding:
    """The long memory answers."""
    url: str = case.settings.value("database_url") or ""
    if not url:
        return skip("not configured")
    from qbtrade.app.database import CLOCK_WITHIN, look

    health = look(url)
    if abs(health.clock_ns) > CLOCK_WITHIN:
        ahead = f"{health.clock_ns / NS:.1f}"
        return warn(f"the clock of PostgreSQL differs by {ahead} s", "Let both keep time by NTP")
    took = f"{health.round_trip * 1e3:.1f}"
    return ok(f"PostgreSQL {health.version} keeps a row in {took} ms; schema {health.schema}")


def redis(case: Case) -> Finding:
    """The views for other processes answer."""
    url: str = case.settings.value("redis_url") or ""
    if not url:
        return skip("not configured")
    from qbtrade.adapters.redis import client

    took = f"{client.round_trip(url) * 1e3:.1f}"
    policy = client.eviction(url)
    if policy:
        return warn(f"Redis gives up keys when its memory is full ({policy})", "Set its maxmemory-policy to noeviction")
    return ok(f"answers in {took} ms")


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(OSError):
            path.with_name(name).unlink()


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "journal": journal,
    "intact": intact,
    "postgresql": postgresql,
    "redis": redis,
}

"""Scenario 1: the bus carries, the journal keeps, and configured servers answer."""

from pathlib import Path
from typing import Final

from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.adapters.store.verify import integrity
from qbtrade.app.scenarios.stage import Checks
from qbtrade.domain.events import Heartbeat
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import Stopwatch

EVENTS: Final = 10_000


def run(folder: Path, seed: int, checks: Checks) -> None:
    """Round trips through everything that a session would lean on."""
    del seed
    _bus(checks)
    _journal(folder, checks)
    _servers(checks)


def _bus(checks: Checks) -> None:
    bus, heard = Bus(), list[Event]()
    bus.subscribe(Heartbeat, heard.append)
    watch = Stopwatch()
    for ts in range(EVENTS):
        bus.publish(Heartbeat(ts))
    checks.figures["bus_us"] = round(watch.seconds() * 1e6 / EVENTS, 2)
    checks.expect("events heard in order", [event.ts for event in heard], list(range(EVENTS)))


def _journal(folder: Path, checks: Checks) -> None:
    path, written = folder / "journal.sqlite3", [Heartbeat(ts, {"n": ts}) for ts in range(EVENTS)]
    store, watch = SqliteJournal(path), Stopwatch()
    store.append(written, durable=True)
    checks.figures["journal_rows_per_s"] = round(EVENTS / watch.seconds())
    store.close()
    checks.expect("journal read back", list(read_events(path)), written)
    checks.expect("journal integrity", integrity(path), ())


def _servers(checks: Checks) -> None:
    """PostgreSQL and Redis where they are configured; embedded otherwise."""
    from qbtrade.app.config import configured

    checks.figures["postgresql"] = checks.figures["redis"] = "embedded"
    if url := configured("database_url"):
        from qbtrade.adapters.store.postgres.connection import round_trip

        checks.figures["postgresql"] = f"{round_trip(url) * 1e3:.1f} ms"
    if url := configured("redis_url"):
        from qbtrade.adapters.redis import client

        checks.figures["redis"] = f"{client.round_trip(url) * 1e3:.1f} ms"

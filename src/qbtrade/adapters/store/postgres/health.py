"""Whether PostgreSQL is fit to be the long memory."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from qbtrade.adapters.store.postgres import migrations
from qbtrade.adapters.store.postgres.connection import Connection, connected
from qbtrade.errors import DatabaseError
from qbtrade.kernel.clock import Stopwatch

_ABOUT: Final = """
SELECT
    current_setting('server_version'), current_database(),
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    (SELECT count(*) FROM pg_stat_replication),
    (SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) FROM pg_stat_replication)
"""
_WRITE: Final = """
INSERT INTO qb.probe VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET n = excluded.n
"""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. timescale: version of the extension, "" without. round_trip, lag: seconds.

    clock_ns: by which the server's clock is ahead of ours, uncertain by half of the round trip.
    """

    version: str
    database: str
    timescale: str
    layout: str
    schema: int
    round_trip: float
    replicas: int
    lag: float
    clock_ns: int


def look(url: str, now: Callable[[], int]) -> Health:
    """Connect, compare the schema, write a row and read it back, compare the clocks. now: the machine's, in UTC ns.

    Raises: ConfigError without a connection, FileError for a newer schema, DatabaseError for anything else.
    """
    with connected(url) as connection:
        layout, schema = migrations.require(connection)
        version, database, timescale, replicas, lag = _row(connection, _ABOUT)
        round_trip = _round_trip(connection, now())
        return Health(
            version=version.split()[0], database=database, timescale=timescale or "", layout=layout,
            schema=schema, round_trip=round_trip, replicas=replicas, lag=float(lag),
            clock_ns=_clock(connection, now),
        )  # fmt: skip


def _round_trip(connection: Connection, mark: int) -> float:
    """Seconds for a row that is on disk and read back."""
    watch = Stopwatch()
    connection.execute(_WRITE, [mark])
    found = _row(connection, "SELECT n FROM qb.probe")
    if found != (mark,):
        raise DatabaseError("PostgreSQL lost what was just written", hint="Check QB_DATABASE_URL")
    return watch.seconds()


def _clock(connection: Connection, now: Callable[[], int]) -> int:
    before = now()
    (theirs,) = _row(connection, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint")
    return int(theirs) - (before + now()) // 2


def _row(connection: Connection, query: Any) -> Any:
    return connection.execute(query).fetchone()

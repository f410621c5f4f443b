"""What stands where in Redis; docs/redis.md tells a user's own script the same."""

from typing import Final

EVENTS: Final = "qb:events"
"""Stream: one entry per event of consequence, with the fields run, n, ts, type and body."""
COMMANDS: Final = "qb:commands"
"""Stream: halts that somebody asks for, signed."""
KEPT: Final = 100_000
"""Entries that the stream of events keeps, about."""
COMMANDS_KEPT: Final = 1_000
STATUS: Final = "qb:status:"
LAST: Final = "qb:last:"
HEARTBEAT: Final = "qb:heartbeat:"
STATUS_LASTS: Final = 60
"""Seconds after which a status that nobody writes anew is gone."""
LAST_LASTS: Final = 3_600
HEARTBEAT_LASTS: Final = 30


def status_of(account: str) -> str:
    """Hash: the newest picture of the session of an account."""
    return STATUS + account


def last_of(symbol: str) -> str:
    """Hash: the last trade and the best prices of a symbol."""
    return LAST + symbol


def heartbeat_of(run: str) -> str:
    """String: when the engines of a run turned last, UTC ns of machine time."""
    return HEARTBEAT + run

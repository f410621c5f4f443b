"""One connection to Redis, and its troubles in words that never hold its password."""

from typing import TYPE_CHECKING, Any, Final

from qbtrade.errors import ConfigError
from qbtrade.kernel.clock import Stopwatch

if TYPE_CHECKING:
    import redis

TIMEOUT: Final = 5.0
"""Seconds that a server may take for one answer."""
PATIENT: Final = 10.0
"""The same for who waits for news, which takes no answer for none."""
PROBE: Final = "qb:probe"
KEEPS_ALL: Final = "noeviction"


def connect(url: str, *, timeout: float = TIMEOUT) -> "redis.Redis":
    """A client that connects with its first command. Raises: ConfigError for a URL that is none."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    once = Retry(NoBackoff(), 0)  # whoever asks knows better than the library whether to ask again
    try:
        return redis.Redis.from_url(
            url, socket_timeout=timeout, socket_connect_timeout=timeout, decode_responses=True, retry=once
        )
    except ValueError as error:
        raise ConfigError("the address of Redis cannot be read", hint="Check QB_REDIS_URL") from error


def cause(error: Exception) -> str:
    """What went wrong, without anything that the address holds."""
    import redis

    name, text = type(error).__name__, str(error)
    if isinstance(error, redis.AuthenticationError) or text.startswith(("WRONGPASS", "NOAUTH")):
        return "it refuses this user and password"
    if isinstance(error, redis.exceptions.NoPermissionError):
        return "this user may not do that: it needs +@stream +@hash +@string +@read +@write on ~qb:*"
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return "its memory is full, and its policy evicts nothing"
    if isinstance(error, redis.TimeoutError):
        return "no answer in time"
    if isinstance(error, redis.ConnectionError | OSError):
        return "no connection"
    return name


def round_trip(url: str) -> float:
    """Write to a stream, read it back, remove it.

    Gives machine seconds. Raises: ConfigError without the URL's password.
    """
    import redis

    try:
        with connect(url) as client:
            watch = Stopwatch()
            row = client.xadd(PROBE, {"n": "1"})
            found = client.xrange(PROBE, row, row)
            client.delete(PROBE)
            seconds = watch.seconds()
    except (redis.RedisError, OSError) as error:
        raise ConfigError("Redis cannot be used: {cause}", hint="Check QB_REDIS_URL", cause=cause(error)) from error
    if not found:
        raise ConfigError("Redis lost what was just written", hint="Check QB_REDIS_URL")
    return seconds


def eviction(url: str) -> str:
    """By which policy the server gives keys up when its memory is full; "" where it keeps them all or does not say."""
    import redis

    try:
        with connect(url) as client:
            told: Any = client.info("memory")
    except (redis.RedisError, OSError):
        return ""
    policy = str(told.get("maxmemory_policy", KEEPS_ALL))
    return "" if policy == KEEPS_ALL else policy

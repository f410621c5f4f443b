"""Redis: what other processes watch. Loaded only when QB_REDIS_URL is set."""

from typing import Final

from qbtrade.errors import ConfigError
from qbtrade.kernel.clock import Stopwatch

TIMEOUT: Final = 5.0
PROBE: Final = "qb:probe"


def round_trip(url: str) -> float:
    """Write to a stream, read it back, remove it.

    Gives machine seconds. Raises: ConfigError without the URL's password.
    """
    import redis

    try:
        client = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        watch = Stopwatch()
        row = client.xadd(PROBE, {"n": "1"})
        found = client.xrange(PROBE, row, row)
        client.delete(PROBE)
        seconds = watch.seconds()
    except (redis.RedisError, ValueError) as error:
        raise ConfigError(f"Redis does not answer ({type(error).__name__})", hint="Check QB_REDIS_URL") from error
    if not found:
        raise ConfigError("Redis lost what was just written", hint="Check QB_REDIS_URL")
    return seconds

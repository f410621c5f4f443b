"""PostgreSQL: the long memory. Loaded only when QB_DATABASE_URL is set."""

from typing import Final

from qbtrade.errors import ConfigError
from qbtrade.kernel.clock import Stopwatch

TIMEOUT: Final = 5


def round_trip(url: str) -> float:
    """Write to a temporary table and read it back.

    Gives machine seconds. Raises: ConfigError without the URL's password.
    """
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT) as connection:
            watch = Stopwatch()
            connection.execute("CREATE TEMPORARY TABLE qb_probe (n bigint) ON COMMIT DROP")
            connection.execute("INSERT INTO qb_probe VALUES (1)")
            found = connection.execute("SELECT n FROM qb_probe").fetchone()
            seconds = watch.seconds()
    except psycopg.Error as error:
        raise ConfigError(
            f"PostgreSQL does not answer ({type(error).__name__})", hint="Check QB_DATABASE_URL"
        ) from error
    if found != (1,):
        raise ConfigError("PostgreSQL lost what was just written", hint="Check QB_DATABASE_URL")
    return seconds

"""A connection to PostgreSQL, whose errors are one line each and never hold a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from qbtrade.errors import ConfigError, DatabaseError, QbError
from qbtrade.kernel.clock import Stopwatch

TIMEOUT: Final = 5
HINT: Final = "Check QB_DATABASE_URL"
AWAY: Final = "Check QB_DATABASE_URL, or start qb's own server with qb services up"
Connection = psycopg.Connection[tuple[Any, ...]]


def connect(url: str) -> Connection:
    """A connection in which each statement commits by itself. Raises: ConfigError."""
    try:
        return psycopg.connect(url, connect_timeout=TIMEOUT, application_name="qb", autocommit=True)
    except psycopg.Error as error:
        raise _refused(url, error) from None


@contextmanager
def explained(connection: Connection) -> Iterator[None]:
    """Say in one line what fails in the `with` block. Raises: DatabaseError."""
    try:
        yield
    except psycopg.Error as error:
        raise _failed(error, connection) from error


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection for the `with` block. Raises: ConfigError when there is none to be had, DatabaseError."""
    with connect(url) as connection, explained(connection):
        yield connection


def round_trip(url: str) -> float:
    """Write to a temporary table and read it back.

    Gives machine seconds. Raises: ConfigError, DatabaseError.
    """
    with connected(url) as connection, connection.transaction():
        watch = Stopwatch()
        connection.execute("CREATE TEMPORARY TABLE qb_probe (n bigint) ON COMMIT DROP")
        connection.execute("INSERT INTO qb_probe VALUES (1)")
        found = connection.execute("SELECT n FROM qb_probe").fetchone()
        seconds = watch.seconds()
    if found != (1,):
        raise DatabaseError("PostgreSQL lost what was just written", hint=HINT)
    return seconds


def _refused(url: str, error: psycopg.Error) -> ConfigError:
    """Why there is no connection. Only English words of the server are understood; others are told as they are."""
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:  # whose words repeat the address
        return ConfigError("QB_DATABASE_URL is not an address that PostgreSQL understands", hint=HINT)
    user, database = said.get("user", ""), said.get("dbname", "")
    cause = _first_line(str(error).rpartition("failed: ")[2], str(said.get("password") or ""))
    match cause:
        case _ if "password" in cause:
            return ConfigError("PostgreSQL does not let {user!r} in with that password", hint=HINT, user=user)
        case _ if "permission denied for database" in cause:
            return ConfigError("{user!r} may not connect to database {database!r}", user=user, database=database)
        case _ if f'database "{database}" does not exist' in cause:
            return ConfigError("PostgreSQL has no database {database!r}", hint=HINT, database=database)
        case _:
            return ConfigError("PostgreSQL does not answer ({cause})", hint=AWAY, cause=cause)


def _failed(error: psycopg.Error, connection: Connection) -> QbError:
    cause = _first_line(str(error), connection.info.password or "")
    match error:
        case errors.InsufficientPrivilege():
            return DatabaseError(
                "{user!r} lacks a permission in PostgreSQL ({cause})", hint="See docs/storage.md for what it needs",
                user=connection.info.user, cause=cause,
            )  # fmt: skip
        case errors.DiskFull():
            return DatabaseError("the disk of PostgreSQL is full ({cause})", hint="Free space there", cause=cause)
        case errors.ReadOnlySqlTransaction():
            return DatabaseError("PostgreSQL takes no writes; it may be a standby ({cause})", hint=HINT, cause=cause)
        case errors.LockNotAvailable():
            return DatabaseError("another `qb db upgrade` is at work", hint="Try again when it has ended")
        case psycopg.OperationalError():
            return DatabaseError("PostgreSQL ended the connection ({cause})", hint="Try again", cause=cause)
        case _:
            return DatabaseError("PostgreSQL: {cause}", cause=cause)


def _first_line(text: str, password: str) -> str:
    line = (text.strip().splitlines() or ["?"])[0].removeprefix("FATAL:").strip()
    return line.replace(password, "***") if password else line

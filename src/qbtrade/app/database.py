"""The long memory that is configured: its schema and its health."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from qbtrade.adapters.store.postgres import health, migrations, sums
from qbtrade.adapters.store.postgres.sink import PostgresSink
from qbtrade.app import sessions
from qbtrade.app.config import configured
from qbtrade.app.home import journal_files
from qbtrade.domain.calendar import NS
from qbtrade.errors import ConfigError, FileError, JournalError
from qbtrade.kernel.clock import wall_ns

CLOCK_WITHIN: Final = 2 * NS
"""How far the server's clock may be from ours before somebody should know."""


def url() -> str:
    """The address that is configured. Raises: ConfigError."""
    found = configured("database_url")
    if not found:
        raise ConfigError("no database is configured", hint="Run qb services up, or set QB_DATABASE_URL")
    return found


def look(address: str) -> health.Health:
    """What the server is like now. Raises: ConfigError, DatabaseError, FileError."""
    return health.look(address, wall_ns)


def state(address: str) -> tuple[tuple[migrations.Applied, ...], tuple[migrations.Migration, ...]]:
    """Steps that the schema has gone, and those that are left. Raises: as `look`."""
    return migrations.state(address)


def upgrade(address: str) -> tuple[migrations.Migration, ...]:
    """Bring the schema up to date. Gives the steps that it took. Raises: as `look`."""
    return migrations.upgrade(address)


def fill(address: str, home: Path) -> Iterator[tuple[str, int, str]]:
    """Pass every journal on, oldest first, as far as the database lacks it.

    Gives each run, the rows of its journal that were passed on, and what is wrong with the journal, if anything.
    Raises: as `look`.
    """
    look(address)
    for path in journal_files(home):
        with closing(PostgresSink(address, path)) as sink:
            total = 0
            try:
                while passed := sink.drain():
                    total += passed
            except (FileError, JournalError) as error:
                yield path.stem, total, error.message
            else:
                yield path.stem, total, ""


def verify(address: str, home: Path, name: str = "") -> Iterator[tuple[str, int, str]]:
    """Compare every journal, or one, with what the database has of it: all rows of all tables, by count and checksum.

    Gives each run, how many rows both have, and what is wrong, if anything. Raises: as `look`; FileError for a name.
    """
    paths = [sessions.find(home, name)] if name else journal_files(home)
    for path in paths:
        try:
            here = sums.journal_sums(path)
        except (FileError, JournalError) as error:
            yield path.stem, 0, error.message
            continue
        there = sums.database_sums(address, path)
        rows = sum(count for count, _checksum in here.values())
        table = next((table for table in here if here[table] != there[table]), "")
        if not table:
            yield path.stem, rows, ""
            continue
        ours, theirs = here[table][0], there[table][0]
        lacking = f"{table}: {ours} rows in the journal, {theirs} in the database"
        yield path.stem, rows, lacking if ours != theirs else f"{table}: rows are not what the journal says"

"""The schema of the database: numbered SQL files, each applied once, in order, under a lock."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Final

import msgspec

from qbtrade.adapters.store.postgres.connection import Connection, connected
from qbtrade.errors import DatabaseError, FileError

OLDEST: Final = 140000
"""The first server with date_bin(), as it numbers itself."""
LOCK: Final = (7221, 1)
PATIENCE: Final = "60s"
NATIVE: Final = "native"
TIMESCALE: Final = "timescale"
_HOME: Final = """
CREATE SCHEMA IF NOT EXISTS qb;
CREATE TABLE IF NOT EXISTS qb.migrations (
    version integer PRIMARY KEY, name text NOT NULL, layout text NOT NULL, sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class Migration(msgspec.Struct, frozen=True):
    """One step. layout: "" where it is the same with and without TimescaleDB."""

    version: int
    name: str
    layout: str
    sql: str

    @property
    def digest(self) -> str:
        """What tells this text from any other."""
        return sha256(self.sql.encode()).hexdigest()


class Applied(msgspec.Struct, frozen=True):
    """One step that the database has gone. at: as the server writes it, to the second."""

    version: int
    name: str
    layout: str
    digest: str
    at: str


def shipped(layout: str) -> tuple[Migration, ...]:
    """Every step of this qb, in order, for one layout."""
    names = sorted(each.name for each in (files(__package__) / "sql").iterdir() if each.name.endswith(".sql"))
    steps = (_read(name) for name in names)
    return tuple(step for step in steps if step.layout in {"", layout})


def newest() -> int:
    """The schema that this qb knows."""
    return shipped(NATIVE)[-1].version


def applied(connection: Connection) -> tuple[Applied, ...]:
    """The steps that the database has gone, in order; none where it is not ours yet."""
    if connection.execute("SELECT to_regclass('qb.migrations')").fetchone() == (None,):
        return ()
    rows = connection.execute(
        "SELECT version, name, layout, sha256, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
        " FROM qb.migrations ORDER BY version"
    )
    return tuple(Applied(*row) for row in rows)


def layout_of(connection: Connection, gone: tuple[Applied, ...]) -> str:
    """How series are kept: as it was chosen, else hypertables where TimescaleDB is there and able to compress."""
    chosen = [step.layout for step in gone if step.layout]
    if chosen:
        return chosen[0]
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"
        " AND current_setting('timescaledb.license', true) = 'timescale'"
    ).fetchone()
    return TIMESCALE if row == (True,) else NATIVE


def examine(gone: tuple[Applied, ...], steps: tuple[Migration, ...]) -> None:
    """See that the database is on the way of this qb. Raises: FileError, DatabaseError."""
    known: Mapping[int, Migration] = {step.version: step for step in steps}
    if gone and gone[-1].version > steps[-1].version:
        raise FileError(
            "the database was made by a newer qb: schema {found}, this one knows up to {known}",
            found=gone[-1].version, known=steps[-1].version, hint="Update qb",
        )  # fmt: skip
    for step in gone:
        if step.version not in known or known[step.version].digest != step.digest:
            raise DatabaseError(
                "step {version} ({name}) of the database's schema is not that of this qb", version=step.version,
                name=step.name, hint="Use the qb that made it, or another database",
            )  # fmt: skip


def require(connection: Connection) -> tuple[str, int]:
    """See that the schema is the one that this qb knows. Gives its layout and number. Raises: as `examine`."""
    gone = applied(connection)
    layout = layout_of(connection, gone)
    steps = shipped(layout)
    examine(gone, steps)
    if len(gone) < len(steps):
        raise DatabaseError(
            "the schema of the database is {found}, this qb needs {known}", hint="Run qb db upgrade",
            found=gone[-1].version if gone else 0, known=steps[-1].version,
        )  # fmt: skip
    return layout, steps[-1].version


def upgrade(url: str) -> tuple[Migration, ...]:
    """Go every step that is left, all or none. Gives those steps. Raises: ConfigError, DatabaseError, FileError."""
    with connected(url) as connection:
        if connection.info.server_version < OLDEST:
            raise DatabaseError(
                "PostgreSQL {version} is too old; 14 is the first that will do",
                version=connection.info.server_version // 10000,
            )
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
            gone = applied(connection)
            steps = shipped(layout_of(connection, gone))
            examine(gone, steps)
            left = steps[len(gone) :]
            if left:
                connection.execute(_HOME)
            for step in left:
                connection.execute(step.sql)
                connection.execute(
                    "INSERT INTO qb.migrations (version, name, layout, sha256) VALUES (%s, %s, %s, %s)",
                    [step.version, step.name, step.layout, step.digest],
                )
    return left


def state(url: str) -> tuple[tuple[Applied, ...], tuple[Migration, ...]]:
    """The steps that the database has gone, and those that are left. Raises: as `upgrade`."""
    with connected(url) as connection:
        gone = applied(connection)
        steps = shipped(layout_of(connection, gone))
    examine(gone, steps)
    return gone, steps[len(gone) :]


def _read(name: str) -> Migration:
    number, _, rest = name.removesuffix(".sql").partition("_")
    title, _, layout = rest.partition(".")
    return Migration(int(number), title, layout, (files(__package__) / "sql" / name).read_text(encoding="utf-8"))

"""What `qb db check` and preflight look at."""

import psycopg
import pytest

from qbtrade.adapters.store.postgres.health import look
from qbtrade.adapters.store.postgres.migrations import newest, upgrade
from qbtrade.domain.calendar import NS
from qbtrade.errors import DatabaseError, FileError
from qbtrade.kernel.clock import wall_ns


def test_a_database_in_order_is_described(database: str) -> None:
    upgrade(database)

    seen = look(database, wall_ns)
    again = look(database, wall_ns)

    assert seen.version[0].isdigit()
    assert (seen.schema, seen.layout, seen.timescale) == (newest(), "native", "")
    assert (seen.replicas, seen.lag) == (0, 0.0)
    assert again.round_trip > 0


def test_a_clock_that_differs_is_measured(database: str) -> None:
    upgrade(database)
    assert look(database, lambda: wall_ns() - 3600 * NS).clock_ns > 3500 * NS
    assert look(database, lambda: wall_ns() + 3600 * NS).clock_ns < -3500 * NS


def test_a_schema_that_is_too_old_or_too_new_is_named_with_what_to_do(database: str) -> None:
    with pytest.raises(DatabaseError, match=rf"schema of the database is 0, this qb needs {newest()}\. Run qb db upgr"):
        look(database, wall_ns)
    upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO qb.migrations VALUES (99, 'future', '', 'x')")
    with pytest.raises(FileError, match="made by a newer qb"):
        look(database, wall_ns)


def test_a_user_who_may_only_read_is_told_so(database: str) -> None:
    upgrade(database)
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS looker")
        owner.execute("CREATE ROLE looker LOGIN PASSWORD 'looks'")
        owner.execute("GRANT USAGE ON SCHEMA qb TO looker")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA qb TO looker")
    info = psycopg.conninfo.conninfo_to_dict(database)
    with pytest.raises(DatabaseError, match="'looker' lacks a permission"):
        look(f"postgresql://looker:looks@127.0.0.1:{info['port']}/{info['dbname']}", wall_ns)
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("DROP OWNED BY looker")
        owner.execute("DROP ROLE looker")

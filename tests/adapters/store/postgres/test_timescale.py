"""What can be known of the TimescaleDB branch without the extension, which comes in no package.

PostgreSQL itself parses every statement; functions of the same signatures stand in for those of the extension. What
only the extension can show (compression, chunks) runs where QB_TEST_TIMESCALE_URL names a server: see test_migrations.
"""

import re

import psycopg
import pytest
from psycopg import sql

from qbtrade.adapters.store.postgres.migrations import NATIVE, TIMESCALE, layout_of, shipped, upgrade

STAND_INS = """
CREATE FUNCTION create_hypertable(relation regclass, time_column_name name, chunk_time_interval interval)
    RETURNS regclass LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION add_compression_policy(hypertable regclass, compress_after interval)
    RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION drop_chunks(relation regclass, older_than timestamptz)
    RETURNS SETOF text LANGUAGE sql AS 'SELECT $1::text FROM generate_series(1, 3)';
"""
COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default
FROM information_schema.columns
WHERE table_schema = 'qb' AND table_name IN ('equity', 'bars', 'trades')
ORDER BY table_name, ordinal_position
"""
KEYS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'p' AND conrelid IN ('qb.equity'::regclass, 'qb.bars'::regclass, 'qb.trades'::regclass) ORDER BY 1
"""


def statements(text: str) -> list[str]:
    """Each by itself; a function's body stands between $$."""
    parts = re.split(r"(\$\$.*?\$\$)", re.sub(r"--[^\n]*", "", text), flags=re.DOTALL)
    held = [part if part.startswith("$$") else part.replace(";", ";\0") for part in parts]
    return [each.strip() for each in "".join(held).split("\0") if each.strip()]


def test_every_statement_is_one_that_postgres_understands_and_makes_the_same_tables(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA qb")
        connection.execute(STAND_INS)
        options = 0
        for step in shipped(TIMESCALE):
            for statement in statements(step.sql):
                if "timescaledb.compress" in statement:
                    options += 1
                    with pytest.raises(psycopg.errors.InvalidParameterValue, match='parameter namespace "timescaledb"'):
                        connection.execute(statement)
                else:
                    connection.execute(statement)
        assert options == 3
        assert connection.execute("SELECT qb.forget(now())").fetchone() == (3,)
        connection.execute("SELECT qb.prepare(now(), now())")
        found = connection.execute(COLUMNS).fetchall(), connection.execute(KEYS).fetchall()
        connection.execute("DROP SCHEMA qb CASCADE")
    upgrade(database)
    with psycopg.connect(database) as connection:
        assert (connection.execute(COLUMNS).fetchall(), connection.execute(KEYS).fetchall()) == found
    assert len(found[0]) == 26


@pytest.mark.parametrize(("licence", "layout"), [("timescale", TIMESCALE), ("apache", NATIVE), ("", NATIVE)])
def test_hypertables_are_chosen_only_where_the_extension_can_compress(licence: str, layout: str, database: str) -> None:
    name = database.rpartition("/")[2]
    with psycopg.connect(database, autocommit=True) as connection:
        assert layout_of(connection, ()) == NATIVE
        connection.execute("SET allow_system_table_mods = on")
        connection.execute(
            "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)"
            " VALUES (99999, 'timescaledb', 10, 2200, false, '2.0')"
        )
        if licence:
            setting = sql.SQL("ALTER DATABASE {} SET timescaledb.license = {}")
            connection.execute(setting.format(sql.Identifier(name), sql.Literal(licence)))
    with psycopg.connect(database, autocommit=True) as connection:
        assert layout_of(connection, ()) == layout
        connection.execute("SET allow_system_table_mods = on")
        connection.execute("DELETE FROM pg_extension WHERE extname = 'timescaledb'")

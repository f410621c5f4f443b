"""The schema: its steps, its two layouts, and databases that are not on our way."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from qbtrade.adapters.store.postgres import migrations
from qbtrade.adapters.store.postgres.migrations import NATIVE, TIMESCALE, newest, shipped, state, upgrade
from qbtrade.errors import DatabaseError, FileError
from tests.program import QB, environment

TABLES = {
    "alerts", "bars", "cursors", "denials", "equity", "fills", "intents", "migrations", "order_steps", "probe",
    "sessions", "trades",
}  # fmt: skip
EVERY_FIFTH_MINUTE = """
    SELECT date_bin('5 minutes', at, '2026-01-01'), min(price), max(price), sum(qty)
    FROM qb.trades WHERE symbol = '005930' AND at >= '2026-11-01' AND at < '2027-02-01' GROUP BY 1 ORDER BY 1
"""


@pytest.fixture(params=[NATIVE, TIMESCALE])
def either(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind; TimescaleDB comes in no package, so somebody has to name a server."""
    if request.param == NATIVE:
        return str(request.getfixturevalue("database"))
    url = os.environ.get("QB_TEST_TIMESCALE_URL", "")
    if not url:
        pytest.skip("QB_TEST_TIMESCALE_URL names no server with TimescaleDB")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS qb CASCADE")
    return url


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'qb'").fetchall()
    return {str(row[0]) for row in rows}


def test_steps_are_numbered_without_gap_and_both_layouts_have_them_all() -> None:
    for layout in (NATIVE, TIMESCALE):
        assert [step.version for step in shipped(layout)] == list(range(1, newest() + 1))


def test_an_empty_database_gets_every_step_once(either: str) -> None:
    assert state(either)[0] == ()

    assert [step.version for step in upgrade(either)] == list(range(1, newest() + 1))
    assert upgrade(either) == ()

    gone, left = state(either)
    assert ([step.version for step in gone], left) == (list(range(1, newest() + 1)), ())
    assert tables(either) >= TABLES


def test_a_database_of_an_older_qb_goes_only_the_steps_that_are_left(database: str) -> None:
    first = shipped(NATIVE)[0]
    with psycopg.connect(database) as connection:
        connection.execute(migrations._HOME)  # noqa: SLF001 (as an older qb did)
        connection.execute(first.sql)
        row = [first.version, first.name, first.layout, first.digest]
        connection.execute("INSERT INTO qb.migrations (version, name, layout, sha256) VALUES (%s, %s, %s, %s)", row)

    assert [step.version for step in state(database)[1]] == list(range(2, newest() + 1))
    assert [step.version for step in upgrade(database)] == list(range(2, newest() + 1))


def test_a_database_of_a_newer_qb_is_left_alone(database: str) -> None:
    upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO qb.migrations VALUES (99, 'future', '', 'x')")

    with pytest.raises(FileError, match=rf"made by a newer qb: schema 99, this one knows up to {newest()}\. Update qb"):
        upgrade(database)
    with pytest.raises(FileError, match="made by a newer qb"):
        state(database)


def test_a_step_that_was_changed_afterwards_is_noticed(database: str) -> None:
    upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE qb.migrations SET sha256 = 'other' WHERE version = 1")

    with pytest.raises(DatabaseError, match=r"step 1 \(sessions\) .* is not that of this qb"):
        upgrade(database)


def test_a_step_that_fails_leaves_nothing_behind(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE SCHEMA qb")
        connection.execute("CREATE TABLE qb.trades (somebody text)")

    with pytest.raises(DatabaseError, match='relation "trades" already exists'):
        upgrade(database)

    assert tables(database) == {"trades"}


def test_two_upgrades_at_once_do_not_collide(database: str, tmp_path: Path) -> None:
    line, variables = [QB, "db", "upgrade"], environment(tmp_path / "home", QB_DATABASE_URL=database)
    both = [subprocess.Popen(line, env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [each.communicate()[0].splitlines() for each in both]

    assert [each.returncode for each in both] == [0, 0]
    assert sorted(map(len, said)) == [1, newest() + 1]


def test_a_user_who_may_not_create_is_told_so(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS reader")
        owner.execute("CREATE ROLE reader LOGIN PASSWORD 'reads'")
    info = psycopg.conninfo.conninfo_to_dict(database)
    url = f"postgresql://reader:reads@127.0.0.1:{info['port']}/{info['dbname']}"

    with pytest.raises(DatabaseError, match=r"'reader' lacks a permission in PostgreSQL \(permission denied") as error:
        upgrade(url)
    assert "reads" not in str(error.value)


def test_series_are_asked_alike_in_both_layouts_and_old_trades_can_be_dropped(either: str) -> None:
    upgrade(either)
    hours = [datetime(2026, 11, 30, 23, minute, tzinfo=UTC) for minute in (1, 3, 6)]
    hours += [datetime(2026, 12, 1, 0, 0, tzinfo=UTC), datetime(2027, 1, 4, 0, 1, tzinfo=UTC)]
    with psycopg.connect(either) as connection:
        connection.execute("SELECT qb.prepare(%s, %s)", [hours[0], hours[-1]])
        connection.execute("SELECT qb.prepare(%s, %s)", [hours[0], hours[-1]])
        for number, at in enumerate(hours):
            row = ["005930", "test", number, int(at.timestamp()) * 10**9, at, 70_000 + number, 1, False]
            connection.execute("INSERT INTO qb.trades VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
        connection.commit()
        asked = connection.execute(EVERY_FIFTH_MINUTE).fetchall()
        gone = connection.execute("SELECT qb.forget('2027-01-01Z')").fetchone()
        kept = connection.execute("SELECT seq FROM qb.trades").fetchall()

    assert [(low, high, qty) for _at, low, high, qty in asked] == [
        (70_000, 70_001, 2),
        (70_002, 70_002, 1),
        (70_003, 70_003, 1),
        (70_004, 70_004, 1),
    ]
    assert gone
    assert gone[0] > 0
    assert kept == [(4,)]


def test_native_series_have_a_partition_for_each_month_and_brin_indexes(database: str) -> None:
    upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute("SELECT qb.prepare('2026-12-31 23:00Z', '2027-01-01 01:00Z')")
        brin = connection.execute("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%USING brin (at)'").fetchone()
    assert tables(database) >= {
        f"{name}_{month}" for name in ("bars", "equity", "trades") for month in ("2026_12", "2027_01")
    }
    assert brin
    assert brin[0] >= 9

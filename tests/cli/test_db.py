"""`qb db` on a real server."""

import json
from pathlib import Path

import pytest

from qbtrade.adapters.store.postgres.migrations import newest
from tests.program import run_qb
from tests.servers import HOST, PASSWORD, free_port


def test_an_evening_with_a_new_database(database: str, tmp_path: Path) -> None:
    def qb(*args: str, code: int = 0) -> str:
        ended = run_qb("db", *args, folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=database)
        assert (ended.returncode, ended.stderr == "") == (code, code == 0), ended.stderr
        return ended.stdout + ended.stderr

    assert qb("check", code=1) == (
        f"error: the schema of the database is 0, this qb needs {newest()}. Run qb db upgrade\n"
    )
    assert qb("status").count("not yet; run qb db upgrade") == newest()
    assert qb("upgrade").splitlines()[-1] == "the schema is up to date"
    assert qb("status").count(" UTC\n") == newest()
    assert {row["version"] for row in json.loads(qb("status", "--json"))} == set(range(1, newest() + 1))
    told = qb("check")
    assert [line.split("  ")[0] for line in told.splitlines()] == [
        "server", "extension", "series", "schema", "a row there and back", "replicas", "clock",
    ]  # fmt: skip
    assert json.loads(qb("check", "--json"))["schema"] == newest()


@pytest.mark.parametrize("command", ["check", "status", "upgrade"])
def test_what_is_wrong_is_one_line_and_its_exit_code(command: str, database: str, tmp_path: Path) -> None:
    bad = {
        "": "no database is configured. Run qb services up, or set QB_DATABASE_URL",
        f"postgresql://qb:{PASSWORD}@{HOST}:{free_port()}/qb": "PostgreSQL does not answer",
        database.replace("//qb:", "//qb:x"): "PostgreSQL does not let 'qb' in with that password",
        f"mysql://qb:{PASSWORD}@{HOST}/qb": "QB_DATABASE_URL is not an address",
    }
    for url, said in bad.items():
        ended = run_qb("db", command, folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=url)
        assert (ended.returncode, ended.stdout) == (3, "")
        assert said in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
        assert PASSWORD not in ended.stderr


def test_journals_are_passed_on_once_and_a_damaged_one_is_named(database: str, tmp_path: Path) -> None:
    home = tmp_path / "home"

    def qb(*args: str) -> tuple[int, list[str]]:
        ended = run_qb(*args, folder=tmp_path, home=home, QB_DATABASE_URL=database, QB_MOCK_TICKS="2000")
        return ended.returncode, ended.stdout.splitlines()

    assert qb("simulate", "--quiet")[0] == qb("simulate", "--quiet", "--seed", "1")[0] == 0
    assert qb("db", "upgrade")[0] == 0

    code, lines = qb("db", "fill")
    assert (code, len(lines), lines[-1]) == (0, 3, "the database holds 2 of 2 journals")
    assert qb("db", "fill") == (0, ["the database holds 2 of 2 journals"])

    (home / "journals" / "20260101-090000-000000.sqlite3").write_text("no journal")
    code, lines = qb("db", "fill")
    assert (code, lines[-1]) == (1, "the database holds 2 of 3 journals")
    assert "is not a journal" in lines[0]

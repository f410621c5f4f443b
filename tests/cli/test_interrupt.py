import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.terminal import QB, qb
from tests.program import PATIENCE, press_twice

PACED = ("simulate", "--speed", "60", "--status-every", "1")


@pytest.fixture
def session() -> Iterator["subprocess.Popen[str]"]:
    """A paced session that has begun."""
    with subprocess.Popen([*QB, *PACED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_the_session_safely(
    session: "subprocess.Popen[str]", number: signal.Signals, tmp_path: Path
) -> None:
    session.send_signal(number)
    stdout, stderr = session.communicate(timeout=PATIENCE)
    assert session.returncode == 130
    assert stderr.strip() == "stopping: canceling orders, closing the books; once more to leave at once"
    assert "Simulation interrupted: " in stdout
    (report,) = (tmp_path / "home" / "reports").glob("*.json")
    facts = json.loads(report.read_text())["session"]
    assert (facts["outcome"], facts["reason"]) == ("INTERRUPTED", number.name)


def test_the_second_signal_leaves_at_once_and_the_journal_is_whole(
    session: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    press_twice(session)
    _stdout, stderr = session.communicate(timeout=PATIENCE)
    assert session.returncode == 130
    assert "left at once" in stderr
    assert not list((tmp_path / "home" / "reports").glob("*.json"))
    (journal,) = (tmp_path / "home" / "journals").glob("*.sqlite3")
    with closing(sqlite3.connect(journal)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert "unfinished" in qb("report").stdout

"""`qb status`: whether a session runs is said by the lock of its account, not by a process number."""

import os
from pathlib import Path

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.account_files import account_name
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.lock import account_lock
from qbtrade.app.live.status_file import Seen
from qbtrade.cli.status import heading
from tests.builders import SECOND
from tests.cli.test_panel import a_status

HERE = local_environment(Settings({}), "real", CREDENTIALS["real"], ("http://127.0.0.1:1", "ws://127.0.0.1:1"))
SEEN = Seen("R1", os.getpid(), 0, "emulator", ("", ""), a_status(), 0, account_name(HERE))


def test_a_session_that_holds_its_account_runs_and_one_with_an_old_picture_hangs(tmp_path: Path) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        assert heading(tmp_path, SEEN, SECOND) == f"session R1 (process {os.getpid()}) is running"
        assert f"session R1 (process {os.getpid()}) hangs: " in heading(tmp_path, SEEN, 60 * SECOND)


def test_a_process_that_has_the_number_of_a_dead_session_is_not_taken_for_it(tmp_path: Path) -> None:
    assert "is not running any more" in heading(tmp_path, SEEN, 60 * SECOND)
    with account_lock(tmp_path, HERE, "R2"):
        assert "is not running any more" in heading(tmp_path, SEEN, 60 * SECOND)

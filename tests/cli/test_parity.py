"""`qb report parity` of real sessions: a quiet local KIS leaves nothing unexplained, what was done to one is found."""

import json
import signal
from pathlib import Path
from typing import Any

from qbtrade.domain import events as ev
from tests.live_days import FLIP, USUAL, events, fills, hosted, session, wait_for
from tests.program import PATIENCE, run_qb


def parity(folder: Path, code: int = 0) -> dict[str, Any]:
    ended = run_qb("report", "parity", "--json", folder=folder, home=folder / "home")
    assert ended.returncode == code, ended.stdout[-3000:] + ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def recording(folder: Path) -> Path:
    (found,) = (folder / "home" / "recordings").glob("emulator/*/*/005930.parquet")
    return found


def written(folder: Path) -> int:
    """Blocks of the log so far: two a second."""
    return sum(path.read_bytes().count(b"#qb ") for path in (folder / "home" / "recordings").rglob("*.log"))


def test_a_session_without_faults_has_no_unexplained_difference(tmp_path: Path) -> None:
    with hosted("15:00", speed=100) as kis, session(kis, tmp_path) as process:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    found = parity(tmp_path)
    assert (found["explained"], found["same_strategy_source"]) == (True, True)
    assert "unexplained" not in found["counts"]
    assert found["bars"]["different"] == 0
    assert found["bars"]["same"] > 5
    assert found["recording"] == {"whole": True, "holes": 0, "torn_bytes": 0}
    live = [row["live"]["order_id"] for row in found["trades"] if row["live"]]
    assert live == [event.order.order_id for event in events(tmp_path) if isinstance(event, ev.SubmitOrder)]
    shown = run_qb("report", "parity", folder=tmp_path, home=tmp_path / "home")
    assert "every difference is explained" in shown.stdout
    assert "reads otherwise" not in shown.stdout
    again = run_qb("simulate", "--source", f"recorded:{recording(tmp_path).parts[-3]}", "--json",
                   folder=tmp_path, home=tmp_path / "home")  # fmt: skip
    assert again.returncode == 0, again.stderr


def test_a_strategy_that_is_no_longer_what_it_was_leaves_differences_unexplained(tmp_path: Path) -> None:
    with hosted("14:50", speed=100) as kis, session(kis, tmp_path) as process:
        process.communicate(timeout=PATIENCE)
    assert fills(tmp_path)
    (tmp_path / "flip.py").write_text(FLIP.replace("self.desk.buy", "(lambda *_: None)"))
    found = parity(tmp_path, code=1)
    assert found["counts"]["unexplained"]
    assert not found["same_strategy_source"]
    assert {row["why"] for row in found["trades"] if row["class"] == "unexplained"} == {"source-changed"}
    shown = run_qb("report", "parity", folder=tmp_path, home=tmp_path / "home")
    assert "./flip.py:Flip reads otherwise than when this session ran" in shown.stdout
    assert "something is not explained" in shown.stdout


def test_a_session_that_was_killed_is_compared_as_far_as_it_came(tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_for(process, lambda: len(fills(tmp_path)) >= 2 and written(tmp_path) >= 5)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    found = parity(tmp_path)
    assert not found["recording"]["whole"]
    assert recording(tmp_path).exists()


def test_a_session_that_recorded_nothing_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "qb.toml").write_text("[live]\nrecord = false\n")
    with hosted("15:15") as kis, session(kis, tmp_path, *USUAL) as process:
        process.communicate(timeout=PATIENCE)
    ended = run_qb("report", "parity", folder=tmp_path, home=tmp_path / "home")
    assert ended.returncode == 3
    assert "recorded nothing of 005930" in ended.stderr
    assert not (tmp_path / "home" / "recordings").exists()


def test_a_rehearsal_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    run_qb("simulate", "--ticks", "500", "--quiet", folder=tmp_path, home=tmp_path / "home")
    ended = run_qb("report", "parity", folder=tmp_path, home=tmp_path / "home")
    assert (ended.returncode, "is a rehearsal" in ended.stderr) == (2, True)

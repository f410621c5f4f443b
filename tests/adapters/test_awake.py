"""The tools are small scripts that do what the real ones do: hold while a command runs, or refuse to."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from qbtrade.adapters.awake import kept_awake, tool_here
from qbtrade.kernel.clock import Stopwatch, sleep
from tests.live_days import hosted, session
from tests.program import PATIENCE, run_qb

HOLDS = """#!/bin/sh
printf '%s\\n' "$0 $*" >> "{record}"
env | grep '^QB_' >> "{record}"
trap '' TERM  # it ends with its command, and with nothing else
while [ "${{1#-}}" != "$1" ]; do shift; done
"$@"
echo END OF HOLD >> "{record}"
"""
REFUSES = "#!/bin/sh\necho Access denied >&2\nexit 1\n"
HANGS = "#!/bin/sh\nexec sleep 300\n"


def tool(folder: Path, text: str, name: str = "systemd-inhibit") -> tuple[str, Path]:
    """PATH with that tool before all others, and what it records."""
    place, record = folder / "bin", folder / "record"
    place.mkdir()
    path = place / name
    path.write_text(text.format(record=record) if text is HOLDS else text)
    path.chmod(0o755)
    return f"{place}:{os.environ['PATH']}", record


def wait_until(condition: Callable[[], bool]) -> None:
    watch = Stopwatch()
    while not condition():
        assert watch.seconds() < PATIENCE
        sleep(0.02)


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize(
    ("platform", "name", "options"),
    [
        ("darwin", "caffeinate", "-i -m -s"),
        ("linux", "systemd-inhibit", "--what=idle:sleep:handle-lid-switch --mode=block --who=qb"),
    ],
)
def test_the_tool_holds_as_long_as_it_is_wanted(
    platform: str, name: str, options: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, record = tool(tmp_path, HOLDS, name)
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("QB_KIS_APP_SECRET", "what no other program needs to know")
    assert tool_here(platform) == name
    with kept_awake(platform) as granted:
        assert granted
        assert f"{name} {options}" in text_of(record)
        assert "END OF HOLD" not in text_of(record)
    assert text_of(record).splitlines()[-1] == "END OF HOLD"
    assert "QB_" not in text_of(record)


def test_a_tool_that_refuses_or_is_not_there_grants_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _record = tool(tmp_path, REFUSES)
    monkeypatch.setenv("PATH", path)
    with kept_awake("linux") as granted:
        assert not granted
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tool_here("linux") == ""
    with kept_awake("linux") as granted:
        assert not granted


def test_a_tool_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _record = tool(tmp_path, HANGS)
    monkeypatch.setenv("PATH", path)
    with kept_awake("linux") as granted:
        assert not granted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_is_released_however_a_session_ends(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, record = tool(tmp_path, HOLDS)
    monkeypatch.setenv("PATH", path)
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_until(lambda: bool(text_of(record)) and bool(list(tmp_path.glob("home/journals/*"))))
        assert "END OF HOLD" not in text_of(record)
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
        assert process.returncode == (130 if number is signal.SIGINT else -signal.SIGKILL)
    wait_until(lambda: "END OF HOLD" in text_of(record))


def test_preflight_tries_it(tmp_path: Path) -> None:
    for text, said in (
        (HOLDS, "keeps the machine awake during a session"),
        (REFUSES, "may not keep the machine awake"),
    ):
        folder = tmp_path / said.split()[0]
        folder.mkdir()
        path, _record = tool(folder, text)
        told = run_qb("preflight", "--env", "emulator", folder=folder, home=folder / "home", PATH=path)
        assert f"systemd-inhibit {'is here, but ' if text is REFUSES else ''}{said}" in told.stdout

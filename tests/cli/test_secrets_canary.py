import contextlib
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import EmulatorPlan
from tests.app.preflight.stand import Lies, emulator, proxy
from tests.cli.terminal import QB

MADE_UP = ("PScanary" + "4e" * 14, "c4n4ry/secret+" * 3)
MAY_HOLD_THEM = {".env", "keys.txt"}


def run(seen: list[str], *args: str, typed: str = "", **env: str) -> None:
    """One command; what it said, and what stood in the process list as long as it ran."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [*QB, *args],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **env},
        )
        assert process.stdin
        with process.stdin as keyboard:
            keyboard.write(typed)
        seen += process_list(process)
        said.seek(0)
        seen.append(said.read())


def process_list(process: subprocess.Popen[str]) -> set[str]:
    """The command lines under which a process was seen until it ended; empty where no `/proc` shows them."""
    lines = set()
    while process.poll() is None:
        with contextlib.suppress(OSError):
            lines.add(Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace"))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
    return lines


def files(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in MAY_HOLD_THEM:
            yield path, path.read_bytes().decode("utf-8", "replace")


@pytest.mark.slow
def test_known_secrets_appear_in_no_output_no_file_and_no_process_list(tmp_path: Path) -> None:
    seen: list[str] = []
    with emulator(EmulatorPlan()) as (server, variables), proxy(variables["QB_KIS_REST_URL"], Lies(html=("*",))) as bad:
        held = server.credentials
        own = (held.app_key, held.app_secret, held.account)
        elsewhere = {"QB_KIS_REST_URL": "http://127.0.0.1:9", "QB_KIS_WS_URL": "ws://127.0.0.1:9"}
        run(seen, "init", "--env", "real", "--account", "12345678-01", "--secrets", "-", "--keep-in", "file",
            typed="\n".join(MADE_UP))  # fmt: skip
        for args in (("config", "show"), ("config", "show", "--json")):
            run(seen, *args)
            run(seen, *args, **variables)
        run(seen, "preflight", "--debug", **variables)
        run(seen, "preflight", "--json", **variables)
        run(seen, "preflight", "--debug", **{**variables, "QB_KIS_REST_URL": bad, "QB_KIS_TRIES": "1"})
        run(seen, "preflight", "--env", "real", "--debug", **elsewhere)
        run(seen, "preflight", "--env", "paper", "--debug", **{**elsewhere, "QB_KIS_APP_KEY": MADE_UP[0]})
        Path(".env").chmod(0o644)
        run(seen, "preflight", "--env", "real", "--debug")
        run(seen, "config", "show", "--debug")

    assert "go (ok" in "".join(seen)
    for secret in (*MADE_UP, *own):
        assert [text for text in seen if secret in text] == []
        assert [path for path, text in files(tmp_path) if secret in text] == []
    tokens = list((tmp_path / "home" / "kis").glob("token-*.json"))
    assert tokens
    assert {stat.S_IMODE(path.stat().st_mode) for path in tokens} == {0o600}
    assert "eyJ" not in "".join(seen)
    assert [path for path, text in files(tmp_path) if "eyJ" in text and path not in tokens] == []
    assert sys.platform != "linux" or any("preflight" in text and "\0" in text for text in seen)

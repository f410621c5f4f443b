import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from qbtrade.adapters.emulator.faults import FAULTS
from qbtrade.errors import ExitCode
from tests.cli.terminal import one_line, qb
from tests.program import PATIENCE, environment

START = (sys.executable, "-m", "qbtrade", "emulator", "--side", "paper", "--speed", "10", "--ticks", "100")


def test_it_prints_where_it_is_and_what_points_a_client_at_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*START, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment(tmp_path)
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        clock = requests.get(f"{told['rest_url']}/emulator/clock", timeout=PATIENCE).json()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == ExitCode.INTERRUPTED
    assert clock["speed"] == 10
    assert clock["time"].startswith("2026-11-02T08:5")
    assert told["environment"]["QB_KIS_REST_URL"] == told["kis_devlp"]["vps"] == told["rest_url"]
    assert told["kis_devlp"]["vops"] == told["ws_url"]


def test_its_page_shows_both_addresses_and_every_variable(tmp_path: Path) -> None:
    with subprocess.Popen(
        START, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(24)]
        assert lines[-1] == "Ctrl+C ends it.\n"
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == ExitCode.INTERRUPTED
    assert err.strip() == "the emulator closes"
    exported = [line.split()[1].partition("=")[0] for line in lines if line.strip().startswith("export ")]
    names = ["ENV", "SPEAKS", "REST_URL", "WS_URL", "APP_KEY", "APP_SECRET", "ACCOUNT", "HTS_ID"]
    assert exported == [f"QB_KIS_{name}" for name in names]


def test_it_lists_every_fault() -> None:
    lines = qb("emulator", "--faults").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(FAULTS)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--side", "rael"], "Did you mean 'real'?"),
        (["--fault", "notice-twise"], "Did you mean 'notice-twice'?"),
        (["--event", "sell-sidecars@10:00"], "Did you mean 'sell-sidecar'?"),
        (["--event", "sell-sidecar"], "has no time"),
        (["--calls", "0"], "--calls"),
        (["--fault", "notice-twice=x"], "is not a percentage"),
        (["--day", "tomorrow"], "is not a date"),
        (["--day", "2024-13-01"], "is not a date"),
        (["--speed", "0"], "--speed"),
        (["--symbol", "x"], "is not a symbol"),
        (["--scenario", "crahs"], "Did you mean 'crash'?"),
        (["--halted", "000660"], "000660 is not in this market"),
        (["--port", "70000"], "--port"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(args: list[str], said: str) -> None:
    result = qb("emulator", *args, QB_LANG="en")
    assert result.exit_code == ExitCode.USAGE
    assert said in one_line(result.stderr)

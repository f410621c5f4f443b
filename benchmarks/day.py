"""Trade one whole day: `.venv/bin/python benchmarks/day.py [--speed 60] [--faults 2%]`; exit 1 when it went wrong.

`qb emulator` and `qb live` run as two processes, from 08:50 to the report: seven minutes. Measured: memory of `qb live`
over the day, and how far its clock drifts from the emulator's. Checked: its exit code, and that report and emulator
agree on cash and shares to the won. `--faults 2%` lets everything go wrong that the emulator can let go wrong, each at
that rate, with three symbols, since one whose order is given up rests for the day. A token dies at 0.2 %, and none
stays dead: two deaths in a row end a day, and are meant to.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from run import Row, machine

from qbtrade.adapters.emulator.faults import FAULTS
from qbtrade.adapters.kis.http import HttpReply, HttpRequest
from qbtrade.adapters.kis.transport import call_once
from qbtrade.app.live.status_file import Seen, shown
from qbtrade.domain.calendar import NS, iso_kst
from qbtrade.kernel.clock import sleep, wall_ns

SYMBOLS: Final = ("005930", "000660", "035420")
TOKENS: Final = {"token-death": "0.2%", "token-stays-dead": "0%"}
TRIES: Final = 5
LOOK_EVERY: Final = 2.0
QB: Final = (sys.executable, "-m", "qbtrade")
LIVE: Final = ("live", "--env", "emulator", "--max", "3000000", "--quiet")


class Look(msgspec.Struct, frozen=True):
    """One moment. ts: market time. memory: resident bytes. apart: machine ns by which the session's clock leads."""

    ts: int
    memory: int
    apart: int


def ask(url: str, what: str) -> dict[str, Any]:
    """One question about the emulator itself."""
    request = HttpRequest(request_id=0, method="GET", url=f"{url}/emulator/{what}", headers={}, timeout_ns=5 * NS)
    for _ in range(TRIES):
        reply = call_once(request)
        if isinstance(reply, HttpReply):
            told: dict[str, Any] = json.loads(reply.body)
            return told
        sleep(1)
    sys.exit("the emulator does not answer")


def look(home: Path, url: str, speed: int) -> Look | None:
    """The session now, once it has shown itself."""
    seen: Seen | None = next(iter(shown(home)), None)
    if seen is None:
        return None
    before = wall_ns()
    told = int(ask(url, "clock")["now"])
    asked = (before + wall_ns()) // 2
    theirs, ours = told - asked * speed, seen.status.ts - seen.written * speed
    return Look(seen.status.ts, seen.status.memory, (ours - theirs) // speed)


def trade(
    folder: Path, url: str, variables: Mapping[str, str], line: list[str], speed: int
) -> tuple[int, list[Look], dict[str, Any]]:
    """Exit code, what was seen on the way, and the report."""
    report, home = folder / "report.json", folder / "home"
    environment = {**os.environ, **variables, "QB_HOME": str(home)}
    looks = list[Look]()
    command = [*QB, *line, "--report", str(report)]
    with subprocess.Popen(command, cwd=folder, env=environment) as process:  # noqa: S603 - our own program
        while process.poll() is None:
            if (seen := look(home, url, speed)) is not None:
                looks.append(seen)
            try:
                process.wait(LOOK_EVERY)
            except subprocess.TimeoutExpired:
                continue
    return process.returncode, looks, json.loads(report.read_bytes())


def rows(looks: list[Look], report: dict[str, Any]) -> Iterator[Row]:
    """The figures."""
    counts, session = report["counts"], report["session"]
    half = looks[len(looks) // 2]
    yield "market day", f"{session['start'][11:19]} to {session['end'][11:19]}, {counts['trades']:,} trades", ""
    codes = Counter(alert["code"] for alert in report["alerts"])
    yield "alerts", ", ".join(f"{code} {count}" for code, count in sorted(codes.items())) or "none", ""
    yield "orders and fills", f"{len(report['orders'])} and {len(report['fills'])}", ""
    for name, seen in (("first", looks[0]), ("middle", half), ("last", looks[-1])):
        yield f"memory, {name} look ({iso_kst(seen.ts)[11:16]})", f"{seen.memory / 1e6:.1f} MB", ""
    apart = [seen.apart / 1e6 for seen in looks]
    drift = f"{apart[0]:+.2f} ms first, {apart[-1]:+.2f} ms last, between {min(apart):+.2f} and {max(apart):+.2f}"
    yield "clock of the session against the emulator's", drift, ""


def problems(code: int, report: dict[str, Any], account: dict[str, Any]) -> Iterator[str]:
    """What went wrong."""
    if code:
        yield f"qb live ended with {code}"
    yield from unequal_books(report, account)
    if not report["fills"]:
        yield "nothing was filled: the day proves nothing"


def unequal_books(report: dict[str, Any], account: dict[str, Any]) -> Iterator[str]:
    """On what the last report and the emulator disagree."""
    ours = report["account"]
    if ours["cash"] != account["cash"]:
        yield f"cash: {ours['cash']:,} in the report, {account['cash']:,} at the emulator"
    held = {each["symbol"]: each["qty"] for each in ours["positions"] if each["qty"]}
    if held != account["positions"]:
        yield f"shares: {held} in the report, {account['positions']} at the emulator"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", type=int, default=60, help="market seconds per second")
    parser.add_argument("--side", default="real", help="real or paper")
    parser.add_argument("--seed", type=int, default=0, help="of the market and the faults")
    parser.add_argument("--faults", default="", help="rate of every fault, as in 2%%")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    chosen = parser.parse_args()
    command = [*QB, "emulator", "--json", "--speed", str(chosen.speed), "--seed", str(chosen.seed)]
    command += ["--side", chosen.side, *(("--calls", "20") if chosen.side == "paper" else ())]
    command += [f"--fault={name}={TOKENS.get(name, chosen.faults)}" for name in FAULTS if chosen.faults]
    symbols = [f"--symbol={each}" for each in SYMBOLS[: 3 if chosen.faults else 1]]
    with tempfile.TemporaryDirectory() as name:
        server = subprocess.Popen([*command, *symbols], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        try:
            told = json.loads(server.stdout.readline()) if server.stdout else {}
            code, looks, report = trade(
                Path(name), told["rest_url"], told["environment"], [*LIVE, *symbols], chosen.speed
            )
            wrong = list(problems(code, report, ask(told["rest_url"], "account")))
        finally:
            server.terminate()
            server.wait()
    table = list(rows(looks, report))
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": table, "problems": wrong}, indent=2))
    else:
        print(machine(), "", "| measure | figure |", "|---|---|", *(f"| {a} | {b} |" for a, b, _ in table), sep="\n")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()

"""Measure how long an order takes to leave: `.venv/bin/python benchmarks/latency.py [--minutes N] [--json]`.

`qb live` runs in this process, journal on disk, against a local KIS in another one, at the market's own pace. A trade
comes every 200 ms, and the strategy trades on every one. Inside: from the frame that the stream's thread has read to
the order request that is handed to the sender's thread; engines, risk and the durable commit lie between. Outside, by
the server's clock: from the frame given to its socket to the order request that it has read, so both ways through the
sockets and the order's own TCP connect are in it. As calibration: durable commits of a journal row in the same folder.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import time
from pathlib import Path
from typing import Any, Final

import msgspec
from run import Row, machine

from qbtrade.adapters.emulator.plan import EmulatorPlan, Stage
from qbtrade.adapters.emulator.server import EmulatorServer
from qbtrade.adapters.kis.http import HttpRequest
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.transport import HttpWorkers
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.emulator import open_stage
from qbtrade.cli.emulator import variables
from qbtrade.cli.main import app
from qbtrade.domain.calendar import MINUTE, NS, kst_date, kst_ns, parse_ts
from qbtrade.domain.events import Alert, Level
from qbtrade.domain.market import Trade
from qbtrade.kernel.clock import Stopwatch

SYMBOL: Final = "005930"
PRICE: Final = 75_000
EVERY: Final = NS // 5
EARLIER: Final = 30 * NS
"""Start of the market clock before the open: preflight takes its time."""
STRATEGY: Final = '''
from qbtrade.ports import Strategy


class EveryTrade(Strategy):
    """Buys when flat, sells when not, with every trade."""

    def on_trade(self, trade):
        ask = self.desk.sell if self.desk.position(trade.symbol) else self.desk.buy
        ask(trade.symbol, "a trade has printed")
'''
LIMITS: Final = "[limits]\norders_per_minute = 1000\n"
COMMITS: Final = 300


def stage(minutes: int) -> Stage:
    """One stock whose price goes up and down by a tick, for so many minutes after the open."""
    made = open_stage(EmulatorPlan(price=PRICE))
    begin = kst_ns(made.first, time(9))
    trades = [
        Trade(begin + number * EVERY, SYMBOL, PRICE + number % 2 * 100, 1_000)
        for number in range(1, minutes * MINUTE // EVERY)
    ]
    return msgspec.structs.replace(made, events=iter(trades), start=begin - EARLIER)


def serve(record: str, minutes: int) -> None:
    """Be the local KIS until somebody stops this process."""
    plan = EmulatorPlan(price=PRICE, record=record)
    server = EmulatorServer(plan, stage(minutes))
    print(json.dumps(variables(plan, server.start())), flush=True)
    sys.stdin.read()


class Inside:
    """Times within this process. seen: when the newest frame of trades was read; took: of each order request, ns."""

    def __init__(self) -> None:
        self.seen, self.took = 0, list[int]()

    def watch(self) -> None:
        """Look on where a frame comes in and where a request goes out."""
        watch, read, send = Stopwatch(), Stream.on_text, HttpWorkers.send

        def on_text(stream: Stream, now: int, text: str) -> Any:
            if "|H0STCNT0|" in text:
                self.seen = int(watch.seconds() * NS)
            return read(stream, now, text)

        def on_request(workers: HttpWorkers, request: HttpRequest) -> None:
            if request.url.endswith("/order-cash"):
                self.took.append(int(watch.seconds() * NS) - self.seen)
            send(workers, request)

        Stream.on_text = on_text  # type: ignore[assignment, method-assign]
        HttpWorkers.send = on_request  # type: ignore[assignment, method-assign]


def trade(folder: Path, minutes: int) -> Path:
    """One session of `qb live`; the wire as the server saw it."""
    record = folder / "wire.jsonl"
    (folder / "every.py").write_text(STRATEGY)
    (folder / "qb.toml").write_text(LIMITS)
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", str(record), str(minutes)]
    options = (
        "live", "--env", "emulator", "--symbol", SYMBOL, "--strategy", "./every.py:EveryTrade", "--max", "500000",
        "--max-orders", "9999", "--daily-loss", "400000", "--stop-loss", "0", "--until", f"09:{minutes:02d}", "--quiet",
    )  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - this very script
        try:
            told = json.loads(server.stdout.readline()) if server.stdout else {}
            os.environ.update(told, QB_HOME=str(folder / "home"))
            with contextlib.chdir(folder), contextlib.suppress(SystemExit):
                app(options)
        finally:
            server.terminate()
    return record


def latencies(record: Path) -> Iterator[int]:
    """From the last frame of trades to each order request, ns."""
    came = 0
    for line in record.read_bytes().splitlines():
        row = json.loads(line)
        if row["what"] == "sent" and "|H0STCNT0|" in row["text"]:
            came = parse_ts(row["time"])
        elif row["what"] == "request" and row["path"].endswith("/order-cash") and came:
            yield parse_ts(row["time"]) - came


def commits(folder: Path) -> Iterator[int]:
    """Durable commits of one row each, ns."""
    store = SqliteJournal(folder / "commits.sqlite3")
    row = Alert(kst_ns(kst_date(0), time(9)), Level.INFO, "calibration", "a row of the usual length, or nearly so")
    for _ in range(COMMITS):
        watch = Stopwatch()
        store.append([row], durable=True)
        yield int(watch.seconds() * NS)
    store.close()


def figure(name: str, times: Iterable[int]) -> Row:
    """Median, 99th percentile and largest, ms."""
    ordered = sorted(times)
    if not ordered:
        sys.exit(f"no {name}: these figures mean nothing")
    median, high = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return (
        name,
        f"p50 {median / 1e6:.2f} ms, p99 {high / 1e6:.2f} ms, largest {ordered[-1] / 1e6:.2f} ms",
        f"{len(ordered):,}",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=3, help="length of the session")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--serve", nargs=2, metavar=("RECORD", "MINUTES"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve[0], int(chosen.serve[1]))
        return
    with tempfile.TemporaryDirectory(prefix="qb-bench-", dir=Path.cwd()) as name:
        folder = Path(name)
        inside = Inside()
        inside.watch()
        record = trade(folder, chosen.minutes)
        rows = [
            figure("durable commit of one journal row", commits(folder)),
            figure("frame read to order request handed over, journal on disk", inside.took),
            figure("the same from socket to socket, seen by the server", latencies(record)),
        ]
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
        return
    print(
        machine(),
        "",
        "| measure | figure | times |",
        "|---|---|---|",
        *(f"| {a} | {b} | {c} |" for a, b, c in rows),
        sep="\n",
    )


if __name__ == "__main__":
    main()

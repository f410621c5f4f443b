"""Measure the KIS stream on this machine: `.venv/bin/python benchmarks/stream.py [--quick] [--json]`.

What one frame costs from text to event, and how many frames and records a second come through a real socket, the
stream's thread, the inbox, the loop and all engines of a session, for 40 symbols. The server is another process and
sends as fast as the client takes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, time
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from pipeline import CASH, ROOMY
from run import Row, best, machine
from websockets.sync.server import ServerConnection, serve

from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.transport import StreamThread
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.plan import SimulationPlan, VenuePlan
from qbtrade.app.rules import load_rules
from qbtrade.app.strategies import load_strategy
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.calendar import MINUTE, kst_ns
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.domain.market import Trade
from qbtrade.domain.order import OrderKind
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, Stopwatch
from qbtrade.kernel.loop import Inbox, LiveLoop, StopRequest

DAY: Final = date(2026, 11, 20)
START: Final = kst_ns(DAY, time(10))
SYMBOLS: Final = tuple(f"{100_000 + n * 10}" for n in range(40))
RECORD: Final = (
    "{symbol}^{clock}^{price}^2^500^0.67^74900.50^74500^75200^74300^75100^75000^{qty}^{volume}^75000000^10^12^2^104.11"
    "^480^520^1^0.52^98.10^090003^2^500^094501^5^-200^090010^2^700^20261120^20^N^120^340^9000^8800^0.02^990^101.01^0^"
    "^74500^2"
)
SHORT: Final = 126
"""Payloads from here on have a length of two bytes."""


def texts(number: int, each: int) -> Iterator[str]:
    """So many trade frames of `each` records, symbols in turn, volume without a gap."""
    volumes = dict.fromkeys(SYMBOLS, 0)
    for at in range(number):
        symbol = SYMBOLS[at % len(SYMBOLS)]
        seconds = at * 600 // number
        clock = f"10{seconds // 60:02d}{seconds % 60:02d}"
        records = []
        for _ in range(each):
            volumes[symbol] += 3
            price = 75_000 + 100 * (at // len(SYMBOLS) % 5)
            records.append(RECORD.format(symbol=symbol, clock=clock, price=price, qty=3, volume=volumes[symbol]))
        yield f"0|H0STCNT0|{each:03d}|{'^'.join(records)}"


def split_rate(frames: list[str]) -> float:
    """Calibration: frames per second that are only split."""
    watch = Stopwatch()
    for text in frames:
        text.split("^")
    return len(frames) / watch.seconds()


def parse_rate(frames: list[str]) -> float:
    """Frames per second from text to events, on one thread."""
    stream = Stream("1234567801", Random(1))
    stream.start(START)
    stream.use_key(START, "key")
    stream.on_open(START)
    on_text, watch = stream.on_text, Stopwatch()
    for text in frames:
        on_text(START, text)
    return len(frames) / watch.seconds()


def wire(number: int, each: int) -> bytes:
    """The same frames as a WebSocket server sends them."""
    pieces = []
    for text in texts(number, each):
        payload = text.encode()
        size = bytes([len(payload)]) if len(payload) < SHORT else bytes([SHORT]) + len(payload).to_bytes(2, "big")
        pieces.append(b"\x81" + size + payload)
    return b"".join(pieces)


def server(number: int, each: int) -> None:
    """Take every registration, then send everything."""
    data = wire(number, each)

    def handle(connection: ServerConnection) -> None:
        for _ in SYMBOLS:
            channel = json.loads(connection.recv())["body"]["input"]
            body = {"rt_cd": "0", "msg_cd": "OPSP0000", "msg1": "SUBSCRIBE SUCCESS"}
            connection.send(json.dumps({"header": channel, "body": body}))
        connection.socket.sendall(data)
        connection.recv()

    with serve(handle, "127.0.0.1", 0, ping_interval=None, compression=None) as running:
        print(running.socket.getsockname()[1], flush=True)
        running.serve_forever()


def through_rate(number: int, each: int) -> float:
    """Records per second from the socket through the engines."""
    command = [sys.executable, __file__, "--serve", str(number), str(each)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this very script
        port = process.stdout.readline().strip() if process.stdout else ""
        try:
            return _listen(f"ws://127.0.0.1:{port}", number * each)
        finally:
            process.terminate()


def _listen(url: str, records: int) -> float:
    """Through a session's engines, journal on disk, with a strategy that trades now and then in a simulated venue."""
    bus, clock, inbox, stop = Bus(), LiveClock(start=START), Inbox(size=10**9), StopRequest()
    setup = Setup(
        rules=load_rules(), instruments=tuple(Instrument(symbol, Market.KOSPI, Kind.STOCK) for symbol in SYMBOLS),
        interval=MINUTE, limits=risk_limits(SimulationPlan(limits=ROOMY), 0), cash=CASH, made_of_bars=False,
        durable=True, order_kind=OrderKind.LIMIT,
    )  # fmt: skip
    with (
        tempfile.TemporaryDirectory(prefix="qb-bench-", dir=Path.cwd()) as folder,
        closing(SqliteJournal(Path(folder) / "b.sqlite3")) as store,
    ):
        engines = Engines(bus, clock, setup, store, sim_broker(VenuePlan(), 0))
        engines.host_strategy(load_strategy("sma_cross", {"fast": "2", "slow": "3"}).build(engines.host, SYMBOLS), 0)
        engines.hours.start()
        watch: list[Stopwatch] = []
        seen = [0]

        def count(_: Trade) -> None:
            if not watch:
                watch.append(Stopwatch())
            seen[0] += 1
            if seen[0] == records:
                stop.ask("all seen")

        bus.subscribe(Trade, count)
        thread = StreamThread(Stream("1234567801", Random(1)), url, clock.twin(), inbox)
        thread.start()
        thread.use_key("key")
        for symbol in SYMBOLS:
            thread.register(Channel("H0STCNT0", symbol))
        LiveLoop(bus, clock, inbox, stop).run()
        seconds = watch[0].seconds()
        thread.close()
        market = engines.market
        if market.unknown or market.late or market.out_of_order or market.quarantined:
            sys.exit("market data set trades aside: these figures mean nothing")
    return records / seconds


def _cost(name: str, measure: Callable[[list[str]], float], number: int, each: int, times: int) -> Row:
    frames = list(texts(number // each, each))
    rate = best(partial(measure, frames), times)
    return f"{name}, {each} a frame", f"{1e6 / rate:.2f} µs a frame, {1e6 / rate / each:.2f} µs a record", ""


def figures(number: int, times: int) -> Iterator[Row]:
    """Rows of measure, figure and nothing more, as the other benchmarks have them."""
    for each in (1, 10):
        yield _cost("trade frame, split only", split_rate, number, each, times)
        yield _cost("trade frame to events", parse_rate, number, each, times)
    for each in (1, 10):
        rate = best(partial(through_rate, number // each, each), times)
        figure = f"{rate / each:,.0f} frames/s, {rate:,.0f} records/s"
        yield f"socket through all engines, 40 symbols, {each} a frame", figure, ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the frames, one run each")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--serve", nargs=2, type=int, metavar=("FRAMES", "RECORDS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        server(*chosen.serve)
        return
    rows = list(figures(20_000, 1) if chosen.quick else figures(200_000, 3))
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
        return
    print(machine(), "", "| measure | figure |", "|---|---|", *(f"| {a} | {b} |" for a, b, _ in rows), sep="\n")


if __name__ == "__main__":
    main()

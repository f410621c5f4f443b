"""Measure qbtrade on this machine: `.venv/bin/python benchmarks/run.py [--quick] [--write docs/performance.md]`.

Every figure is the best of several runs, beside a bare loop over the same trades in the same process, because absolute
figures move with the machine and ratios hold.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pipeline import Run, bare_loop, bars_as_trades, made_trades, run
from recorded import replay_in_a_process, write_parquet

from qbtrade.domain.events import PriceTouched
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock, Stopwatch
from qbtrade.kernel.loop import SimLoop, StopRequest

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
EMA = {"average": "ema", "fast": "40", "slow": "160"}
BARS = {"fast": "3", "slow": "7"}


def best(measure: Callable[[], float], times: int) -> float:
    """The largest of several measurements."""
    return max(measure() for _ in range(times))


def best_run(play: Callable[[], Run], times: int) -> Run:
    """The quickest of several runs."""
    return max((play() for _ in range(times)), key=lambda each: each.rate)


def bus_rate(subscribers: int, number: int) -> float:
    """Events per second through publish, first in first out, to so many subscribers."""
    bus, events = Bus(), [PriceTouched(ts, "005930", 75_000) for ts in range(number)]
    for _ in range(subscribers):
        bus.subscribe(PriceTouched, lambda _: None)
    publish, watch = bus.publish, Stopwatch()
    for event in events:
        publish(event)
    return number / watch.seconds()


def loop_rate(subscribers: int, number: int) -> float:
    """The same for data events that the loop plays."""
    bus, events = Bus(), [PriceTouched(ts, "005930", 75_000) for ts in range(number)]
    for _ in range(subscribers):
        bus.subscribe(PriceTouched, lambda _: None)
    watch = Stopwatch()
    SimLoop(bus, SimClock(), StopRequest()).run(events)
    return number / watch.seconds()


def help_seconds(times: int) -> float:
    """Machine seconds of `qb --help` in a fresh process."""

    def once() -> float:
        watch = Stopwatch()
        subprocess.run([sys.executable, "-m", "qbtrade", "--help"], check=True, capture_output=True)
        return watch.seconds()

    return min(once() for _ in range(times))


def bytes_per_trade(trades: list[Event]) -> int:
    """Memory of one trade in a list: struct, its own ints, and the list's slot."""
    first = trades[len(trades) // 2]
    return sys.getsizeof(first) + sys.getsizeof(first.ts) + 8


Row = tuple[str, str, str]


def figures(number: int, times: int) -> Iterator[Row]:
    """Rows of measure, figure and share of the bare loop."""
    trades = made_trades(number)
    bare = best(lambda: bare_loop(trades), times)
    yield "bare loop, two averages, no objects made", f"{bare / 1e6:.2f} M trades/s", "1.00"
    yield _row("SMA 5/20 on one-minute bars", bare, best_run(lambda: run(trades, "sma_cross", {}), times))
    yield _row("EMA cross on every trade", bare, best_run(lambda: run(trades, "tick_cross", EMA), times))
    yield "memory of one trade held", f"{bytes_per_trade(trades)} bytes", ""
    yield _ten_symbols(number, times, bare)
    yield _bars(number // 10, times, bare)
    yield from _bus(number, times)
    yield from recorded_figures(number, times, bare)
    yield "`qb --help`", f"{help_seconds(3 * times) * 1e3:.0f} ms", ""


def _row(name: str, bare: float, measured: Run, unit: str = "trades") -> Row:
    return name, f"{measured.rate / 1e6:.2f} M {unit}/s, {measured.fills:,} fills", f"{measured.rate / bare:.2f}"


def _ten_symbols(number: int, times: int, bare: float) -> Row:
    trades = made_trades(number, instruments=10)
    return _row("10 symbols, SMA", bare, best_run(lambda: run(trades, "sma_cross", {}, instruments=10), times))


def _bars(number: int, times: int, bare: float) -> Row:
    trades = bars_as_trades(number)
    play = best_run(lambda: run(trades, "sma_cross", BARS, made_of_bars=True, items=number), times)
    return _row(f"{number:,} bars as four prints each", bare, play, "bars")


def _bus(number: int, times: int) -> Iterator[Row]:
    for subscribers in (1, 5):
        published = best(partial(bus_rate, subscribers, number), times)
        played = best(partial(loop_rate, subscribers, number), times)
        yield f"bus, publish to {subscribers}", f"{published / 1e6:.1f} M events/s", ""
        yield f"bus, data events of the loop to {subscribers}", f"{played / 1e6:.1f} M events/s", ""


def recorded_figures(number: int, times: int, bare: float) -> Iterator[Row]:
    """Parquet files through the whole use case, each replay in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for factor in (1, 10):
            path = Path(folder) / f"{factor}.parquet"
            write_parquet(path, number * factor)
            replays = [replay_in_a_process(path, Path(folder)) for _ in range(times if factor == 1 else 1)]
            rate = max(each["trades_per_second"] for each in replays)
            peak = round(min(each["peak_memory_bytes"] for each in replays) / 2**20)
            figure = f"{rate / 1e6:.2f} M trades/s, peak {peak} MB"
            yield (
                f"{number * factor:,} trades from Parquet, reading and checking included",
                figure,
                f"{rate / bare:.2f}",
            )


def machine() -> str:
    """What the figures were taken on."""
    build = f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {build}"


def main() -> None:
    """Print the table, or put it between the markers of a document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the trades, one run each")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--write", metavar="FILE", help="put the table between the markers of FILE")
    chosen = parser.parse_args()
    rows = list(figures(100_000, 1) if chosen.quick else figures(1_000_000, 5))
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
        return
    lines = ["| measure | figure | of the bare loop |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]
    table = "\n".join([machine(), "", *lines])
    print(table)
    if chosen.write:
        path = Path(chosen.write)
        head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        tail = rest.partition(END)[2]
        path.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()

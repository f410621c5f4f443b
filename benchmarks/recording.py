"""Measure the recorder beside a bare writer: `.venv/bin/python benchmarks/recording.py [--rows N]`.

Half of the rows are trades, half are quotes with ten levels, as a recorder hears them on the bus. The bare writer is
DuckDB's own: the same rows, already in a table, copied into a Parquet file.
"""

import argparse
import tempfile
from datetime import date
from pathlib import Path

import duckdb

from qbtrade.adapters.recordings.layout import SymbolDay
from qbtrade.adapters.recordings.recorder import Recorder
from qbtrade.domain.market import Quote, Trade
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep

DAY = date(2026, 11, 20)
OPEN = 1_795_132_800_000_000_000
DEPTH = tuple(str(70_000 + place) for place in range(40))


def events(number: int) -> list[Trade | Quote]:
    """What comes in, made beforehand."""
    found: list[Trade | Quote] = []
    for at in range(number // 2):
        ts = OPEN + at * 10_000_000
        found.append(Quote(ts, "005930", 75_000, at % 900, 75_100, at % 700, DEPTH))
        found.append(Trade(ts, "005930", 75_000 + 100 * (at % 3), 1 + at % 60, side="BUY", volume=30 * at))
    return found


def recorded(folder: Path, number: int) -> tuple[float, float, float, Path]:
    """Seconds that the kernel's thread gave, until all lines stood in the log, and until the file was finished."""
    heard, bus = events(number), Bus()
    recorder = Recorder(folder, DAY, ("005930",), LiveClock(), bound=number + 1)
    recorder.follow(bus)
    watch = Stopwatch()
    for event in heard:
        bus.publish(event)
    kernel = watch.seconds()
    log = SymbolDay(folder, DAY, "005930")
    while recorder.progress.written < number:
        sleep(0.005)  # a thread that only looks would take half of the interpreter
    written = watch.seconds()
    recorder.close(3600)
    return kernel, written, watch.seconds(), log.parquet


def bare(path: Path, target: Path) -> float:
    """Seconds of DuckDB for the same rows out of its own table."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(f"CREATE TABLE heard AS SELECT * FROM read_parquet('{path}')")  # noqa: S608 (our own path)
    watch = Stopwatch()
    connection.execute(f"COPY (SELECT * FROM heard ORDER BY ts, seq) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")  # noqa: S608
    return watch.seconds()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    number = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        kernel, written, finished, path = recorded(Path(folder), number)
        limit = number / bare(path, Path(folder) / "bare.parquet")
        size = path.stat().st_size / number
    print(f"kernel's thread     {kernel / number * 1e9:10,.0f} ns a row")
    print(f"bus to log          {number / written:10,.0f} rows/s")
    print(f"log to Parquet      {number / (finished - written):10,.0f} rows/s")
    print(f"bus to Parquet      {number / finished:10,.0f} rows/s  {number / finished / limit:5.2f} of the bare writer")
    print(f"bare COPY to Parquet{limit:10,.0f} rows/s  {size:.1f} bytes a row")


if __name__ == "__main__":
    main()

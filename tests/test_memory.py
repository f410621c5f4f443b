"""A replay keeps nothing of the trades that it has played: five times as many take no more memory."""

import json
from pathlib import Path

import duckdb

from tests.builders import at
from tests.program import run_qb

FEW, MANY = 200_000, 1_000_000
ROOM = 15 * 2**20
SECONDS_OF_TRADING = 22_000


def write_trades(path: Path, count: int) -> None:
    """One day of prices that swing enough to trade on, as many as asked for, in Parquet."""
    opened, step = at("09:00:05"), SECONDS_OF_TRADING * 10**9 // count
    wave = f"abs(n % {count // 10} - {count // 20}) * 80 // {count // 10}"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {opened} + n * {step} AS ts, '005930' AS symbol, 75000 + 100 * ({wave}) AS price, 10 AS qty"
            f" FROM range({count}) AS t(n)) TO '{path}' (FORMAT parquet)"
        )


def peak_of_replaying(folder: Path, count: int) -> int:
    """Bytes, as the report tells them."""
    write_trades(folder / f"{count}.parquet", count)
    ended = run_qb("simulate", "--source", f"{count}.parquet", "--json", folder=folder, home=folder / "home")
    report = json.loads(ended.stdout)
    assert (report["counts"]["trades"], report["counts"]["fills"] > 0) == (count, True)
    return int(report["timing"]["peak_memory_bytes"])


def test_memory_does_not_grow_with_the_number_of_trades(tmp_path: Path) -> None:
    assert peak_of_replaying(tmp_path, MANY) < peak_of_replaying(tmp_path, FEW) + ROOM

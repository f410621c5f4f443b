"""Replays of a Parquet file, each in a process of its own, so that peak memory is its own, too."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys
from pathlib import Path
from qbtrade.app.plan import Limits, SimulationPlan
from qbtrade.app.session import simulate
from qbtrade.app.status import NoScreen
from qbtrade.kernel.clock import Stopwatch
from qbtrade.kernel.loop import StopRequest

watch = Stopwatch()
plan = SimulationPlan(source=(sys.argv[1],))
result = simulate(plan, Path(sys.argv[2]), NoScreen(), StopRequest())
seconds = watch.seconds()
timing = result.report["timing"]
print(json.dumps({
    "trades_per_second": result.report["counts"]["trades"] / seconds,
    "peak_memory_bytes": timing["peak_memory_bytes"],
}))
"""


def write_parquet(path: Path, number: int) -> None:
    """So many trades of 20,000 a day, one random walk, made by the database itself."""
    import duckdb

    from qbtrade.app.rules import load_rules
    from qbtrade.app.source import mock_days

    per_day = 20_000
    days = mock_days(load_rules().calendar, "2023-02-01", -(-number // per_day))
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("CREATE TABLE days (n INTEGER, opened BIGINT)")
    connection.executemany("INSERT INTO days VALUES (?, ?)", [(n, day.open) for n, day in enumerate(days)])
    connection.execute(
        f"""COPY (
            SELECT opened + (i % {per_day}) * 900000000 AS ts, '005930' AS symbol,
                   75000 + 100 * round(40 * sin(i / 3000.0) + 8 * sin(i / 170.0) + hash(i) % 3)::BIGINT AS price,
                   CAST(1 + hash(i * 7) % 60 AS BIGINT) AS qty
            FROM range({number}) t(i) JOIN days ON days.n = i // {per_day} ORDER BY i
        ) TO '{path}' (FORMAT parquet)"""  # noqa: S608 - our own numbers and temporary path
    )
    connection.close()


def replay_in_a_process(path: Path, home: Path) -> dict[str, float]:
    """Trades per second of the whole use case, and peak bytes."""
    command = [sys.executable, "-c", SCRIPT, str(path), str(home)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    measured: dict[str, float] = json.loads(done.stdout)
    return {**measured, "peak_memory_bytes": int(measured["peak_memory_bytes"])}

"""Measure what stands between a wish and its request: `.venv/bin/python benchmarks/intent.py [--times N] [--json]`.

The verdict of the risk gate: one SubmitOrder with all rules and the views that they ask, in the engines of a session.
The commit of an intent: those very wishes, approvals and intents, three rows in one durable transaction of a live
journal, with their hashes and tables. Beside it, in turns in the same folder, a bare SQLite that inserts one row of the
same size and syncs.
"""

import argparse
import gc
import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from latency import figure
from pipeline import made_trades, run
from run import Row, machine

from qbtrade.adapters.store.rows import encode
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import OrderApproved, OrderSending, SubmitOrder
from qbtrade.domain.message import Event
from qbtrade.engines.risk import RiskGate
from qbtrade.kernel.clock import Stopwatch

TRADES = 200_000
OFTEN = {"average": "ema", "fast": "40", "slow": "160"}
PARTS = (SubmitOrder, OrderApproved, OrderSending)


class Watched:
    """One rehearsal. verdicts: ns of each; rows: of each order, from its wish to its intent."""

    def __init__(self) -> None:
        self.verdicts, self.rows = list[int](), dict[str, list[Event]]()
        watch, judge, append = Stopwatch(), RiskGate.on_submit, SqliteJournal.append

        def on_submit(gate: RiskGate, event: SubmitOrder) -> None:
            before = watch.seconds()
            judge(gate, event)
            self.verdicts.append(int((watch.seconds() - before) * NS))

        def keep(store: SqliteJournal, events: Iterable[Event], *, durable: bool) -> None:
            events = tuple(events)
            for event in events:
                if isinstance(event, PARTS):
                    self.rows.setdefault(event.order.order_id, []).append(event)
            append(store, events, durable=durable)

        RiskGate.on_submit = on_submit  # type: ignore[assignment, method-assign]
        SqliteJournal.append = keep  # type: ignore[assignment, method-assign]
        run(made_trades(TRADES), "tick_cross", OFTEN)
        RiskGate.on_submit, SqliteJournal.append = judge, append  # type: ignore[method-assign]

    def intents(self) -> list[list[Event]]:
        """Of every order that was sent, its three rows."""
        return [rows for rows in self.rows.values() if len(rows) == len(PARTS)]


def commits(folder: Path, intents: list[list[Event]]) -> Iterator[tuple[int, int]]:
    """Ns of each intent's commit, and of a bare row of its size."""
    store = SqliteJournal(folder / "intents.sqlite3", is_live=True)
    bare = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute("CREATE TABLE row (body TEXT NOT NULL)")
    gc.collect()
    gc.freeze()
    for rows in intents:
        body = b"".join(map(encode, rows)).decode()
        watch = Stopwatch()
        store.append(rows, durable=True)
        took = watch.seconds()
        watch = Stopwatch()
        bare.execute("INSERT INTO row VALUES (?)", (body,))
        yield int(took * NS), int(watch.seconds() * NS)
    store.close()
    bare.close()


def verdict(times: list[int]) -> Row:
    """As `figure`, in µs."""
    ordered = sorted(times)
    median, high = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    text = f"p50 {median / 1e3:.1f} µs, p99 {high / 1e3:.1f} µs, largest {ordered[-1] / 1e3:.0f} µs"
    return "verdict of the risk gate on one order", text, f"{len(ordered):,}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1500, help="commits of each kind")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    chosen = parser.parse_args()
    watched = Watched()
    with tempfile.TemporaryDirectory(prefix="qb-bench-", dir=Path.cwd()) as name:
        intents, bare = zip(*commits(Path(name), watched.intents()[: chosen.times]), strict=True)
    rows = [
        verdict(watched.verdicts),
        figure("durable commit of an intent, three rows with hashes and tables", intents),
        figure("durable insert of one row of its size into a bare SQLite, in turns with it", bare),
    ]
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
        return
    lines = [f"| {a} | {b} | {c} |" for a, b, c in rows]
    print("\n".join([machine(), "", "| measure | figure | times |", "|---|---|---|", *lines]))


if __name__ == "__main__":
    main()

"""Measure what PostgreSQL and Redis take: `.venv/bin/python benchmarks/stores.py [--quick] [--json]`.

Both are started in a temporary folder with their ordinary settings. Every rate stands beside the bare one, measured in
turns in the same process: the same cells, ready in memory, by one binary COPY for each table into the same tables;
entries ready in memory by pipelined XADD. Then a session's engines under a steady stream of trades: how long until a
journal row is in PostgreSQL, and how long a trade takes through all engines while both servers are well, paused, dead
or not there.
"""

import argparse
import gc
import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import psycopg
from followed import ALONE, BUSY, CONDITIONS, Servers, p, played, servers
from pipeline import made_trades, run
from psycopg import sql
from run import Row, machine

from qbtrade.adapters.redis import names
from qbtrade.adapters.redis.bridge import Bridge
from qbtrade.adapters.redis.client import connect
from qbtrade.adapters.redis.commands import Commands
from qbtrade.adapters.store.outbox import letters
from qbtrade.adapters.store.postgres.copying import copy_rows, copy_statement, micros
from qbtrade.adapters.store.postgres.market import load_trades
from qbtrade.adapters.store.postgres.projection import BECOMES, COLUMNS, Cells
from qbtrade.adapters.store.postgres.sink import PostgresSink
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.domain.events import SessionStarted, Signal
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import LiveClock, Stopwatch, sleep
from qbtrade.kernel.loop import Inbox

OFTEN = {"average": "ema", "fast": "40", "slow": "160"}
ALL = 10**9


def journal(folder: Path, trades: int) -> Path:
    """What a session that trades often writes."""
    kept: list[Event] = []
    append = SqliteJournal.append

    def keep(store: SqliteJournal, events: list[Event], *, durable: bool) -> None:
        kept.extend(events)
        append(store, events, durable=durable)

    SqliteJournal.append = keep  # type: ignore[assignment, method-assign]
    run(made_trades(trades), "tick_cross", OFTEN)
    SqliteJournal.append = append  # type: ignore[method-assign]
    path = folder / "bench.sqlite3"
    first = SessionStarted(kept[0].ts, "0" * 16, path.stem, "0", "simulation", (), "tick_cross", {}, 0, "", 0, 0, {})
    with closing(SqliteJournal(path)) as store:
        store.append([first, *kept], durable=False)
    return path


def emptied(url: str) -> None:
    """Nothing in the tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = sql.SQL(", ").join(sql.Identifier("qb", table) for table in (*COLUMNS, "cursors", "trades"))
        connection.execute(sql.SQL("TRUNCATE {}").format(tables))


def sink_rate(url: str, path: Path, number: int) -> float:
    """Journal rows per second, hashes, reading and all."""
    emptied(url)
    with closing(PostgresSink(url, path)) as sink:
        sink.cursor()  # connected
        watch = Stopwatch()
        while sink.drain():
            pass
        return number / watch.seconds()


def copy_rate(url: str, tables: dict[str, list[Cells]], number: int) -> float:
    """The same rows as one COPY for each table."""
    emptied(url)
    with psycopg.connect(url) as connection:
        watch = Stopwatch()
        for table, cells in tables.items():
            copy_rows(connection, copy_statement(sql.Identifier("qb", table), COLUMNS[table]), COLUMNS[table].values(),
                      cells)  # fmt: skip
        connection.commit()
        return number / watch.seconds()


def in_turns(times: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each, measured in turns."""
    rounds = [[measure() for measure in measures] for _ in range(times)]
    return [median(values) for values in zip(*rounds, strict=True)]


def rows_into_postgres(url: str, trades: int, times: int) -> Iterator[Row]:
    """The sink beside bare COPY."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        path = journal(Path(name), trades)
        tables: dict[str, list[Cells]] = {table: [] for table in COLUMNS}
        number = 0
        for seq, ts, _body, event in letters(path, 0, ALL, tuple(BECOMES)):
            number += 1
            for table, cells in BECOMES.get(event.__class__, ()) if event else ():
                tables[table].append(cells((path.stem, seq, ts, micros(ts)), event))
        _prepare(url, path)
        gc.collect()
        gc.freeze()
        bare, sink = in_turns(times, lambda: copy_rate(url, tables, number), lambda: sink_rate(url, path, number))
    yield (
        "journal rows into PostgreSQL, by the sink",
        f"{sink:,.0f} rows/s",
        f"{sink / bare:.2f} of bare COPY ({bare:,.0f})",
    )


def _prepare(url: str, path: Path) -> None:
    with closing(PostgresSink(url, path)) as sink:
        while sink.drain():
            pass


def trades_into_postgres(url: str, number: int, times: int) -> Iterator[Row]:
    """Loading a symbol's trades beside bare COPY."""
    trades = [event for event in made_trades(number) if isinstance(event, Trade)]
    types = {"symbol": "text", "source": "text", "seq": "int8", "ts": "int8", "at": "int8", "price": "int8",
             "qty": "int8", "auction": "bool"}  # fmt: skip
    cells = [(t.symbol, "x", n, t.ts, micros(t.ts), t.price, t.qty, t.auction) for n, t in enumerate(trades)]
    gc.collect()
    gc.freeze()
    load_trades(url, "bench", trades)

    def bare() -> float:
        emptied(url)
        with psycopg.connect(url) as connection:
            watch = Stopwatch()
            copy_rows(connection, copy_statement(sql.Identifier("qb", "trades"), types), types.values(), cells)
            connection.commit()
            return len(cells) / watch.seconds()

    def load() -> float:
        emptied(url)
        watch = Stopwatch()
        load_trades(url, "bench", trades)
        return len(trades) / watch.seconds()

    copied, loaded = in_turns(times, bare, load)
    yield "trades into PostgreSQL", f"{loaded:,.0f} trades/s", f"{loaded / copied:.2f} of bare COPY ({copied:,.0f})"


def events_into_redis(url: str, number: int, times: int) -> Iterator[Row]:
    """The bridge beside pipelined XADD and the bare bus."""
    events = [Signal(ts, "005930", Side.BUY, f"reason {ts}") for ts in range(number)]

    def bridged() -> float:
        bus = Bus()
        bridge = Bridge(url, "bench", Commands("", "bench"), Inbox(), LiveClock(), print)
        bridge.follow(bus)
        with connect(url) as client:
            client.delete(names.EVENTS)
            watch = Stopwatch()
            for event in events:
                bus.publish(event)
            while int(client.xlen(names.EVENTS)) < min(number, names.KEPT):
                sleep(0.005)
            seconds = watch.seconds()
        bridge.close()
        return number / seconds

    def bare() -> float:
        fields = {"run": "bench", "n": "1", "ts": "1", "type": "SIGNAL", "body": "x" * 90}
        with connect(url) as client:
            client.delete(names.EVENTS)
            watch = Stopwatch()
            for start in range(0, number, 1000):
                with client.pipeline(transaction=False) as pipe:
                    for _ in range(start, min(start + 1000, number)):
                        pipe.xadd(names.EVENTS, fields, maxlen=names.KEPT, approximate=True)
                    pipe.execute()
            return number / watch.seconds()

    added, told = in_turns(times, bare, bridged)
    yield (
        "events into the Redis stream, by the bridge",
        f"{told:,.0f} events/s",
        f"{told / added:.2f} of pipelined XADD ({added:,.0f})",
    )


def lag(both: Servers, seconds: float) -> Iterator[Row]:
    """How far PostgreSQL is behind while trades pour in."""
    seen = played(both, seconds, 10_000, period=BUSY, looks=True)
    got = f"{len(seen.latencies):,} trades in {seconds:.0f} s, {seen.rows:,} journal rows, {seen.dropped:,} conflated"
    yield "lag of PostgreSQL behind the journal", f"p50 {p(seen.lags, 50):.0f} ms, p99 {p(seen.lags, 99):.0f} ms", got


def disturbed(both: Servers, seconds: float, rounds: int) -> Iterator[Row]:
    """What the servers do to the engines. A round is all conditions in turns, each time from another one on."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name, _who, _number in CONDITIONS}
    for turn in range(rounds):
        at = turn % len(CONDITIONS)
        for name, who, number in CONDITIONS[at:] + CONDITIONS[:at]:
            both.start()
            seen = played(who(both), seconds, 2_000, number)
            found[name].append((p(seen.latencies, 50), p(seen.latencies, 99)))
            if number == signal.SIGSTOP:
                both.signal(signal.SIGCONT)
    base = median(high for _low, high in found[ALONE])
    for name, pairs in found.items():
        low, highs = median(each[0] for each in pairs), sorted(each[1] for each in pairs)
        high = median(highs)
        yield (
            f"a trade through all engines, {name}",
            f"p50 {low:.3f} ms, p99 {high:.2f} ms ({highs[0]:.2f} to {highs[-1]:.2f} in {rounds} rounds)",
            f"p99 {high / base:.2f} of {ALONE}",
        )


def figures(*, quick: bool) -> Iterator[Row]:
    """All rows."""
    trades, times = (50_000, 1) if quick else (400_000, 5)
    with servers() as both:
        url, redis = both.postgres.url(), both.redis.url()
        yield from rows_into_postgres(url, trades, times)
        yield from trades_into_postgres(url, trades, times)
        yield from events_into_redis(redis, 10_000 if quick else 40_000, times)
        yield from lag(both, 10 if quick else 60)
        yield from disturbed(both, 4 if quick else 8, times if quick else 7)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, once")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    chosen = parser.parse_args()
    rows = list(figures(quick=chosen.quick))
    if chosen.json:
        print(json.dumps({"machine": machine(), "rows": rows}, indent=2))
        return
    lines = [f"| {a} | {b} | {c} |" for a, b, c in rows]
    print("\n".join([machine(), "", "| measure | figure | beside |", "|---|---|---|", *lines]))


if __name__ == "__main__":
    main()

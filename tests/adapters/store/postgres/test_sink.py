"""A journal in PostgreSQL: every row once, whatever happens on the way."""

import os
import signal
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from qbtrade.adapters.services.process import patiently
from qbtrade.adapters.store.outbox import Letter, pieces
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.adapters.store.postgres.sink import PARCEL, PostgresSink
from qbtrade.adapters.store.postgres.sums import database_sums, journal_sums
from qbtrade.adapters.store.sqlite import SqliteJournal, read_events
from qbtrade.adapters.store.verify import head
from qbtrade.app import report
from qbtrade.domain.events import Alert, EquityMarked, Level
from qbtrade.domain.message import Event
from qbtrade.errors import ConfigError, DatabaseError, QbError
from tests.adapters.store.postgres.deliveries import drained, lossy
from tests.program import run_qb
from tests.recordings import a_traded_day
from tests.servers import postgres_service

SHOWN = (
    "order_id", "symbol", "side", "purpose", "kind", "tif", "qty", "price", "reference", "signal", "repriced_from",
    "status", "reason", "filled_qty", "filled_amount", "commission", "tax",
)  # fmt: skip

Piece = Sequence[Letter]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a rehearsed day with fills, denials and refusals."""
    folder = tmp_path_factory.mktemp("day")
    ended = run_qb("simulate", "--suite", folder=folder, home=folder / "suite")
    assert ended.returncode == 0
    ended = run_qb("simulate", "--ticks", "4000", "--scenario", "trend", folder=folder, home=folder)
    assert ended.returncode == 0, ended.stderr
    (found,) = (folder / "journals").glob("*.sqlite3")
    return found


@pytest.fixture
def memory(database: str) -> str:
    """A database with our schema."""
    upgrade(database)
    return database


def test_everything_of_a_day_is_there_once(memory: str, journal: Path) -> None:
    sink = PostgresSink(memory, journal)

    passed = drained(sink)

    assert passed == len(list(read_events(journal)))
    assert database_sums(memory, journal) == journal_sums(journal)
    assert journal_sums(journal)["fills"][0] > 0
    assert (sink.cursor().seq, sink.cursor().head.hex()) == (passed, head(journal))
    assert sink.drain() == 0
    sink.close()


def test_orders_stand_as_the_report_says(memory: str, journal: Path) -> None:
    sink = PostgresSink(memory, journal)
    drained(sink)
    sink.close()
    told = report.build(read_events(journal))["orders"]
    with psycopg.connect(memory) as connection:
        found = connection.execute(f"SELECT {', '.join(SHOWN)} FROM qb.orders ORDER BY ts, order_id").fetchall()
        ended = connection.execute("SELECT outcome, ended_ts > ts FROM qb.sessions").fetchall()

    assert sorted(found) == sorted(tuple(order[name] for name in SHOWN) for order in told)
    assert len({order["status"] for order in told}) >= 3
    assert ended == [("DONE", True)]


def test_a_server_that_is_killed_in_the_midst_of_transactions_loses_and_doubles_nothing(journal: Path) -> None:
    calls = 0

    def deadly(path: Path, after: int, most: int, size: int, wanted: Collection[type[Event]]) -> Iterator[Piece]:
        """Every third time the server dies between the cursor and the rows."""
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            os.kill(service.server.pid, signal.SIGKILL)
            assert patiently(lambda: not service.server.is_alive)
        return pieces(path, after, most, size, wanted)

    with postgres_service() as service:
        upgrade(service.url())
        sink, failures, total, step = PostgresSink(service.url(), journal, deadly), 0, 0, 1
        while step:
            try:
                step = sink.drain(1 + len(list(read_events(journal))) // 4)
                total += step
            except QbError:
                failures += 1
                service.start()
        sink.close()

        assert failures >= 2
        assert total == len(list(read_events(journal)))
        assert database_sums(service.url(), journal) == journal_sums(journal)


def test_an_answer_that_is_lost_after_the_commit_doubles_nothing(memory: str, journal: Path) -> None:
    with lossy(memory) as (url, loses):
        sink = PostgresSink(url, journal)
        sink.drain(50)
        loses.set()
        with pytest.raises(DatabaseError):
            sink.drain(50)
        loses.clear()
        assert sink.cursor().seq == 100  # it was committed
        drained(sink)
        sink.close()

    assert database_sums(memory, journal) == journal_sums(journal)


def test_another_server_that_takes_over_without_the_last_rows_gets_them(memory: str, journal: Path) -> None:
    sink = PostgresSink(memory, journal)
    sink.drain(60)
    sink.close()
    address, _, name = memory.rpartition("/")
    with psycopg.connect(f"{address}/postgres", autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name}_standby TEMPLATE {name}")
        sink = PostgresSink(memory, journal)
        drained(sink)
        sink.close()

        sink = PostgresSink(f"{memory}_standby", journal)
        drained(sink)
        sink.close()
        assert database_sums(f"{memory}_standby", journal) == journal_sums(journal)
        owner.execute(f"DROP DATABASE {name}_standby WITH (FORCE)")


def test_two_at_once_pass_on_each_row_once(memory: str, journal: Path) -> None:
    sinks = [PostgresSink(memory, journal) for _ in range(2)]
    passed = [0, 0]

    def work(number: int) -> None:
        passed[number] = drained(sinks[number], 20)
        sinks[number].close()

    both = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()

    assert sum(passed) == len(list(read_events(journal)))
    assert database_sums(memory, journal) == journal_sums(journal)


def test_a_journal_that_grows_is_followed_to_its_emergency_file(memory: str, tmp_path: Path) -> None:
    path = tmp_path / "20260302-090000-000000.sqlite3"
    events = a_traded_day().events
    store, sink = SqliteJournal(path, is_live=True), PostgresSink(memory, path)
    half = len(events) // 2
    store.append(events[:half], durable=True)
    assert drained(sink) == half
    store.append(events[half:], durable=False)
    assert drained(sink) == len(events) - half
    assert sink.cursor().head.hex() == head(path)
    last = Alert(events[-1].ts, Level.CRITICAL, "journal-lost", "a \0 b")
    store.rescue([(len(events) + 1, last)], vital=True)
    assert drained(sink) == 1
    store.close()
    sink.close()

    assert database_sums(memory, path) == journal_sums(path)
    with psycopg.connect(memory) as connection:
        assert connection.execute("SELECT text FROM qb.alerts WHERE code = 'journal-lost'").fetchone() == ("a  b",)


def test_one_transaction_takes_several_parcels_while_it_reads(memory: str, tmp_path: Path) -> None:
    path = tmp_path / "20260302-090000-000000.sqlite3"
    events = a_traded_day().events
    store, sink, last = SqliteJournal(path), PostgresSink(memory, path), events[-1].ts
    marks = [EquityMarked(last + number, number, number, 0) for number in range(2 * PARCEL)]
    alerts = [Alert(last + number, Level.INFO, "note", str(number)) for number in range(2 * PARCEL)]
    store.append([*events, *(event for pair in zip(marks, alerts, strict=True) for event in pair)], durable=False)
    store.close()

    assert sink.drain(3 * PARCEL) == 3 * PARCEL
    assert sink.drain() == len(events) + PARCEL
    sink.close()

    assert database_sums(memory, path) == journal_sums(path)


def test_a_server_that_is_killed_while_a_parcel_is_under_way_gets_everything_later(tmp_path: Path) -> None:
    path = tmp_path / "20260302-090000-000000.sqlite3"
    events = a_traded_day().events
    store, last, kills = SqliteJournal(path), events[-1].ts, [4 * PARCEL]
    alerts = [Alert(last + number, Level.INFO, "note", "x" * 500) for number in range(4 * PARCEL)]
    store.append([*events, *alerts], durable=False)
    store.close()

    def deadly(path: Path, after: int, most: int, size: int, wanted: Collection[type[Event]]) -> Iterator[Piece]:
        """Once, three parcels after the first one went."""
        for piece in pieces(path, after, most, size, wanted):
            if kills and piece[-1][0] >= kills[0]:
                kills.clear()
                os.kill(service.server.pid, signal.SIGKILL)
            yield piece

    with postgres_service() as service:
        upgrade(service.url())
        sink = PostgresSink(service.url(), path, deadly)
        with pytest.raises(QbError):
            sink.drain()
        assert patiently(lambda: not service.server.is_alive)
        service.start()
        assert drained(sink, 10**6) == len(events) + len(alerts)
        sink.close()
        assert database_sums(service.url(), path) == journal_sums(path)


def test_a_paused_server_delays_and_loses_nothing(memory: str, journal: Path) -> None:
    sink = PostgresSink(memory, journal)
    sink.drain(10)
    with psycopg.connect(memory) as onlooker:
        row = onlooker.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'qb' AND datname = current_database()"
        ).fetchone()
    assert row
    passed: list[int] = []
    waiting = threading.Thread(target=lambda: passed.append(drained(sink)))
    os.kill(row[0], signal.SIGSTOP)
    try:
        waiting.start()
        waiting.join(0.3)
        assert passed == []
    finally:
        os.kill(row[0], signal.SIGCONT)
    waiting.join()
    sink.close()

    assert database_sums(memory, journal) == journal_sums(journal)


def test_a_server_that_is_away_is_one_line_and_comes_back(journal: Path) -> None:
    with postgres_service() as service:
        upgrade(service.url())
        service.stop()
        sink = PostgresSink(service.url(), journal)
        with pytest.raises(ConfigError, match="PostgreSQL does not answer"):
            sink.drain()
        service.start()
        assert drained(sink) > 0
        sink.close()

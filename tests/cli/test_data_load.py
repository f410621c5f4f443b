"""A recorded day in PostgreSQL: whoever recorded it brings it there, and `qb data load` what is left."""

import json
import signal
from collections.abc import Iterator
from datetime import date
from math import sin
from pathlib import Path
from typing import Any

import psycopg
import pytest

from qbtrade.adapters.market_store.files import connect, values, write
from qbtrade.adapters.market_store.layout import About, Basis, Sheet
from qbtrade.adapters.recordings.layout import emulated, krx
from qbtrade.adapters.recordings.recorder import Recorder
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.domain.market import Trade
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import MINUTE, SECOND, at
from tests.cli.test_data_record import recording, wait_until_written
from tests.live_days import USUAL, hosted, session
from tests.program import PATIENCE, run_qb
from tests.servers import HOST, free_port

DAY = date(2026, 11, 2)
ROWS = 4_560
"""Of a made day."""


def played(folder: Path, database: str, *source: str) -> str:
    """A rehearsal's report outside `timing`, as text."""
    ended = run_qb("simulate", "--json", "--source", *source,
                   folder=folder, home=folder / "home", QB_DATABASE_URL=database)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    del report["timing"]
    return json.dumps(report, indent=1)


def load(folder: Path, database: str, *args: str, code: int = 0) -> list[dict[str, Any]]:
    ended = run_qb("data", "load", "--json", *args, folder=folder, home=folder / "home", QB_DATABASE_URL=database)
    assert ended.returncode == code, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def trades(database: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(
            "SELECT source, count(*), count(*) FILTER (WHERE auction) FROM qb.trades GROUP BY 1 ORDER BY 1"
        ).fetchall()


def a_day(day: date, symbol: str) -> Iterator[Trade]:
    """An auction, minutes that go up and down, a price that REST told, and the auction of the close."""
    yield Trade(at("09:00", day), symbol, 70_000, 900, auction=True)
    for number in range(1, 6 * 380):
        ts, price = at("09:00", day) + number * 10 * SECOND, 70_000 + 100 * int(9 * sin(number / 60))
        yield Trade(ts, symbol, price, 40 + number % 7)
        yield Trade(ts, symbol, price + 100, 0 if number % 500 == 0 else 30)
    yield Trade(at("15:30", day) + 4 * SECOND, symbol, 70_100, 800, auction=True)


def kept(market: Path, day: date, symbols: tuple[str, ...]) -> None:
    """Days as a session leaves them."""
    bus = Bus()
    recorder = Recorder(market, day, symbols, SimClock(at("09:00", day)))
    recorder.follow(bus)
    for event in sorted((trade for symbol in symbols for trade in a_day(day, symbol)), key=lambda each: each.ts):
        bus.publish(event)
    recorder.close(PATIENCE)
    assert recorder.is_finished


def test_recorded_days_replay_from_the_database_byte_for_byte_as_from_their_files(
    database: str, tmp_path: Path
) -> None:
    upgrade(database)
    for day in (DAY, date(2026, 11, 3)):
        kept(krx(tmp_path / "home"), day, ("000660", "005930"))
    assert [each["rows"] for each in load(tmp_path, database)] == [ROWS] * 4
    assert trades(database) == [("recorded", 4 * ROWS, 8)]
    from_files = played(tmp_path, database, "recorded")
    assert played(tmp_path, database, "db") == from_files
    assert json.loads(from_files)["counts"]["fills"] > 4
    assert json.loads(from_files)["session"]["source"] == "recorded 2026-11-02 - 2026-11-03"
    for span in (("--from", "2026-11-03"), ("--to", f"{DAY}T12:00"), ("--symbol", "005930"), ("--bar", "5m")):
        assert played(tmp_path, database, "db", *span) == played(tmp_path, database, "recorded", *span)


def rehearsed(folder: Path, source: str) -> str:
    """What a rehearsal on it says of its market data."""
    ended = run_qb("simulate", "--json", "--source", source, folder=folder, home=folder / "home")
    assert ended.returncode == 0, ended.stderr
    return str(json.loads(ended.stdout)["session"]["source"])


def test_what_runs_against_a_local_kis_recorded_is_told_by_run(tmp_path: Path) -> None:
    runs = ("20261102-090000-000001", "20261102-100000-000002")
    for run in runs:
        kept(emulated(tmp_path / "home", run), DAY, ("005930",))

    def ask(*args: str) -> Any:
        ended = run_qb("data", *args, "--json", folder=tmp_path, home=tmp_path / "home")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    sorts = [f"recorded:{run}" for run in runs]
    assert [(row["kind"], row["days"], row["rows"]) for row in ask("list", "--env", "emulator")] == [
        (sort, 1, ROWS) for sort in sorts
    ]
    assert ask("list") == []
    assert [page["kind"] for page in ask("show", "005930", f"{DAY}", "--env", "emulator")] == sorts
    one = ("--env", "emulator", "--bars", sorts[1])
    assert [page["kind"] for page in ask("show", "005930", f"{DAY}", *one)] == sorts[1:]
    assert ask("check", "--env", "emulator")["series"] == 2
    assert ask("check", *one)["series"] == 1
    assert rehearsed(tmp_path, sorts[0]) == f"{sorts[0]} {DAY}"
    assert rehearsed(tmp_path, "recorded:latest") == f"{sorts[1]} {DAY}"
    unknown = run_qb("simulate", "--source", "recorded:nope", folder=tmp_path, home=tmp_path / "home")
    assert (unknown.returncode, "is not stored market data" in unknown.stderr) == (2, True)


def test_a_day_that_went_on_is_loaded_anew_and_others_are_left_alone(database: str, tmp_path: Path) -> None:
    upgrade(database)
    kept(krx(tmp_path / "home"), DAY, ("000660",))
    load(tmp_path, database)
    kept(krx(tmp_path / "home"), DAY, ("005930",))
    assert [(each["symbol"], each["loaded"]) for each in load(tmp_path, database)] == [("000660", 0), ("005930", ROWS)]
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM qb.trades WHERE symbol = '000660' AND seq = 7")
    assert [(each["symbol"], each["loaded"]) for each in load(tmp_path, database)] == [("000660", ROWS), ("005930", 0)]
    assert trades(database) == [("recorded", 2 * ROWS, 4)]


def test_the_day_of_a_session_is_there_when_it_ends(database: str, tmp_path: Path) -> None:
    upgrade(database)
    with hosted("14:50", speed=60) as kis:
        kis.variables.update(QB_DATABASE_URL=database)
        with session(kis, tmp_path, *USUAL, "--until", "15:12") as process:
            _stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (process.returncode, stderr) == (0, "")
    (run,) = (path.name for path in (tmp_path / "home" / "recordings" / "emulator").iterdir())
    ((source, count, _auctions),) = trades(database)
    assert (source, count > 0) == (run, True)
    assert played(tmp_path, database, f"recorded:{run}") == played(tmp_path, database, f"db:{run}")
    (again,) = load(tmp_path, database, "--env", "emulator")
    assert (again["source"], again["rows"], again["loaded"]) == (run, count, 0)


def recorded(folder: Path, url: str, how: str) -> tuple[int, str, str]:
    """A recorder that is stopped once it has written: its exit code, and what it said."""
    with hosted("10:00") as kis:
        kis.variables.update(QB_DATABASE_URL=url)
        with recording(kis, folder, how) as process:
            wait_until_written(process, folder)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=PATIENCE)
    return process.returncode, stdout, stderr


def test_a_database_that_is_away_costs_one_line_and_gets_the_day_later(database: str, tmp_path: Path) -> None:
    nobody = f"postgresql://qb@{HOST}:{free_port()}/qb"
    upgrade(database)
    code, _stdout, stderr = recorded(tmp_path, nobody, "--quiet")
    assert code == 130
    (line,) = [line for line in stderr.splitlines() if "database" in line]
    assert "the day is recorded, the database lacks it (PostgreSQL does not answer" in line
    (first,) = load(tmp_path, database, "--env", "emulator")
    assert first["loaded"] == first["rows"] > 0
    assert [count for _source, count, _auctions in trades(database)] == [first["rows"]]


def test_a_recorder_brings_its_day_there(database: str, tmp_path: Path) -> None:
    upgrade(database)
    _code, stdout, _stderr = recorded(tmp_path, database, "--json")
    told = json.loads(stdout)
    ((source, count, _auctions),) = trades(database)
    assert (source, count > 0, told["day"]) == (told["run_id"], True, f"{DAY}")


def stored(home: Path, kind: str, start: int, basis: Basis, source: str = "kis") -> Path:
    """A file of three bars or trades."""
    sheet = Sheet(home / "data" / "krx", kind, "005930", None if kind == "1d" else DAY)
    rows = [(start + n * MINUTE, 70_000, 70_100, 69_900, 70_000, 5)[: 6 if kind[0] == "1" else 3] for n in range(3)]
    write(connect(), sheet, values(sheet, rows), About(source, basis))
    return sheet.path


def test_what_was_imported_and_downloaded_is_loaded_once_and_what_cannot_be_read_is_named(
    database: str, tmp_path: Path
) -> None:
    upgrade(database)
    stored(tmp_path / "home", "1m", at("10:00", DAY), Basis.UNKNOWN)
    stored(tmp_path / "home", "1d", at("00:00", DAY), Basis.ADJUSTED)
    path = stored(tmp_path / "home", "trades", at("10:00", DAY), Basis.UNKNOWN, "mine.csv")
    first = load(tmp_path, database)
    told = [("1d", "kis-adjusted", 3), ("1m", "kis", 3), ("trades", "import", 3)]
    assert [(each["kind"], each["source"], each["loaded"]) for each in first] == told
    assert [each["loaded"] for each in load(tmp_path, database)] == [0, 0, 0]
    path.write_bytes(b"PAR1 no more")
    damaged = load(tmp_path, database, code=1)
    assert [bool(each["problem"]) for each in damaged] == [False, False, True]
    assert trades(database) == [("import", 3, 0)]


@pytest.mark.parametrize(("name", "words"), [
    ("db:nobody", "nobody told no trades of this span"), ("db:1m:2m:x", "is not understood"),
    ("db:", "is not understood"),
])  # fmt: skip
def test_a_source_that_is_not_there_is_named(database: str, tmp_path: Path, name: str, words: str) -> None:
    upgrade(database)
    stored(tmp_path / "home", "trades", at("10:00", DAY), Basis.UNKNOWN)
    load(tmp_path, database)
    ended = run_qb("simulate", "--source", name, folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=database)
    assert (ended.returncode in {2, 3}, words in ended.stderr) == (True, True), ended.stderr


def test_a_recorded_day_whose_end_is_cut_off_is_named_by_whoever_reads_it(database: str, tmp_path: Path) -> None:
    upgrade(database)
    kept(krx(tmp_path / "home"), DAY, ("005930",))
    path = krx(tmp_path / "home") / f"{DAY}" / "005930.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    for args, code in (
        (("data", "check"), 1), (("data", "load"), 1), (("data", "show", "005930", f"{DAY}"), 3),
        (("simulate", "--source", "recorded"), 3),
    ):  # fmt: skip
        ended = run_qb(*args, folder=tmp_path, home=tmp_path / "home", QB_DATABASE_URL=database)
        assert (ended.returncode, f"{path} is cut off: its end is missing" in ended.stdout + ended.stderr) == (
            code,
            True,
        )
    assert trades(database) == []

"""`qb data` as a user types it: files in, bars from a local KIS, what is there and what is wrong with it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from qbtrade.adapters.store.postgres.market import held
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.errors import ExitCode
from qbtrade.kernel.clock import sleep
from tests.adapters.sim.files import bars_csv, parquet, trades_csv, write
from tests.builders import at
from tests.cli.terminal import one_line, qb
from tests.live_days import Hosted, hosted
from tests.program import PATIENCE, QB, environment

LOOK = 0.02
"""Seconds between two looks at a folder."""
DAILY = ("2026-11-18,75000,75500,74500,75000,1000", "2026-11-19,75000,76000,75000,75500,2000")
MINUTES = (
    "09:00:00,75000,75100,74900,75000,10",
    "09:01:00,75000,75000,75000,75000,5",
    "09:03:00,75100,75100,75100,75100,5",
)


HEARD = (("trade", 75_000), ("quote", "NULL"), ("trade", 75_050), ("lost", "NULL"), ("trade", 75_033))


@pytest.fixture
def kis() -> Iterator[Hosted]:
    with hosted("13:00", speed=1) as local:
        yield local


@pytest.fixture
def paper() -> Iterator[Hosted]:
    with hosted("13:00", speed=1, side="paper", calls_per_second=20) as local:
        yield local


def daily_csv(folder: Path, *rows: str, name: str = "005930.csv") -> Path:
    return write(folder / name, "date,open,high,low,close,volume", *rows)


def files_below(folder: Path) -> dict[str, bytes]:
    """Finished files; drafts come and go."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_what_is_imported_is_listed_shown_and_checked(tmp_path: Path) -> None:
    days, minutes = daily_csv(tmp_path, *DAILY), bars_csv(tmp_path, *MINUTES, name="minutes.csv")
    trades = trades_csv(tmp_path, "09:00:00,75000,3", "09:00:00,75100,2", "09:00:01,75000,1", name="prints.csv")

    assert (
        qb("data", "import", str(days), "--raw").output
        == "005930  1d  2026-11-18 - 2026-11-19  2 days, 2 rows, 2 new\n"
    )
    assert qb("data", "import", str(minutes), "--symbol", "005930").output == (
        "005930  1m  2026-11-20  1 days, 3 rows, 1 new\n"
    )
    assert qb("data", "import", str(trades), "--symbol", "005930").exit_code == ExitCode.DONE
    rows = json.loads(qb("data", "list", "--json").stdout)
    assert [(row["kind"], row["days"], row["rows"], row["basis"], row["source"]) for row in rows] == [
        ("1d", 2, 2, "raw", "005930.csv"), ("1m", 1, 3, "unknown", "minutes.csv"),
        ("trades", 1, 3, "unknown", "prints.csv"),
    ]  # fmt: skip
    assert len(qb("data", "list").stdout.splitlines()) == 4
    (page,) = json.loads(qb("data", "show", "005930", "2026-11-20", "--bars", "trades", "--json").stdout)
    assert [row["price"] for row in page["begin"]] == [75000, 75100, 75000]  # those of one moment in their order
    assert (page["open"], page["high"], page["low"], page["close"], page["volume"]) == (75000, 75100, 75000, 75000, 6)
    assert (
        "open 75,000  high 75,100  low 74,900  close 75,100  volume 20"
        in qb("data", "show", "005930", "2026-11-20").stdout
    )
    assert qb("data", "check", "--bars", "1d").stdout == "1 series checked: 0 findings, 0 notes\n"


def test_what_is_stored_can_be_rehearsed_on_and_gives_the_same_as_its_files(tmp_path: Path) -> None:
    days = [write(tmp_path / f"{day}.csv", "ts,open,high,low,close,volume", *bars(day)) for day in (17, 18)]
    for path in days:
        qb("data", "import", str(path), "--symbol", "005930")
    said = ("simulate", "--symbol", "005930", "--strategy", "sma_cross", "--json")

    stored = json.loads(qb(*said, "--source", "recorded:1m").stdout)
    files = json.loads(qb(*said, "--source", *map(str, days)).stdout)
    second = json.loads(qb(*said, "--source", "recorded:1m", "--from", "2026-11-18").stdout)
    nothing = qb("simulate", "--source", "recorded:1d")

    assert stored["fills"] == files["fills"] != []
    assert stored["counts"]["trades"] == files["counts"]["trades"] == 2 * second["counts"]["trades"]
    assert nothing.exit_code == ExitCode.BAD_FILE
    assert one_line(nothing.stderr).startswith("error: nothing of 1d is stored of any symbol for this time. ")


def bars(day: int) -> Iterator[str]:
    """A morning that goes up and down."""
    for minute in range(120):
        price = 75_000 + 100 * abs(minute % 40 - 20)
        yield f"2026-11-{day}T{9 + minute // 60:02}:{minute % 60:02}:00,{price},{price},{price},{price},1000"


def test_the_same_file_again_changes_nothing_and_other_rows_are_refused(tmp_path: Path) -> None:
    path = daily_csv(tmp_path, *DAILY)
    qb("data", "import", str(path))
    before = files_below(tmp_path / "home")

    again = qb("data", "import", str(path))
    other = daily_csv(tmp_path, DAILY[0], DAILY[1].replace("75500", "75600"), "2026-11-20,75000,75000,75000,75000,1")
    refused = qb("data", "import", str(other))

    assert (again.output, files_below(tmp_path / "home")) == (
        "005930  1d  2026-11-18 - 2026-11-19  2 days, 2 rows, 2 were there\n", before,
    )  # fmt: skip
    assert refused.exit_code == ExitCode.BAD_FILE
    assert one_line(refused.stderr) == (
        "error: 005930 1d of 2026-11-19 is stored with other rows (1 differ). --replace takes these instead"
    )
    assert files_below(tmp_path / "home") == before
    replaced = qb("data", "import", str(other), "--replace")
    assert replaced.output == "005930  1d  2026-11-18 - 2026-11-20  3 days, 3 rows, 1 new, 1 were there, 1 replaced\n"
    assert json.loads(qb("data", "list", "--json").stdout)[0]["rows"] == 3


def test_raw_and_adjusted_daily_bars_never_mix(tmp_path: Path) -> None:
    qb("data", "import", str(daily_csv(tmp_path, *DAILY)), "--raw")
    later = daily_csv(tmp_path, "2026-11-20,37500,37500,37500,37500,1")

    refused = qb("data", "import", str(later), "--adjusted")

    assert refused.exit_code == ExitCode.BAD_FILE
    assert "is stored with raw prices, and these are adjusted" in one_line(refused.stderr)
    assert qb("data", "import", str(later), "--adjusted", "--replace").exit_code == ExitCode.DONE
    (row,) = json.loads(qb("data", "list", "--json").stdout)
    assert (row["rows"], row["basis"]) == (1, "adjusted")


@pytest.mark.parametrize(
    ("rows", "args", "said"),
    [
        (["09:00:00,75000,75100,74900,0,10"], [], "005930.csv, row 2, column close: 0 is not a positive price"),
        (["2026-11-21T09:00,1,1,1,1,1"], [], "2026-11-21T09:00 is not in a session: "),
        (["09:00:00,1,1,1,1,1"], [], "has no two bars of one symbol, so their interval is unknown. Say it with --bars"),
        (MINUTES, ["--symbol", "000660"], "005930.csv is of 005930 by its name, not of 000660"),
        (MINUTES, ["--from", "2026-11-23"], "no rows of any symbol were found in "),
        (MINUTES, ["--bars", "5m"], "has bars of 1m, shorter than --bars 5m"),
    ],
)
def test_a_file_that_cannot_be_taken_is_one_line_and_leaves_nothing(
    rows: list[str], args: list[str], said: str, tmp_path: Path
) -> None:
    good, bad = daily_csv(tmp_path, *DAILY, name="000660.csv"), bars_csv(tmp_path, *rows)

    refused = qb("data", "import", str(bad), *args) if args else qb("data", "import", str(good), str(bad))

    assert refused.exit_code == ExitCode.BAD_FILE
    assert said in one_line(refused.stderr)
    assert not (tmp_path / "home").exists()


def test_wrong_arguments_are_one_line(tmp_path: Path) -> None:
    path = str(daily_csv(tmp_path, *DAILY))
    for args, said in {
        ("download", "--symbol", "59"): "'59' is not a symbol",
        ("download", "--from", "2026-02-30"): "--from: '2026-02-30' is not a date",
        ("download", "--from", "2026-11-20", "--to", "2026-11-01"): "--from 2026-11-20 is after --to 2026-11-01",
        ("download", "--bars", "5m"): "KIS gives no bars of 5m",
        ("download", "--bars", "1m", "--adjusted"): "--adjusted and --replace are for daily bars",
        ("download", "--env", "papper"): "Did you mean 'paper'?",
        ("import", path, "--raw", "--adjusted"): "--raw and --adjusted contradict each other",
        ("import", path, "--bars", "soon"): "'soon' is not a duration",
        ("show", "005930", "yesterday"): "DAY: 'yesterday' is not a date",
    }.items():
        refused = qb("data", *args)
        assert (refused.exit_code, said in one_line(refused.stderr)) == (ExitCode.USAGE, True), refused.stderr
    missing = qb("data", "show", "005930", "2026-11-20")
    assert missing.exit_code == ExitCode.BAD_FILE
    assert one_line(missing.stderr).startswith("error: nothing is stored of 005930 on 2026-11-20.")


def test_a_file_with_a_cut_tail_is_named_and_the_others_stay_usable(tmp_path: Path) -> None:
    qb("data", "import", str(bars_csv(tmp_path, *MINUTES)))
    other = [row.replace("09:", "2026-11-23T09:") for row in MINUTES]
    qb("data", "import", str(bars_csv(tmp_path, *other)))
    broken = tmp_path / "home" / "data" / "krx" / "1m" / "005930" / "2026-11-23.parquet"
    os.truncate(broken, broken.stat().st_size - 20)

    checked = qb("data", "check")
    shown = qb("data", "show", "005930", "2026-11-23")

    assert checked.exit_code == ExitCode.FAILED
    assert f"005930  1m  2026-11-23  {broken} is cut off: its end is missing" in checked.stdout
    assert checked.stdout.endswith("1 series checked: 1 findings, 0 notes\n")
    assert (shown.exit_code, f"{broken} is cut off: its end is missing" in one_line(shown.stderr)) == (
        ExitCode.BAD_FILE,
        True,
    )
    assert json.loads(qb("data", "list", "--json").stdout)[0]["unreadable"] == 1
    assert qb("data", "show", "005930", "2026-11-20").exit_code == ExitCode.DONE
    mended = qb("data", "import", str(bars_csv(tmp_path, *other)), "--replace")
    assert (mended.exit_code, qb("data", "check").exit_code) == (ExitCode.DONE, ExitCode.DONE)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(parquet(tmp_path / "whole.parquet", "SELECT 1 AS x").read_bytes()[:-10])
    assert "cut.parquet" in one_line(qb("data", "import", str(cut)).stderr)


def test_a_file_that_was_put_there_by_hand_is_looked_at_as_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "data" / "krx" / "1d"
    folder.mkdir(parents=True)
    row = (
        "1795100400000000000::BIGINT AS ts, '000660' AS symbol, 1 AS open, 1 AS high, 1 AS low, 1 AS close, 1 AS volume"
    )
    parquet(folder / "005930.parquet", f"SELECT {row}")

    checked = json.loads(qb("data", "check", "--json").stdout)

    assert [(each["code"], each["count"]) for each in checked["findings"]] == [("foreign", 1)]


def test_what_sessions_recorded_is_listed_shown_and_checked_with_the_rest(tmp_path: Path) -> None:
    day = tmp_path / "home" / "recordings" / "krx" / "2026-11-20"
    day.mkdir(parents=True)
    ten = at("10:00", date(2026, 11, 20))
    rows = ", ".join(f"('{kind}', {ten + n}, {price}, 3)" for n, (kind, price) in enumerate(HEARD))
    named = "t(kind, ts, price, qty)"
    parquet(day / "005930.parquet", f"SELECT kind, '005930' AS symbol, ts, price, qty FROM (VALUES {rows}) {named}")

    (row,) = json.loads(qb("data", "list", "--json").stdout)
    (page,) = json.loads(qb("data", "show", "005930", "2026-11-20", "--bars", "recorded", "--json").stdout)
    checked = json.loads(qb("data", "check", "--json").stdout)

    assert (row["kind"], row["rows"], row["basis"], row["source"]) == ("recorded", 5, "raw", "recorded")
    assert (page["rows"], page["open"], page["close"]) == (3, 75_000, 75_033)
    assert [(each["code"], each["is_wrong"]) for each in checked["findings"]][:2] == [
        ("away", False),
        ("off-grid", True),
    ]


def test_days_of_kis_are_stored_once_and_asked_for_once(kis: Hosted, tmp_path: Path) -> None:
    asked = ("data", "download", "--env", "emulator", "--from", "2026-07-01", "--to", "2026-11-03")
    first = qb(*asked, **kis.variables)
    before = files_below(tmp_path / "home" / "data")

    again = qb(*asked, **kis.variables)

    assert first.stdout.splitlines() == [
        "005930  1d  60 days stored now (60 rows), 0 were there",
        "  42 days without a session: weekends and holidays",
        "  22 days of which KIS has nothing: not listed, halted, or too old",
        "  today is not over: the next download completes it",
        "  1 days lie ahead",
    ]
    assert "0 days stored now (0 rows), 60 were there" in again.stdout
    assert files_below(tmp_path / "home" / "data") == before
    assert qb("data", "list").stdout.startswith("nothing is stored in ")  # what a local KIS made is kept apart
    (row,) = json.loads(qb("data", "list", "--env", "emulator", "--json").stdout)
    assert (row["first"], row["last"], row["rows"], row["missing"], row["basis"]) == (
        "2026-08-03", "2026-10-30", 60, 0, "raw",
    )  # fmt: skip


def test_minutes_go_on_where_a_killed_download_stopped(kis: Hosted, tmp_path: Path) -> None:
    asked = ["data", "download", "--env", "emulator", "--bars", "1m", "--from", "2026-10-01", "--to", "2026-10-30"]
    folder = tmp_path / "home" / "data" / "emulator" / "1m" / "005930"
    kept: dict[str, bytes] = {}
    with subprocess.Popen([QB, *asked], env=environment(tmp_path / "home", **kis.variables), cwd=tmp_path) as process:
        while len(kept) < 3 and process.poll() is None:
            sleep(LOOK)
            kept = files_below(folder) if folder.exists() else {}
        process.kill()
        process.wait(PATIENCE)

    ended = qb(*asked, **kis.variables)

    assert ended.exit_code == ExitCode.DONE, ended.output
    told = next(line for line in ended.stdout.splitlines() if "stored now" in line)  # other lines tell how far it is
    there = int(told.split(", ")[1].split()[0])
    assert there >= 3
    assert told.startswith(f"005930  1m  {20 - there} days stored now (")
    whole = files_below(folder)
    assert len(whole) == 20
    assert whole | kept == whole
    checked = qb("data", "check", "--env", "emulator")
    assert (checked.exit_code, checked.stdout) == (ExitCode.DONE, "1 series checked: 0 findings, 0 notes\n")


def test_one_signal_stops_after_the_step_that_is_under_way(kis: Hosted, tmp_path: Path) -> None:
    asked = ["data", "download", "--env", "emulator", "--bars", "1m", "--from", "2026-08-01"]
    folder = tmp_path / "home" / "data" / "emulator" / "1m" / "005930"
    with subprocess.Popen(
        [QB, *asked], env=environment(tmp_path / "home", **kis.variables), cwd=tmp_path,
        stderr=subprocess.PIPE, encoding="utf-8",
    ) as process:  # fmt: skip
        while not (folder.exists() and any(folder.glob("*.parquet"))) and process.poll() is None:
            sleep(LOOK)
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == ExitCode.INTERRUPTED
    assert err.splitlines()[-1] == "stopped: what came is stored; the same command goes on from there"
    assert not list(folder.glob("*.draft"))
    assert qb("data", "check", "--env", "emulator").exit_code == ExitCode.DONE


def test_paper_tells_minutes_of_today_alone_and_says_so(paper: Hosted) -> None:
    today = qb("data", "download", "--env", "emulator", "--bars", "1m", "--from", "2026-10-29", **paper.variables)
    past = qb(
        "data",
        "download",
        "--env",
        "emulator",
        "--bars",
        "1m",
        "--from",
        "2026-10-29",
        "--to",
        "2026-10-30",
        **paper.variables,
    )

    assert "005930  1m  1 days stored now (" in today.stdout
    assert "  2 days not asked for: KIS keeps no minutes so old" in today.stdout
    (day,) = json.loads(qb("data", "show", "005930", "2026-11-02", "--env", "emulator", "--json").stdout)
    assert (day["is_whole"], day["first"]) == (False, "2026-11-02T09:00:00+09:00")
    assert past.exit_code == ExitCode.BAD_FILE
    assert "there is nothing of 005930 from 2026-10-29 to 2026-10-30" in past.stderr


def test_a_stock_that_kis_does_not_know_is_one_line(kis: Hosted) -> None:
    refused = qb("data", "download", "--env", "emulator", "--symbol", "000660", **kis.variables)

    assert refused.exit_code == ExitCode.BAD_FILE
    assert one_line(refused.stderr).startswith("error: KIS does not know 000660: ")


def test_a_kis_that_is_not_there_is_one_line_and_a_code_of_its_own(kis: Hosted) -> None:
    nobody = {**kis.variables, "QB_KIS_REST_URL": "http://127.0.0.1:1", "QB_KIS_WS_URL": "ws://127.0.0.1:1"}

    refused = qb("data", "download", "--env", "emulator", **nobody)

    assert refused.exit_code == ExitCode.BROKER
    assert one_line(refused.stderr).startswith("error: KIS does not answer inquire-daily-itemchartprice: ")


def test_a_full_disk_is_one_line_and_leaves_no_half_file(tmp_path: Path) -> None:
    rows = [f"2026-11-{day}T09:{at:02}:00,75000,75100,74900,75000,{at}" for day in (18, 20) for at in range(60)]
    path = bars_csv(tmp_path, *rows)
    limited = ["sh", "-c", 'ulimit -f 2; exec "$0" "$@"', QB, "data", "import", str(path)]

    ended = subprocess.run(
        limited, env=environment(tmp_path / "home"), cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
        timeout=PATIENCE,
    )  # fmt: skip

    assert ended.returncode == ExitCode.BAD_FILE, ended.stderr
    assert "cannot write " in one_line(ended.stderr)
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_the_database_gets_each_row_once_and_its_loss_costs_no_file(database: str, tmp_path: Path) -> None:
    path = daily_csv(tmp_path, *DAILY)
    without_schema = qb("data", "import", str(path), "--raw", QB_DATABASE_URL=database)
    upgrade(database)

    for _ in range(2):
        assert qb("data", "import", str(path), "--raw", QB_DATABASE_URL=database).exit_code == ExitCode.DONE

    assert without_schema.exit_code == ExitCode.FAILED
    assert one_line(without_schema.stderr).startswith("the files are stored, the database lacks them: ")
    assert json.loads(qb("data", "list", "--json").stdout)[0]["rows"] == 2
    (kept,) = held(database)
    assert (kept.kind, kept.symbol, kept.source, kept.rows, kept.adjusted) == ("bars", "005930", "import", 2, False)

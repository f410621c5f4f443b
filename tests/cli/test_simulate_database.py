"""`qb simulate --source db`: what PostgreSQL holds, played like the file that brought it there."""

import json
from math import sin
from pathlib import Path

from qbtrade.adapters.store.postgres.market import load_bars, load_trades
from qbtrade.adapters.store.postgres.migrations import upgrade
from qbtrade.domain.market import Bar, Trade
from tests.builders import MINUTE, SAMSUNG, SECOND, TODAY, at
from tests.program import run_qb

TRADES = [Trade(at("09:05") + n * SECOND, SAMSUNG, 75_000 + n % 3 * 100, 1 + n) for n in range(300)]
BARS = [
    Bar(at("09:05") + (n + 1) * MINUTE, SAMSUNG, at("09:05") + n * MINUTE, 75_000, 75_200, 74_900, 75_100, 100 + n)
    for n in range(30)
]


def simulate(folder: Path, database: str, *args: str, code: int = 0) -> str:
    ended = run_qb("simulate", "--json", *args, folder=folder, home=folder / "home", QB_DATABASE_URL=database)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def test_what_the_database_holds_is_played_like_the_file(tmp_path: Path, database: str) -> None:
    upgrade(database)
    load_trades(database, "mine", TRADES)
    load_bars(database, "kis", BARS, adjusted=False)
    rows = "".join(f"{t.ts},{t.symbol},{t.price},{t.qty}\n" for t in TRADES)
    (tmp_path / "database.csv").write_text(f"ts,symbol,price,qty\n{rows}")
    from_file, from_database = (
        json.loads(simulate(tmp_path, database, "--source", source)) for source in ("database.csv", "db")
    )
    del from_file["timing"], from_database["timing"]
    assert from_file["counts"]["trades"] == len(TRADES)
    assert {**from_file, "session": None} == {**from_database, "session": None}
    bars = json.loads(simulate(tmp_path, database, "--source", "db:1m", "--from", f"{TODAY}", "--to", f"{TODAY}"))
    assert bars["counts"]["bars"] == len(BARS)


def wavy(number: int) -> Bar:
    price, start = 70_000 + 100 * int(6 * sin(number / 4)), at("09:05") + number * MINUTE
    return Bar(start + MINUTE, SAMSUNG, start, price, price + 100, price - 100, price, 50_000)


def test_a_strategy_sees_the_bars_before_the_first_one_that_is_asked_for(tmp_path: Path, database: str) -> None:
    upgrade(database)
    bars = [wavy(number) for number in range(120)]
    load_bars(database, "kis", bars, adjusted=False)
    rows = "".join(f"{b.start},{SAMSUNG},{b.open},{b.high},{b.low},{b.close},{b.volume}\n" for b in bars)
    (tmp_path / "bars.csv").write_text(f"ts,symbol,open,high,low,close,volume\n{rows}")
    later = ("--from", f"{TODAY}T10:05", "--max", "500000")
    from_file, from_database = (
        json.loads(simulate(tmp_path, database, "--source", source, *later)) for source in ("bars.csv", "db:1m")
    )
    del from_file["timing"], from_database["timing"]
    assert from_file["counts"]["rows"] == 60
    assert from_file["counts"]["fills"] > 2
    assert {**from_file, "session": None} == {**from_database, "session": None}
    assert from_database["session"]["source"] == f"1m kis {TODAY}"


def test_what_the_database_lacks_is_named(tmp_path: Path, database: str) -> None:
    upgrade(database)
    assert "the database holds no trades of any symbol" in simulate(tmp_path, database, "--source", "db", code=3)
    load_trades(database, "one", TRADES)
    load_trades(database, "two", TRADES)
    assert "several sources hold trades" in simulate(tmp_path, database, "--source", "db", code=1)
    assert "holds no bars of 000660" in simulate(tmp_path, database, "--source", "db:5m", "--symbol", "000660", code=3)

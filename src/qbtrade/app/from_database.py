"""Trades and bars of the long memory as the source of a rehearsal: brought into a file, then checked as any other."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from qbtrade.app.plan import SimulationPlan
from qbtrade.app.units import duration
from qbtrade.errors import NoRowsError, UsageError

NAME: Final = "db"
"""`--source db`: trades; `db:1m`: bars of that length."""
TRADES: Final = ("ts", "symbol", "price", "qty")
BARS: Final = ("ts", "symbol", "open", "high", "low", "close", "volume")


def is_database(source: Iterable[str]) -> bool:
    """Whether the long memory is meant instead of files."""
    return any(name == NAME or name.startswith(f"{NAME}:") for name in source)


@contextmanager
def from_database(plan: SimulationPlan) -> Iterator[SimulationPlan]:
    """The plan with files of what the database has, while the `with` lasts.

    Raises: UsageError, ConfigError without a database, DatabaseError, NoRowsError.
    """
    name, *others = plan.source
    if others:
        raise UsageError("--source: db stands alone", hint="Name either the database or files")
    said = name.partition(":")[2]
    interval = duration("--source", said, least=1) if said else 0
    with TemporaryDirectory(prefix="qbtrade-db-") as folder:
        path = Path(folder) / "database.csv"
        _write(path, plan, interval)
        yield msgspec.structs.replace(plan, source=(str(path),))


def _write(path: Path, plan: SimulationPlan, interval: int) -> None:
    from qbtrade.adapters.store.postgres.market import held, read_bars, read_trades
    from qbtrade.app import database  # which imports psycopg

    url = database.url()
    there = [each for each in held(url) if each.interval == interval]
    symbols = plan.symbols or tuple(sorted({each.symbol for each in there}))
    mine = [each for each in there if each.symbol in symbols]
    if not mine:
        raise NoRowsError(
            "the database holds no {kind} of {symbols}", kind="bars" if interval else "trades",
            symbols=", ".join(symbols) or "any symbol", hint="`qb data import` and recordings bring market data there",
        )  # fmt: skip
    start = plan.start or min(each.first for each in mine)
    end = plan.end or max(each.last for each in mine) + 1
    rows: Iterable[tuple[Any, ...]]
    if interval:
        # a bar is kept by its end, and a file tells its beginning
        bars = read_bars(url, symbols, interval, start=start, end=end + interval)
        rows = ((b.start, b.symbol, b.open, b.high, b.low, b.close, b.volume) for b in bars if start <= b.start < end)
    else:
        trades = read_trades(url, symbols, start=start, end=end)
        rows = ((trade.ts, trade.symbol, trade.price, trade.qty) for trade in trades)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(BARS if interval else TRADES)
        writer.writerows(rows)

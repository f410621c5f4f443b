"""Trades and bars of the long memory as the source of a rehearsal: brought into a file, then checked as any other."""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from qbtrade.app.plan import SimulationPlan
from qbtrade.app.recordings import RECORDED
from qbtrade.app.units import duration
from qbtrade.domain.calendar import DAY, kst_date, kst_ns
from qbtrade.errors import NoRowsError, UsageError

if TYPE_CHECKING:
    from qbtrade.adapters.store.postgres.market import Held

NAME: Final = "db"
"""`--source db`: trades; `db:1m`: bars of that length; `db:kis`, `db:1m:kis`: those that one source told."""
TRADES: Final = ("seq", "ts", "symbol", "price", "qty", "auction")
BARS: Final = ("ts", "symbol", "open", "high", "low", "close", "volume")
BEFORE: Final = 60
"""Days, and bars, before the first one that is asked for: what a strategy may want to see beforehand."""
_LENGTH: Final = re.compile(r"\d+(ms|s|m|h|d)")
_RUN: Final = re.compile(r"\d{8}-\d{6}-\d{6}")


class Named(NamedTuple):
    """What a source names. interval: ns of a bar, 0 for trades. told_by: "" for whoever alone told of that time."""

    interval: int
    told_by: str


def is_database(source: Iterable[str]) -> bool:
    """Whether the long memory is meant instead of files."""
    return any(name == NAME or name.startswith(f"{NAME}:") for name in source)


def named(source: str) -> Named:
    """Read `db`, `db:1m`, `db:kis` or `db:1m:kis`. Raises: UsageError."""
    parts = source.split(":")[1:]
    length = parts.pop(0) if parts and _LENGTH.fullmatch(parts[0]) else ""
    if len(parts) > 1 or "" in parts:
        raise UsageError("--source: {source!r} is not understood", hint="Write db, db:1m, db:NAME or db:1m:NAME",
                         source=source)  # fmt: skip
    return Named(duration("--source", length, least=1) if length else 0, parts[0] if parts else "")


@contextmanager
def from_database(plan: SimulationPlan) -> Iterator[SimulationPlan]:
    """The plan with files of what the database has, while the `with` lasts.

    Raises: UsageError, ConfigError without a database, DatabaseError, NoRowsError.
    """
    name, *others = plan.source
    if others:
        raise UsageError("--source: db stands alone", hint="Name either the database or files")
    asked = named(name)
    with TemporaryDirectory(prefix="qbtrade-db-") as folder:
        path, source = _write(Path(folder), plan, asked)
        length = name.split(":")[1] + " " if asked.interval else ""
        origin = f"{RECORDED}:{source}" if _RUN.fullmatch(source) else f"{length}{source}"
        yield msgspec.structs.replace(plan, source=(str(path),), origin=origin)


def _write(folder: Path, plan: SimulationPlan, asked: Named) -> tuple[Path, str]:
    """The file, and who told what stands in it."""
    from qbtrade.adapters.store.postgres import market
    from qbtrade.app import database  # which imports psycopg

    url = database.url()
    there = [each for each in market.held(url) if each.interval == asked.interval]
    symbols = plan.symbols or tuple(sorted({each.symbol for each in there}))
    start, end = _bounds(plan, [each for each in there if each.symbol in symbols], symbols, asked)
    source = market.source(url, symbols, asked.interval, start=start, end=end, named=asked.told_by)
    if not source:
        raise _nothing(symbols, asked)
    path = folder / "database.csv"
    if not asked.interval:
        trades = market.read_trades(url, symbols, start=kst_ns(kst_date(start), time()), end=end, source=source)
        _save(path, TRADES, ((n, t.ts, t.symbol, t.price, t.qty, t.auction) for n, t in enumerate(trades)))
        return _as_recording(path), source
    first = start - max(BEFORE * DAY, 2 * BEFORE * asked.interval) if plan.start else start
    # a bar is kept by its end, and a file tells its beginning
    bars = market.read_bars(url, symbols, asked.interval, start=first, end=end + asked.interval, source=source)
    rows = ((b.start, b.symbol, b.open, b.high, b.low, b.close, b.volume) for b in bars if first <= b.start < end)
    _save(path, BARS, rows)
    return path, source


def _bounds(plan: SimulationPlan, mine: "list[Held]", symbols: tuple[str, ...], asked: Named) -> tuple[int, int]:
    if not mine:
        raise _nothing(symbols, asked)
    start = plan.start or min(each.first for each in mine) - asked.interval
    return start, plan.end or max(each.last for each in mine) + 1


def _nothing(symbols: tuple[str, ...], asked: Named) -> NoRowsError:
    return NoRowsError(
        "the database holds no {kind} of {symbols}", kind="bars" if asked.interval else "trades",
        symbols=", ".join(symbols) or "any symbol", hint="`qb data load` brings there what is stored and recorded",
    )  # fmt: skip


def _save(path: Path, names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)


def _as_recording(path: Path) -> Path:
    """The same rows in the shape in which sessions record them, which alone tells auctions."""
    from duckdb import connect

    to = path.with_suffix(".parquet")
    with connect(config={"threads": 1, "memory_limit": "128MB"}) as connection:
        scan = f"read_csv('{path}', header = true, types = {{'symbol': 'VARCHAR', 'auction': 'BOOLEAN'}})"
        rows = f"SELECT 'trade' AS kind, seq, ts, ts AS received, symbol, price, qty, auction FROM {scan}"  # noqa: S608
        connection.execute(f"COPY ({rows} ORDER BY seq) TO '{to}' (FORMAT parquet)")
    return to

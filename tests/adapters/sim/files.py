"""Market-data files for tests: Friday 2026-11-20 unless a test says otherwise."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from qbtrade.adapters.sim.replay import Replay, open_replay
from qbtrade.app.rules import load_rules
from qbtrade.domain.instrument import Instrument, Kind, Market
from qbtrade.domain.market import Trade
from qbtrade.kernel.loop import merge

DAY = "2026-11-20"


def write(path: Path, header: str, *rows: str) -> Path:
    """A CSV file; rows may leave the date of their time out."""
    lines = [f"{DAY}T{row}" if row[:2].isdigit() and row[2:3] == ":" else row for row in rows]
    path.write_text("\n".join((header, *lines, "")), encoding="utf-8")
    return path


def trades_csv(folder: Path, *rows: str, name: str = "005930.csv") -> Path:
    """Trades without a symbol column."""
    return write(folder / name, "ts,price,qty", *rows)


def bars_csv(folder: Path, *rows: str, name: str = "005930.csv") -> Path:
    """Bars without a symbol column."""
    return write(folder / name, "ts,open,high,low,close,volume", *rows)


def parquet(path: Path, select: str) -> Path:
    """A Parquet file of a query."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def replay(
    *paths: Path, symbols: Sequence[str] = (), start: int = 0, end: int = 0, skip: bool = False, usual: str = ""
) -> Replay:
    """Open files; every symbol is a KOSPI stock."""
    return open_replay(
        [str(path) for path in paths],
        symbols,
        load_rules(),
        lambda symbol: Instrument(symbol, Market.KOSPI, Kind.STOCK),
        start=start,
        end=end,
        skip_bad_rows=skip,
        usual=usual,
    )


def played(opened: Replay) -> list[Trade]:
    """Everything, merged as a session merges it."""
    return [event for event in merge(opened.feeds()) if isinstance(event, Trade)]

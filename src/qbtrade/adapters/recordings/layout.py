"""Where recordings live, and their columns: a log while the day lasts, one Parquet file when it is over."""

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

KRX: Final = "krx"
"""The market that real and paper show alike."""
EMULATOR: Final = "emulator"
"""Markets of local KISs: every run has one of its own."""
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SYMBOL: Final = re.compile(r"Q?[0-9A-Z]{6}")


class Kind(StrEnum):
    """What a row is. PRICE: told by REST while the stream was away. PAST: a bar before the first one of the session.

    BAR: told by the broker instead of folded from trades. FOLDED: as the session folded it. BEGIN, END: of a session,
    or of a recorder.
    """

    TRADE = "trade"
    QUOTE = "quote"
    PRICE = "price"
    PAST = "past"
    BAR = "bar"
    FOLDED = "folded"
    BEGIN = "begin"
    END = "end"
    LOST = "lost"
    RESTORED = "restored"
    HALTED = "halted"
    RESUMED = "resumed"
    DROPPED = "dropped"
    TORN = "torn"


LOGGED: Final = {
    "kind": "VARCHAR",
    "seq": "BIGINT",
    "ts": "BIGINT",
    "received": "BIGINT",
    "price": "BIGINT",
    "qty": "BIGINT",
    "side": "VARCHAR",
    "volume": "BIGINT",
    "auction": "BOOLEAN",
    "bid": "BIGINT",
    "bid_qty": "BIGINT",
    "ask": "BIGINT",
    "ask_qty": "BIGINT",
    "depth": "VARCHAR",
    "begins": "BIGINT",
    "opened": "BIGINT",
    "highest": "BIGINT",
    "lowest": "BIGINT",
    "note": "VARCHAR",
}
"""Columns of a line of the log, and how DuckDB reads them. What a line lacks at its end is NULL."""
LEVELS: Final = 10
DEPTH: Final = ("asks", "bids", "ask_qtys", "bid_qtys")
"""Columns of the Parquet file in place of `depth`: lists of ten, best first."""


class SymbolDay(msgspec.Struct, frozen=True, order=True):
    """One symbol on one day of one market. market: the folder of the market."""

    market: Path
    day: date
    symbol: str

    @property
    def parquet(self) -> Path:
        """The finished file."""
        return self.market / self.day.isoformat() / f"{self.symbol}.parquet"

    @property
    def log(self) -> Path:
        """What is written while the day lasts; its rows may stand in the finished file already."""
        return self.market / self.day.isoformat() / f"{self.symbol}.log"

    @property
    def exists(self) -> bool:
        """Whether anything was recorded."""
        return self.parquet.exists() or self.log.exists()


def recordings(home: Path) -> Path:
    """The folder of all recordings."""
    return home / "recordings"


def krx(home: Path) -> Path:
    """The folder of the real market."""
    return recordings(home) / KRX


def emulated(home: Path, run_id: str) -> Path:
    """The folder of the market of one run against a local KIS."""
    return recordings(home) / EMULATOR / run_id


def emulated_runs(home: Path) -> tuple[Path, ...]:
    """The folder of every run against a local KIS, oldest first."""
    folder = recordings(home) / EMULATOR
    return tuple(sorted(place for place in folder.iterdir() if place.is_dir())) if folder.is_dir() else ()


def recorded(market: Path) -> Iterator[SymbolDay]:
    """Everything that is there, by day and symbol."""
    for folder in sorted(market.glob("????-??-??")):
        if _DAY.fullmatch(folder.name):
            stems = {path.stem for path in folder.iterdir() if path.suffix in {".parquet", ".log"}}
            yield from (
                SymbolDay(market, date.fromisoformat(folder.name), stem)
                for stem in sorted(stems) if _SYMBOL.fullmatch(stem)
            )  # fmt: skip

"""Where downloaded and imported market data lies: trades and minutes by day, daily bars of a symbol in one file."""

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

DAILY: Final = "1d"
TRADES: Final = "trades"
RECORDED: Final = "recorded"
"""Trades as a session heard them, in files that it wrote; here they are only read."""
EMULATOR: Final = "emulator"
"""The folder of what local KISs made, here and among recordings; and the source of what was downloaded from them."""
OF_TRADES: Final = ("ts", "symbol", "price", "qty")
OF_BARS: Final = ("ts", "symbol", "open", "high", "low", "close", "volume")
_KIND: Final = re.compile(r"trades|[1-9][0-9]*(?:ms|s|m|h|d)")
_SYMBOL: Final = re.compile(r"Q?[0-9A-Z]{6}")


class Basis(StrEnum):
    """Whether prices are as they traded, or divided by what corporate actions did later."""

    RAW = "raw"
    ADJUSTED = "adjusted"
    UNKNOWN = "unknown"


class About(msgspec.Struct, frozen=True):
    """What a file says of itself. source: `kis`, `emulator` or the name of a file. is_whole: its day was over."""

    source: str
    basis: Basis = Basis.UNKNOWN
    is_whole: bool = True


class Sheet(msgspec.Struct, frozen=True, order=True):
    """One file. market: the folder of its market. kind: TRADES, RECORDED or the length of a bar.

    day: None for daily bars, which lie in one file.
    """

    market: Path
    kind: str
    symbol: str
    day: date | None = None

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        if self.kind == RECORDED:
            return self.market / f"{self.day}" / f"{self.symbol}.parquet"
        folder = self.market / self.kind
        return folder / f"{self.symbol}.parquet" if self.day is None else folder / self.symbol / f"{self.day}.parquet"

    @property
    def sort(self) -> str:
        """What it is, in the words of `qb simulate --source`: each run against a local KIS is a market of its own."""
        is_made = self.kind == RECORDED and self.market.parent.name == EMULATOR
        return f"{RECORDED}:{self.market.name}" if is_made else self.kind

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its rows; ts is the beginning of a bar, UTC ns."""
        return OF_TRADES if self.has_trades else OF_BARS

    @property
    def has_trades(self) -> bool:
        """Its rows are trades, not bars."""
        return self.kind in {TRADES, RECORDED}


def market_folder(home: Path, *, is_emulated: bool) -> Path:
    """The folder of a market. A local KIS has prices of its own, which never mix with those of KRX."""
    return home / "data" / (EMULATOR if is_emulated else "krx")


def sheets(market: Path, kind: str = "", symbol: str = "") -> Iterator[Sheet]:
    """Every file that is there, by kind, symbol and day. kind, symbol: "" for all."""
    for folder in _folders(market):
        if _KIND.fullmatch(folder.name) and kind in {"", folder.name}:
            found = _of_kind(market, folder)
            yield from (sheet for sheet in sorted(found, key=_order) if symbol in {"", sheet.symbol})


def _of_kind(market: Path, folder: Path) -> Iterator[Sheet]:
    for place in folder.iterdir():
        if place.is_dir() and _SYMBOL.fullmatch(place.name):
            for path in place.glob("????-??-??.parquet"):
                yield Sheet(market, folder.name, place.name, date.fromisoformat(path.stem))
        elif place.suffix == ".parquet" and _SYMBOL.fullmatch(place.stem):
            yield Sheet(market, folder.name, place.stem)


def _folders(market: Path) -> list[Path]:
    return sorted(place for place in market.iterdir() if place.is_dir()) if market.is_dir() else []


def _order(sheet: Sheet) -> tuple[str, date]:
    return sheet.symbol, sheet.day or date.min

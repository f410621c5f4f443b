"""What is kept of market data: which days, and how more is put there. Nothing is ever there twice."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from qbtrade.adapters.market_store import files
from qbtrade.adapters.market_store.layout import DAILY, RECORDED, About, Sheet, market_folder, sheets
from qbtrade.adapters.recordings.finished import finish
from qbtrade.adapters.recordings.layout import emulated_runs, krx, recorded
from qbtrade.domain.calendar import kst_date
from qbtrade.errors import FileError, LockedError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Stored:
    """The files of one market. is_emulated: of local KISs, whose prices never mix with those of KRX.

    Raises: FileError for a recording that cannot be finished.
    """

    def __init__(self, home: Path, *, is_emulated: bool = False) -> None:
        self.market = market_folder(home, is_emulated=is_emulated)
        self._heard = emulated_runs(home) if is_emulated else (krx(home),)
        self.connection: DuckDBPyConnection = files.connect()

    def sheet(self, kind: str, symbol: str, day: date | None = None) -> Sheet:
        """A file, whether it is there or not."""
        return Sheet(self.market, kind, symbol, None if kind == DAILY else day)

    def sheets(self, kind: str = "", symbol: str = "") -> list[Sheet]:
        """Every file that is there, by kind, symbol and day; at the end what sessions recorded.

        kind: "" for all, or as `Sheet.sort` says it.
        """
        found = list(sheets(self.market, kind, symbol))
        if kind and not kind.startswith(RECORDED):
            return found
        return found + sorted(each for each in self._recorded(symbol) if kind in {"", RECORDED, each.sort})

    def _recorded(self, symbol: str) -> Iterator[Sheet]:
        for each in chain.from_iterable(map(recorded, self._heard)):
            if symbol in {"", each.symbol}:
                with suppress(LockedError):  # it is being recorded
                    finish(each)
                if each.parquet.exists():
                    yield Sheet(each.market, RECORDED, each.symbol, each.day)

    def whole_days(self, kind: str, symbol: str) -> set[date]:
        """Days that need not be asked for again. Raises: FileError for daily bars that cannot be read."""
        if kind == DAILY:
            return {kst_date(row[0]) for row in self.rows(self.sheet(kind, symbol), ("ts",))}
        described = files.describe(self.connection, self.sheets(kind, symbol))
        return {each.sheet.day for each in described if each.sheet.day and each.about.is_whole and not each.problem}

    def rows(self, sheet: Sheet, columns: Sequence[str] = ()) -> list[tuple[int, ...]]:
        """The rows of a file, none where there is no file. Raises: FileError."""
        return list(files.read(self.connection, sheet, columns)) if sheet.path.exists() else []

    def about(self, sheet: Sheet) -> About | None:
        """What a file says of itself, None where there is no file. Raises: FileError."""
        if not sheet.path.exists():
            return None
        (found,) = files.describe(self.connection, [sheet])
        if found.problem:
            raise FileError("{problem}", hint=files.HINT, problem=found.problem)
        return found.about

    def add(self, sheet: Sheet, rows: Iterable[Sequence[int]], about: About, *, anew: bool = False) -> None:
        """Put rows into a file: in place of a day's, or beside the daily bars that it has. Raises: FileError.

        anew: in place of those daily bars, too.
        """
        new = {row[0]: row for row in rows}
        if sheet.day is None and not anew:
            new = {**{row[0]: row for row in self.rows(sheet)}, **new}
        files.write(self.connection, sheet, files.values(sheet, new.values()), about)

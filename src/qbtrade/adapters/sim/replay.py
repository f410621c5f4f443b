"""Replay of recorded market data: every file is checked as a whole before its first event is played."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from qbtrade.adapters.sim.recording import Recording
from qbtrade.adapters.sim.rows import Selection
from qbtrade.adapters.sim.table import Kind, Table, files_of
from qbtrade.domain.calendar import DAY, iso_kst
from qbtrade.domain.instrument import Instrument, TickTable
from qbtrade.domain.market import Trade
from qbtrade.domain.rules import Rules
from qbtrade.errors import FileError, NoRowsError

SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "64MB",
    "temp_directory": f"{tempfile.gettempdir()}/qbtrade-duckdb-{os.getpid()}",  # where it sorts what does not fit
    "disabled_optimizers": "in_clause",  # would plan a list of symbols as a join, which loses the order of the rows
}
"""Of DuckDB."""

_SYMBOL_STEM: Final = re.compile(r"[0-9][0-9A-Z]{5}|Q[0-9]{6}")  # so that "trades" and "prices" name no symbol


class Replay:
    """Checked recordings, ready to be played.

    symbols: sorted. interval: ns of a bar, 0 for trades. digest: SHA-256 of the files' content and the selection.
    first, last: UTC ns between which the data lies. first_prices: KRW, by symbol. rows: how many are played;
    bad_rows: how many are not. off_grid: prices off the tick grid, by symbol; they are played.
    """

    def __init__(self, recordings: Sequence[Recording], digest: str) -> None:
        self._recordings, self.digest = [recording for recording in recordings if recording.extents], digest
        extents = [extent for recording in self._recordings for extent in recording.extents]
        self.kind: Kind = self._recordings[0].kind
        self.interval = _interval(self._recordings)
        self.symbols = tuple(sorted({extent.symbol for extent in extents}))
        self.first = min(extent.first for extent in extents)
        self.last = max(extent.last for extent in extents) + (0 if self._recordings[0].is_daily else self.interval)
        self.rows = sum(extent.rows for extent in extents)
        self.bad_rows = sum(recording.bad_rows for recording in recordings)
        self.off_grid = dict.fromkeys(self.symbols, 0)
        self.first_prices: dict[str, int] = {}
        for extent in sorted(extents, key=lambda extent: extent.first):
            self.off_grid[extent.symbol] += extent.off_grid
            self.first_prices.setdefault(extent.symbol, extent.first_price)

    def feeds(self) -> list[Iterable[Trade]]:
        """Feeds in time order, each in constant memory; in the order of the files. Iterating again reads again."""
        return [feed for recording in self._recordings for feed in recording.feeds(self.interval)]


def open_replay(
    paths: Sequence[str],
    symbols: Sequence[str],
    rules: Rules,
    instrument_of: Callable[[str], Instrument],
    *,
    start: int = 0,
    end: int = 0,
    skip_bad_rows: bool = False,
    usual: str = "",
) -> Replay:
    """Open and check CSV and Parquet files of trades or bars.

    symbols: which to play, none for all. usual: what a single file is taken for when nothing says its symbol.
    start, end: UTC ns, half open, 0 for no bound.
    Raises: FileError, and RowError at the first bad row unless those are skipped.
    """
    import duckdb

    connection = duckdb.connect(config=SETTINGS)

    def ticks(symbol: str, day: date) -> TickTable:
        return rules.ticks(instrument_of(symbol), day)

    selection = Selection(tuple(symbols), start, end, skip_bad_rows)
    tables = [Table(Path(path), connection) for path in paths]
    said = said_symbols(tables, symbols, usual)
    recordings = [
        Recording(
            connection, f"recording{number}", table, symbol, selection=selection, calendar=rules.calendar, ticks=ticks
        )
        for number, (table, symbol) in enumerate(zip(tables, said, strict=True))
        if not symbols or table.has_symbol or symbol in symbols
    ]
    _refuse_mixture(recordings)
    _refuse_missing(recordings, symbols, paths)
    _refuse_overlap(recordings)
    is_recorded = all(table.is_recording for table in tables)
    return Replay(recordings, _digest_of_rows(recordings, selection) if is_recorded else _digest(paths, selection))


def said_symbols(tables: Sequence[Table], symbols: Sequence[str], usual: str) -> list[str]:
    """The symbol of each file without a symbol column: its name, or the only one asked for when no name says it."""
    stems = [table.path.stem.upper() for table in tables]
    if len(symbols) == 1 and (len(tables) == 1 or symbols[0] not in stems):
        return [symbols[0]] * len(tables)
    if usual and len(tables) == 1 and not tables[0].has_symbol and not _SYMBOL_STEM.fullmatch(stems[0]):
        return [usual]
    for table, stem in zip(tables, stems, strict=True):
        if not table.has_symbol and not _SYMBOL_STEM.fullmatch(stem):
            raise FileError(
                "{path} has no column symbol",
                hint="Name one with --symbol, call the file 005930.csv, or add the column. Found: {found}",
                path=table.path,
                found=", ".join(table.names.values()),
            )
    return stems


def _refuse_mixture(recordings: Sequence[Recording]) -> None:
    kinds = {(recording.kind, recording.is_daily) for recording in recordings if recording.extents}
    if len(kinds) > 1:
        raise FileError(
            "the files mix trades, daily bars or shorter bars",
            hint="Replay one sort at a time: {paths}",
            paths=", ".join(str(recording.path) for recording in recordings),
        )


def _refuse_missing(recordings: Sequence[Recording], symbols: Sequence[str], paths: Sequence[str]) -> None:
    found = {extent.symbol for recording in recordings for extent in recording.extents}
    missing = sorted(set(symbols) - found)
    if missing or not found:
        raise NoRowsError(
            "no rows of {symbols} were found in {paths}",
            hint="Check --symbol, --from and --to",
            symbols=", ".join(missing) or "any symbol",
            paths=", ".join(paths),
        )


def _refuse_overlap(recordings: Sequence[Recording]) -> None:
    """One symbol may go on in another file, but not be told twice."""
    spans = sorted(
        (extent.symbol, extent.first, extent.last, str(recording.path))
        for recording in recordings
        for extent in recording.extents
    )
    for (symbol, _, last, path), (other, first, _, next_path) in pairwise(spans):
        if symbol == other and first <= last:
            raise FileError(
                "{path} and {next_path} both hold {symbol} at {time}",
                hint="Replay one of them, or cut one with --from and --to",
                path=path,
                next_path=next_path,
                symbol=symbol,
                time=iso_kst(first),
            )


def _interval(recordings: Sequence[Recording]) -> int:
    if recordings[0].kind == "trades":
        return 0
    if recordings[0].is_daily:
        return DAY
    gaps = [recording.gap for recording in recordings if recording.gap]
    if not gaps:
        raise FileError(
            "{path} has no two bars of one symbol, so their interval is unknown",
            hint="Give at least two bars",
            path=recordings[0].path,
        )
    return min(gaps)


def _digest(paths: Sequence[str], selection: Selection) -> str:
    digest = hashlib.sha256(repr(selection).encode())
    for each in (found for path in paths for found in files_of(Path(path))):
        with each.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _digest_of_rows(recordings: Iterable[Recording], selection: Selection) -> str:
    """Of recorded days, however they are cut into files and whatever else stands there: what is played, by symbol."""
    digests = dict[str, Any]()
    for recording in recordings:
        for extent in recording.extents:
            digest = digests.setdefault(extent.symbol, hashlib.sha256())
            for lines in recording.lines(extent.symbol):
                digest.update(lines)
    parts = [(symbol, digest.hexdigest()) for symbol, digest in sorted(digests.items())]
    return hashlib.sha256(repr((selection, parts)).encode()).hexdigest()

"""Market data from files of others into the store: everything is looked at before the first file is written."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from qbtrade.adapters.market_store import files
from qbtrade.adapters.market_store.beside import Beside, beside, hold, joined, last_day
from qbtrade.adapters.market_store.files import Described
from qbtrade.adapters.market_store.layout import DAILY, TRADES, About, Basis, Sheet
from qbtrade.adapters.sim.recording import Recording
from qbtrade.adapters.sim.replay import said_symbols
from qbtrade.adapters.sim.rows import Selection
from qbtrade.adapters.sim.table import Table
from qbtrade.app.data.download import StoppedError
from qbtrade.app.data.stored import Stored
from qbtrade.app.units import write_duration
from qbtrade.domain.calendar import Calendar
from qbtrade.domain.instrument import TickTable
from qbtrade.errors import FileError, NoRowsError
from qbtrade.kernel.loop import StopRequest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ANY_PRICE: Final = TickTable(((0, 1),))
"""Off the grid or not: what is imported is judged by `qb data check`."""
EPOCH: Final = date(1970, 1, 1)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be brought in. symbols: none for all. start, end: UTC ns, half open, 0 for no bound.

    basis: what is said of the prices. interval: of the bars, ns, 0 for what the times tell. replace: take new rows
    where others are stored.
    """

    paths: tuple[str, ...]
    symbols: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    basis: Basis = Basis.UNKNOWN
    interval: int = 0
    skip_bad_rows: bool = False
    replace: bool = False


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of one file. days: with rows; new: stored now; same: stored before; replaced: had other rows."""

    path: str
    symbol: str
    kind: str
    rows: int
    days: int
    new: int
    same: int
    replaced: int
    bad_rows: int
    first: date
    last: date


class _Part(msgspec.Struct, frozen=True):
    """Rows of one table that go into one sheet. condition: SQL that chooses them."""

    sheet: Sheet
    table: str
    condition: str
    day: date
    days: int
    rows: int


class _Loaded(msgspec.Struct, frozen=True):
    path: str
    table: str
    kind: str
    bad_rows: int


def bring_in(wish: Wish, stored: Stored, calendar: Calendar, stop: StopRequest) -> Iterator[Brought]:
    """Check all files, then store them symbol by symbol. Raises: FileError, RowError, StoppedError."""
    connection = stored.connection
    loaded = [
        _load(connection, number, path, wish, calendar, stop) for number, path in enumerate(wish.paths)
    ]  # fmt: skip
    plans = [(each, _parts(connection, stored, each)) for each in loaded]
    if not any(parts for _each, parts in plans):
        raise NoRowsError(
            "no rows of {symbols} were found in {paths}", hint="Check --symbol, --from and --to",
            symbols=", ".join(wish.symbols) or "any symbol", paths=", ".join(wish.paths),
        )  # fmt: skip
    _refuse_doubles(plans)
    all_parts = [part for _each, parts in plans for part in parts]
    there = [part.sheet for part in all_parts if part.sheet.path.exists()]
    described = {each.sheet: each for each in files.describe(connection, there)}
    states = {
        part.sheet: _state(connection, part, wish, described.get(part.sheet))
        for _each, parts in plans
        for part in parts
    }
    for each, parts in plans:
        for symbol in dict.fromkeys(part.sheet.symbol for part in parts):
            mine = [part for part in parts if part.sheet.symbol == symbol]
            yield _store(connection, each, mine, states, wish, stop)


def _load(
    connection: "DuckDBPyConnection", number: int, path: str, wish: Wish, calendar: Calendar, stop: StopRequest
) -> _Loaded:
    """Check one file and hold its rows."""
    if stop.asked:
        raise StoppedError
    table = Table(Path(path), connection)
    (symbol,) = said_symbols([table], wish.symbols, "")
    _refuse_other(table, symbol)
    selection = Selection(wish.symbols, wish.start, wish.end, wish.skip_bad_rows)
    recording = Recording(
        connection, f"import{number}", table, symbol, selection=selection, calendar=calendar,
        ticks=lambda _symbol, _day: ANY_PRICE,
    )  # fmt: skip
    kind = TRADES if recording.kind == "trades" else _length(recording, wish)
    numbers = "price, qty" if kind == TRADES else "open, high, low, close, qty AS volume"
    name = f"import{number}_rows"
    hold(connection, name, f"SELECT n, ts, symbol, day, {numbers} FROM ({recording.kept_rows()})", path)  # noqa: S608
    return _Loaded(path, name, kind, recording.bad_rows)


def _length(recording: Recording, wish: Wish) -> str:
    """The length of the bars of a file, in words."""
    if recording.is_daily:
        return DAILY
    length = wish.interval or recording.gap
    if not length and recording.extents:
        raise FileError(
            "{path} has no two bars of one symbol, so their interval is unknown", hint="Say it with --bars",
            path=recording.path,
        )  # fmt: skip
    if recording.gap and recording.gap < length:
        raise FileError(
            "{path} has bars of {found}, shorter than --bars {asked}", path=recording.path,
            found=write_duration(recording.gap), asked=write_duration(length),
        )  # fmt: skip
    return write_duration(length)


def _refuse_other(table: Table, symbol: str) -> None:
    stem = table.path.stem.upper()
    if not table.has_symbol and stem != symbol and len(stem) == len(symbol) and stem.isdigit():
        raise FileError(
            "{path} is of {stem} by its name, not of {symbol}", hint="Leave --symbol out, or name the file otherwise",
            path=table.path, stem=stem, symbol=symbol,
        )  # fmt: skip


def _parts(connection: "DuckDBPyConnection", stored: Stored, each: _Loaded) -> list[_Part]:
    """What of a file goes where, by symbol and day."""
    by_day = f"SELECT symbol, day, count(*) FROM {each.table} GROUP BY ALL ORDER BY symbol, day"  # noqa: S608
    rows: list[tuple[str, int, int]] = connection.execute(by_day).fetchall()
    if each.kind != DAILY:
        return [
            _Part(
                stored.sheet(each.kind, symbol, _date(day)), each.table,
                f"symbol = {files.text_sql(symbol)} AND day = {day}", _date(day), 1, count,
            )
            for symbol, day, count in rows
        ]  # fmt: skip
    symbols = dict.fromkeys(symbol for symbol, _day, _count in rows)
    days = {symbol: [day for each_symbol, day, _count in rows if each_symbol == symbol] for symbol in symbols}
    return [
        _Part(
            stored.sheet(DAILY, symbol), each.table, f"symbol = {files.text_sql(symbol)}", _date(days[symbol][0]),
            len(days[symbol]), len(days[symbol]),
        )
        for symbol in symbols
    ]  # fmt: skip


def _refuse_doubles(plans: Sequence[tuple[_Loaded, Sequence[_Part]]]) -> None:
    """One symbol's day may not come from two files."""
    seen: dict[Sheet, str] = {}
    for each, parts in plans:
        for part in parts:
            other = seen.setdefault(part.sheet, each.path)
            if other != each.path:
                raise FileError(
                    "{path} and {next_path} both hold {symbol} on {day}", hint="Import one after the other",
                    path=other, next_path=each.path, symbol=part.sheet.symbol, day=part.day,
                )  # fmt: skip


def _state(connection: "DuckDBPyConnection", part: _Part, wish: Wish, there: Described | None) -> Beside:
    """What is stored where these rows go. Raises: FileError where it differs."""
    state = beside(connection, there, _rows(part), wish.basis) if there else Beside()
    if wish.replace or not (state.differing or state.problem):
        return state
    if state.problem:
        raise FileError("{problem}", hint=files.HINT, problem=state.problem)
    what = {"symbol": part.sheet.symbol, "kind": part.sheet.kind, "day": state.first or part.day}
    if state.mixes:
        raise FileError(
            "{symbol} {kind} is stored with {stored} prices, and these are {said}",
            hint="--replace takes these instead of all that is stored", stored=state.basis, said=wish.basis, **what,
        )  # fmt: skip
    raise FileError(
        "{symbol} {kind} of {day} is stored with other rows ({count} differ)", count=state.differing,
        hint="--replace takes these instead", **what,
    )  # fmt: skip


def _store(
    connection: "DuckDBPyConnection",
    each: _Loaded,
    parts: Sequence[_Part],
    states: dict[Sheet, Beside],
    wish: Wish,
    stop: StopRequest,
) -> Brought:
    new = same = replaced = 0
    for part in parts:
        if stop.asked:
            raise StoppedError
        state = states[part.sheet]
        same += state.same
        replaced += part.days if state.mixes else state.days_differing
        new += 0 if state.mixes else part.days - state.same - state.days_differing
        if state.same == part.days:
            continue
        rows = _rows(part)
        if part.sheet.day is None and not state.mixes and not state.problem:
            rows = joined(part.sheet, rows)
        files.write(connection, part.sheet, rows, About(_source(each, state), wish.basis), order="ts, n")
    days = [part.day for part in parts]
    last = days[-1] if parts[0].sheet.day else last_day(connection, _rows(parts[0]))
    return Brought(
        path=each.path, symbol=parts[0].sheet.symbol, kind=each.kind, rows=sum(part.rows for part in parts),
        days=sum(part.days for part in parts), new=new, same=same, replaced=replaced, bad_rows=each.bad_rows,
        first=days[0], last=last,
    )  # fmt: skip


def _source(each: _Loaded, state: Beside) -> str:
    """The name of the file, beside what is there of others."""
    name = Path(each.path).name
    kept = [] if state.mixes or not state.source else state.source.split(", ")
    return ", ".join(dict.fromkeys([*kept, name]))


def _rows(part: _Part) -> str:
    return f"SELECT * FROM {part.table} WHERE {part.condition}"  # noqa: S608 (made of names and numbers)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=day)

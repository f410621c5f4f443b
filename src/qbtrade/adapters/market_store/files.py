"""Writes and reads the files of the store. A file appears whole or not at all."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from qbtrade.adapters.market_store.layout import RECORDED, About, Basis, Sheet
from qbtrade.errors import FileError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "128MB",
    "temp_directory": f"{tempfile.gettempdir()}/qbtrade-duckdb-{os.getpid()}",
}
"""Of DuckDB."""
OURS_ALONE: Final = 0o700
HINT: Final = "Bring that day in again: qb data import --replace, or delete the file and download it again"
OF_RECORDING: Final = "Move it away, or put a copy in its place"
_CUT: Final = "No magic bytes found at end of file"
PIECE: Final = 10_000
"""Rows that are held at a time."""
_MANY: Final = 200
"""Files whose heads are read in one question."""


class Described(msgspec.Struct, frozen=True):
    """A file and what it says of itself. problem: why it cannot be read, or ""."""

    sheet: Sheet
    rows: int = 0
    size: int = 0
    about: About = About("")
    problem: str = ""


def connect() -> "DuckDBPyConnection":
    """A connection for the functions below."""
    import duckdb

    return duckdb.connect(config=SETTINGS)


def write(connection: "DuckDBPyConnection", sheet: Sheet, rows: str, about: About, *, order: str = "ts") -> None:
    """Put rows into a file, in place of what it had. rows: SQL with its columns. order: theirs. Raises: FileError."""
    import duckdb

    draft = sheet.path.with_suffix(".draft")
    said = ", ".join(f"{name}: {text_sql(value)}" for name, value in _said(about).items())
    columns = ", ".join(sheet.columns)
    try:
        sheet.path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        connection.execute(
            f"COPY (SELECT {columns} FROM ({rows}) ORDER BY {order}) TO {_literal(draft)}"
            f" (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{said}}})"
        )
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(sheet.path)
    except (OSError, duckdb.IOException) as error:
        cause = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise FileError("cannot write {path}: {cause}", path=sheet.path, cause=cause) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def values(sheet: Sheet, rows: Iterable[Sequence[int]]) -> str:
    """Rows as SQL: ts, then the numbers of the columns."""
    numbers = [name for name in sheet.columns if name != "symbol"]
    named = ", ".join(f"CAST(column{at} AS BIGINT) AS {name}" for at, name in enumerate(numbers))
    lines = ", ".join(f"({', '.join(map(str, map(int, row)))})" for row in rows)
    return f"SELECT {text_sql(sheet.symbol)} AS symbol, {named} FROM (VALUES {lines}) AS t({_names(len(numbers))})"


def scan(sheet: Sheet) -> str:
    """The rows of a file as SQL."""
    return f"(SELECT * FROM {whole(sheet)} WHERE kind = 'trade')" if sheet.kind == RECORDED else whole(sheet)


def played(sheet: Sheet) -> str:
    """What a rehearsal plays of a file of trades, as SQL: also prices that were told without shares."""
    if sheet.kind == RECORDED:
        rows = f"SELECT ts, price, qty, coalesce(auction, false) AS auction FROM {whole(sheet)}"
        return f"({rows} WHERE kind IN ('trade', 'price'))"
    return f"(SELECT ts, price, qty, false AS auction FROM {whole(sheet)})"


def prices(connection: "DuckDBPyConnection", sheet: Sheet) -> Iterator[tuple[int, int, int, bool]]:
    """What is played of a file: time, price, shares, whether in an auction; in pieces. Raises: FileError."""
    with _reading(sheet):
        found = connection.cursor().execute(f"SELECT ts, price, qty, auction FROM {played(sheet)}")
        while piece := found.fetchmany(PIECE):
            yield from piece


def whole(sheet: Sheet) -> str:
    """A file as SQL, with what a recording holds besides trades."""
    return f"read_parquet({_literal(sheet.path)})"


def read(connection: "DuckDBPyConnection", sheet: Sheet, columns: Sequence[str] = ()) -> Iterator[tuple[int, ...]]:
    """The rows of a file as they stand there, in pieces. columns: none for all but the symbol. Raises: FileError."""
    names = ", ".join(columns or [name for name in sheet.columns if name != "symbol"])
    with _reading(sheet):
        found = connection.cursor().execute(f"SELECT {names} FROM {scan(sheet)}")
        while piece := found.fetchmany(PIECE):
            yield from piece


def ask(connection: "DuckDBPyConnection", sheet: Sheet, sql: str) -> list[Any]:
    """All rows of an answer about a file, on a connection of its own. Raises: FileError."""
    with _reading(sheet):
        return connection.cursor().execute(sql).fetchall()


@contextmanager
def _reading(sheet: Sheet) -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        hint = OF_RECORDING if sheet.kind == RECORDED else HINT
        if _CUT in str(error):
            raise FileError("{path} is cut off: its end is missing", hint=hint, path=sheet.path) from error
        raise FileError(
            "cannot read {path}: {cause}", hint=hint, path=sheet.path, cause=str(error).splitlines()[0]
        ) from error


def describe(connection: "DuckDBPyConnection", sheets: Iterable[Sheet]) -> Iterator[Described]:
    """What files say of themselves, in their order, without reading their rows."""
    rest = list(sheets)
    for at in range(0, len(rest), _MANY):
        piece = rest[at : at + _MANY]
        try:
            heads = _heads(connection, piece)
        except FileError:
            heads = {}
        for sheet in piece:
            yield _described(connection, sheet, heads)


def _described(
    connection: "DuckDBPyConnection", sheet: Sheet, heads: Mapping[str, tuple[int, Mapping[str, str]]]
) -> Described:
    try:
        rows, said = (heads or _heads(connection, [sheet]))[str(sheet.path)]
        size = sheet.path.stat().st_size
    except (FileError, OSError, KeyError) as error:
        problem = error.message if isinstance(error, FileError) else str(error)
        return Described(sheet, problem=problem)
    if sheet.kind == RECORDED:
        return Described(sheet, rows, size, About(RECORDED, Basis.RAW))
    basis = said.get("qb_basis", "")
    about = About(
        said.get("qb_source", "?"), Basis(basis) if basis in set(Basis) else Basis.UNKNOWN, said.get("qb_whole") != "no"
    )
    return Described(sheet, rows, size, about)


def _heads(connection: "DuckDBPyConnection", sheets: Sequence[Sheet]) -> dict[str, tuple[int, dict[str, str]]]:
    paths = ", ".join(_literal(sheet.path) for sheet in sheets)
    counts = ask(connection, sheets[0], f"SELECT file_name, num_rows FROM parquet_file_metadata([{paths}])")
    said: dict[str, dict[str, str]] = {}
    words = f"SELECT file_name, decode(key), decode(value) FROM parquet_kv_metadata([{paths}])"
    for name, key, value in ask(connection, sheets[0], words):
        said.setdefault(name, {})[key] = value
    return {name: (rows, said.get(name, {})) for name, rows in counts}


def _said(about: About) -> dict[str, str]:
    return {"qb_source": about.source, "qb_basis": about.basis, "qb_whole": "yes" if about.is_whole else "no"}


def _names(count: int) -> str:
    return ", ".join(f"column{at}" for at in range(count))


def _literal(path: Path) -> str:
    """A path as SQL, with nothing in it taken for a pattern."""
    return text_sql("".join(f"[{char}]" if char in "*?[" else char for char in str(path)))


def text_sql(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"

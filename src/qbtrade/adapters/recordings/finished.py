"""The finished file of a symbol's day: made of its log, and of what was finished earlier that day."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from qbtrade.adapters.recordings.layout import DEPTH, LEVELS, LOGGED, Kind, SymbolDay
from qbtrade.adapters.recordings.lines import last_of, mark
from qbtrade.adapters.recordings.log import Log, pieces
from qbtrade.errors import FileError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "temp_directory": f"{tempfile.gettempdir()}/qbtrade-duckdb-{os.getpid()}",
}
"""Of DuckDB."""
GROUP: Final = 20_480
"""Rows that a file keeps together; a row with ten levels takes much memory while it is written."""
_LEVELS_OF: Final = (
    "TRY_CAST(CASE WHEN len(levels) = {all} THEN levels[{first}:{last}] END AS BIGINT[]) AS {name}"  # else it was cut
)


class Finished(NamedTuple):
    """What became of a log. rows: in the file. lost: bytes of the log that meant nothing."""

    rows: int
    lost: int


def finish(day: SymbolDay) -> Finished | None:
    """Make the file of a day whose recorder is gone; None when there is nothing left to do.

    Raises: LockedError while it is being recorded; FileError.
    """
    return finish_locked(day, Log(day.log)) if day.log.exists() else None


def finish_locked(day: SymbolDay, log: Log) -> Finished:
    """Make the file of a log that is held here, and remove the log; it stays when that fails. Raises: FileError."""
    import duckdb

    draft = day.parquet.with_suffix(".parquet.draft")
    try:
        with _cleaned(day) as (lines, lost), duckdb.connect(config=SETTINGS) as connection:
            rows = _write(connection, day, lines, draft)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(day.parquet)
        _sync_folder(day.parquet.parent)
        log.remove()
    except (OSError, duckdb.Error) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        log.close()
        cause = (getattr(error, "strerror", "") or str(error)).splitlines()[0]
        raise FileError(
            "cannot finish the recording {path}: {cause}", path=day.log, cause=cause,
            hint="The log keeps everything; the next reader tries again",
        ) from error  # fmt: skip
    return Finished(rows, lost)


def newest(day: SymbolDay, count: int) -> tuple[int, list[tuple[int, int, int]]]:
    """The last number of a finished file and its newest trades, as time, quantity and the day's volume with it.

    0 and none where there is no file. Raises: FileError.
    """
    if not day.parquet.exists():
        return 0, []
    import duckdb

    scan = f"read_parquet({literal(day.parquet)})"
    try:
        with duckdb.connect(config=SETTINGS) as connection:
            last = connection.execute(f"SELECT coalesce(max(seq), 0) FROM {scan}").fetchone()
            trades = connection.execute(
                f"SELECT ts, qty, volume FROM {scan} WHERE kind = 'trade' ORDER BY seq DESC LIMIT {count}"
            ).fetchall()
    except duckdb.Error as error:
        raise unreadable(day.parquet, error) from error
    return (last[0] if last else 0), [(ts, qty, volume) for ts, qty, volume in reversed(trades)]


def unreadable(path: Path, error: Exception) -> FileError:
    """A finished file that is not as it was written."""
    hint = "Move it away, or put a copy in its place"
    if "No magic bytes found at end of file" in str(error):
        return FileError("{path} is cut off: its end is missing", path=path, hint=hint)
    cause = str(error).splitlines()[0]
    return FileError("the recording {path} is damaged: {cause}", path=path, cause=cause, hint=hint)


@contextmanager
def _cleaned(day: SymbolDay) -> Iterator[tuple[Path, int]]:
    """The lines of a log without what is damaged, in a file of their own; how many bytes were left out.

    That some were is a row of its own.
    """
    lost, last, path = 0, (0, 0), day.log.with_suffix(".lines")
    try:
        with path.open("wb") as file:
            for piece in pieces(day.log):
                if piece.is_whole:
                    file.write(piece.content)
                    last = last_of(piece.content) or last
                else:
                    lost += len(piece.content)
            if lost:
                seq, received = last
                file.write(mark(Kind.TORN, seq + 1, received, received, str(lost)).encode())
        yield path, lost
    finally:
        path.unlink(missing_ok=True)


def _write(connection: "DuckDBPyConnection", day: SymbolDay, lines: Path, draft: Path) -> int:
    """Sorted by exchange time; rows that the finished file has already are not taken twice."""
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in LOGGED.items())
    before = ""
    if day.parquet.exists():
        connection.execute(f"CREATE VIEW old AS FROM read_parquet({literal(day.parquet)})")
        before = "SELECT * FROM old UNION ALL BY NAME"
        last = connection.execute("SELECT coalesce(max(seq), 0) FROM old").fetchone()
        new = f"WHERE seq > {last[0] if last else 0}"
    else:
        new = ""
    named = ", ".join(name for name in LOGGED if name not in {"kind", "depth"})
    levels = ", ".join(
        _LEVELS_OF.format(all=LEVELS * len(DEPTH), first=at * LEVELS + 1, last=(at + 1) * LEVELS, name=name)
        for at, name in enumerate(DEPTH)
    )
    scan = (
        f"read_csv({literal(lines)}, header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
        f" null_padding = true, buffer_size = 4194304, columns = {{{columns}}})"
    )
    sql = (
        f"{before} SELECT kind, '{day.symbol}' AS symbol, {named}, {levels}"
        f" FROM (SELECT *, string_split(depth, ' ') AS levels FROM {scan} {new})"
    )
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {GROUP}"
    connection.execute(f"COPY (SELECT * FROM ({sql}) ORDER BY ts, seq) TO {literal(draft)} ({options})")
    count = connection.execute(f"SELECT count(*) FROM read_parquet({literal(draft)})").fetchone()
    return int(count[0]) if count else 0


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def literal(path: Path) -> str:
    """A path as SQL, with nothing in it taken for a pattern."""
    text = "".join(f"[{char}]" if char in "*?[" else char for char in str(path))
    return "'" + text.replace("'", "''") + "'"

"""One market-data file as rows with known columns: what it holds, and how DuckDB reads it. CSV or Parquet."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from qbtrade.domain.calendar import MINUTE
from qbtrade.errors import FileError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Kind = Literal["trades", "bars"]
PRICES: Final[dict[Kind, tuple[str, ...]]] = {"trades": ("price",), "bars": ("open", "high", "low", "close")}

IS_SYMBOL: Final = "coalesce(regexp_full_match(symbol, 'Q?[0-9A-Z]{6}'), false)"

_FORMS: Final = "Market data is CSV in UTF-8, or Parquet"
_ALIASES: Final = {"ts": ("ts", "date"), "qty": ("qty", "volume")}
_RECORDING: Final = frozenset({"kind", "seq", "received", "auction"})
"""Columns that only a recording of our own has; of its rows only prices can be played."""
_MORE: Final = "_more"  # where values beyond the last column of a CSV file turn up
_KST: Final = 9 * 60 * MINUTE
_EARLIEST: Final = 10**17  # smaller numbers are seconds, milliseconds or a compact date
_DATE: Final = r"\d{4}-\d\d-\d\d"
_TIME: Final = r"\d\d:\d\d(:\d\d(\.\d{1,9})?)?"
_ZONE: Final = r"(Z|[+-]\d\d:?\d\d)$"
_HALTED: Final = ", ".join(
    f"CASE WHEN open = 0 AND high = 0 AND low = 0 AND qty = 0 THEN close ELSE {column} END AS {column}"
    for column in ("open", "high", "low")
)
"""A day on which a stock did not trade, as KRX tells it: a close alone."""
_INTEGERS: Final = frozenset({"BIGINT", "INTEGER", "UBIGINT", "UINTEGER", "HUGEINT", "SMALLINT", "TINYINT"})


class Table:
    """One file, or a folder of Parquet files that follow each other by name.

    kind: what it holds, by its columns. names: what it calls each column that we read.
    """

    def __init__(self, path: Path, connection: "DuckDBPyConnection") -> None:
        self.path = path
        self.is_parquet = _is_parquet(path)
        self._types = _parquet_types(path, connection) if self.is_parquet else dict.fromkeys(_header(path), "VARCHAR")
        known = {name.strip().lower(): name for name in self._types}
        self.is_recording = self.is_parquet and known.keys() >= _RECORDING
        self.kind: Kind = "bars" if not known.keys().isdisjoint(PRICES["bars"]) else "trades"
        self.names = {column: _named(path, column, known) for column in ("ts", *PRICES[self.kind], "qty")}
        self.has_symbol = "symbol" in known
        if self.has_symbol:
            self.names["symbol"] = known["symbol"]

    def typed(self, symbol: str) -> str:
        """SQL of the rows as n (1-based), ts (UTC ns), symbol, numbers as DOUBLE, extra; NULL where it makes no sense.

        symbol: said of every row when the file has no such column.
        """
        said = (
            f"upper(trim(CAST({_quoted(self.names['symbol'])} AS VARCHAR)))" if self.has_symbol else sql_literal(symbol)
        )
        numbers = ", ".join(
            f"TRY_CAST({_quoted(self.names[column])} AS DOUBLE) AS {column}" for column in (*PRICES[self.kind], "qty")
        )
        extra = "NULL" if self.is_parquet else _MORE
        auction = "coalesce(auction, false)" if self.is_recording else "false"
        columns = (
            f"row_number() OVER () AS n, {self._time()} AS ts, {said} AS symbol, {numbers}, {extra} AS extra,"
            f" {auction} AS auction"
        )
        rows = f"SELECT {columns} FROM {self._scan()}"
        return f"SELECT * REPLACE ({_HALTED}) FROM ({rows})" if self.kind == "bars" else rows

    def column(self, name: str) -> str:
        """What the file calls a column; the number of the first value too many for "extra"."""
        return self.names.get(name, str(len(self._types) + 1))

    def value(self, connection: "DuckDBPyConnection", n: int, column: str) -> str | None:
        """What stands in the n-th row, as text."""
        name = _quoted(_MORE if column == "extra" else self.names[column])
        sql = f"SELECT CAST({name} AS VARCHAR) FROM {self._scan()} LIMIT 1 OFFSET {n - 1}"
        row = connection.execute(sql).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def line(self, n: int) -> int:
        """Where the n-th row stands in the file: the line of a CSV file, the record of a Parquet file, both 1-based."""
        if self.is_parquet:
            return n
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            next(reader)
            end = reader.line_num
            for row in reader:
                n -= bool(row)
                if not n:
                    return end + 1
                end = reader.line_num
        return end

    def _scan(self) -> str:
        if self.is_recording:
            return f"(SELECT * FROM read_parquet({_parquet(self.path)}) WHERE kind IN ('trade', 'price'))"
        if self.is_parquet:
            return f"read_parquet({_parquet(self.path)})"
        path = sql_literal(_literal(self.path))
        columns = ", ".join(f"{sql_literal(name)}: 'VARCHAR'" for name in (*self._types, _MORE))
        return (
            f"read_csv({path}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
            f" null_padding = true, strict_mode = false, buffer_size = 4194304, columns = {{{columns}}})"
        )

    def _time(self) -> str:
        name, kind = _quoted(self.names["ts"]), self._types[self.names["ts"]]
        if kind in _INTEGERS:
            return f"CASE WHEN {name} >= {_EARLIEST} THEN TRY_CAST({name} AS BIGINT) END"
        if kind == "TIMESTAMP WITH TIME ZONE":
            return f"epoch_ns({name})"
        if kind == "DATE" or kind.startswith("TIMESTAMP"):
            return f"epoch_ns(CAST({name} AS TIMESTAMP_NS)) - {_KST}"
        return _text_time(f"trim(CAST({name} AS VARCHAR))")


def _text_time(text: str) -> str:
    """UTC ns of a text. The first case is the usual one; the others cost more."""
    zone = f"regexp_extract({text}, '{_ZONE}')"
    minutes = f"CAST({zone}[1:3] AS BIGINT) * 60 + CAST({zone}[1] || {zone}[-2:] AS BIGINT)"
    offset = f"CASE {zone} WHEN 'Z' THEN 0 ELSE ({minutes}) * {MINUTE} END"
    korean = f"epoch_ns(TRY_CAST(replace({text}, '+09:00', '') AS TIMESTAMP_NS))"
    foreign = f"epoch_ns(TRY_CAST(regexp_replace({text}, '{_ZONE}', '') AS TIMESTAMP_NS))"
    return (
        f"CASE WHEN regexp_full_match({text}, '{_DATE}([T ]{_TIME}(\\+09:00)?)?') THEN {korean} - {_KST}"
        f" WHEN regexp_full_match({text}, '[0-9]{{18,19}}') THEN TRY_CAST({text} AS BIGINT)"
        f" WHEN regexp_full_match({text}, '{_DATE}[T ]{_TIME}{_ZONE}') THEN {foreign} - {offset} END"
    )


def files_of(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or the Parquet files of a folder by name. Raises: FileError."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.parquet"))
    if not found:
        raise FileError("{path} is a folder without Parquet files", hint="Check the path", path=path)
    return found


def _is_parquet(path: Path) -> bool:
    if path.is_dir():
        return bool(files_of(path))
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as error:
        why = error.strerror or str(error)
        raise FileError("cannot read {path}: {why}", hint="Check the path", path=path, why=why) from error


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader(file), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError("{path} is neither CSV nor Parquet", hint=_FORMS, path=path) from error
    if not names:
        raise FileError("{path} is empty", hint="Its first line must name the columns", path=path)
    if len({name.strip().lower() for name in names}) < len(names):
        raise FileError("{path} names a column twice", hint="Found: {found}", path=path, found=", ".join(names))
    return names


def _parquet_types(path: Path, connection: "DuckDBPyConnection") -> dict[str, str]:
    sql = f"DESCRIBE SELECT * FROM read_parquet({_parquet(path)})"
    return {str(row[0]): str(row[1]) for row in read(connection, path, sql).fetchall()}


def _named(path: Path, column: str, known: Mapping[str, str]) -> str:
    accepted = _ALIASES.get(column, (column,))
    for name in accepted:
        if name in known:
            return known[name]
    raise FileError(
        "{path} has no column {column}",
        hint="Found: {found}. Trades need ts, price, qty; bars need ts, open, high, low, close, volume",
        path=path,
        column=accepted[0],
        found=", ".join(known.values()),
    )


def read(connection: "DuckDBPyConnection", path: Path, sql: str) -> "DuckDBPyConnection":
    """Run a query over a file. Raises: FileError when DuckDB cannot read it."""
    from duckdb import Error

    try:
        return connection.execute(sql)
    except Error as error:
        if "No magic bytes found at end of file" in str(error):
            hint = "Put a copy in its place, or take the days without it"
            raise FileError("{path} is cut off: its end is missing", hint=hint, path=path) from error
        lines = str(error).splitlines()
        why = f"{lines[0]}, {lines[2]}" if "CSV Error" in lines[0] and len(lines) > 2 else lines[0]  # noqa: PLR2004
        raise FileError("cannot read {path}: {why}", hint=_FORMS, path=path, why=why) from error


def _parquet(path: Path) -> str:
    """As SQL, in the order in which the files are read."""
    return f"[{', '.join(sql_literal(_literal(file)) for file in files_of(path))}]"


def _literal(path: Path) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def sql_literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"

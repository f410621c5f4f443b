"""Tables of a report as CSV files, for spreadsheets."""

import csv
import json
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any, Final

from qbtrade.app.files import check_writable, write_whole
from qbtrade.errors import FileError

TABLES: Final = ("orders", "fills", "round_trips", "denials", "alerts", "corrections", "equity_curve")
"""Keys of the report that are tables; each becomes `<key>.csv`."""
_SUFFIX: Final = ".csv"


def schema() -> dict[str, Any]:
    """The published JSON Schema of the report."""
    text = files("qbtrade.data").joinpath("report.schema.json").read_text(encoding="utf-8")
    published: dict[str, Any] = json.loads(text)
    return published


def columns(table: str) -> tuple[str, ...]:
    """Column names of a table, in the order of the schema; also when it is empty."""
    published = schema()
    row = published["properties"][table]["items"]["$ref"].rpartition("/")[2]
    return tuple(published["$defs"][row]["properties"])


def export_csv(report: dict[str, Any], path: Path) -> tuple[Path, ...]:
    """Write every table into the folder `path`, or one into `path` when that is named `<table>.csv`.

    Returns what was written. Raises: FileError.
    """
    if path.suffix != _SUFFIX:
        tables = {table: path / f"{table}{_SUFFIX}" for table in TABLES}
        _make(path)
    elif path.stem in TABLES:
        tables = {path.stem: path}
    else:
        raise FileError(
            "{path} names no table", path=path, hint="Give a folder, or one of {known}",
            known=", ".join(f"{table}{_SUFFIX}" for table in TABLES),
        )  # fmt: skip
    for place in tables.values():
        check_writable(place)
    for table, place in tables.items():
        write_whole(place, _csv(report, table))
    return tuple(tables.values())


def _csv(report: dict[str, Any], table: str) -> bytes:
    text = StringIO()
    writer = csv.DictWriter(text, columns(table), lineterminator="\n")
    writer.writeheader()
    for row in report.get(table, ()):
        writer.writerow({name: " ".join(value) if isinstance(value, list) else value for name, value in row.items()})
    return text.getvalue().encode()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError("cannot create folder {path}: {cause}", path=folder, cause=error.strerror or error) from error

"""A halt as the one row of a small SQLite file: a second witness beside the flag file, made another way."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_SCHEMA: Final = "CREATE TABLE halt (body BLOB NOT NULL) STRICT"


def write_row(path: Path, body: bytes) -> None:
    """Put a row in the place of whatever lies there, at once and on disk. Raises: OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript(f"PRAGMA synchronous = FULL; BEGIN; {_SCHEMA}; COMMIT;")
            connection.execute("INSERT INTO halt VALUES (?)", (body,))
        draft.replace(path)
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    finally:
        draft.unlink(missing_ok=True)


def read_row(path: Path) -> bytes:
    """The row. Raises: OSError when there is none or it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (row,) = connection.execute("SELECT body FROM halt").fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise OSError(str(error)) from error
    return bytes(row[0])

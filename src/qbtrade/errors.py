"""Every error that qbtrade raises on purpose, with its exit code.

QbError
├── UsageError            2  wrong arguments
│   └── UnknownNameError  2  a name nobody knows; offers the nearest one
├── FileError             3  bad file, configuration or id
│   ├── NoRowsError       3  market data without the rows that were asked for
│   ├── ConfigError       3  configuration that cannot be used
│   └── RowError          3  one row of a market-data file, with row and column
├── JournalError          1  the journal cannot be written or read
├── DatabaseError         1  PostgreSQL is not as it must be
├── WireError             5  bytes from the broker that mean nothing
├── BrokerError          5  the broker did not answer, or said no
├── LockedError          4  a session that may not start
├── StrategyError         1  a strategy could not be loaded or raised
└── EngineFault           1  a handler of ours raised; the session was ended safely

Every error is one line: what is wrong and where, then what to do (`hint`).
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How a command ends; scripts rely on these."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BAD_FILE = 3
    PREFLIGHT = 4
    BROKER = 5
    HALTED = 6
    BOOKS_DISAGREE = 7
    INTERRUPTED = 130


class QbError(Exception):
    """Base of all errors meant for the user. `hint` says what to do.

    message, hint: with `values` they are format templates, which the command line looks up in its catalogue
    before it fills them in; without, they are taken as they are.
    """

    slug: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str = "", **values: object) -> None:
        self.templates = (message, hint)
        self.values = values
        self.message = message.format(**values) if values else message
        self.hint = hint.format(**values) if values else hint
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(QbError):
    """An argument that cannot be used."""

    slug = "wrong-argument"
    exit_code = ExitCode.USAGE


class UnknownNameError(UsageError):
    """A name nobody knows; the hint offers the nearest known one."""

    slug = "unknown-name"

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        spelled = {_plain(each): each for each in names}
        near = [spelled[each] for each in get_close_matches(_plain(name), spelled, n=1, cutoff=0.5)]
        hint = "Did you mean {near!r}?" if near else "Known: {known}"
        super().__init__(
            "unknown {what} {name!r}", hint=hint, what=what, name=name, near="".join(near), known=", ".join(names)
        )


def _plain(name: str) -> str:
    """A name without case and with one kind of dash, as nearness is judged."""
    return name.casefold().replace("-", "_")


class FileError(QbError):
    """A file that is missing, unreadable, unwritable or malformed."""

    slug = "bad-file"
    exit_code = ExitCode.BAD_FILE


class NoRowsError(FileError):
    """Market data without the rows that were asked for."""

    slug = "no-rows"


class ConfigError(FileError):
    """Configuration that cannot be used."""

    slug = "bad-config"


class RowError(FileError):
    """One malformed row. row: 1-based line in the file, header included."""

    slug = "bad-row"

    def __init__(self, path: str, row: int, column: str, problem: str, *, hint: str = "", **values: object) -> None:
        super().__init__(
            "{path}, row {row}, column {column}: {problem}",
            hint=hint or "Mend the row, or count such rows with --skip-bad-rows",
            path=path, row=row, column=column, problem=problem, **values,
        )  # fmt: skip
        self.path, self.row, self.column, self.problem = path, row, column, problem


class JournalError(QbError):
    """The journal cannot be written or read."""

    slug = "journal"


class DatabaseError(QbError):
    """PostgreSQL is not as it must be, or failed."""

    slug = "database"


class WireError(QbError):
    """A message from the broker that cannot be read. what: its TR id or call; problem: in words, without secrets."""

    slug = "wire"
    exit_code = ExitCode.BROKER

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(
            "{what}: {problem}", hint="The message was set aside; see docs/kis.md", what=what, problem=problem
        )
        self.what, self.problem = what, problem


class BrokerError(QbError):
    """The broker did not answer, or said no."""

    slug = "broker"
    exit_code = ExitCode.BROKER


class LockedError(QbError):
    """A session that may not start: not the day, not the hour, not this account, not yet."""

    slug = "locked"
    exit_code = ExitCode.PREFLIGHT


class StrategyError(QbError):
    """A strategy that cannot be loaded, or that raised."""

    slug = "strategy"


class EngineFault(QbError):
    """A handler of ours raised; the session ended safely and this names the cause."""

    slug = "engine-fault"

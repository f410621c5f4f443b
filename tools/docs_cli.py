"""What docs/cli.md shows: the help page of every command, exit codes, and errors by their slugs. Called by cog."""

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from typer.main import get_command

from qbtrade import errors
from qbtrade.cli.main import app

ENVIRONMENT: Final = {
    "COLUMNS": "100",
    "LANG": "C.UTF-8",
    "LINES": "40",
    "NO_COLOR": "1",
    "QB_LANG": "en",
    "TERM": "dumb",
}
MEANING: Final = {
    errors.ExitCode.DONE: "done",
    errors.ExitCode.FAILED: "failed, or something unexpected",
    errors.ExitCode.USAGE: "wrong arguments",
    errors.ExitCode.BAD_FILE: "bad file, configuration or id",
    errors.ExitCode.PREFLIGHT: "preflight failed",
    errors.ExitCode.BROKER: "the broker refused or could not be reached",
    errors.ExitCode.HALTED: "ended halted",
    errors.ExitCode.BOOKS_DISAGREE: "our books and the broker's disagree (beats 130)",
    errors.ExitCode.INTERRUPTED: "interrupted (SIGINT, SIGTERM)",
}


def commands() -> Iterator[tuple[str, ...]]:
    """Every command line that has a help page: `()` for qb itself, `("report", "show")`, ..."""
    yield from _below((), get_command(app))


def help_page(command: tuple[str, ...]) -> str:
    """What `qb COMMAND --help` prints."""
    start = [sys.executable, "-c", "from qbtrade.cli.main import run; run()"]
    ended = subprocess.run(
        [*start, *command, "--help"], capture_output=True, check=True, encoding="utf-8", env=os.environ | ENVIRONMENT
    )
    return ended.stdout


def help_pages() -> str:
    """Every help page under a heading of its own."""
    asked = list(commands())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pages = [page.rstrip() for page in pool.map(help_page, asked)]
    return "\n".join(
        f"## {' '.join(('qb', *command))}\n\n```text\n{page}\n```\n" for command, page in zip(asked, pages, strict=True)
    )


def exit_codes() -> str:
    """How a command ends."""
    rows = [f"| {code.value} | {MEANING[code]} |" for code in errors.ExitCode]
    return "\n".join(["| code | meaning |", "| ---: | --- |", *rows, ""])


def error_classes() -> list[type[errors.QbError]]:
    """Every error of ours, in the order of errors.py."""
    found = [cls for _name, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.QbError)]
    return sorted(found, key=lambda cls: inspect.getsourcelines(cls)[1])


def error_table() -> str:
    """Errors by their slugs."""
    rows = [
        f"| `{cls.slug}` | {cls.exit_code.value} | {(cls.__doc__ or '').splitlines()[0]} |"
        for cls in error_classes()[1:]
    ]
    return "\n".join(["| error | exit code | meaning |", "| --- | ---: | --- |", *rows, ""])


def _below(path: tuple[str, ...], command: Any) -> Iterator[tuple[str, ...]]:
    yield path
    if hasattr(command, "list_commands"):
        for name in command.list_commands(None):
            found = command.get_command(None, name)
            if not found.hidden:
                yield from _below((*path, name), found)

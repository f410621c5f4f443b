"""How other processes see a session, and halt it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import Halt, read_halt
from qbtrade.app.live.status_file import Seen, show
from qbtrade.app.status import Status
from qbtrade.errors import FileError
from qbtrade.kernel.clock import wall_ns


class Board(Protocol):
    """What hangs outside: the halt flag to be read, the status to be seen."""

    def halt(self) -> Halt | None:
        """The halt flag, if it is set."""
        ...

    def show(self, status: Status) -> None:
        """Let others see the session."""
        ...


class AccountFiles:
    """The files of one account. Implements Board."""

    def __init__(self, home: Path, environment: Environment, run_id: str) -> None:
        self._home, self._environment, self._run_id = home, environment, run_id

    def halt(self) -> Halt | None:
        """The halt flag, if it is set."""
        return read_halt(self._home, self._environment)

    def show(self, status: Status) -> None:
        """Write the status file, which is a view and nothing more."""
        kind, urls = self._environment.kind.value, (self._environment.rest_url, self._environment.ws_url)
        with suppress(FileError):
            show(self._home, self._environment, Seen(self._run_id, os.getpid(), wall_ns(), kind, urls, status))

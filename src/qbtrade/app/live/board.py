"""How other processes see a session, and halt it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.lifeline import Lifeline
from qbtrade.app.account_files import account_name
from qbtrade.app.halt_flag import Halt, read_halt, set_halt
from qbtrade.app.live.lock import taken_by
from qbtrade.app.live.resolving import answers, take_back
from qbtrade.app.live.status_file import Seen, show
from qbtrade.app.live.views import NoViews, Views
from qbtrade.app.status import Status
from qbtrade.errors import FileError
from qbtrade.kernel.clock import wall_ns


class Board(Protocol):
    """What hangs outside: the halt flag to be read, whose account it is, the status to be seen."""

    def halt(self) -> Halt | None:
        """The halt flag, if it is set."""
        ...

    def keep_halted(self, reason: str) -> tuple[str, ...]:
        """Set the halt, which outlives the session; why a place of it does not hold it, in words."""
        ...

    def taken_by(self) -> str:
        """The run that took the account over because this one hung, or ""."""
        ...

    def is_watched(self) -> bool:
        """Whether anybody may see the session now; a picture of it costs time."""
        ...

    def answers(self) -> tuple[Answer, ...]:
        """What people said of orders of this session since they were asked for last."""
        ...

    def refuse(self, answer: Answer) -> None:
        """Forget an answer that was not taken."""
        ...

    def show(self, status: Status, heeded: int) -> None:
        """Let others see the session. heeded: since when the halt lasts that it obeys, UTC ns, or 0."""
        ...

    def beat(self) -> bool:
        """Give a sign of life; False when somebody should watch and does so no more."""
        ...


class AccountFiles:
    """The files of one account. Implements Board."""

    def __init__(
        self, home: Path, environment: Environment, run_id: str, watcher: Lifeline | None = None,
        views: Views | None = None,
    ) -> None:  # fmt: skip
        self._home, self._environment, self._run_id, self._watcher = home, environment, run_id, watcher
        self._views: Views = views or NoViews()
        self._answered = frozenset[Answer]()

    def halt(self) -> Halt | None:
        """The halt flag, if it is set."""
        return read_halt(self._home, self._environment)

    def keep_halted(self, reason: str) -> tuple[str, ...]:
        """Set flag and row."""
        return set_halt(self._home, self._environment, reason).problems

    def taken_by(self) -> str:
        """Whom the lock file names beside this run."""
        return taken_by(self._home, self._environment, self._run_id)

    def is_watched(self) -> bool:
        """Always: who looks cannot be seen."""
        return True

    def answers(self) -> tuple[Answer, ...]:
        """Those among the files that are new, for orders of this run."""
        found = [answer for answer in answers(self._home, self._environment) if answer.run_id == self._run_id]
        new = tuple(answer for answer in found if answer not in self._answered)
        self._answered |= frozenset(new)
        return new

    def refuse(self, answer: Answer) -> None:
        """Take its file away, so that the next session does not honour it either."""
        with suppress(OSError):
            take_back(self._home, self._environment, answer)

    def show(self, status: Status, heeded: int) -> None:
        """Write the status file, which is a view and nothing more, and tell who watches elsewhere."""
        kind, urls = self._environment.kind.value, (self._environment.rest_url, self._environment.ws_url)
        account = account_name(self._environment)
        seen = Seen(self._run_id, os.getpid(), wall_ns(), kind, urls, status, heeded, account)
        with suppress(FileError):
            show(self._home, self._environment, seen)
        self._views.show(
            account,
            {
                "run": seen.run_id, "environment": kind, "written": str(seen.written), "heeded": str(heeded),
                "status": msgspec.json.encode(status).decode(),
            },
        )  # fmt: skip

    def beat(self) -> bool:
        """Through the pipe to the watchdog, if there is one."""
        return self._watcher is None or self._watcher.beat()

    def farewell(self) -> None:
        """Nothing is left that would need watching."""
        if self._watcher is not None:
            self._watcher.farewell()

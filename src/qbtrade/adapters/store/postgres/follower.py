"""A thread that keeps PostgreSQL as far as the journal is.

It shares nothing with the session but the journal's file, so a slow, paused or dead server cannot hold a session up.
"""

import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from qbtrade.adapters.store.outbox import Stamp, last_number, stamp
from qbtrade.adapters.store.postgres.sink import BATCH, PostgresSink
from qbtrade.errors import QbError
from qbtrade.kernel.clock import Stopwatch

PAUSE: Final = 0.25
"""Seconds between two looks at a journal of which nothing is left."""
UNASKED: Final = 8
"""Looks that find nothing new until all is read and asked for anew, so that a server that is away is noticed."""
SILENT: Final = 15.0
"""Machine seconds without an answer after which a server is said to stand still; it is waited for all the same."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 30.0
"""Seconds before the server is asked again, doubled each time."""


class Progress(msgspec.Struct, frozen=True):
    """How it goes. passed: rows so far; behind: rows that are left; problem: why it stands still, or ""."""

    passed: int = 0
    behind: int = 0
    problem: str = ""


class Follower:
    """Follows one journal until it is told to stop."""

    def __init__(self, url: str, journal: Path, most: int = BATCH) -> None:
        self.progress = Progress()
        self._journal, self._most, self._sink = journal, most, PostgresSink(url, journal, is_gentle=True)
        self._settled: Stamp = ()
        self._unasked = 0
        self._asked: Stopwatch | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="postgres-sink", daemon=True)

    @property
    def problem(self) -> str:
        """Why nothing is passed on, or "": what the server says, or that it says nothing."""
        asked = self._asked  # which the thread may take away meanwhile
        is_silent = asked is not None and asked.seconds() > SILENT
        return f"PostgreSQL has not answered for {SILENT:.0f} s" if is_silent else self.progress.problem

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, patience: float) -> Progress:
        """Pass on what is left, for `patience` seconds at most; what remains then is passed on another time."""
        self._stopping.set()
        self._thread.join(patience)
        return self.progress

    def _run(self) -> None:
        delay = FIRST_DELAY
        with closing(self._sink):
            while True:
                is_last = self._stopping.is_set()
                passed = self._step(is_last=is_last)
                if passed < 0:
                    if is_last:
                        return
                    self._stopping.wait(delay)
                    delay = min(2 * delay, LONGEST_DELAY)
                    continue
                delay = FIRST_DELAY
                if passed < self._most:
                    if is_last:
                        return
                    self._stopping.wait(PAUSE)

    def _step(self, *, is_last: bool) -> int:
        """Rows that were passed on; -1 when it could not be done."""
        now = stamp(self._journal)  # taken first: what is written from here on changes it again
        if not is_last and self._is_idle(now):
            return 0
        self._asked = Stopwatch()
        try:
            passed = self._sink.drain(self._most)
            behind = last_number(self._journal) - self._sink.seq if passed == self._most else 0
        except QbError as error:
            self.progress = replace(self.progress, problem=error.message, behind=self._behind())
            return -1
        except Exception as error:  # noqa: BLE001 (no session ends by what copies it)
            self.progress = replace(self.progress, problem=f"internal error: {type(error).__name__}")
            return -1
        finally:
            self._asked = None
        self._settled = () if behind else now
        self.progress = Progress(self.progress.passed + passed, behind)
        return passed

    def _is_idle(self, now: Stamp) -> bool:
        """Whether nothing was written, and the server need not be asked yet: both take time from the engines."""
        is_idle = now == self._settled and not self.progress.problem and self._unasked < UNASKED
        self._unasked = self._unasked + 1 if is_idle else 0
        return is_idle

    def _behind(self) -> int:
        with suppress(QbError):
            return last_number(self._journal) - self._sink.seq
        return self.progress.behind

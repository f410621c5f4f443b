"""Ctrl+C, SIGTERM and a closed terminal during a session: the first asks for a safe end, the second leaves at once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Final, Self

from qbtrade.cli.text import _
from qbtrade.errors import ExitCode
from qbtrade.kernel.loop import StopRequest

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR: Final = "\x1b[?25h"


class Interrupts:
    """Turns signals into a StopRequest while the `with` lasts. said: what the first one is answered with.

    left: what the second one is answered with.

    Leaving at once is safe: the journal is written in transactions of a write-ahead log, so what is on disk is whole.
    """

    def __init__(self, stop: StopRequest, said: str = "", left: str = "") -> None:
        self._stop = stop
        self._left = left or _("left at once: the journal is whole, the report is not written")
        self._said = said or _("stopping: canceling orders, closing the books; once more to leave at once")
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self._terminals = [number for number in (1, 2) if os.isatty(number)]
        self._holds_back, self._unsaid = False, ""

    def __enter__(self) -> Self:
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_IGN if self._stop.asked else handler)  # the end is near: let it be whole

    @contextmanager
    def held_back(self) -> Iterator[Callable[[], str]]:
        """While a picture stands on the terminal: whoever draws it takes the answer, and writes it where it fits."""
        self._holds_back = True
        try:
            yield self._taken
        finally:
            self._holds_back = False

    def _taken(self) -> str:
        text, self._unsaid = self._unsaid, ""
        return text

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._stop.asked:
            _write(self._left)
            os._exit(ExitCode.INTERRUPTED)
        if number == signal.SIGHUP:
            self._leave_terminal()
        self._stop.ask(signal.Signals(number).name)
        if self._holds_back:
            self._unsaid = self._said
        else:
            _write(self._said)

    def _leave_terminal(self) -> None:
        """It was closed: what is written from here on goes nowhere, instead of failing in the middle of the end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in self._terminals:
            os.dup2(nowhere, number)
        os.close(nowhere)


def _write(text: str) -> None:
    """Write past Python's buffers, which the interrupted code may be in the middle of using."""
    cursor = _SHOW_CURSOR if sys.stdout.isatty() else ""
    with suppress(OSError):  # the terminal may be gone
        os.write(2, f"\n{cursor}{text}\n".encode())

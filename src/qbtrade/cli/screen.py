"""Who watches a session: a panel, a progress bar, plain lines, or nobody."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from qbtrade.app.status import AlertStatus, NoScreen, Screen, Status
from qbtrade.cli import books, figures, panel
from qbtrade.cli.interrupt import Interrupts
from qbtrade.cli.text import _
from qbtrade.cli.words import said
from qbtrade.engines.reconcile import Difference, told
from qbtrade.kernel.clock import Stopwatch

PIPE = 240
"""Columns of a page that goes anywhere but to a terminal."""
REDRAW = 0.1
"""Seconds between two pictures of the progress bar."""
SPEAK = 10.0
"""Seconds between two lines of progress where there is no terminal."""


def console_on(stream: TextIO) -> Console:
    """A console that writes control codes only where a terminal understands them."""
    return Console(file=stream, force_terminal=stream.isatty() and os.environ.get("TERM") != "dumb", highlight=False)


def print_page(page: RenderableType, stream: TextIO) -> None:
    """Print a finished page; where no terminal would fold its lines, they stay whole and end with their last word."""
    console = console_on(stream)
    if console.is_terminal:
        console.print(page)
        return
    console.width = PIPE
    with console.capture() as capture:
        console.print(page)
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


class PanelScreen:
    """Draws the status panel in place. unsaid: takes what is to be written above it."""

    def __init__(self, live: Live, unsaid: Callable[[], str] = str) -> None:
        self._live, self._unsaid = live, unsaid
        self._alerts: tuple[AlertStatus, ...] = ()

    def on_status(self, status: Status) -> None:
        """Draw it, with a line below where the terminal writes ^C."""
        self.catch_up()
        self._alerts = status.alerts
        self._live.update(Group(panel.panel(status), ""), refresh=True)

    def on_glance(self, status: Status) -> None:
        """Draw it when there is a new alert, and while the session waits for the open or for the stream."""
        self.catch_up()
        wire = status.wire
        if status.alerts != self._alerts or (wire and (wire.opens_in or wire.stream == "connecting")):
            self.on_status(status)

    def catch_up(self) -> None:
        """Write what could not be written at its own moment."""
        if text := self._unsaid():
            self._live.console.print(Text(text))

    def on_notice(self, text: str, action: str) -> None:
        """Write it above the panel."""
        self.catch_up()
        self._live.console.print(Text(_notice(text, action)))

    def on_table(self, found: tuple[Difference, ...], action: str) -> None:
        """Write it above the panel."""
        self._live.console.print(books.table(found, action))

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """A paced run shows its clock in the panel."""


class _Progress:
    """How far an unpaced run is, said at most every `pause` seconds of machine time."""

    def __init__(self, pause: float) -> None:
        self._pause, self._watch = pause, Stopwatch()
        self._first: tuple[float, float, int] | None = None
        self._said = 0.0

    def words(self, ts: int, done: float, events: int) -> str:
        """Where the market's clock stands, how quick it goes, how long it will take; "" while it is too soon to say."""
        now = self._watch.seconds()
        if self._first is None:
            self._first, self._said = (now, done, events), now
        if now - self._said < self._pause or done <= self._first[1]:
            return ""
        self._said = now
        began, done_then, events_then = self._first
        seconds = max(now - began, 1e-9)
        return _("{time}  {rate} events/s  {left} left").format(
            time=figures.stamp(ts),
            rate=figures.short((events - events_then) / seconds),
            left=figures.age(int(seconds * (1 - done) / (done - done_then) * 1e9)),
        )


class ProgressScreen(_Progress):
    """Draws a progress bar."""

    def __init__(self, live: Live, unsaid: Callable[[], str] = str, *, pause: float = REDRAW) -> None:
        super().__init__(pause)
        self._live, self._unsaid = live, unsaid

    def on_status(self, status: Status) -> None:
        """An unpaced run is over before anyone could read it."""

    def on_glance(self, status: Status) -> None:
        """Only a live session has any."""

    def catch_up(self) -> None:
        """Write what could not be written at its own moment."""
        if text := self._unsaid():
            self._live.console.print(Text(text))

    def on_notice(self, text: str, action: str) -> None:
        """Write it above the bar."""
        self._live.console.print(Text(_notice(text, action)))

    def on_table(self, found: tuple[Difference, ...], action: str) -> None:
        """Write it above the bar."""
        self._live.console.print(books.table(found, action))

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """Draw it."""
        done = _share_of(ts, first, last)
        words = self.words(ts, done, events)
        if words:
            table = Table.grid(padding=(0, 1, 0, 0))
            table.add_row(ProgressBar(total=1.0, completed=done, width=24), f"{done:4.0%}", words)
            self._live.update(table, refresh=True)


class LineScreen(_Progress):
    """Writes one plain line per status, or now and then one about the progress of an unpaced run."""

    def __init__(self, console: Console, *, paced: bool, pause: float = SPEAK) -> None:
        super().__init__(pause)
        self._console, self._paced = console, paced
        self._alerts: tuple[AlertStatus, ...] = ()
        self._noted = set[str]()

    def on_status(self, status: Status) -> None:
        """Write new alerts, then the status."""
        if self._paced:
            self.on_glance(status)
            self._say(panel.line(status))

    def on_glance(self, status: Status) -> None:
        """Write new alerts, but for what was said as a notice already."""
        for alert in status.alerts:
            if alert not in self._alerts and alert.text not in self._noted:
                self._say(panel.alert_line(alert))
        self._alerts = status.alerts

    def on_notice(self, text: str, action: str) -> None:
        """Write it."""
        self._noted.add(text)
        self._say(_notice(text, action))

    def on_table(self, found: tuple[Difference, ...], action: str) -> None:
        """Write it."""
        self._noted.update(f"the books disagree: {told(each)}" for each in found)
        self._say("\n".join(books.lines(found, action)))

    def on_progress(self, ts: int, first: int, last: int, events: int) -> None:
        """Write it, every ten seconds."""
        done = _share_of(ts, first, last)
        words = "" if self._paced else self.words(ts, done, events)
        if words:
            self._say(f"{done:4.0%}  {words}")

    def _say(self, text: str) -> None:
        self._console.file.write(text + "\n")
        self._console.file.flush()


def _notice(text: str, action: str) -> str:
    return f"{_('note')}: {said(text)}; {said(action)}"


def _share_of(ts: int, first: int, last: int) -> float:
    return min(max((ts - first) / (last - first), 0.0), 1.0) if last > first else 0.0


@contextmanager
def watching(console: Console, *, paced: bool, quiet: bool, interrupts: Interrupts | None = None) -> Iterator[Screen]:
    """The screen that suits the run and the terminal, tidied up afterwards. interrupts: whose answers it shows."""
    if quiet:
        yield NoScreen()
    elif not console.is_terminal:
        yield LineScreen(console, paced=paced)
    else:
        with (
            Live(console=console, auto_refresh=False, transient=not paced) as live,
            interrupts.held_back() if interrupts else nullcontext(str) as unsaid,
        ):
            screen = PanelScreen(live, unsaid) if paced else ProgressScreen(live, unsaid)
            try:
                yield screen
            finally:
                screen.catch_up()

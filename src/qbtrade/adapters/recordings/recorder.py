"""Keeps what a session hears of the market: the kernel only appends to a queue, a thread of its own writes.

A disk that is slow or full therefore holds nobody up: what it does not take in time is dropped, counted and said.
"""

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from qbtrade.adapters.recordings.finished import finish_locked, newest
from qbtrade.adapters.recordings.layout import Kind, SymbolDay
from qbtrade.adapters.recordings.lines import Heard, bar_line, line, mark, seen
from qbtrade.adapters.recordings.log import Log, pieces
from qbtrade.domain.events import FeedLost, FeedRestored, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.errors import QbError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import Stopwatch, sleep
from qbtrade.ports import Clock

HEARD: Final = (Trade, Quote, Bar, FeedLost, FeedRestored, SymbolHalted, SymbolResumed)
"""What is kept as it comes."""
BEAT: Final = 0.5
"""Machine seconds between two blocks: what `kill -9` loses at most."""
SYNC_EVERY: Final = 5.0
"""Machine seconds between two syncs: what a power cut loses at most, besides."""
BOUND: Final = 200_000
"""Events that wait for the disk at most."""
PIECE: Final = 50
LAST: Final = PIECE - 1
REST: Final = 0.0002
"""Machine seconds of rest after so many events, which leave the interpreter to the engines: a piece takes 0.4 ms."""
MANY: Final = 20_000
"""Where so many wait there is no rest."""
REMEMBERED: Final = 10_000
"""Trades of an earlier session of the day that are known again."""
PATIENCE: Final = 5.0
"""Machine seconds for what still waits at the end."""


class Progress(msgspec.Struct, frozen=True):
    """How it goes. written: rows so far; dropped: events that were not written; problem: why the disk takes none."""

    written: int = 0
    dropped: int = 0
    problem: str = ""


class _Mark(NamedTuple):
    kind: Kind
    symbol: str
    note: str


class _Past(NamedTuple):
    bar: Bar


class _Page:
    """The log of one symbol, and where it stands. known: the newest trades that an earlier session of the day wrote.

    Raises: LockedError, FileError.
    """

    def __init__(self, day: SymbolDay) -> None:
        self.day, self.log = day, Log(day.log)
        self.lines = list[str]()
        try:
            self.seq, trades = newest(day, REMEMBERED)
            recent = deque(trades, maxlen=REMEMBERED)
            for piece in pieces(day.log):
                for seq, trade in seen(piece.content) if piece.is_whole else ():
                    self.seq = max(self.seq, seq)
                    if trade:
                        recent.append(trade)
        except QbError:
            self.log.close()
            raise
        self.known = frozenset(recent)

    def write(self, kind: Kind, received: int, note: str) -> None:
        """Add a mark."""
        self.seq += 1
        self.lines.append(mark(kind, self.seq, received, received, note))

    def hear(self, received: int, event: Heard) -> None:
        """Add an event, unless it is a trade that is written already."""
        if self.known and isinstance(event, Trade) and (event.ts, event.qty, event.volume) in self.known:
            return
        self.seq += 1
        self.lines.append(line(self.seq, received, event))

    def keep(self, received: int, bar: Bar, kind: Kind) -> None:
        """Add a bar."""
        self.seq += 1
        self.lines.append(bar_line(self.seq, received, bar, kind))


class Recorder:
    """Records the symbols of one session on one day.

    refused: symbols that somebody else records, or that cannot be written, with the reason. clock: the kernel's.
    is_finished: the files of all symbols are made.
    """

    def __init__(self, market: Path, day: date, symbols: tuple[str, ...], clock: Clock, *, bound: int = BOUND) -> None:
        self._clock, self._bound = clock, bound
        self._pages = dict[str, _Page]()
        self.refused = dict[str, QbError]()
        for symbol in symbols:
            try:
                self._pages[symbol] = _Page(SymbolDay(market, day, symbol))
            except QbError as error:
                self.refused[symbol] = error
        self._waiting = deque[tuple[int, Heard | Bar | _Mark | _Past]]()
        self._dropped = self._told = self._written = self._dropped_at = 0
        self._begun = list[str]()
        self._problem = ""
        self._over = threading.Event()
        self._unsynced = Stopwatch()
        self.is_finished = False
        self._thread = threading.Thread(target=self._work, name="qb-recorder", daemon=True)

    @property
    def progress(self) -> Progress:
        """How it goes."""
        return Progress(self._written, self._dropped, self._problem)

    def files(self) -> dict[str, str]:
        """Where the rows of each symbol stand, or will."""
        return {symbol: str(page.day.parquet) for symbol, page in self._pages.items()}

    # on the kernel's thread

    def follow(self, bus: Bus) -> None:
        """Begin. Subscribe before every engine: the time at which an event was taken up is written down with it."""
        bus.subscribe_all(HEARD, self._put)
        self._thread.start()

    def begin(self, notes: Mapping[str, str]) -> None:
        """Say that a session begins. notes: what it was told of each symbol beforehand."""
        for symbol, note in notes.items():
            if symbol in self._pages:
                self._begun.append(symbol)
                self._put(_Mark(Kind.BEGIN, symbol, note))

    def past(self, bar: Bar) -> None:
        """Keep a bar that the session was shown before its first trade."""
        if bar.symbol in self._pages:
            self._put(_Past(bar))

    def end(self) -> None:
        """Say that the session ended; nothing of one that did not begin."""
        for symbol in self._begun:
            self._put(_Mark(Kind.END, symbol, ""))

    def _put(self, heard: Heard | Bar | _Mark | _Past) -> None:
        now = self._clock.now()
        if len(self._waiting) < self._bound:
            self._waiting.append((now, heard))
        else:
            self._dropped_at = self._dropped_at if self._dropped > self._told else now
            self._dropped += 1

    def close(self, patience: float = PATIENCE) -> None:
        """Write what still waits and finish the files; the log of one that cannot be finished stays."""
        if self._thread.ident is not None:
            self._over.set()
            self._thread.join(patience)
            if self._thread.is_alive():
                return
        self.is_finished = not self._problem
        for page in self._pages.values():
            if page.log.is_empty:
                page.log.remove()
                _remove_empty(page.day)
                continue
            try:
                finish_locked(page.day, page.log)
            except QbError as error:
                self.is_finished, self._problem = False, error.message

    # on a thread of its own

    def _work(self) -> None:
        while True:
            over = self._over.wait(BEAT)
            try:
                if not any(page.lines for page in self._pages.values()):  # else the disk has to take those first
                    self._take()
                self._problem = self._write(is_last=over)
            except Exception as error:  # noqa: BLE001 (no session ends by what records it)
                self._problem = f"internal error: {type(error).__name__}"
            if over:
                return

    def _take(self) -> None:
        """Put what waits onto the pages."""
        for number in range(len(self._waiting)):
            self._note(*self._waiting.popleft())
            if number % PIECE == LAST and len(self._waiting) < MANY and not self._over.is_set():
                sleep(REST)
        dropped = self._dropped
        if dropped > self._told:
            for page in self._pages.values():
                page.write(Kind.DROPPED, self._dropped_at, str(dropped - self._told))
            self._told = dropped

    def _note(self, received: int, heard: Heard | Bar | _Mark | _Past) -> None:
        pages = self._pages
        match heard:
            case FeedLost() | FeedRestored():
                for page in pages.values():
                    page.hear(received, heard)
            case _Mark(kind, symbol, note):
                pages[symbol].write(kind, received, note)
            case _Past(bar):
                pages[bar.symbol].keep(received, bar, Kind.PAST)
            case Bar() if heard.symbol in pages:
                pages[heard.symbol].keep(received, heard, Kind.BAR if heard.told else Kind.FOLDED)
            case Trade() | Quote() | SymbolHalted() | SymbolResumed() if heard.symbol in pages:
                pages[heard.symbol].hear(received, heard)
            case _:
                pass  # of a symbol that somebody else records

    def _write(self, *, is_last: bool) -> str:
        """Give the pages to the disk; why it does not take them, or ""."""
        problem, is_due = "", is_last or self._unsynced.seconds() > SYNC_EVERY
        for page in self._pages.values():
            try:
                if page.lines:
                    page.log.append("".join(page.lines).encode())
                    self._written += len(page.lines)
                    page.lines.clear()
                if is_due:
                    page.log.sync()
            except OSError as error:
                problem = error.strerror or str(error)
        if is_due:
            self._unsynced = Stopwatch()
        return problem


def _remove_empty(day: SymbolDay) -> None:
    """Leave no folder behind for a session that did not begin."""
    with suppress(OSError):  # another symbol's recording stands there
        day.log.parent.rmdir()
        day.market.rmdir()

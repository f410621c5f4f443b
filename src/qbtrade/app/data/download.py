"""Bars of the past from KIS into the store: asks for what is missing, newest first, and stores what came at once."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, time, timedelta
from typing import Final, TypeVar

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.quotes import DailyBar
from qbtrade.adapters.market_store.layout import DAILY, About, Basis, Sheet
from qbtrade.app.data.minutes import day_minutes, today_minutes
from qbtrade.app.data.stored import Stored
from qbtrade.app.preflight.case import UNKNOWN
from qbtrade.app.reach import Reach
from qbtrade.domain.calendar import Calendar, kst_date, kst_ns
from qbtrade.domain.market import Bar
from qbtrade.errors import BrokerError, FileError, NoRowsError
from qbtrade.kernel.clock import sleep
from qbtrade.kernel.loop import StopRequest

T = TypeVar("T")
MINUTES: Final = "1m"
PAGE: Final = 100
"""Days of one answer about daily bars. Source: PROTOCOL 5.8."""
MILLI: Final = 1000
SCARCE: Final = 6 * MILLI
"""Thousandths of calls in a second, below which none can be kept for orders alone."""
PATIENCE: Final = 10
"""Days in a row without a minute, after which KIS is taken to keep nothing older."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be downloaded. kind: `1m` or `1d`. first, last: both included. basis: of daily bars, RAW or ADJUSTED.

    replace: take them in place of all daily bars that are stored with other prices.
    """

    symbols: tuple[str, ...]
    kind: str
    first: date
    last: date
    basis: Basis = Basis.RAW
    replace: bool = False


class Step(msgspec.Struct, frozen=True):
    """How far it is. done: days that were asked for, of `total` that were missing. rows: brought by this step."""

    symbol: str
    day: date
    rows: int
    done: int
    total: int


class Outcome(msgspec.Struct, kw_only=True):
    """What became of one symbol, in trading days but for `closed`.

    there: stored before. stored: now; rows: theirs. absent: KIS has nothing of them. unasked: KIS keeps no minutes so
    old, or paper none but today's. running: today, which is not over. closed: days without a session.
    """

    symbol: str
    there: int = 0
    stored: int = 0
    rows: int = 0
    absent: int = 0
    unasked: int = 0
    running: bool = False
    closed: int = 0
    ahead: int = 0
    problem: str = ""


class StoppedError(Exception):
    """A stop was asked for."""


class NoAnswerError(BrokerError):
    """KIS did not answer a question, or said no. code: KIS's, or ""."""

    def __init__(self, call: str, failed: Failed) -> None:
        super().__init__(
            "KIS does not answer {call}: {cause}", call=call, cause=failed.reason,
            hint="What came is stored; the same command goes on from there",
        )  # fmt: skip
        self.code = failed.code


class Download:
    """One download. on_step: told of each answer. Whatever came before an error or a stop is stored.

    is_trading: whether a session of this key trades meanwhile; where calls are as scarce as on paper, it gets every
    second one of them for itself.
    """

    def __init__(
        self,
        reach: Reach,
        stored: Stored,
        calendar: Calendar,
        stop: StopRequest,
        on_step: Callable[[Step], None],
        *,
        is_trading: Callable[[], bool],
    ) -> None:
        self._is_trading = is_trading
        self._environment, self._clock, self._asker = reach
        self._stored, self._calendar, self._stop, self._on_step = stored, calendar, stop, on_step
        self.source = "emulator" if self._environment.kind is EnvKind.EMULATOR else "kis"

    def run(self, wanted: Wanted) -> Iterator[Outcome]:
        """One outcome per symbol. Raises: BrokerError, FileError, StoppedError."""
        for symbol in wanted.symbols:
            found = Outcome(symbol=symbol)
            try:
                self._one(found, wanted)
            except NoAnswerError as error:
                if error.code not in UNKNOWN:
                    raise
                raise NoRowsError(
                    "KIS does not know {symbol}: {cause}", hint="Check --symbol", symbol=symbol, cause=error.message
                ) from error
            yield found

    def _one(self, found: Outcome, wanted: Wanted) -> None:
        if wanted.kind != DAILY:
            self._minutes(found, self._missing(found, wanted, self._stored.whole_days(wanted.kind, found.symbol)))
        elif wanted.basis is Basis.ADJUSTED:
            self._adjusted_days(found, wanted)
        else:
            self._raw_days(found, wanted)

    def _missing(self, found: Outcome, wanted: Wanted, there: Collection[date]) -> list[date]:
        """Trading days but for those that are there, newest first. Raises: ConfigError."""
        self._calendar.why_closed(wanted.first)  # a day that no calendar covers is named as it was written
        today, missing = kst_date(self._clock.now()), []
        for number in range((wanted.last - wanted.first).days + 1):
            day = wanted.last - timedelta(days=number)
            if not self._calendar.is_trading_day(day):
                found.closed += 1
            elif day > today:
                found.ahead += 1
            elif day in there:
                found.there += 1
            elif day == today and self._runs(day) and (wanted.kind == DAILY or self._clock.now() < self._opened(day)):
                found.running = True
            else:
                missing.append(day)
        return missing

    def _minutes(self, found: Outcome, missing: Sequence[date]) -> None:
        today, empty = kst_date(self._clock.now()), 0
        for number, day in enumerate(missing):
            if empty >= PATIENCE or (day != today and not self._environment.capabilities.past_minutes):
                found.unasked = len(missing) - number
                return
            bars = self._day(found.symbol, day, is_today=day == today)
            if bars:
                about = About(self.source, is_whole=not self._runs(day))
                sheet = self._stored.sheet(MINUTES, found.symbol, day)
                self._stored.add(sheet, map(_row, bars), about)
                found.running = found.running or not about.is_whole
            found.stored, found.absent = found.stored + bool(bars), found.absent + (not bars)
            found.rows += len(bars)
            empty = 0 if bars else empty + 1
            self._on_step(Step(found.symbol, day, len(bars), number + 1, len(missing)))

    def _day(self, symbol: str, day: date, *, is_today: bool) -> list[Bar]:
        """The closed minutes of a day in which something traded, in order."""
        now, session = self._clock.now(), self._calendar.trading_day(day)
        if is_today:
            batches = today_minutes(self._fetch, self._environment, symbol, now, session.open)
        else:
            batches = day_minutes(self._fetch, self._environment, symbol, day, session.open)
        end = max(session.close + 1, session.spans[-1].end)
        bars = {
            bar.start: bar
            for batch in batches for bar in batch
            if bar.volume and bar.ts <= now and session.open <= bar.start < end
        }  # fmt: skip
        return [bars[start] for start in sorted(bars)]

    def _raw_days(self, found: Outcome, wanted: Wanted) -> None:
        """What is missing, page by page."""
        sheet = self._stored.sheet(DAILY, found.symbol)
        before, is_anew = self._beside(sheet, wanted)
        missing = self._missing(found, wanted, set() if is_anew else self._stored.whole_days(DAILY, found.symbol))
        for kept in self._pages(found, missing, is_adjusted=False):
            if kept:
                source = ", ".join(dict.fromkeys([*(before.source.split(", ") if before else []), self.source]))
                self._stored.add(sheet, kept, About(source, Basis.RAW), anew=is_anew)
                is_anew = False
            found.stored, found.rows = found.stored + len(kept), found.rows + len(kept)

    def _adjusted_days(self, found: Outcome, wanted: Wanted) -> None:
        """All days, and those that are stored again: a corporate action since then has changed every one of them."""
        sheet = self._stored.sheet(DAILY, found.symbol)
        before, _is_anew = self._beside(sheet, wanted)
        known = {row[0]: row for row in self._stored.rows(sheet)} if before else {}
        days = [kst_date(start) for start in known]
        whole = msgspec.structs.replace(
            wanted, first=min([wanted.first, *days]), last=max([wanted.last, *days])
        )  # fmt: skip
        pages = self._pages(found, self._missing(found, whole, set()), is_adjusted=True)
        rows = [row for kept in pages for row in kept]
        if rows:
            self._stored.add(sheet, rows, About(self.source, Basis.ADJUSTED), anew=True)
        found.there = sum(1 for row in rows if known.get(row[0]) == row)
        found.stored = found.rows = len(rows) - found.there

    def _beside(self, sheet: Sheet, wanted: Wanted) -> tuple[About | None, bool]:
        """What a file is, None where new bars take its place, and whether they do. Raises: FileError for a mixture."""
        before = self._stored.about(sheet)
        if before is None or before.basis is wanted.basis:
            return before, False
        if not wanted.replace:
            raise FileError(
                "{symbol} {kind} is stored with {stored} prices, and these are {said}", symbol=sheet.symbol,
                kind=sheet.kind, stored=before.basis, said=wanted.basis,
                hint="--replace takes these instead of all that is stored",
            )  # fmt: skip
        return None, True

    def _pages(self, found: Outcome, missing: Sequence[date], *, is_adjusted: bool) -> Iterator[list[tuple[int, ...]]]:
        """The rows of these days, newest first, as many as one answer holds at a time."""
        rest = list(missing)
        while rest:
            last = rest[0]
            oldest = self._back(last, PAGE - 1)
            asked = [day for day in rest if day >= oldest]
            call = calls.daily_bars(self._environment, found.symbol, asked[-1], last, adjusted=is_adjusted)
            kept = [_daily_row(bar) for bar in self._fetch(call) if bar.day in asked and bar.close]
            rest = rest[len(asked) :]
            found.absent += len(asked) - len(kept)
            if not kept and len(asked) == PAGE:
                found.absent, rest = found.absent + len(rest), []  # it was not listed yet
            yield kept
            self._on_step(Step(found.symbol, asked[-1], len(kept), len(missing) - len(rest), len(missing)))

    def _back(self, day: date, count: int) -> date:
        for _ in range(count):
            if day <= self._calendar.first + timedelta(days=PAGE):
                return self._calendar.first
            day = self._calendar.previous_day(day)
        return day

    def _runs(self, day: date) -> bool:
        """True until the last phase of the day is over."""
        session = self._calendar.trading_day(day)
        return self._clock.now() < max(session.close, session.spans[-1].end)

    def _opened(self, day: date) -> int:
        return self._calendar.trading_day(day).open

    def _fetch(self, call: Call[T]) -> T:
        """Ask and wait. Raises: NoAnswerError, StoppedError."""
        if self._stop.asked:
            raise StoppedError
        answer = self._asker.ask(call)
        rate = self._environment.limits.calls_per_second_milli
        if rate < SCARCE and self._is_trading():
            sleep(MILLI / rate)
        if isinstance(answer, Failed):
            raise NoAnswerError(call.name, answer)
        return answer


def _row(bar: Bar) -> tuple[int, ...]:
    return bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume


def _daily_row(bar: DailyBar) -> tuple[int, ...]:
    """A day without trades has no open: it stands at its close, without volume."""
    first, high, low = (bar.open, bar.high, bar.low) if bar.open else (bar.close,) * 3
    return kst_ns(bar.day, time()), first, high, low, bar.close, bar.volume

"""Trading days and phases of KRX, and KST dates and times as UTC nanoseconds."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Final, Literal

import msgspec

from qbtrade.errors import ConfigError, UsageError

NS: Final = 10**9
MINUTE: Final = 60 * NS
DAY: Final = 86_400 * NS
KST: Final = timezone(timedelta(hours=9))

_OFFSET: Final = 9 * 60 * MINUTE
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_SATURDAY: Final = 5
_SHORTEST_NS: Final = 18  # digits: from 1973 on
_BEYOND: Final = 2**63
_FRACTION: Final = re.compile(r"(.+[T ]\d\d:?\d\d:?\d\d)\.([0-9]{1,9})(.*)")


class Phase(StrEnum):
    """What the venue does at a moment."""

    CLOSED = "CLOSED"
    OPENING_AUCTION = "OPENING_AUCTION"
    CONTINUOUS = "CONTINUOUS"
    CLOSING_AUCTION = "CLOSING_AUCTION"
    AFTER_MARKET = "AFTER_MARKET"


class DayKind(StrEnum):
    """Which hours a trading day keeps."""

    NORMAL = "NORMAL"
    FIRST_OF_YEAR = "FIRST_OF_YEAR"
    COLLEGE_EXAM = "COLLEGE_EXAM"


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule and the days on which it holds, both ends included. sure: how far the source can be trusted."""

    since: date = msgspec.field(name="from")
    until: date | None = msgspec.field(name="to", default=None)
    source: str
    sure: Literal["high", "medium", "unverified"] = "high"
    note: str = ""

    def holds_on(self, day: date) -> bool:
        """True when the row is in force that day."""
        return self.since <= day and (self.until is None or day <= self.until)


class PhaseHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One phase in KST, half open."""

    phase: Phase
    start: time
    end: time


class HoursRow(Row, frozen=True, kw_only=True):
    """The hours of one kind of day."""

    kind: DayKind
    phases: tuple[PhaseHours, ...]


class YearRow(Row, frozen=True, kw_only=True):
    """The days of one year that are not plain weekdays. closed: why, by date; late: days with other hours."""

    closed: dict[date, str]
    late: dict[date, DayKind]


class Span(msgspec.Struct, frozen=True):
    """One phase, half open, UTC ns."""

    phase: Phase
    start: int
    end: int


class TradingDay(msgspec.Struct, frozen=True):
    """One session. open: start of the continuous phase; close: end of the closing auction; all UTC ns."""

    day: date
    spans: tuple[Span, ...]
    open: int
    continuous_end: int
    close: int


class Calendar:
    """Which days trade, and when. Source: the dated rows that it is made of."""

    def __init__(self, years: Iterable[YearRow], hours: Iterable[HoursRow]) -> None:
        self.years = tuple(years)
        self.hours = tuple(hours)
        self.first = self.years[0].since
        self.last = self.years[-1].until or self.years[-1].since
        self._closed: Mapping[date, str] = {day: why for year in self.years for day, why in year.closed.items()}
        self._late: Mapping[date, DayKind] = {day: kind for year in self.years for day, kind in year.late.items()}
        self._days: dict[date, TradingDay] = {}
        self._span = Span(Phase.CLOSED, 0, 0)  # where the last question fell

    def why_closed(self, day: date) -> str:
        """Name of the holiday, "Saturday", "Sunday", or "" for a trading day. Raises: ConfigError when not covered."""
        if not self.first <= day <= self.last:
            raise ConfigError(
                "no trading calendar for {day}",
                hint="The shipped calendar covers {first} to {last}",
                day=day, first=self.first, last=self.last,
            )  # fmt: skip
        if day in self._closed:
            return self._closed[day]
        weekday = day.weekday()
        return "" if weekday < _SATURDAY else ("Saturday", "Sunday")[weekday - _SATURDAY]

    def is_trading_day(self, day: date) -> bool:
        """True when KRX trades that day. Raises: ConfigError when not covered."""
        return not self.why_closed(day)

    def hours_row(self, day: date) -> HoursRow:
        """The row that gives a trading day its hours."""
        kind = self._late.get(day, DayKind.NORMAL)
        for row in self.hours:
            if row.kind is kind and row.holds_on(day):
                return row
        raise ConfigError("no {kind} hours for {day}", kind=kind, day=day)

    def trading_day(self, day: date) -> TradingDay:
        """The session of a day. Raises: ConfigError when the venue is closed or the day is not covered."""
        if day not in self._days:
            why = self.why_closed(day)
            if why:
                raise ConfigError(
                    "KRX does not trade on {day} ({why})",
                    hint="The next session is {following}",
                    day=day, why=why, following=self.next_day(day),
                )  # fmt: skip
            self._days[day] = self._make(day)
        return self._days[day]

    def next_day(self, day: date, n: int = 1) -> date:
        """The n-th trading day after `day`. Raises: ConfigError when not covered."""
        return self._walk(day, n, timedelta(days=1))

    def previous_day(self, day: date, n: int = 1) -> date:
        """The n-th trading day before `day`. Raises: ConfigError when not covered."""
        return self._walk(day, n, timedelta(days=-1))

    def settlement_day(self, day: date) -> date:
        """When a trade of `day` settles: two trading days later. Source: KRX settlement, T+2."""
        return self.next_day(day, 2)

    def phase_at(self, ts: int) -> Phase:
        """What the venue does at `ts` (UTC ns). Raises: ConfigError when not covered."""
        if self._span.start <= ts < self._span.end:
            return self._span.phase
        day = kst_date(ts)
        for span in self.trading_day(day).spans if self.is_trading_day(day) else ():
            if span.start <= ts < span.end:
                self._span = span
                return span.phase
        return Phase.CLOSED

    def _walk(self, day: date, n: int, stride: timedelta) -> date:
        for _ in range(n):
            day += stride
            while not self.is_trading_day(day):
                day += stride
        return day

    def _make(self, day: date) -> TradingDay:
        phases = self.hours_row(day).phases
        spans = tuple(Span(row.phase, kst_ns(day, row.start), kst_ns(day, row.end)) for row in phases)
        by_phase = {span.phase: span for span in spans}
        continuous = by_phase[Phase.CONTINUOUS]
        return TradingDay(day, spans, continuous.start, continuous.end, by_phase[Phase.CLOSING_AUCTION].end)


def kst_date(ts: int) -> date:
    """The KST date of a UTC ns time."""
    return date.fromordinal((ts + _OFFSET) // DAY + _EPOCH_DAY)


def kst_ns(day: date, at: time) -> int:
    """UTC ns of a KST date and time of day."""
    seconds = at.hour * 3600 + at.minute * 60 + at.second
    return (day.toordinal() - _EPOCH_DAY) * DAY - _OFFSET + seconds * NS + at.microsecond * 1000


def iso_kst(ts: int) -> str:
    """ISO 8601 in KST; a fraction only when it is not zero."""
    seconds, fraction = divmod(ts, NS)
    text = datetime.fromtimestamp(seconds, KST).isoformat()
    if not fraction:
        return text
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text[:19]}.{digits}{text[19:]}"


def parse_ts(text: str) -> int:
    """UTC ns of ISO 8601 text (no zone: KST; date alone: that KST midnight) or of integer UTC ns. Raises: UsageError.

    A number of less than 18 digits is refused: it would be seconds or milliseconds.
    """
    try:
        ts = _ns(text.strip())
    except ValueError:
        ts = -1
    if not 0 <= ts < _BEYOND:
        raise UsageError("{text!r} is not a time", hint="Write 2020-02-18T09:00:00 (KST) or UTC nanoseconds", text=text)
    return ts


def _ns(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) != len("20200218"):
        return int(text) if len(text) >= _SHORTEST_NS else -1
    fraction = 0
    if "." in text:
        parts = _FRACTION.fullmatch(text)
        if parts is None:
            return -1
        text, fraction = parts[1] + parts[3], int(parts[2].ljust(9, "0"))
    moment = datetime.fromisoformat(text)
    passed = (moment if moment.tzinfo else moment.replace(tzinfo=KST)) - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * NS + passed.microseconds * 1000 + fraction

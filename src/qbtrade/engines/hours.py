"""The venue's day: publishes each change of phase at its time."""

from datetime import date

from qbtrade.domain.calendar import Calendar, Phase, TradingDay, kst_date
from qbtrade.domain.events import PhaseChanged
from qbtrade.ports import Clock, Publisher


class Hours:
    """Walks the calendar from now on, one timer ahead."""

    def __init__(self, bus: Publisher, clock: Clock, calendar: Calendar) -> None:
        self._bus, self._clock, self._calendar = bus, clock, calendar

    def start(self) -> None:
        """Publish the phase of this moment, then every change after it."""
        now = self._clock.now()
        today = kst_date(now)
        day = today if self._calendar.is_trading_day(today) else self._calendar.next_day(today)
        self._bus.publish(PhaseChanged(now, self._calendar.phase_at(now), day.isoformat()))
        self._plan(self._calendar.trading_day(day), now)

    def _plan(self, day: TradingDay, after: int) -> None:
        """Set the alarms of one day, and one that plans the next day when this one is over."""
        changes: dict[int, Phase] = {}
        for span in day.spans:
            changes[span.start] = span.phase
            changes.setdefault(span.end, Phase.CLOSED)
        for span in day.spans:
            changes[span.start] = span.phase
        for ts in sorted(changes):
            if ts > after:
                self._at(ts, changes[ts], day.day)
        last = max(changes)
        self._clock.call_at(last, lambda due: self._next_day(day.day, due))

    def _at(self, ts: int, phase: Phase, day: date) -> None:
        self._clock.call_at(ts, lambda due: self._bus.publish(PhaseChanged(due, phase, day.isoformat())))

    def _next_day(self, day: date, due: int) -> None:
        if day < self._calendar.last:
            self._plan(self._calendar.trading_day(self._calendar.next_day(day)), due)

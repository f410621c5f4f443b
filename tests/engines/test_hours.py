"""The venue's day is published phase by phase."""

from datetime import date

from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import PhaseChanged
from qbtrade.domain.message import Event
from qbtrade.engines.hours import Hours
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import at

CALENDAR = load_rules().calendar
P = Phase


def phases(start: int, until: int) -> list[tuple[int, Phase, str]]:
    bus, clock, seen = Bus(), SimClock(start), list[Event]()
    bus.subscribe(PhaseChanged, seen.append)
    Hours(bus, clock, CALENDAR).start()
    clock.advance(until)
    return [(e.ts, e.phase, e.day) for e in seen if isinstance(e, PhaseChanged)]


def test_a_plain_day_after_the_reform_has_an_after_market() -> None:
    day = date(2026, 11, 20)
    assert phases(at("08:00", day), at("21:00", day)) == [
        (at("08:00", day), P.CLOSED, "2026-11-20"),
        (at("08:30", day), P.OPENING_AUCTION, "2026-11-20"),
        (at("09:00", day), P.CONTINUOUS, "2026-11-20"),
        (at("15:20", day), P.CLOSING_AUCTION, "2026-11-20"),
        (at("15:30", day), P.CLOSED, "2026-11-20"),
        (at("16:00", day), P.AFTER_MARKET, "2026-11-20"),
        (at("20:00", day), P.CLOSED, "2026-11-20"),
    ]


def test_a_weekend_is_skipped_and_a_late_day_opens_late() -> None:
    changes = phases(at("12:00", date(2019, 12, 28)), at("23:00", date(2020, 1, 2)))
    assert changes[0] == (at("12:00", date(2019, 12, 28)), P.CLOSED, "2019-12-30")
    assert (at("10:00", date(2020, 1, 2)), P.CONTINUOUS, "2020-01-02") in changes
    assert not [c for c in changes if c[2] == "2019-12-31"]


def test_a_start_in_the_middle_of_a_phase_says_that_phase_first() -> None:
    assert phases(at("10:00"), at("10:01")) == [(at("10:00"), P.CONTINUOUS, "2026-11-20")]


def test_the_walk_ends_with_the_calendar() -> None:
    last = CALENDAR.previous_day(CALENDAR.last) if not CALENDAR.is_trading_day(CALENDAR.last) else CALENDAR.last
    assert phases(at("08:00", last), at("23:00", CALENDAR.last))[-1][1] is P.CLOSED

"""How long unconfirmed orders take to their number, while somebody could see them at the broker."""

from datetime import date

from qbtrade.adapters.emulator.orders import Entry, Ticket
from qbtrade.app.chaos.resolved import Sight, Span, figures, resolved
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import Leftover, OrderAccepted, OrderResolved, OrderUnconfirmed, SessionStarted
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from tests.builders import SAMSUNG, an_order


def waits(*rows: Event, taken_at: int = 0, sight: Sight | None = None) -> tuple[int, ...]:
    entry = Entry(7, Ticket(SAMSUNG, Side.BUY, "00", 5, 75_000), taken_at * NS, date(2026, 11, 20), 75_000)
    return tuple(wait // NS for wait in resolved([rows], [entry], sight or Sight()))


def span(begins: int, ends: int) -> Span:
    return begins * NS, ends * NS


def unknown(second: int) -> OrderUnconfirmed:
    return OrderUnconfirmed(second * NS, "Q1", "lost")


def number(second: int) -> OrderAccepted:
    return OrderAccepted(second * NS, "Q1", "7")


def test_time_runs_from_when_nothing_was_known_of_an_order_that_the_broker_had() -> None:
    assert waits(unknown(10), number(13)) == (3,)


def test_time_runs_from_when_the_broker_took_an_order_late() -> None:
    assert waits(unknown(10), number(33), taken_at=30) == (3,)


def test_no_time_counts_in_which_the_machine_sleeps_or_kis_tells_nothing() -> None:
    sight = Sight(asleep=[span(12, 15), span(30, 99)], dark=[span(5, 11), span(14, 20)])
    assert waits(unknown(10), number(33), sight=sight) == (33 - 10 - 1 - 8 - 3,)


def test_an_order_of_which_a_notice_came_could_be_seen_though_kis_told_no_lists() -> None:
    sight = Sight(dark=[span(5, 30)], noticed={"7": 14 * NS})
    assert waits(unknown(10), number(33), sight=sight) == (33 - 14,)


def test_of_an_order_that_a_process_left_time_runs_from_the_birth_of_the_next_one() -> None:
    started = SessionStarted(
        ts=9 * NS, session_id="s", run_id="0001", version="0", mode="paper", symbols=(SAMSUNG,), strategy="x",
        parameters={}, seed=0, source="", interval=1, limits={}, account="account", cash=0, day_start=0,
        leftovers=(Leftover("Q1", an_order("Q1"), 5 * NS),),
    )  # fmt: skip
    assert waits(started, unknown(10), number(33), sight=Sight(born={"0001": 8 * NS})) == (25,)


def test_an_order_that_was_never_unconfirmed_or_that_qb_never_found_is_not_measured() -> None:
    named = OrderResolved(70 * NS, "Q1", "7", "seen in the app", "")
    assert (waits(number(3)), waits(unknown(3)), waits(unknown(3), named, number(70))) == ((), (), ())


def test_figures_are_the_median_the_99th_percentile_and_the_longest() -> None:
    found = figures(second * NS for second in range(100, 0, -1))
    assert found == {
        "orders": 100,
        "p50_ms": 50_000,
        "p99_ms": 99_000,
        "most_ms": 100_000,
    }
    assert figures([]) == {"orders": 0}

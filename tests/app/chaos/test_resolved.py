"""How long unconfirmed orders take: from the broker's acceptance, or from the healing, to their number."""

from datetime import date

from qbtrade.adapters.emulator.orders import Entry, Ticket
from qbtrade.app.chaos.resolved import figures, resolved
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import OrderAccepted, OrderUnconfirmed
from qbtrade.domain.message import Event
from qbtrade.domain.order import Side
from tests.builders import SAMSUNG

NEVER = 10**18


def waits(*rows: Event, taken_at: int = 0, healed_at: int = NEVER) -> tuple[int, ...]:
    entry = Entry(7, Ticket(SAMSUNG, Side.BUY, "00", 5, 75_000), taken_at * NS, date(2026, 11, 20), 75_000)
    return tuple(wait // NS for wait in resolved([rows], [entry], [healed_at]))


def unknown(second: int) -> OrderUnconfirmed:
    return OrderUnconfirmed(second * NS, "Q1", "lost")


def number(second: int) -> OrderAccepted:
    return OrderAccepted(second * NS, "Q1", "7")


def test_time_runs_from_when_nothing_was_known_of_an_order_that_the_broker_had() -> None:
    assert waits(unknown(10), number(13)) == (3,)


def test_time_runs_from_when_the_broker_took_an_order_late() -> None:
    assert waits(unknown(10), number(33), taken_at=30) == (3,)


def test_of_one_that_was_found_after_the_healing_only_the_time_since_counts() -> None:
    assert waits(unknown(10), number(33), healed_at=25 * NS) == (8,)
    assert waits(unknown(10), number(20), healed_at=25 * NS) == (10,)


def test_an_order_that_was_never_unconfirmed_or_never_found_is_not_measured() -> None:
    assert (waits(number(3)), waits(unknown(3))) == ((), ())


def test_figures_are_the_median_the_99th_percentile_and_the_longest() -> None:
    found = figures(second * NS for second in range(100, 0, -1))
    assert found == {
        "orders": 100,
        "p50_ms": 50_000,
        "p99_ms": 99_000,
        "most_ms": 100_000,
    }
    assert figures([]) == {"orders": 0}

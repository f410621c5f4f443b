"""Rules about how often: entries a day, orders a minute, the same order twice."""

import pytest

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import PhaseChanged
from qbtrade.domain.order import OrderRequest, OrderStatus, Purpose, Side
from tests.builders import MINUTE, SAMSUNG, SECOND, a_trade, an_order
from tests.engines.bench import HYNIX, Bench


def sells(bench: Bench, qty: int = 100) -> None:
    """Let the bench hold shares to sell."""
    bench.positions.hold(SAMSUNG, qty, 75_000)


def pass_time(bench: Bench, ns: int) -> None:
    """Move on, with a fresh trade."""
    bench.clock.advance(bench.clock.now() + ns)
    bench.market.show(a_trade(ts=bench.clock.now()))


def test_so_many_entries_are_approved_a_day() -> None:
    bench = Bench(max_entries=2)
    assert bench.check(an_order("Q1"), "entries-per-day") == (2, 1, 1, "orders", True)
    assert bench.check(an_order("Q2"), "entries-per-day") == (2, 2, 0, "orders", True)
    assert bench.check(an_order("Q3"), "entries-per-day") == (2, 3, -1, "orders", False)
    assert ("entries-per-day", 2, 2, "orders") in bench.gate.limits_in_use()


def test_denied_entries_and_sells_do_not_count_as_entries() -> None:
    bench = Bench(max_entries=1)
    sells(bench)
    bench.submit(an_order("Q1", qty=0))
    bench.submit(an_order("Q2", side=Side.SELL, purpose=Purpose.EXIT))
    assert bench.check(an_order("Q3"), "entries-per-day") == (1, 1, 0, "orders", True)


def test_an_entry_counts_whatever_became_of_it() -> None:
    bench = Bench(max_entries=1)
    bench.submit(an_order("Q1"))
    bench.orders.place(an_order("Q1"), OrderStatus.REJECTED)
    assert bench.check(an_order("Q2"), "entries-per-day") == (1, 2, -1, "orders", False)


def test_entries_are_counted_anew_on_the_next_day_but_not_in_the_next_phase() -> None:
    bench = Bench(max_entries=1)
    bench.publish(PhaseChanged(0, Phase.OPENING_AUCTION, "2026-11-20"))
    bench.submit(an_order("Q1"))
    bench.publish(PhaseChanged(0, Phase.CONTINUOUS, "2026-11-20"))
    assert bench.check(an_order("Q2"), "entries-per-day") == (1, 2, -1, "orders", False)
    bench.publish(PhaseChanged(0, Phase.OPENING_AUCTION, "2026-11-23"))
    assert bench.check(an_order("Q3"), "entries-per-day") == (1, 1, 0, "orders", True)


def test_so_many_orders_are_approved_in_any_minute() -> None:
    bench = Bench(orders_per_minute=2)
    assert bench.check(an_order("Q1"), "order-rate") == (2, 1, 1, "orders", True)
    pass_time(bench, SECOND)
    assert bench.check(an_order("Q2"), "order-rate") == (2, 2, 0, "orders", True)
    assert bench.check(an_order("Q3"), "order-rate") == (2, 3, -1, "orders", False)
    pass_time(bench, MINUTE - SECOND - 1)
    assert bench.check(an_order("Q4"), "order-rate") == (2, 3, -1, "orders", False)
    assert ("order-rate", 2, 2, "orders") in bench.gate.limits_in_use()
    pass_time(bench, 1)
    assert ("order-rate", 1, 2, "orders") in bench.gate.limits_in_use()
    assert bench.check(an_order("Q5"), "order-rate") == (2, 2, 0, "orders", True)


@pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.PROTECT, Purpose.FLATTEN])
def test_sells_are_never_held_up_by_the_rate_but_count_in_it(purpose: Purpose) -> None:
    bench = Bench(orders_per_minute=1)
    sells(bench)
    assert bench.check(an_order("Q1", side=Side.SELL, purpose=purpose), "order-rate") is None
    assert bench.check(an_order("Q2", side=Side.SELL, purpose=purpose, qty=2), "order-rate") is None
    assert bench.check(an_order("Q3"), "order-rate") == (1, 3, -2, "orders", False)


def test_the_same_order_is_not_approved_twice_within_the_window() -> None:
    bench = Bench(duplicate_window=SECOND)
    assert bench.check(an_order("Q1"), "duplicate") == (0, 0, 0, "orders", True)
    pass_time(bench, SECOND - 1)
    assert bench.check(an_order("Q2"), "duplicate") == (0, 1, -1, "orders", False)
    pass_time(bench, 1)
    assert bench.check(an_order("Q3"), "duplicate") == (0, 0, 0, "orders", True)


@pytest.mark.parametrize(
    "other",
    [
        an_order("Q2", symbol=HYNIX),
        an_order("Q2", side=Side.SELL, purpose=Purpose.EXIT),
        an_order("Q2", price=75_100),
        an_order("Q2", qty=2),
    ],
)
def test_an_order_that_differs_is_no_duplicate(other: OrderRequest) -> None:
    bench = Bench(duplicate_window=SECOND)
    sells(bench)
    bench.submit(an_order("Q1"))
    assert bench.check(other, "duplicate") == (0, 0, 0, "orders", True)


@pytest.mark.parametrize("fate", [OrderStatus.REJECTED, OrderStatus.NOT_SENT])
def test_a_refused_order_may_be_tried_again(fate: OrderStatus) -> None:
    bench = Bench(duplicate_window=SECOND)
    bench.submit(an_order("Q1"))
    bench.orders.place(an_order("Q1"), fate)
    assert bench.check(an_order("Q2"), "duplicate") == (0, 0, 0, "orders", True)


@pytest.mark.parametrize("fate", [OrderStatus.WORKING, OrderStatus.FILLED, OrderStatus.CANCELED])
def test_a_sent_order_has_no_twin_whatever_became_of_it(fate: OrderStatus) -> None:
    bench = Bench(duplicate_window=SECOND)
    bench.submit(an_order("Q1"))
    bench.orders.place(an_order("Q1"), fate)
    assert bench.check(an_order("Q2"), "duplicate") == (0, 1, -1, "orders", False)


def test_an_exit_has_no_twin_and_a_protective_sell_may_have_one() -> None:
    bench = Bench(duplicate_window=SECOND)
    sells(bench)
    bench.submit(an_order("Q1", side=Side.SELL, purpose=Purpose.EXIT))
    assert bench.check(an_order("Q2", side=Side.SELL, purpose=Purpose.EXIT), "duplicate") == (0, 1, -1, "orders", False)
    assert bench.check(an_order("Q3", side=Side.SELL, purpose=Purpose.PROTECT), "duplicate") is None

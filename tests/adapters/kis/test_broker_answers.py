"""What a person says of an order whose answer was lost, and what speaks against it."""

from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.events import Stage
from qbtrade.adapters.kis.parse.orders import Sender
from qbtrade.domain import events as ev
from qbtrade.domain.order import OrderStatus
from tests.adapters.kis.order_rig import LOST, OrderRig, taken
from tests.builders import an_order

S = OrderStatus


def lost() -> OrderRig:
    """Five shares of which nobody knows."""
    rig = OrderRig()
    rig.submit(an_order("Q1", qty=5), LOST)
    return rig


def says(number: str = "", *, aside: tuple[str, ...] = (), order_id: str = "Q1") -> Answer:
    return Answer("run", order_id, number, "06010", aside, "seen in the app", "1 order at KIS", 1)


def resolved(rig: OrderRig) -> list[ev.OrderResolved]:
    return [event for event in rig.heard if isinstance(event, ev.OrderResolved)]


def test_the_number_that_a_person_names_is_the_orders_own_and_rows_tell_the_rest() -> None:
    rig = lost()
    rig.rows += [rig.row(number, 5, open_qty=5) for number in "78"]
    rig.wait(10)
    assert (rig.status(), rig.broker.resolve(says("8"))) == (S.UNCONFIRMED, "")
    rig.rows[1] = rig.row("8", 5, filled_qty=5, filled_amount=375_000)
    rig.wait(10)
    assert (rig.status(), rig.holding()) == (S.FILLED, 5)
    assert [(event.number, event.reason) for event in resolved(rig)] == [("8", "seen in the app")]


def test_the_number_of_another_order_of_ours_is_refused() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q0", qty=6), taken("7"))
    rig.submit(an_order("Q1", qty=5), LOST)
    assert rig.broker.resolve(says("7")) == "number 7 is that of another order of qb"
    rig.broker.begin(rig.history(), rig.accounted(), frozenset({"9"}))
    assert rig.broker.resolve(says("9")) == "number 9 is that of another order of qb"
    assert (rig.status(), resolved(rig)) == (S.UNCONFIRMED, [])


def test_an_order_of_which_a_person_says_that_it_is_gone_counts_no_more_and_frees_symbol_and_side() -> None:
    rig = lost()
    rig.wait(5)
    assert rig.broker.resolve(says()) == ""
    assert (rig.status(), rig.engines.orders.buying()) == (S.ABANDONED, 0)
    rig.trade(75_000)
    rig.submit(an_order("Q2", qty=5), taken("1"))
    assert rig.status("Q2") is S.WORKING
    assert rig.broker.resolve(says()) == ""  # asked twice, it is the same answer


def test_one_that_was_given_up_is_freed_in_the_same_way() -> None:
    rig = lost()
    rig.wait(70)
    assert (rig.status(), rig.engines.orders.buying()) == (S.ABANDONED, 375_000)
    assert rig.broker.resolve(says()) == ""
    assert (rig.engines.orders.buying(), len(resolved(rig))) == (0, 1)


def test_a_gone_order_that_turns_up_after_all_is_ours_and_is_canceled() -> None:
    rig = lost()
    rig.broker.resolve(says())
    rig.notice("9", Stage.FILLED, 2, order_qty=5)
    rig.rows.append(rig.row("9", 5, filled_qty=2, filled_amount=150_000, open_qty=3))
    rig.wait(1)
    assert (rig.status(), rig.holding()) == (S.CANCELING, 2)


def test_an_order_is_not_gone_while_one_at_the_broker_looks_like_it() -> None:
    rig = OrderRig()
    old = rig.row("7", 5, open_qty=5)
    rig.wait(60)
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.rows.append(old)
    rig.wait(10)
    assert rig.broker.resolve(says()) == "order 7 at the broker looks like it"
    assert rig.broker.resolve(says(aside=("7",))) == ""
    rig.wait(60)
    assert (rig.status(), rig.holding()) == (S.ABANDONED, 0)


def test_an_order_made_by_hand_that_a_person_set_aside_is_not_asked_about_again() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q0", qty=6), taken("1"))
    rig.rows.append(rig.row("1", 6, open_qty=6, sender=Sender("API")))
    rig.wait(10)
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.rows.append(rig.row("7", 5, filled_qty=5, filled_amount=375_000, sender=Sender("HTS")))
    rig.wait(10)
    assert rig.broker.resolve(says(aside=("7",))) == ""
    rig.wait(60)
    assert (rig.status(), rig.holding(), rig.alarms()) == (S.ABANDONED, 0, ["perhaps-by-hand"])


def test_of_an_order_that_is_known_nothing_is_asked() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q1", qty=5), taken("7"))
    assert rig.broker.resolve(says()) == "nothing about it is unknown"
    assert rig.broker.resolve(says(order_id="Q9")) == "nothing about it is unknown"


def test_an_order_of_which_a_notice_told_before_the_next_one_left_is_not_that_one() -> None:
    rig = lost()
    rig.wait(5)
    rig.notice("7", Stage.REJECTED, 6)
    rig.fails = "HTTP 500"
    assert rig.broker.resolve(says()) == ""
    rig.wait(2)
    rig.trade(75_000)
    rig.submit(an_order("Q2", qty=6), LOST)
    rig.wait(60)
    assert rig.status("Q2") is S.UNCONFIRMED

"""Orders whose answer was lost: whose number is whose, and when to stop looking."""

import msgspec
import pytest

from qbtrade.adapters.kis.events import Stage
from qbtrade.adapters.kis.parse.orders import Sender, UnreadRow
from qbtrade.adapters.kis.search import whether_by_hand
from qbtrade.adapters.kis.sent import EARLIER
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.preflight.machine import SKEW_TOO_LARGE
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import NS
from qbtrade.domain.order import OrderRequest, OrderStatus, Purpose, Side
from tests.adapters.kis.order_rig import HYNIX, LOST, OrderRig, live_order, taken
from tests.builders import SAMSUNG, an_order

S = OrderStatus
MINUTE = 60


def given_up(order_id: str = "Q1") -> OrderRig:
    """An order of five shares was lost, and given up after a minute of complete looks."""
    rig = OrderRig()
    rig.submit(an_order(order_id, qty=5), LOST)
    rig.wait(MINUTE + 10)
    assert rig.status(order_id) is S.ABANDONED
    return rig


def held_twice() -> OrderRig:
    """Ten shares held; a protective sell was lost and given up, and one like it awaits its answer."""
    rig = OrderRig()
    rig.submit(an_order("Q1", qty=10), taken("1"))
    rig.notice("1", Stage.FILLED, 10, order_qty=10)
    rig.rows.append(rig.row("1", 10, filled_qty=10, filled_amount=750_000))
    rig.submit(a_sell("Q2"), LOST)
    rig.wait(MINUTE + 10)
    assert rig.status("Q2") is S.ABANDONED
    rig.trade(75_000)
    rig.submit(a_sell("Q3"))
    assert len(rig.sent) == 1
    return rig


def a_sell(order_id: str) -> OrderRequest:
    return an_order(order_id, qty=5, side=Side.SELL, purpose=Purpose.PROTECT)


def test_the_notice_of_an_order_that_awaits_its_answer_is_not_given_to_its_lost_predecessor() -> None:
    rig = held_twice()
    rig.notice("77", Stage.ACCEPTED, 5, side=Side.SELL)
    rig.notice("77", Stage.FILLED, 5, order_qty=5, side=Side.SELL)
    assert rig.status("Q2") is S.ABANDONED
    rig.answer(taken("77"))
    rig.rows.append(rig.row("77", 5, side=Side.SELL, filled_qty=5, filled_amount=375_000))
    rig.wait(30)
    assert (rig.status("Q2"), rig.status("Q3"), rig.holding()) == (S.ABANDONED, S.FILLED, 5)


def test_rows_are_not_given_away_either_while_an_answer_is_due() -> None:
    rig = held_twice()
    rig.rows.append(rig.row("77", 5, side=Side.SELL, filled_qty=5, filled_amount=375_000))
    rig.wait(20)
    assert (rig.status("Q2"), rig.holding()) == (S.ABANDONED, 10)
    rig.answer(taken("77"))
    rig.wait(10)
    assert (rig.status("Q2"), rig.status("Q3"), rig.holding()) == (S.ABANDONED, S.FILLED, 5)


def test_when_the_answer_is_a_refusal_what_was_kept_is_the_lost_orders() -> None:
    rig = held_twice()
    rig.notice("77", Stage.FILLED, 5, order_qty=5, side=Side.SELL)
    rig.answer(LOST)
    rig.wait(20)
    assert rig.holding() == 5
    assert S.FILLED in {rig.status("Q2"), rig.status("Q3")}


def test_what_filled_of_an_order_that_was_given_up_is_booked_also_while_rows_are_missing() -> None:
    rig = given_up()
    rig.totals, rig.held = (5, 5, 375_000), {SAMSUNG: 5}
    rig.wait(30)
    assert (rig.status(), rig.holding()) == (S.FILLED, 5)


def test_a_number_has_one_owner_for_ever() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q1", qty=5), taken("7"))
    rig.submit(an_order("Q2", qty=6), taken("7"))
    assert (rig.status("Q1"), rig.status("Q2")) == (S.WORKING, S.UNCONFIRMED)
    assert rig.alarms() == ["number-taken"]
    rig.notice("7", Stage.FILLED, 5, order_qty=5)
    assert rig.fills() == [("Q1", 5, 75_000)]


def test_an_order_given_up_is_not_sent_again_in_this_session() -> None:
    rig = given_up()
    rig.trade(75_000)
    rig.submit(an_order("Q2", qty=5))
    assert (rig.status("Q2"), rig.sent) == (S.DENIED, [])
    assert rig.engines.orders.buying() == 375_000


def test_an_order_given_up_that_turns_up_is_ours_and_is_canceled() -> None:
    rig = given_up()
    rig.notice("9", Stage.FILLED, 2, order_qty=5)
    rig.rows.append(rig.row("9", 5, filled_qty=2, filled_amount=150_000, open_qty=3))
    rig.wait(1)
    assert (rig.status(), rig.holding()) == (S.CANCELING, 2)
    assert [call.name for call, _ in rig.sent] == ["order-rvsecncl"]


def test_an_order_given_up_is_seen_ten_minutes_later_though_no_notice_tells_of_it() -> None:
    rig = given_up()
    rig.wait(10 * MINUTE)
    rig.rows.append(rig.row("9", 5, filled_qty=2, filled_amount=150_000, open_qty=3))
    rig.wait(15)
    assert (rig.status(), rig.holding()) == (S.CANCELING, 2)


@pytest.mark.parametrize("working", [2, 3])
def test_an_order_with_look_alikes_is_asked_about_and_never_given_up(working: int) -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.rows += [rig.row(str(number), 5, open_qty=5) for number in range(7, 7 + working)]
    rig.wait(20 * MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["which-is-ours"])
    rig.submit(an_order("Q2", qty=5))
    assert rig.status("Q2") is S.DENIED


def test_a_look_alike_in_the_list_of_live_orders_alone_forbids_giving_up_too() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.live += [live_order(rig.row(number, 5, open_qty=5)) for number in "78"]
    rig.wait(5 * MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["which-is-ours"])


def test_a_look_alike_of_any_time_that_nobody_owns_forbids_giving_up() -> None:
    rig = OrderRig()
    old = rig.row("7", 5, open_qty=5)
    rig.wait(MINUTE)
    rig.submit(an_order(qty=5), LOST)
    rig.rows.append(old)
    rig.wait(5 * MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["which-is-ours"])


def test_an_order_that_was_seen_while_none_of_ours_was_missing_is_not_ours() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q1", symbol="000660"), taken("1"))
    rig.rows += [rig.row("1", 1, symbol="000660", open_qty=1), rig.row("7", 5, open_qty=5)]
    rig.wait(10)
    rig.submit(an_order("Q2", qty=5), LOST)
    rig.wait(MINUTE + 10)
    assert (rig.status("Q2"), rig.alarms()) == (S.ABANDONED, [])


@pytest.mark.parametrize("late", [8, 10])
def test_an_order_is_found_though_our_clock_is_ahead_by_as_much_as_preflight_tolerates(late: int) -> None:
    rig = OrderRig()
    early = rig.row("7", 5, open_qty=5)
    rig.wait(late)
    rig.submit(an_order(qty=5), LOST)
    rig.rows.append(early)
    rig.wait(5)
    assert rig.status() is S.WORKING
    assert EARLIER >= SKEW_TOO_LARGE + NS


def test_a_row_that_cannot_be_read_blinds_no_look_at_our_own() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), taken("7"))
    rig.rows.append(rig.row("7", 5, filled_qty=5, filled_amount=375_000))
    rig.unread.append(UnreadRow("8", "ord_tmd is blank"))
    rig.wait(10)
    assert (rig.status(), rig.alarms()) == (S.FILLED, ["row-unread"])


@pytest.mark.parametrize("number", ["8", ""])
def test_a_row_that_cannot_be_read_may_be_the_order_that_is_looked_for(number: str) -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.unread.append(UnreadRow(number, "ord_tmd is blank"))
    rig.wait(5 * MINUTE)
    assert rig.status() is S.UNCONFIRMED


def test_when_rows_of_our_own_or_whole_answers_cannot_be_read_a_person_is_told() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), taken("7"))
    rig.unread.append(UnreadRow("7", "ord_tmd is blank"))
    rig.wait(60)
    assert (rig.status(), rig.alarms()) == (S.WORKING, ["row-unread", "orders-not-seen"])
    other = OrderRig()
    other.submit(an_order(qty=5), taken("7"))
    other.fails = "HTTP 500"
    other.wait(30 * MINUTE)
    assert other.alarms() == ["orders-not-seen"]
    other.fails = ""
    other.rows.append(other.row("7", 5, open_qty=5))
    other.wait(10)
    other.fails = "HTTP 500"
    other.wait(MINUTE)
    assert other.alarms() == ["orders-not-seen"] * 2


@pytest.mark.parametrize("amount", [0, 5 * 75_000 // 3, 5 * 75_000 * 3])
def test_a_row_whose_amount_cannot_be_is_looked_at_again(amount: int) -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), taken("7"))
    rig.rows.append(rig.row("7", 5, filled_qty=5, filled_amount=amount))
    rig.wait(30)
    assert (rig.fills(), rig.alarms()) == ([], ["orders-not-seen"])
    rig.rows[0] = msgspec.structs.replace(rig.rows[0], filled_amount=374_500)
    rig.wait(10)
    assert (rig.status(), rig.holding(), rig.engines.portfolio.cost(SAMSUNG)) == (S.FILLED, 5, 374_500)


@pytest.mark.parametrize("speaks", ["real", "paper"])
def test_a_leftover_whose_number_is_known_works_is_canceled_and_hears_its_notices(speaks: Dialect) -> None:
    rig = OrderRig(speaks)
    order, now = an_order("L000001", qty=5), rig.clock.now()
    rig.engines.adopt_order(order, now)
    rig.bus.publish(ev.OrderUnconfirmed(now, "L000001", "it has no end"))
    rig.bus.publish(ev.CancelOrder(now, "L000001", "left-over"))
    rig.broker.adopt(ev.Leftover("L000001", order, now - 60 * NS, "7", 3, 225_000), order)
    rig.notice("7", Stage.FILLED, 2, order_qty=8)
    assert (rig.status("L000001"), rig.holding()) == (S.CANCELING, 2)
    assert rig.answer(taken("8")) == "order-rvsecncl"
    rig.confirm_cancel("8", 3, of="7")
    assert rig.status("L000001") is S.CANCELED


@pytest.mark.parametrize(("number", "taken_for_ours"), [("7", False), ("8", False), ("10", True)])
def test_a_leftover_is_no_order_of_the_seconds_before_it_whose_number_was_given_by_then(
    number: str, taken_for_ours: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    rig = OrderRig()
    order, now = an_order("L000001", qty=5), rig.clock.now()
    rig.rows = [rig.row(number, 5, filled_qty=5, filled_amount=375_000)]
    rig.engines.adopt_order(order, now)
    rig.bus.publish(ev.OrderUnconfirmed(now, "L000001", "it has no end"))
    rig.broker.adopt(ev.Leftover("L000001", order, now + 6 * NS, after="8"), order)
    rig.wait(15)
    assert (rig.holding() == 5) is taken_for_ours


OURS, THEIRS = Sender("API", "10.0.0.1"), Sender("HTS", "10.0.0.2")


def known() -> OrderRig:
    """An order that KIS answered, whose row tells how rows of our orders look; then five shares were lost."""
    rig = OrderRig()
    rig.submit(an_order("Q0", symbol=HYNIX), taken("1"))
    rig.rows.append(rig.row("1", 1, symbol=HYNIX, open_qty=1, sender=OURS))
    rig.wait(10)
    rig.submit(an_order("Q1", qty=5), LOST)
    return rig


def test_an_order_made_by_hand_that_looks_like_a_lost_one_is_a_question_and_no_find() -> None:
    rig = known()
    rig.rows.append(rig.row("7", 5, open_qty=5, sender=THEIRS))
    rig.wait(5 * MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


def beside_one_just_answered() -> OrderRig:
    """Five shares were lost, and a row shows them made by hand; another order was answered, and has no row yet."""
    rig = OrderRig()
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.rows.append(rig.row("7", 5, open_qty=5, sender=THEIRS))
    rig.submit(an_order("Q0", symbol=HYNIX), taken("1"))
    rig.wait(5)
    return rig


def test_a_row_waits_for_that_of_an_order_just_answered_which_will_tell_who_makes_ours() -> None:
    rig = beside_one_just_answered()
    assert rig.status() is S.UNCONFIRMED
    rig.rows.append(rig.row("1", 1, symbol=HYNIX, open_qty=1, sender=OURS))
    rig.wait(MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


def test_it_waits_no_longer_where_the_row_of_the_answered_one_does_not_come_or_tells_nothing() -> None:
    for rows in ((), ("1",)):
        rig = beside_one_just_answered()
        rig.rows += [rig.row(number, 1, symbol=HYNIX, open_qty=1) for number in rows]
        rig.wait(3 if rows else 10)
        assert rig.status() is S.WORKING


def test_of_several_orders_made_by_hand_each_is_a_question() -> None:
    rig = known()
    rig.rows += [rig.row(number, 5, open_qty=5, sender=THEIRS) for number in ("7", "8")]
    rig.wait(5 * MINUTE)
    texts = [event.text for event in rig.heard if isinstance(event, ev.Alert)]
    assert (rig.status(), texts) == (S.UNCONFIRMED, [whether_by_hand("7", "Q1"), whether_by_hand("8", "Q1")])


def test_beside_an_order_made_by_hand_the_lost_one_is_found() -> None:
    rig = known()
    rig.rows += [rig.row("7", 5, open_qty=5, sender=THEIRS), rig.row("8", 5, open_qty=5, sender=OURS)]
    rig.wait(5)
    order = rig.engines.orders.get("Q1")
    assert order is not None
    assert (order.status, order.broker_order_id) == (S.WORKING, "8")


def test_where_rows_tell_who_made_an_order_its_notice_waits_for_its_row() -> None:
    rig = known()
    rig.notice("7", Stage.ACCEPTED, 5)
    rig.wait(5)
    assert rig.status() is S.UNCONFIRMED
    rig.rows.append(rig.row("7", 5, open_qty=5, sender=THEIRS))
    rig.wait(MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


def test_a_notice_does_not_wait_for_its_row_for_ever() -> None:
    rig = known()
    rig.notice("7", Stage.FILLED, 5, order_qty=5)
    rig.fails = "HTTP 500"
    rig.wait(15)
    assert rig.status() is S.UNCONFIRMED
    rig.wait(5)
    assert (rig.status(), rig.holding()) == (S.FILLED, 5)


def test_the_notice_that_the_exchange_refused_an_order_is_evidence_of_it_too() -> None:
    rig = known()
    rig.fails = "HTTP 500"
    rig.notice("7", Stage.REJECTED, 5)
    rig.wait(20)
    assert rig.status() is S.REJECTED


def test_a_machine_that_slept_after_a_notice_asks_for_its_row_before_the_notice_counts() -> None:
    rig = known()
    rig.notice("7", Stage.FILLED, 5, order_qty=5)
    rig.fails = "HTTP 500"
    rig.wait(3)
    rig.clock.ts += MINUTE * NS
    rig.wait(12)
    assert rig.status() is S.UNCONFIRMED
    rig.wait(5)
    assert (rig.status(), rig.holding()) == (S.FILLED, 5)


def test_it_waits_no_longer_because_more_of_it_fills() -> None:
    rig = known()
    rig.fails = "HTTP 500"
    rig.notice("7", Stage.FILLED, 2, order_qty=5)
    rig.wait(12)
    rig.notice("7", Stage.FILLED, 3, order_qty=5)
    rig.wait(7)
    assert (rig.status(), rig.holding()) == (S.FILLED, 5)


def test_an_order_made_by_hand_stays_that_when_notices_and_live_orders_do_not_tell_who_made_it() -> None:
    rig = known()
    rig.submit(an_order("Q2", qty=3, symbol=HYNIX), LOST)
    rig.rows.append(rig.row("7", 5, open_qty=5, sender=THEIRS))
    rig.notice("7", Stage.ACCEPTED, 5)
    rig.wait(2 * MINUTE)
    assert rig.status("Q2") is S.ABANDONED  # the live orders were looked at
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


def test_whose_order_it_is_goes_by_earlier_sessions_where_all_their_rows_agree() -> None:
    rig = OrderRig()
    rig.rows += [rig.row("1", 1, sender=OURS), rig.row("2", 1, sender=OURS), rig.row("3", 1, sender=THEIRS)]
    rig.broker.begin(rig.history(), rig.accounted(), frozenset("12"))
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.rows.append(rig.row("7", 5, open_qty=5, sender=THEIRS))
    rig.wait(10)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


@pytest.mark.parametrize(("answered", "status"), [("", S.UNCONFIRMED), ("1", S.WORKING)])
def test_of_two_that_look_alike_one_is_taken_after_a_restart_where_kis_itself_named_an_order_of_ours(
    answered: str, status: S
) -> None:
    rig = OrderRig()
    rig.rows.append(rig.row("1", 1, sender=OURS))
    rig.broker.begin(rig.history(), rig.accounted(), frozenset("1"), frozenset(answered))
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.rows += [rig.row("7", 5, open_qty=5, sender=OURS), rig.row("8", 5, open_qty=5, sender=THEIRS)]
    rig.wait(MINUTE)
    assert (rig.status(), rig.alarms()) == (status, ["which-is-ours"] if status is S.UNCONFIRMED else [])


def test_before_an_answer_proved_who_we_are_another_than_the_one_found_before_is_a_question() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q0", symbol=HYNIX), LOST)
    rig.rows.append(rig.row("1", 1, symbol=HYNIX, open_qty=1, sender=OURS))
    rig.wait(10)
    assert rig.status("Q0") is S.WORKING
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.notice("7", Stage.ACCEPTED, 5)
    rig.rows.append(rig.row("7", 5, open_qty=5, sender=THEIRS))
    rig.wait(MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


def test_the_list_that_an_order_was_found_by_tells_who_made_one_that_is_lost_after_it() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q0", symbol=HYNIX), LOST)
    rig.submit(an_order("Q1", qty=5))
    rig.rows += [rig.row("1", 1, symbol=HYNIX, open_qty=1, sender=OURS), rig.row("7", 5, open_qty=5, sender=THEIRS)]
    rig.wait(2)
    assert rig.status("Q0") is S.WORKING
    rig.fails = "HTTP 500"
    rig.answer(LOST)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["perhaps-by-hand"])


def test_of_two_that_are_found_in_one_list_the_first_tells_who_made_the_second() -> None:
    rig = OrderRig()
    for order in (an_order("Q0", symbol=HYNIX), an_order("Q1", qty=5)):
        rig.submit(order, LOST)
    rig.rows += [rig.row("1", 1, symbol=HYNIX, open_qty=1, sender=OURS), rig.row("7", 5, open_qty=5, sender=THEIRS)]
    rig.wait(MINUTE)
    assert (rig.status("Q0"), rig.status(), rig.alarms()) == (S.WORKING, S.UNCONFIRMED, ["perhaps-by-hand"])


def test_what_one_find_taught_of_who_makes_our_orders_decides_between_no_two_of_them() -> None:
    rig = OrderRig()
    rig.submit(an_order("Q0", symbol=HYNIX), LOST)
    rig.rows.append(rig.row("1", 1, symbol=HYNIX, open_qty=1, sender=THEIRS))
    rig.wait(10)
    assert rig.status("Q0") is S.WORKING
    rig.submit(an_order("Q1", qty=5), LOST)
    rig.rows += [rig.row("7", 5, open_qty=5, sender=OURS), rig.row("8", 5, open_qty=5, sender=THEIRS)]
    rig.wait(MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["which-is-ours"])


def test_of_two_that_look_alike_none_is_taken_because_a_notice_tells_of_one_alone() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.rows += [rig.row("7", 5, rejected_qty=5), rig.row("8", 5, open_qty=5)]
    rig.wait(5)
    rig.notice("8", Stage.ACCEPTED, 5)
    rig.wait(2 * MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["which-is-ours"])


@pytest.mark.parametrize("code", ["01", "02", "03", "16"])
def test_an_order_of_another_kind_is_not_ours_but_forbids_giving_up(code: str) -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.rows.append(rig.row("7", 5, open_qty=5, code=code))
    rig.wait(5 * MINUTE)
    assert (rig.status(), rig.alarms()) == (S.UNCONFIRMED, ["which-is-ours"])


def test_a_list_that_moved_while_it_was_turned_over_proves_nothing() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.is_torn = True
    rig.wait(5 * MINUTE)
    assert rig.status() is S.UNCONFIRMED
    rig.is_torn = False
    rig.wait(30)
    assert rig.status() is S.ABANDONED


def test_a_list_that_lacks_a_row_it_had_before_proves_nothing() -> None:
    rig = OrderRig()
    rig.rows.append(rig.row("3", 1))
    rig.submit(an_order(qty=5), LOST)
    rig.wait(5)
    slipped = rig.rows.pop()
    rig.rows.append(rig.row("4", 1))
    rig.wait(5 * MINUTE)
    assert rig.status() is S.UNCONFIRMED
    rig.rows.append(slipped)
    rig.wait(30)
    assert rig.status() is S.ABANDONED


def test_a_list_of_live_orders_that_lacks_one_which_the_history_shows_as_open_proves_nothing() -> None:
    rig = OrderRig()
    rig.rows.append(rig.row("3", 1, open_qty=1))
    rig.submit(an_order(qty=5), LOST)
    rig.hides_live = True
    rig.wait(5 * MINUTE)
    assert rig.status() is S.UNCONFIRMED
    rig.hides_live = False
    rig.wait(30)
    assert rig.status() is S.ABANDONED


def test_a_list_of_live_orders_long_after_the_other_one_proves_nothing() -> None:
    rig = OrderRig()
    rig.submit(an_order(qty=5), LOST)
    rig.late = {"inquire-psbl-rvsecncl"}
    rig.wait(2 * MINUTE)
    rig.rows.append(rig.row("7", 5, filled_qty=5, filled_amount=375_000))
    rig.late.clear()
    rig.wait(20)
    assert not any(isinstance(event, ev.OrderAbandoned) for event in rig.heard)
    assert (rig.status(), rig.holding()) == (S.FILLED, 5)

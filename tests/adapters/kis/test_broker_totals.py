"""Where the broker tells no rows: whose the shares are that the totals have and we have not."""

import pytest

from qbtrade.adapters.kis.events import Stage
from qbtrade.adapters.kis.outcomes import OrderOutcome, Refused, Unconfirmed
from qbtrade.adapters.kis.totals import everything
from qbtrade.domain.events import Alert, CancelOrder, OrderCanceled
from qbtrade.domain.order import OrderStatus, Purpose, Side
from tests.adapters.kis.order_rig import HYNIX, LOST, OrderRig, taken
from tests.builders import SAMSUNG, an_order

S = OrderStatus
GONE = Refused("40330000", "nothing is left to amend or cancel")


def one_works(qty: int = 5) -> OrderRig:
    """On paper one order works, at 74,000."""
    rig = OrderRig("paper")
    rig.submit(an_order("Q1", qty=qty, price=74_000), taken("1"))
    rig.totals = (qty, 0, 0)
    return rig


def test_a_fill_that_no_notice_told_is_booked_when_the_balance_names_its_symbol() -> None:
    rig = one_works()
    rig.totals, rig.held = (5, 3, 221_700), {SAMSUNG: 3}
    rig.wait(30)
    assert (rig.status(), rig.holding(), rig.engines.portfolio.cost(SAMSUNG)) == (S.PARTLY_FILLED, 3, 221_700)
    assert rig.alarms() == []


def test_nothing_is_booked_before_the_balance_agrees() -> None:
    rig = one_works()
    rig.totals = (5, 3, 222_000)
    rig.wait(120)
    assert (rig.fills(), rig.alarms()) == ([], ["totals-disagree"])
    rig.held = {SAMSUNG: 3}
    rig.wait(30)
    assert rig.holding() == 3


@pytest.mark.parametrize("buys", [0, 3], ids=["alone", "beside-a-buy"])
def test_shares_that_a_lagging_balance_still_shows_were_bought_by_nobody(buys: int) -> None:
    rig = OrderRig("paper")
    rig.submit(an_order("Q0", qty=6, price=74_000), taken("9"))
    rig.notice("9", Stage.FILLED, 6, 74_000, order_qty=6)
    rig.submit(an_order("Q1", qty=6, price=73_900, side=Side.SELL, purpose=Purpose.EXIT), taken("1"))
    if buys:
        rig.submit(an_order("Q2", qty=buys, price=74_000), taken("2"))
    rig.notice("1", Stage.FILLED, 4, 73_900, side=Side.SELL, order_qty=6)
    rig.totals = (12 + buys, 12, 6 * 74_000 + 6 * 73_900)
    rig.held, rig.sides = {SAMSUNG: 4}, (6 * 74_000, 2 * 73_900)
    rig.wait(20)
    assert (rig.holding(), rig.alarms()) == (2, [])
    rig.held, rig.sides = {}, (6 * 74_000, 6 * 73_900)
    rig.wait(10)
    assert (rig.fills()[2:], rig.alarms()) == ([("Q1", 2, 73_900)], [])


def test_a_balance_that_tells_nothing_of_the_day_is_believed_when_it_stays_the_same() -> None:
    rig = one_works()
    rig.totals, rig.held, rig.sides = (5, 3, 221_700), {SAMSUNG: 3}, (0, 0)
    rig.wait(25)
    assert rig.fills() == []
    rig.wait(60)
    assert rig.fills() == [("Q1", 3, 73_900)]


def test_a_notice_that_comes_late_is_not_booked_twice() -> None:
    rig = one_works()
    rig.totals, rig.held = (5, 3, 222_000), {SAMSUNG: 3}
    rig.wait(30)
    rig.notice("1", Stage.FILLED, 3, 74_000, order_qty=5)
    rig.wait(30)
    assert (rig.holding(), rig.status()) == (3, S.PARTLY_FILLED)


def test_the_fill_of_an_unconfirmed_order_is_not_booked_on_another_one() -> None:
    rig = one_works()
    rig.submit(an_order("Q2", qty=3, price=76_000, symbol=HYNIX), LOST)
    rig.totals, rig.held = (8, 3, 228_000), {HYNIX: 3}
    rig.wait(30)
    assert rig.fills() == [("Q2", 3, 76_000)]
    assert (rig.status("Q1"), rig.status("Q2")) == (S.WORKING, S.FILLED)
    rig.notice("9", Stage.FILLED, 3, 76_000, symbol=HYNIX, order_qty=3)
    rig.wait(30)
    assert rig.holding(HYNIX) == 3


def test_a_part_of_an_unconfirmed_order_stays_unknown_and_a_person_is_told() -> None:
    rig = one_works()
    rig.submit(an_order("Q2", qty=3, price=76_000, symbol=HYNIX), LOST)
    rig.totals, rig.held = (8, 2, 152_000), {HYNIX: 2}
    rig.wait(180)
    assert (rig.fills(), rig.status("Q2"), rig.alarms()) == ([], S.UNCONFIRMED, ["totals-disagree"])


@pytest.mark.parametrize("told", [True, False])
def test_a_trade_by_hand_in_another_stock_is_left_to_whoever_made_it(told: bool) -> None:  # noqa: FBT001
    rig = OrderRig("paper")
    rig.held = {"035720": 10}
    rig.broker.begin(rig.history(), everything(rig.history(), rig.balance()))
    rig.submit(an_order("Q1", qty=5, price=74_000), taken("1"))
    if told:
        rig.notice("55", Stage.FILLED, 3, 20_000, side=Side.SELL, symbol="035720", order_qty=3)
    rig.totals, rig.held = (8, 3, 60_000), {"035720": 7}
    rig.wait(60)
    assert (rig.fills(), rig.status()) == ([], S.WORKING)
    assert rig.alarms() == ["foreign-order"] * told + ["traded-elsewhere"]
    rig.totals, rig.held = (8, 8, 60_000 + 370_000), {"035720": 7, SAMSUNG: 5}
    rig.wait(60)
    assert (rig.fills(), rig.status()) == ([("Q1", 5, 74_000)], S.FILLED)


def test_a_trade_by_hand_in_our_own_stock_is_not_taken_for_ours() -> None:
    rig = one_works()
    rig.notice("55", Stage.FILLED, 2, 74_000, order_qty=2)
    rig.totals, rig.held = (7, 2, 148_000), {SAMSUNG: 2}
    rig.wait(60)
    assert (rig.fills(), rig.alarms()) == ([], ["foreign-order", "traded-elsewhere"])


def test_of_two_orders_that_could_own_a_fill_none_is_guessed() -> None:
    rig = one_works()
    rig.submit(an_order("Q2", qty=6, price=74_500), taken("2"))
    rig.totals, rig.held = (11, 3, 222_000), {SAMSUNG: 3}
    rig.wait(180)
    assert (rig.fills(), rig.alarms()) == ([], ["totals-disagree"])
    rig.notice("2", Stage.FILLED, 3, 74_000, order_qty=6)
    rig.wait(30)
    assert rig.fills() == [("Q2", 3, 74_000)]


@pytest.mark.parametrize("amount", [0, 3 * 74_100, 3 * 20_000])
def test_a_fill_is_not_booked_at_a_price_that_the_order_does_not_take(amount: int) -> None:
    rig = one_works()
    rig.totals, rig.held = (5, 3, amount), {SAMSUNG: 3}
    rig.wait(120)
    assert (rig.fills(), len(rig.alarms())) == ([], 1)


def test_a_fill_that_comes_to_light_just_after_the_cancel_is_booked() -> None:
    rig = one_works()
    rig.confirm_cancel("2", 0, of="1")
    rig.wait(15)
    assert rig.status() is S.CANCELED
    rig.totals, rig.held = (5, 2, 148_000), {SAMSUNG: 2}
    rig.wait(15)
    assert (rig.status(), rig.holding(), rig.broker.open) == (S.CANCELED, 2, ())
    assert sum(isinstance(event, OrderCanceled) for event in rig.heard) == 1


def test_totals_that_lag_behind_a_notice_do_not_prove_that_nothing_filled_unseen() -> None:
    rig = one_works(5)
    rig.bus.publish(CancelOrder(rig.clock.now(), "Q1", "lifetime"))
    rig.answer(GONE)
    rig.submit(an_order("Q2", qty=5, price=76_000, symbol=HYNIX), taken("2"))
    rig.notice("2", Stage.FILLED, 5, 76_000, symbol=HYNIX, order_qty=5)
    rig.totals, rig.held, rig.sides = (10, 5, 370_000), {SAMSUNG: 5}, (370_000, 0)  # Q1 filled; Q2 is not there yet
    rig.wait(15)
    assert rig.status() is S.CANCELING
    rig.totals, rig.held, rig.sides = (10, 10, 750_000), {SAMSUNG: 5, HYNIX: 5}, (750_000, 0)
    rig.wait(30)
    assert (rig.status(), rig.holding(), rig.alarms()) == (S.FILLED, 5, [])


def two_sells(outcome: OrderOutcome, lost: int, missing: int) -> OrderRig:
    """Of six shares `lost` are for sale without an answer and two in an order whose cancel is answered so.

    missing: shares that were sold, and nobody said by which of them.
    """
    rig = OrderRig("paper")
    rig.submit(an_order("Q0", qty=6, price=74_000), taken("9"))
    rig.notice("9", Stage.FILLED, 6, 74_000, order_qty=6)
    rig.submit(an_order("Q1", qty=lost, price=73_500, side=Side.SELL, purpose=Purpose.EXIT))
    rig.submit(an_order("Q2", qty=2, price=73_400, side=Side.SELL, purpose=Purpose.EXIT))
    rig.answer(LOST)
    rig.answer(taken("2"))
    rig.bus.publish(CancelOrder(rig.clock.now(), "Q2", "lifetime"))
    rig.answer(outcome)
    rig.totals, rig.held = (12, 6 + missing, 444_000 + missing * 73_500), {SAMSUNG: 6 - missing}
    rig.wait(180)
    return rig


def test_an_order_of_which_nothing_is_left_and_just_these_shares_are_missing_owns_them() -> None:
    rig = two_sells(GONE, lost=4, missing=2)
    assert (rig.fills()[1:], rig.holding(), rig.alarms()) == ([("Q2", 2, 73_500)], 4, [])
    assert (rig.status("Q1"), rig.status("Q2")) == (S.UNCONFIRMED, S.FILLED)


@pytest.mark.parametrize(
    ("outcome", "lost", "missing"),
    [(GONE, 4, 1), (GONE, 2, 2), (Unconfirmed("timeout"), 4, 2), (taken("3"), 4, 2)],
    ids=["not-all-of-it", "all-of-the-other", "perhaps-canceled", "canceled"],
)
def test_it_owns_none_where_the_other_may_have_sold_them(outcome: OrderOutcome, lost: int, missing: int) -> None:
    rig = two_sells(outcome, lost, missing)
    assert (rig.fills()[1:], "totals-disagree" in rig.alarms()) == ([], True)


def test_an_order_that_is_gone_owns_none_that_one_may_have_sold_whose_answer_is_still_to_come() -> None:
    rig = OrderRig("paper")
    rig.submit(an_order("Q0", qty=6, price=74_000), taken("9"))
    rig.notice("9", Stage.FILLED, 6, 74_000, order_qty=6)
    rig.submit(an_order("Q1", qty=6, price=73_500, side=Side.SELL, purpose=Purpose.EXIT), taken("1"))
    rig.bus.publish(CancelOrder(rig.clock.now(), "Q1", "lifetime"))
    rig.answer(GONE)  # the exchange had refused it
    rig.totals, rig.held = (12, 6, 444_000), {SAMSUNG: 6}
    rig.wait(20)
    assert rig.status("Q1") is S.CANCELED
    rig.submit(an_order("Q2", qty=6, price=73_500, side=Side.SELL, purpose=Purpose.EXIT))
    rig.totals, rig.held = (18, 12, 888_000), {}
    rig.wait(15)
    assert rig.fills()[1:] == []
    rig.answer(taken("2"))
    rig.wait(60)  # no fill of the other one comes to light so late
    assert rig.fills()[1:] == [("Q2", 6, 74_000)]


def a_buy_and_a_sell(bought: int, sold: int, more: int = 0) -> OrderRig:
    """Beside 4 shares held, 2 of a buy and 4 of a sell filled, for 147,800 and 296,200 won, and nobody said so.

    bought, sold: what the balance says of both, KRW. more: shares of another buy that works.
    """
    rig = OrderRig("paper")
    rig.submit(an_order("Q0", qty=4, price=74_000), taken("9"))
    rig.notice("9", Stage.FILLED, 4, 74_000, order_qty=4)
    rig.submit(an_order("Q1", qty=5, price=74_000), taken("1"))
    rig.submit(an_order("Q2", qty=4, price=74_000, side=Side.SELL, purpose=Purpose.EXIT), taken("2"))
    if more:
        rig.submit(an_order("Q3", qty=more, price=74_500), taken("3"))
    rig.totals, rig.held = (13, 10, 296_000 + 444_000), {SAMSUNG: 2}
    rig.sides = (bought and 296_000 + bought, sold)
    rig.wait(60)
    return rig


def test_a_buy_and_a_sell_that_filled_unseen_are_booked_where_the_balance_tells_what_was_bought() -> None:
    rig = a_buy_and_a_sell(147_800, 296_200)
    assert rig.fills()[1:] == [("Q1", 2, 73_900), ("Q2", 4, 74_050)]
    assert (rig.status("Q1"), rig.status("Q2"), rig.alarms()) == (S.PARTLY_FILLED, S.FILLED, [])


@pytest.mark.parametrize(
    ("bought", "sold", "more"),
    [(0, 0, 0), (147_800, 0, 0), (148_200, 295_800, 0), (147_800, 296_300, 0), (147_800, 296_200, 5)],
    ids=["untold", "one-side", "beyond-a-limit", "other-than-the-totals", "a-third-order"],
)
def test_nothing_of_both_is_booked_where_that_is_not_certain(bought: int, sold: int, more: int) -> None:
    rig = a_buy_and_a_sell(bought, sold, more)
    assert (rig.fills()[1:], rig.alarms()) == ([], ["totals-disagree"])


def two_stocks(first: Side, second: Side, filled: dict[str, tuple[int, int]], held: dict[str, int]) -> OrderRig:
    """On paper an order works in each of two stocks, of which others' shares are sold; both filled unseen.

    filled: shares and KRW by symbol. held: what the balance has then; before it had 4 of what is sold.
    """
    rig, sides = OrderRig("paper"), {SAMSUNG: first, HYNIX: second}
    amount = 0
    for number, (symbol, side) in enumerate(sides.items()):
        if side is Side.SELL:
            rig.submit(an_order(f"P{number}", qty=4, price=75_000, symbol=symbol), taken(f"8{number}"))
            rig.notice(f"8{number}", Stage.FILLED, 4, 74_000, symbol=symbol, order_qty=4)
            amount += 4 * 74_000
    for number, (symbol, side) in enumerate(sides.items(), 1):
        purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
        price = 75_000 if side is Side.BUY else 73_000
        rig.submit(
            an_order(f"Q{number}", qty=4, price=price, symbol=symbol, side=side, purpose=purpose), taken(f"{number}")
        )
    bought = amount + sum(krw for symbol, (_qty, krw) in filled.items() if sides[symbol] is Side.BUY)
    sold = sum(krw for symbol, (_qty, krw) in filled.items() if sides[symbol] is Side.SELL)
    before = sum(4 for side in sides.values() if side is Side.SELL)
    rig.totals = (8 + before, before + sum(qty for qty, _krw in filled.values()), bought + sold)
    rig.held, rig.sides = held, (bought, sold)
    return rig


def test_of_two_stocks_that_were_bought_unseen_each_is_booked_for_what_the_balance_says_it_cost() -> None:
    rig = two_stocks(Side.BUY, Side.BUY, {SAMSUNG: (3, 222_000), HYNIX: (2, 149_800)}, {SAMSUNG: 3, HYNIX: 2})
    rig.costs = {SAMSUNG: 222_000, HYNIX: 149_800}
    rig.wait(20)
    assert (rig.fills(), rig.alarms()) == ([("Q1", 3, 74_000), ("Q2", 2, 74_900)], [])


def test_where_what_each_cost_does_not_add_up_both_together_cost_what_the_broker_says() -> None:
    rig = two_stocks(Side.BUY, Side.BUY, {SAMSUNG: (3, 222_000), HYNIX: (2, 149_800)}, {SAMSUNG: 3, HYNIX: 2})
    rig.costs = {SAMSUNG: 222_100, HYNIX: 149_800}
    rig.wait(20)
    assert (rig.holding(), rig.holding(HYNIX), rig.alarms()) == (3, 2, ["sum-shared"])
    assert sum(qty * price for _order, qty, price in rig.fills()) == 371_800
    assert max(price for _order, _qty, price in rig.fills()) <= 75_000


def test_a_stock_that_was_bought_and_one_that_was_sold_unseen_are_booked_for_what_the_day_paid_and_got() -> None:
    rig = two_stocks(Side.BUY, Side.SELL, {SAMSUNG: (3, 222_000), HYNIX: (4, 295_600)}, {SAMSUNG: 3})
    rig.wait(20)
    assert (rig.fills()[1:], rig.alarms()) == ([("Q1", 3, 74_000), ("Q2", 4, 73_900)], [])


def test_two_stocks_that_were_sold_unseen_are_gone_from_the_book() -> None:
    rig = two_stocks(Side.SELL, Side.SELL, {SAMSUNG: (4, 296_000), HYNIX: (4, 300_000)}, {})
    rig.wait(20)
    assert (rig.holding(), rig.holding(HYNIX), rig.alarms()) == (0, 0, ["sum-shared"])
    (said,) = (event.text for event in rig.heard if isinstance(event, Alert))
    assert said == "2 orders of 000660, 005930 filled, and KIS tells only the sum: what each cost is an estimate"
    assert sum(qty * price for _order, qty, price in rig.fills()[2:]) == 596_000


@pytest.mark.parametrize("why", ["lags", "elsewhere", "another-order", "beyond-a-limit", "a-part-is-not-told"])
def test_of_several_stocks_nothing_is_booked_where_one_is_not_certain(why: str) -> None:
    rig = two_stocks(Side.BUY, Side.SELL, {SAMSUNG: (3, 222_000), HYNIX: (4, 295_600)}, {SAMSUNG: 3})
    match why:
        case "lags":
            rig.sides = (296_000 + 222_000, 0)
        case "elsewhere":
            rig.notice("55", Stage.FILLED, 3, 74_000, order_qty=3)
        case "another-order":
            rig.submit(an_order("Q3", qty=5, price=74_800), taken("3"))
        case "beyond-a-limit":
            rig.sides = (296_000 + 226_000, 291_600)
        case _:
            rig.held = {SAMSUNG: 3, HYNIX: 1}
    rig.wait(180)
    assert (rig.fills()[1:], "totals-disagree" in rig.alarms()) == ([], True)

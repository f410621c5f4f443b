"""How a session begins, given what earlier ones left and what the broker tells."""

from datetime import time

from msgspec.structs import replace

from qbtrade.adapters.kis.parse.account import Balance, Holding
from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow, Sender, UnreadRow
from qbtrade.app.live.carried import Carried
from qbtrade.app.live.opening import Opening, opening
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import Leftover
from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side
from qbtrade.engines.reconcile import Difference
from tests.adapters.kis.order_rig import HYNIX
from tests.builders import SAMSUNG, TODAY, an_order, at

FREE, PAID = Costs(0, 0), Costs(140_527, 2_000_000)


def a_balance(cash: int, qty: int = 0) -> Balance:
    holding = Holding(symbol=SAMSUNG, name="", qty=qty, sellable=qty, cost=qty * 75_000, last=75_000, credit=False)
    return Balance(
        holdings=(holding,) if qty else (), cash=cash, deposit=cash, tomorrow=cash, stock_value=0, net_assets=0,
        bought=0, sold=0, costs=0, loans=0,
    )  # fmt: skip


def a_row(number: str = "7", *, qty: int = 2, filled: int = 0, open_qty: int = 0, side: Side = Side.BUY) -> OrderRow:
    return OrderRow(
        day=TODAY, at=time(10), branch="06010", order_no=number, original_no="", symbol=SAMSUNG, side=side, code="00",
        qty=qty, price=75_000, filled_qty=filled, filled_amount=filled * 75_000, open_qty=open_qty, canceled_qty=0,
        rejected_qty=0,
    )  # fmt: skip


def begun(
    found: Carried, balance: Balance, *rows: OrderRow, same_day: bool = True, earlier: OrderHistory | None = None
) -> Opening:
    told = OrderHistory(rows, 0, 0, 0)
    return opening(found, balance, told, lambda _symbol: FREE, same_day=same_day, earlier=earlier)


def test_a_fill_after_the_journal_ended_is_booked_before_the_books_are_compared() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"), "7")
    found = begun(Carried(1_000_000, TODAY, leftovers=[left]), a_balance(850_000, 2), a_row(filled=2))
    assert (found.held, found.leftovers, found.differences) == ({SAMSUNG: (2, 150_000)}, (), ())


def test_an_order_without_a_number_is_known_by_its_looks() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    found = begun(Carried(1_000_000, TODAY, leftovers=[left]), a_balance(925_000, 1), a_row(filled=1, open_qty=1))
    (order,) = found.leftovers
    assert (order.number, order.filled, found.differences) == ("7", 1, ())


def test_an_order_from_before_it_left_whose_number_was_given_by_then_is_not_it() -> None:
    for after, second, is_it in (("7", 6, False), ("8", 6, False), ("6", 6, True), ("", 6, True), ("8", 0, True)):
        left = Leftover("L000001", an_order(qty=2), at("10:00") + second * NS, after=after)
        found = begun(Carried(1_000_000, TODAY, leftovers=[left]), a_balance(850_000, 2), a_row(filled=2))
        assert (found.held == {SAMSUNG: (2, 150_000)}) is is_it


def test_an_order_without_a_trace_stays_left_over() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    found = begun(Carried(1_000_000, TODAY, leftovers=[left]), a_balance(1_000_000))
    assert found.leftovers == (left,)


def test_missing_cash_and_shares_and_strange_orders_are_differences() -> None:
    found = begun(
        Carried(1_000_000, TODAY, positions={SAMSUNG: (3, 210_000)}), a_balance(900_000, 2), a_row("9", open_qty=2)
    )
    assert found.held == {SAMSUNG: (2, 140_000)}
    assert found.differences == (
        Difference("cash", "", 1_000_000, 900_000), Difference("shares", SAMSUNG, 3, 2), Difference("order", "9", 0, 1),
    )  # fmt: skip


def test_on_another_day_cash_is_the_brokers_and_old_orders_are_gone() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    found = begun(Carried(1_000_000, TODAY, leftovers=[left]), a_balance(990_000), same_day=False)
    assert (found.cash, found.leftovers, found.differences) == (990_000, (), ())


def test_shares_of_others_are_counted_apart() -> None:
    found = begun(Carried(1_000_000, TODAY, positions={SAMSUNG: (1, 75_000)}), a_balance(1_000_000, 5))
    assert (found.held, found.foreign, found.differences) == ({SAMSUNG: (1, 75_000)}, {SAMSUNG: 4}, ())


def test_an_order_of_another_day_is_booked_by_the_rows_of_its_day() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"), "7")
    told = OrderHistory((a_row(filled=2),), 2, 2, 150_000)
    found = begun(
        Carried(1_000_000, TODAY, leftovers=[left]), a_balance(850_000, 2), same_day=False, earlier=told,
    )  # fmt: skip
    assert (found.held, found.foreign, found.differences) == ({SAMSUNG: (2, 150_000)}, {SAMSUNG: 0}, ())


def test_shares_that_an_order_of_another_day_may_have_bought_are_a_difference_where_no_rows_are_told() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    told = OrderHistory((), 2, 2, 150_000)
    found = begun(
        Carried(1_000_000, TODAY, leftovers=[left], foreign={SAMSUNG: 3}), a_balance(850_000, 5), same_day=False,
        earlier=told,
    )  # fmt: skip
    assert found.differences == (Difference("shares", SAMSUNG, 0, 2),)


def test_a_fill_of_an_earlier_day_is_booked_by_the_totals_of_that_day_whatever_the_night_did_to_cash() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    day = Carried(1_000_000, TODAY, leftovers=[left], foreign={SAMSUNG: 3}, day_qty=4, day_amount=300_000)
    for filled, amount, held in ((6, 449_800, {SAMSUNG: (2, 149_800)}), (7, 524_800, {}), (6, 330_000, {})):
        found = begun(day, a_balance(840_000, 5), same_day=False, earlier=OrderHistory((), 2, filled, amount))
        assert (found.held, bool(found.differences)) == (held, not held)


def test_the_one_fill_that_explains_shares_and_cash_to_the_won_is_booked_where_no_rows_are_told() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    told = OrderHistory((), 2, 2, 149_800)
    found = opening(
        Carried(1_000_000, TODAY, leftovers=[left]), a_balance(1_000_000 - 149_800 - 21, 2), told, lambda _: PAID,
        same_day=True,
    )  # fmt: skip
    assert (found.held, found.leftovers, found.differences) == ({SAMSUNG: (2, 149_800)}, (), ())


def a_start_with_a_buy_and_a_sell_left(
    *, day_bought: int = 375_000, sides: tuple[int, int] = (526_600, 375_500), came: int = 0
) -> Opening:
    """Both filled, for 151,600 and 375,500. came: KRW that came to the account, too."""
    buy = Leftover("L000001", an_order("Q3", qty=7, price=76_000), at("10:00"), "3", 5, 375_000)
    sell = Leftover("L000002", an_order("Q4", qty=5, side=Side.SELL), at("10:00"), after="3")
    found = Carried(
        625_000, TODAY, {SAMSUNG: (5, 375_000)}, [buy, sell], day_qty=5, day_amount=375_000, day_bought=day_bought
    )
    balance = replace(a_balance(625_000 - 151_600 + 375_500 + came, 2), bought=sides[0], sold=sides[1])
    return opening(found, balance, OrderHistory((), 12, 12, 902_100), lambda _symbol: FREE, same_day=True)


def test_a_buy_and_a_sell_that_both_filled_between_two_sessions_are_booked_where_no_rows_are_told() -> None:
    found = a_start_with_a_buy_and_a_sell_left()
    assert (found.leftovers, found.differences, found.held[SAMSUNG][0]) == ((), (), 2)
    assert (found.accounted.qty, found.accounted.amount, found.accounted.bought) == (12, 902_100, 526_600)
    found = a_start_with_a_buy_and_a_sell_left(came=50_000)
    assert (found.leftovers, found.differences) == ((), (Difference("cash", "", 848_900, 898_900),))


def test_of_a_buy_and_a_sell_none_is_booked_without_proof_of_what_was_bought() -> None:
    shares = Difference("shares", SAMSUNG, 5, 2)
    for found in (
        a_start_with_a_buy_and_a_sell_left(day_bought=-1),
        a_start_with_a_buy_and_a_sell_left(sides=(375_000, 375_500)),  # the balance lags behind the totals
        a_start_with_a_buy_and_a_sell_left(sides=(527_100, 375_000)),  # the buy would have passed its limit
    ):
        assert (len(found.leftovers), shares in found.differences) == (2, True)


def test_shares_that_would_have_been_sold_below_their_limit_were_not_sold_alone() -> None:
    sell = Leftover("L000001", an_order("Q4", qty=5, side=Side.SELL), at("10:00"))
    for price, held in ((75_100, 2), (74_900, 5)):
        found = opening(
            Carried(625_000, TODAY, {SAMSUNG: (5, 375_000)}, [sell]), a_balance(625_000 + 3 * price, 2),
            OrderHistory((), 12, 12, 900_300), lambda _symbol: FREE, same_day=True,
        )  # fmt: skip
        assert (found.leftovers[0].remaining, bool(found.differences)) == (held, held == 5)


def test_shares_of_a_balance_that_knows_of_more_fills_are_not_booked_by_its_cash_alone() -> None:
    sell = Leftover("L000001", an_order("Q4", qty=5, side=Side.SELL), at("10:00"))
    found = Carried(625_000, TODAY, {SAMSUNG: (5, 375_000)}, [sell], day_qty=5, day_amount=375_000, day_bought=375_000)
    for sold, is_booked in ((225_300, True), (375_700, False)):
        balance = replace(a_balance(850_300, 2), bought=525_200 if sold > 300_000 else 375_000, sold=sold)
        told = OrderHistory((), 12, 12 if sold > 300_000 else 8, balance.bought + sold)
        assert (not opening(found, balance, told, lambda _: FREE, same_day=True).differences) is is_booked


def test_totals_older_than_the_balance_do_not_make_news_of_what_was_booked() -> None:
    left = Leftover("L000001", an_order(qty=6), at("10:00"))
    found = Carried(1_000_000, TODAY, leftovers=[left], day_qty=0, day_amount=0)
    told = OrderHistory((), 6, 1, 75_000)
    begins = opening(found, a_balance(550_000, 6), told, lambda _symbol: FREE, same_day=True)
    assert (begins.leftovers, begins.differences) == ((), ())
    assert (begins.accounted.qty, begins.accounted.amount, begins.accounted.held) == (6, 450_000, {SAMSUNG: 6})


def test_what_others_filled_is_no_news_when_the_books_agree() -> None:
    left = Leftover("L000001", an_order(qty=6), at("10:00"))
    found = Carried(1_000_000, TODAY, leftovers=[left], day_qty=0, day_amount=0)
    told = OrderHistory((), 8, 8, 600_000)
    begins = opening(found, a_balance(550_000, 6), told, lambda _symbol: FREE, same_day=True)
    assert (begins.accounted.qty, begins.accounted.amount, begins.accounted.bought) == (8, 600_000, None)


def test_shares_without_a_plausible_price_are_left_to_a_person() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    told = OrderHistory((), 2, 2, 149_800)
    found = opening(
        Carried(1_000_000, TODAY, leftovers=[left]), a_balance(1_000_000, 2), told, lambda _: PAID, same_day=True
    )
    assert found.differences == (Difference("shares", SAMSUNG, 0, 2),)


def test_an_order_that_somebody_else_made_is_not_taken_for_one_of_ours() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    ours, by_hand = (
        replace(a_row("5", qty=3), sender=Sender("API")),
        replace(a_row("7", filled=2), sender=Sender("HTS")),
    )
    known = Carried(1_000_000, TODAY, leftovers=[left], numbers=frozenset({"5"}))
    found = begun(known, a_balance(850_000, 2), ours, by_hand)
    assert (found.held, found.foreign, [each.number for each in found.leftovers]) == ({}, {SAMSUNG: 2}, [""])
    ours_after_all = replace(by_hand, sender=Sender("API"))
    assert begun(known, a_balance(850_000, 2), ours, ours_after_all).held == {SAMSUNG: (2, 150_000)}


def test_who_makes_our_orders_is_known_before_the_first_where_somebody_said_it() -> None:
    found = Carried(1_000_000, TODAY, leftovers=[Leftover("L000001", an_order(qty=2), at("10:00"))])
    told = OrderHistory((replace(a_row("7", filled=2), sender=Sender("HTS")),), 0, 0, 0)

    def held(sender: Sender) -> dict[str, tuple[int, int]]:
        return opening(found, a_balance(850_000, 2), told, lambda _: FREE, same_day=True, sender=sender).held

    assert (held(Sender("API")), held(Sender("HTS"))) == ({}, {SAMSUNG: (2, 150_000)})


def test_where_our_own_orders_look_unlike_each_other_none_is_taken_by_its_looks() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    ours = (replace(a_row(number, qty=3), sender=Sender(who)) for number, who in (("5", "API"), ("6", "HTS")))
    known = Carried(1_000_000, TODAY, leftovers=[left], numbers=frozenset({"5", "6"}))
    found = begun(known, a_balance(850_000, 2), *ours, replace(a_row("7", filled=2), sender=Sender("API")))
    assert [each.number for each in found.leftovers] == [""]


def test_of_two_that_look_alike_one_is_taken_only_where_the_broker_itself_named_an_order_of_ours() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    made_by = {"5": "HTS", "7": "API", "8": "HTS"}  # 5 was found by its looks, and is that of others
    rows = [
        replace(a_row(number, qty=3 if number == "5" else 2), sender=Sender(who)) for number, who in made_by.items()
    ]
    known = Carried(1_000_000, TODAY, leftovers=[left], numbers=frozenset({"5"}))
    assert [each.number for each in begun(known, a_balance(1_000_000), *rows).leftovers] == [""]
    rows.append(replace(a_row("4", qty=3, filled=0), sender=Sender("API")))
    known = replace(known, numbers=frozenset({"4", "5"}), answered=frozenset({"4"}))
    assert begun(known, a_balance(1_000_000), *rows).settled == {"4", "5", "7"}


def test_a_row_that_another_order_of_ours_owns_is_not_taken() -> None:
    left = Leftover("L000001", an_order(qty=2), at("10:00"))
    found = begun(
        Carried(1_000_000, TODAY, leftovers=[left], numbers=frozenset({"7"})), a_balance(1_000_000), a_row(filled=2)
    )
    assert (found.leftovers, found.held) == ((left,), {})


def test_a_row_that_cannot_be_read_is_a_difference() -> None:
    unread = UnreadRow("9", "ord_tmd is blank")
    history = OrderHistory((), 0, 0, 0, (unread,))
    found = opening(Carried(), a_balance(0), history, lambda _symbol: FREE, same_day=True)
    assert [(each.what, each.name, each.ours) for each in found.differences] == [("order", "9", 0)]


def test_one_row_is_never_two_orders_that_look_alike() -> None:
    sent = [Leftover(f"L00000{n}", an_order(f"Q{n}", qty=2), at("10:00")) for n in (1, 2)]
    found = begun(Carried(1_000_000, TODAY, leftovers=sent), a_balance(850_000, 2), a_row(filled=2))
    assert (found.held, found.differences) == ({SAMSUNG: (2, 150_000)}, ())
    assert [(left.order.order_id, left.number) for left in found.leftovers] == [("Q2", "")]
    assert found.settled == {"7"}


def two_left(
    *, cost: int = 149_800, sold: int = 150_600, hint: int = 4, bought: int = 140_000, cash: int = 1_000_800
) -> Opening:
    """A buy of two shares and a sale of two of another stock, of which nobody said what became; no rows are told.

    They filled for 149,800 and 150,600 won. cost: what the balance says that the first ones cost; sold: what it says
    was sold today. hint: shares that the totals have and qb has not. bought: what qb knows to have bought before.
    cash: the broker's.
    """
    left = [
        Leftover("L000001", an_order(qty=2), at("10:00")),
        Leftover("L000002", an_order("Q2", qty=2, side=Side.SELL, symbol=HYNIX), at("10:00"), "8"),
    ]
    found = Carried(
        1_000_000, TODAY, positions={HYNIX: (2, 140_000)}, leftovers=left, day_qty=2, day_amount=140_000,
        day_bought=bought,
    )  # fmt: skip
    balance = a_balance(cash, 2)
    balance = replace(balance, holdings=(replace(balance.holdings[0], cost=cost),), bought=289_800, sold=sold)
    return opening(found, balance, OrderHistory((), 6, 2 + hint, 440_400), lambda _: FREE, same_day=True)


def test_fills_of_two_stocks_are_booked_where_shares_and_totals_agree() -> None:
    for found in (two_left(), two_left(cost=0)):
        assert (found.held, found.leftovers, found.differences) == ({SAMSUNG: (2, 149_800)}, (), ())
        assert (found.accounted.qty, found.accounted.amount, found.corrections) == (6, 440_400, ())


def test_fills_of_two_stocks_are_left_to_a_person_where_something_does_not_agree() -> None:
    for found in (two_left(sold=0), two_left(hint=5), two_left(bought=-1), two_left(bought=130_000)):
        assert (len(found.leftovers), bool(found.differences)) == (2, True)


def test_what_fees_of_two_stocks_round_in_another_way_is_no_payment() -> None:
    found = two_left(cash=1_000_797)
    assert (found.cash, found.differences, found.corrections) == (1_000_797, (), ())


def test_a_balance_that_lacks_a_fill_we_know_of_does_not_show_a_sale() -> None:
    sell = Leftover("L000001", an_order("Q4", qty=6, side=Side.SELL), at("10:00"))
    found = Carried(550_000, TODAY, {SAMSUNG: (6, 450_000)}, [sell], day_qty=6, day_amount=450_000, day_bought=450_000)
    told = OrderHistory((), 12, 6, 450_000)
    lags, knows = a_balance(1_000_000), replace(a_balance(1_000_000), bought=450_000, sold=450_000)
    for balance, is_booked in ((lags, False), (knows, True)):
        begins = opening(found, balance, told, lambda _symbol: FREE, same_day=True)
        assert (begins.leftovers == (), begins.differences == ()) == (is_booked, is_booked)


def a_start_after_a_slump(filled: int) -> Opening:
    """A buy at 75,000 came late and filled at 60,000; the totals know of so many of its 6 shares."""
    left = Leftover("L000001", an_order(qty=6), at("10:00"), "7")
    found = Carried(1_000_000, TODAY, leftovers=[left], day_qty=0, day_amount=0, day_bought=0)
    told = OrderHistory((), 6, filled, filled * 60_000)
    return opening(found, a_balance(640_000, 6), told, lambda _symbol: FREE, same_day=True)


def test_a_fill_far_below_its_limit_is_booked_where_totals_tell_of_it() -> None:
    begins = a_start_after_a_slump(6)
    assert (begins.held, begins.leftovers, begins.differences) == ({SAMSUNG: (6, 360_000)}, (), ())


def test_money_that_an_order_may_have_spent_was_not_paid_out() -> None:
    begins = a_start_after_a_slump(0)
    assert (begins.cash, begins.held, begins.corrections) == (1_000_000, {}, ())
    assert [each.what for each in begins.differences] == ["cash", "shares"]


def test_shares_that_an_order_may_have_sold_did_not_go_elsewhere() -> None:
    sells = [
        Leftover("L000001", an_order(qty=4, side=Side.SELL), at("10:00")),
        Leftover("L000002", an_order("Q2", qty=1, side=Side.SELL, price=74_000), at("10:00"), "8"),
    ]
    found = Carried(0, TODAY, {SAMSUNG: (5, 375_000)}, sells, day_qty=5, day_amount=375_000, day_bought=375_000)
    for price, is_booked in ((75_000, False), (74_000, True)):  # which of both sold at 75,000 nobody can say
        balance = replace(a_balance(price, 4), bought=375_000, sold=price)
        begins = opening(
            found, balance, OrderHistory((), 10, 6, 375_000 + price), lambda _symbol: FREE, same_day=True
        )  # fmt: skip
        assert (begins.held[SAMSUNG][0], begins.cash, begins.corrections) == (
            (4, price, ()) if is_booked else (5, 0, ())
        )
        assert [each.remaining for each in begins.leftovers] == ([4] if is_booked else [4, 1])


def test_money_that_a_buy_and_a_sell_may_have_made_was_not_paid_in() -> None:
    left = [
        Leftover("L000001", an_order(qty=4), at("10:00"), "7"),
        Leftover("L000002", an_order("Q2", qty=4, side=Side.SELL), at("10:00"), "8"),
        Leftover("L000003", an_order("Q3", qty=4, side=Side.SELL), at("10:00"), "9"),
    ]
    found = Carried(700_000, TODAY, {SAMSUNG: (4, 300_000)}, left, day_qty=4, day_amount=300_000, day_bought=300_000)
    balance = replace(a_balance(702_000, 4), bought=448_000, sold=150_000)
    for filled, is_open in ((8, True), (4, False)):
        begins = opening(
            found, balance, OrderHistory((), 16, filled, 598_000), lambda _symbol: FREE, same_day=True
        )  # fmt: skip
        assert (begins.cash, begins.corrections == ()) == ((700_000 if is_open else 702_000), is_open)

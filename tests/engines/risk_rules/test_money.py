"""Rules about won: each limit is reached without harm, and one won beyond it breaks."""

import pytest

from qbtrade.domain.order import OrderKind, OrderStatus, Purpose, Side
from tests.builders import SAMSUNG, an_order
from tests.engines.bench import HYNIX, Bench

MARKET_BUY = an_order(kind=OrderKind.MARKET, price=0)
SALE = an_order(side=Side.SELL, purpose=Purpose.EXIT)
RESCUE = an_order(side=Side.SELL, purpose=Purpose.PROTECT)


@pytest.mark.parametrize(("budget", "passed"), [(75_000, True), (74_999, False)])
def test_an_order_may_use_the_budget_up_but_not_exceed_it(budget: int, passed: bool) -> None:  # noqa: FBT001
    bench = Bench(max_budget=budget)
    assert bench.check(an_order(), "budget") == (budget, 75_000, budget - 75_000, "KRW", passed)


def test_positions_and_open_buys_of_all_symbols_count_in_the_budget() -> None:
    bench = Bench(max_budget=410_000)
    bench.positions.hold(SAMSUNG, 2, 70_000)
    bench.positions.hold(HYNIX, 1, 90_000)
    bench.orders.place(an_order("W1", symbol=HYNIX, qty=3, price=35_000), filled=1)
    bench.orders.place(an_order("W2", price=35_000), OrderStatus.UNCONFIRMED)
    bench.orders.place(an_order("W3", symbol=HYNIX, side=Side.SELL))
    bench.orders.place(an_order("W4", qty=100), OrderStatus.CANCELED)
    verdict = bench.submit(an_order("Q1", symbol=HYNIX))
    (budget,) = [check for check in verdict.checks if check.rule == "budget"]
    assert (budget.limit, budget.value, budget.passed) == (410_000, 140_000 + 90_000 + 70_000 + 35_000 + 75_000, True)
    assert ("budget", 410_000, 410_000, "KRW") in bench.gate.limits_in_use()


@pytest.mark.parametrize(("realized", "passed"), [(50_000, True), (-25_000, True), (-25_001, False)])
def test_losses_of_the_session_shrink_the_budget_and_profits_do_not_grow_it(
    realized: int, passed: bool  # noqa: FBT001
) -> None:
    bench = Bench(max_budget=100_000)
    bench.positions.realized = realized
    limit = 100_000 + min(realized, 0)
    assert bench.check(an_order(), "budget") == (limit, 75_000, limit - 75_000, "KRW", passed)


@pytest.mark.parametrize(("budget", "passed"), [(97_500, True), (97_499, False)])
def test_a_market_buy_is_margined_at_the_upper_price_limit(budget: int, passed: bool) -> None:  # noqa: FBT001
    bench = Bench(max_budget=budget)
    assert bench.check(MARKET_BUY, "budget") == (budget, 97_500, budget - 97_500, "KRW", passed)


@pytest.mark.parametrize(("share", "passed"), [(75_000_000, True), (74_999_999, False)])
def test_one_position_may_take_its_share_of_the_first_equity_of_the_day(share: int, passed: bool) -> None:  # noqa: FBT001
    bench = Bench(cash=1_000_000, position_share=share)
    limit = 75_000 if passed else 74_999
    assert bench.check(an_order(), "position-share") == (limit, 75_000, limit - 75_000, "KRW", passed)


def test_cost_and_open_buys_of_the_same_symbol_count_in_its_share() -> None:
    bench = Bench(cash=1_000_000, position_share=400_000_000)
    bench.positions.hold(SAMSUNG, 1, 70_000)
    bench.positions.hold(HYNIX, 1, 90_000)
    bench.orders.place(an_order("W1", qty=3, price=50_000), filled=1)
    bench.orders.place(an_order("W2", symbol=HYNIX, qty=2))
    bench.orders.place(an_order("W3", kind=OrderKind.MARKET, price=0))
    bench.orders.place(an_order("W4", side=Side.SELL, price=60_000))
    value = 70_000 + 2 * 50_000 + 97_500 + 75_000
    assert bench.check(an_order(), "position-share") == (400_000, value, 400_000 - value, "KRW", True)
    assert ("position-share", 90_000, 400_000, "KRW") in bench.gate.limits_in_use()


@pytest.mark.parametrize(("cash", "left"), [(75_011, 0), (75_010, -1)])
def test_cash_pays_for_the_order_and_its_commission_to_the_last_won(cash: int, left: int) -> None:
    bench = Bench(cash=10**9, commission_ppb=140_527)  # 10.54 won of commission, rounded up
    bench.positions.money = cash
    bench.positions.hold(HYNIX, 1, 10**6)
    assert bench.submit(an_order(qty=0)).checks  # keeps the reserve out of it
    verdict = bench.submit(an_order("Q2"))
    (check,) = [check for check in verdict.checks if check.rule == "cash"]
    assert (check.limit, check.value, check.distance, check.unit, check.passed) == (0, left, left, "KRW", left >= 0)


@pytest.mark.parametrize(("cash", "passed"), [(150_000, True), (149_999, False)])
def test_open_buys_count_against_cash(cash: int, passed: bool) -> None:  # noqa: FBT001
    bench = Bench(cash=10**9, cash_share=-(10**9))  # a reserve that cannot bind
    bench.positions.money = cash
    bench.orders.place(an_order("W1", symbol=HYNIX))
    assert bench.check(an_order(), "cash") == (0, cash - 150_000, cash - 150_000, "KRW", passed)


@pytest.mark.parametrize(("share", "reserve"), [(250_000_000, 25_000), (250_000_001, 25_001)])
def test_a_share_of_equity_stays_cash(share: int, reserve: int) -> None:
    bench = Bench(cash=100_000, cash_share=share)
    assert bench.check(an_order(), "cash-reserve") == (reserve, 25_000, 25_000 - reserve, "KRW", reserve == 25_000)


def test_positions_count_in_the_equity_that_the_reserve_is_a_share_of() -> None:
    bench = Bench(cash=200_000, cash_share=200_000_000)
    bench.positions.hold(SAMSUNG, 1, 100_000)
    bench.orders.place(an_order("W1", price=65_000))
    assert bench.check(an_order(), "cash-reserve") == (60_000, 60_000, 0, "KRW", True)
    assert ("cash-reserve", 240_000, 240_000, "KRW") in bench.gate.limits_in_use()


@pytest.mark.parametrize(("loss", "passed"), [(49_999, True), (50_000, False)])
def test_reaching_the_daily_loss_is_too_much(loss: int, passed: bool) -> None:  # noqa: FBT001
    bench = Bench(daily_loss=50_000)
    bench.positions.profit_today = -loss
    verdict = bench.submit(an_order())
    check = next(check for check in verdict.checks if check.rule == "daily-loss")
    assert (check.limit, check.value, check.distance, check.unit, check.passed) == (
        50_000, loss, 50_000 - loss, "KRW", passed,
    )  # fmt: skip
    assert getattr(verdict, "reason", "") == ("" if passed else "daily-loss")
    assert ("daily-loss", loss, 50_000, "KRW") in bench.gate.limits_in_use()


def test_a_profit_uses_nothing_of_the_daily_loss() -> None:
    bench = Bench(daily_loss=50_000)
    bench.positions.profit_today = 1_000
    assert ("daily-loss", 0, 50_000, "KRW") in bench.gate.limits_in_use()


@pytest.mark.parametrize("order", [SALE, RESCUE])
@pytest.mark.parametrize("rule", ["budget", "position-share", "cash", "cash-reserve"])
def test_a_sell_is_not_measured_by_money(order: object, rule: str) -> None:
    bench = Bench(cash=0, max_budget=0, position_share=0, cash_share=10**9)
    bench.positions.hold(SAMSUNG, 1, 75_000)
    assert order in (SALE, RESCUE)
    assert bench.check(SALE if order is SALE else RESCUE, rule) is None

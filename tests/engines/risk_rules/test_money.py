"""Rules about won: each limit is reached without harm, and one won beyond it breaks."""

import pytest

from qbtrade.domain.events import OrderDenied, SubmitOrder
from qbtrade.domain.order import OrderKind, OrderStatus, Purpose, Side
from tests.builders import SAMSUNG, an_order
from tests.engines.bench import HYNIX, Bench, numbers

MARKET_BUY = an_order(kind=OrderKind.MARKET, price=0)
NO_RESERVE = -(10**9)  # so that cash alone can bind


@pytest.mark.parametrize(("budget", "room"), [(75_000, 0), (74_999, -1)])
def test_an_order_may_use_the_budget_up_but_not_exceed_it(budget: int, room: int) -> None:
    assert Bench(max_budget=budget).check(an_order(), "budget") == (budget, 75_000, room, "KRW", room == 0)


def test_positions_and_open_buys_of_all_symbols_count_in_the_budget() -> None:
    bench = Bench(max_budget=410_000)
    bench.positions.hold(SAMSUNG, 2, 70_000)
    bench.positions.hold(HYNIX, 1, 90_000)
    bench.orders.place(an_order("W1", symbol=HYNIX, qty=3, price=35_000), filled=1)
    bench.orders.place(an_order("W2", price=35_000))
    bench.orders.place(an_order("W3", symbol=HYNIX, side=Side.SELL))
    bench.orders.place(an_order("W4", qty=100), OrderStatus.CANCELED)
    assert bench.check(an_order(symbol=HYNIX), "budget") == (410_000, 410_000, 0, "KRW", True)
    assert ("budget", 410_000, 410_000, "KRW") in bench.gate.limits_in_use()


def test_an_unconfirmed_buy_counts_in_the_budget() -> None:
    bench = Bench(max_budget=149_999)
    bench.orders.place(an_order("W1", symbol=HYNIX), OrderStatus.UNCONFIRMED)
    assert bench.check(an_order(), "budget") == (149_999, 150_000, -1, "KRW", False)


@pytest.mark.parametrize(("realized", "limit"), [(50_000, 100_000), (1, 100_000), (-25_000, 75_000), (-25_001, 74_999)])
def test_losses_of_the_session_shrink_the_budget_and_profits_do_not_grow_it(realized: int, limit: int) -> None:
    bench = Bench(max_budget=100_000)
    bench.positions.realized = realized
    assert bench.check(an_order(), "budget") == (limit, 75_000, limit - 75_000, "KRW", limit >= 75_000)


@pytest.mark.parametrize(("budget", "room"), [(97_500, 0), (97_499, -1)])
def test_a_market_buy_is_margined_at_the_upper_price_limit(budget: int, room: int) -> None:
    assert Bench(max_budget=budget).check(MARKET_BUY, "budget") == (budget, 97_500, room, "KRW", room == 0)


def test_an_order_that_the_view_does_not_know_yet_counts_all_the_same() -> None:
    bench = Bench(max_budget=74_999)
    bench.gate.on_submit(SubmitOrder(bench.clock.now(), an_order()))
    assert isinstance(bench.seen[-1], OrderDenied)


@pytest.mark.parametrize(("share", "room"), [(75_000_000, 0), (74_999_999, -1)])
def test_one_position_may_take_its_share_of_the_first_equity_of_the_day(share: int, room: int) -> None:
    bench = Bench(cash=1_000_000, position_share=share)
    assert bench.check(an_order(), "position-share") == (75_000 + room, 75_000, room, "KRW", room == 0)


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
    bench = Bench(cash=cash, cash_share=NO_RESERVE, commission_ppb=140_527)  # 10.54 won of commission, rounded up
    assert bench.check(an_order(), "cash") == (0, left, left, "KRW", left == 0)


@pytest.mark.parametrize(("cash", "left"), [(150_000, 0), (149_999, -1)])
def test_open_buys_count_against_cash(cash: int, left: int) -> None:
    bench = Bench(cash=cash, cash_share=NO_RESERVE)
    bench.orders.place(an_order("W1", symbol=HYNIX))
    assert bench.check(an_order(), "cash") == (0, left, left, "KRW", left == 0)


@pytest.mark.parametrize(("share", "room"), [(250_000_000, 0), (250_000_001, -1)])
def test_a_share_of_equity_stays_cash(share: int, room: int) -> None:
    bench = Bench(cash=100_000, cash_share=share)
    assert bench.check(an_order(), "cash-reserve") == (25_000 - room, 25_000, room, "KRW", room == 0)


def test_positions_and_open_buys_count_in_the_reserve() -> None:
    bench = Bench(cash=200_000, cash_share=200_000_000)
    bench.positions.started_with = 10**9
    bench.positions.hold(SAMSUNG, 1, 100_000)
    bench.orders.place(an_order("W1", price=65_000))
    assert bench.check(an_order(), "cash-reserve") == (60_000, 60_000, 0, "KRW", True)
    assert ("cash-reserve", 240_000, 240_000, "KRW") in bench.gate.limits_in_use()


@pytest.mark.parametrize(("loss", "room"), [(49_999, 1), (50_000, 0)])
def test_reaching_the_daily_loss_is_too_much(loss: int, room: int) -> None:
    bench = Bench(daily_loss=50_000)
    bench.positions.profit_today = -loss
    verdict = bench.submit(an_order())
    assert numbers(verdict.checks[1]) == (50_000, loss, room, "KRW", room == 1)
    assert getattr(verdict, "reason", "") == ("" if room else "daily-loss")
    assert ("daily-loss", loss, 50_000, "KRW") in bench.gate.limits_in_use()


def test_a_profit_uses_nothing_of_the_daily_loss() -> None:
    bench = Bench(daily_loss=50_000)
    bench.positions.profit_today = 1_000
    assert ("daily-loss", 0, 50_000, "KRW") in bench.gate.limits_in_use()


@pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.PROTECT, Purpose.FLATTEN])
@pytest.mark.parametrize("rule", ["budget", "position-share", "cash", "cash-reserve"])
def test_a_sell_is_not_measured_by_money(purpose: Purpose, rule: str) -> None:
    bench = Bench(cash=0, max_budget=0, position_share=0, cash_share=10**9)
    bench.positions.hold(SAMSUNG, 1, 75_000)
    assert bench.check(an_order(side=Side.SELL, purpose=purpose), rule) is None

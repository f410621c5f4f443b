from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side
from qbtrade.domain.portfolio import Account, Booking, Position

COSTS = Costs(commission_ppb=140_527, tax_ppb=1_500_000)
Fill = tuple[str, str, Side, int, int]


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    """One fill of one of a few orders; an order has one symbol and one side."""
    symbol = draw(st.sampled_from(["005930", "000660"]))
    side = draw(st.sampled_from(Side))
    number = draw(st.integers(1, 3))
    return f"{symbol}-{side}-{number}", symbol, side, draw(st.integers(1, 2_000_000)), draw(st.integers(1, 50))


def played(account: Account, sequence: Sequence[Fill], costs: Costs) -> list[tuple[Fill, Booking]]:
    """Book every fill that the account can bear."""
    booked = []
    for fill in sequence:
        order_id, symbol, side, price, qty = fill
        held = account.positions[symbol].qty if symbol in account.positions else 0
        if side is Side.BUY or qty <= held:
            booked.append((fill, account.fill(order_id, symbol, side, price, qty, costs)))
    return booked


def test_a_round_trip_to_the_won() -> None:
    account = Account(1_000_000)
    bought = account.fill("B1", "005930", Side.BUY, 75_000, 2, COSTS)
    sold = account.fill("S1", "005930", Side.SELL, 76_000, 2, COSTS)
    assert bought == Booking(commission=21, tax=0, realized=0)
    assert sold == Booking(commission=21, tax=228, realized=2_000)
    assert account.cash == 1_000_000 + 2_000 - 21 - 21 - 228
    assert (account.realized, account.commission, account.tax, account.total_cost()) == (2_000, 42, 228, 0)


def test_a_part_sold_releases_its_share_of_the_cost() -> None:
    position = Position()
    position.buy(100, 1)
    position.buy(101, 2)
    assert position.sell(110, 2) == 220 - 201  # two thirds of 302, cut to the won
    assert (position.qty, position.cost, position.realized) == (1, 101, 19)
    assert position.sell(90, 1) == 90 - 101
    assert (position.qty, position.cost, position.realized) == (0, 0, 8)


@pytest.mark.parametrize("qty", [0, -1])
def test_nothing_cannot_be_bought(qty: int) -> None:
    with pytest.raises(ValueError, match="cannot buy"):
        Position().buy(100, qty)


@pytest.mark.parametrize("qty", [0, -1, 3])
def test_no_more_can_be_sold_than_is_held_and_a_refusal_changes_nothing(qty: int) -> None:
    account = Account(1_000)
    account.fill("B1", "005930", Side.BUY, 100, 2, COSTS)
    before = (account.cash, account.realized, account.commission, account.tax, account.positions["005930"].qty)
    with pytest.raises(ValueError, match=r"cannot sell -?\d of 2"):
        account.fill("S1", "005930", Side.SELL, 100, qty, COSTS)
    assert before == (account.cash, account.realized, account.commission, account.tax, account.positions["005930"].qty)


def test_what_was_never_held_cannot_be_sold() -> None:
    account = Account(1_000)
    with pytest.raises(ValueError, match="cannot sell 1 of 0"):
        account.fill("S1", "005930", Side.SELL, 100, 1, COSTS)
    assert account.positions == {}


def test_a_fill_pays_what_its_orders_total_adds() -> None:
    account = Account(10_000_000)
    one_by_one = [account.fill("B1", "005930", Side.BUY, 70_000, 1, COSTS).commission for _ in range(4)]
    assert one_by_one == [9, 10, 10, 10]  # 9.8, 19.7, 29.5, 39.3 won in total
    assert account.fill("B2", "005930", Side.BUY, 70_000, 4, COSTS).commission == 39


@given(st.lists(fills(), max_size=40), st.integers(0, 10**9), st.integers(0, 10**7), st.integers(0, 10**7))
def test_cash_and_cost_are_deposits_and_profit_net_of_costs(
    sequence: list[Fill], cash: int, commission_ppb: int, tax_ppb: int
) -> None:
    account = Account(cash)
    for fill in sequence:
        played(account, [fill], Costs(commission_ppb, tax_ppb))
        left = account.cash + account.total_cost()
        assert left == account.deposits + account.realized - account.commission - account.tax


@given(st.lists(fills(), max_size=40), st.integers(0, 10**7), st.integers(0, 10**7))
def test_costs_of_an_order_are_the_floor_of_its_total_however_it_fills(
    sequence: list[Fill], commission_ppb: int, tax_ppb: int
) -> None:
    booked = played(Account(10**9), sequence, Costs(commission_ppb, tax_ppb))
    for order_id in {fill[0] for fill, _ in booked}:
        own = [(fill, booking) for fill, booking in booked if fill[0] == order_id]
        total = sum(price * qty for (_, _, _, price, qty), _ in own)
        taxed = total if own[0][0][2] is Side.SELL else 0
        assert sum(booking.commission for _, booking in own) == total * commission_ppb // 10**9
        assert sum(booking.tax for _, booking in own) == taxed * tax_ppb // 10**9
        assert all(booking.commission >= 0 and booking.tax >= 0 for _, booking in own)


@given(st.lists(fills(), max_size=40))
def test_the_account_is_the_sum_of_its_fills(sequence: list[Fill]) -> None:
    account = Account(10**9)
    booked = played(account, sequence, COSTS)
    paid = {Side.BUY: -1, Side.SELL: 1}
    flow = sum(paid[side] * price * qty for (_, _, side, price, qty), _ in booked)
    fees = sum(booking.commission + booking.tax for _, booking in booked)
    assert account.cash == 10**9 + flow - fees
    for symbol, position in account.positions.items():
        held = sum(-paid[side] * qty for (_, of, side, _, qty), _ in booked if of == symbol)
        assert (position.qty, position.cost == 0) == (held, held == 0)
    assert account.realized == sum(position.realized for position in account.positions.values())

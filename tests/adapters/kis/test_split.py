"""Which orders filled unseen, and for how much each, by shares that moved and the totals of the day."""

from collections.abc import Mapping

import pytest

from qbtrade.adapters.kis.split import Part, explain
from qbtrade.domain.order import Side
from tests.adapters.kis.order_rig import HYNIX, a_balance
from tests.builders import SAMSUNG

NAVER = "035420"
NOTHING = a_balance({}, {})


def a_buy(most: int, symbol: str = SAMSUNG, *, is_whole: bool = False) -> Part:
    return Part(symbol, Side.BUY, most, 100, 100, is_whole)


def a_sell(most: int, symbol: str = SAMSUNG, limit: int = 100, *, is_whole: bool = False) -> Part:
    return Part(symbol, Side.SELL, most, limit, limit, is_whole)


def fills(
    parts: list[Part], moved: Mapping[str, int], qty: int, bought: int, sold: int, held: Mapping[str, int] | None = None
) -> tuple[tuple[int, int], ...] | None:  # fmt: skip
    """held: what was paid for the shares that came, by symbol, which are all that is held."""
    balance = a_balance({each: moved[each] for each in held}, dict(held)) if held else NOTHING
    found = explain(parts, moved, qty, {Side.BUY: bought, Side.SELL: sold}, balance)
    return found.fills if found else None


def test_a_part_of_a_buy_and_all_of_a_sell_of_one_stock_and_a_buy_of_another() -> None:
    parts = [a_buy(4), a_sell(6), a_buy(2, HYNIX), a_buy(2, NAVER, is_whole=True)]
    told = fills(parts, {SAMSUNG: -2, HYNIX: 2}, 12, 590, 610, held={HYNIX: 196})
    assert told == ((4, 394), (6, 610), (2, 196), (0, 0))
    assert fills(parts, {SAMSUNG: -2, HYNIX: 2}, 8, 390, 410, held={HYNIX: 196}) == (
        (2, 194),
        (4, 410),
        (2, 196),
        (0, 0),
    )


def test_what_two_stocks_may_both_have_turned_over_is_of_neither() -> None:
    parts = [a_buy(4), a_sell(4), a_buy(4, HYNIX), a_sell(4, HYNIX)]
    assert fills(parts, {}, 2, 99, 101) is None
    assert fills(parts, {}, 16, 790, 810) == ((4, 395), (4, 405), (4, 395), (4, 405))


def test_an_order_without_a_number_filled_whole_or_not_at_all() -> None:
    parts = [a_buy(4, is_whole=True), a_sell(4)]
    assert fills(parts, {}, 8, 398, 402) == ((4, 398), (4, 402))
    assert fills(parts, {}, 4, 199, 201) is None


@pytest.mark.parametrize(("qty", "sold", "found"), [
    (2, 202, None), (2, 197, (0, 2)), (5, 505, None), (6, 606, (4, 2)),
], ids=["either", "below-the-limit-of-one", "which-part", "all"])  # fmt: skip
def test_of_two_orders_of_a_side_one_owns_shares_that_the_other_cannot_have_sold(
    qty: int, sold: int, found: tuple[int, ...] | None
) -> None:
    parts = [a_sell(4, is_whole=True), a_sell(2, limit=98)]
    told = fills(parts, {SAMSUNG: -qty}, qty, 0, sold)
    assert (tuple(shares for shares, _krw in told) if told else None) == found


def test_orders_of_thousands_of_shares_are_told_apart_at_once_or_not_at_all() -> None:
    parts = [a_buy(9_000), a_sell(9_000)]
    assert fills(parts, {SAMSUNG: -1_000}, 15_000, 690_000, 810_000) == ((7_000, 690_000), (8_000, 810_000))
    assert fills([*parts, a_buy(9_000), a_sell(9_000)], {SAMSUNG: -1_000}, 15_000, 690_000, 810_000) is None


def test_each_has_its_part_by_the_worth_at_its_limit_and_the_sum_is_the_brokers() -> None:
    parts = [a_sell(3), a_sell(1, HYNIX)]
    assert fills(parts, {SAMSUNG: -3, HYNIX: -1}, 4, 0, 402) == ((3, 301), (1, 101))
    assert fills([a_buy(3), parts[1]], {SAMSUNG: 3, HYNIX: -1}, 4, 300, 102) == ((3, 300), (1, 102))


@pytest.mark.parametrize(("bought", "held", "found"), [
    (388, {SAMSUNG: 290, HYNIX: 98}, ((3, 290), (1, 98))),
    (388, {HYNIX: 98}, ((3, 290), (1, 98))),
    (380, {SAMSUNG: 290, HYNIX: 98}, ((3, 285), (1, 95))),
    (400, {HYNIX: 98}, ((3, 300), (1, 100))),
], ids=["both", "one", "other", "beyond-a-limit"])  # fmt: skip
def test_what_a_new_holding_cost_decides_where_it_adds_up(
    bought: int, held: dict[str, int], found: tuple[tuple[int, int], ...]
) -> None:
    assert fills([a_buy(3), a_buy(1, HYNIX)], {SAMSUNG: 3, HYNIX: 1}, 4, bought, 0, held) == found


def test_a_side_that_cost_something_and_has_no_shares_or_an_order_without_a_price_tells_nothing() -> None:
    sells = [a_sell(3), a_sell(1, HYNIX)]
    assert fills(sells, {SAMSUNG: -3, HYNIX: -1}, 4, 10, 392) is None
    assert fills([a_buy(3), a_buy(1, HYNIX)], {SAMSUNG: 3, HYNIX: 1}, 4, 390, 10) is None
    assert fills([a_buy(3), sells[1]], {SAMSUNG: 3, HYNIX: -1}, 4, 400, 0) is None
    assert fills([Part(SAMSUNG, Side.BUY, 3, 0, 0)], {SAMSUNG: 3}, 3, 400, 0) is None
    assert fills(sells, {}, 0, 0, 0) is None

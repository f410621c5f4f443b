"""What shares of several stocks cost, each, where only the sum of both sides is told."""

from qbtrade.adapters.kis.split import amounts
from tests.adapters.kis.order_rig import HYNIX, a_balance
from tests.builders import SAMSUNG

WORTH = {SAMSUNG: 300, HYNIX: 100}


def test_each_has_its_part_by_the_worth_at_its_limit_and_the_sum_is_the_brokers() -> None:
    nothing = a_balance({}, {})
    assert amounts({SAMSUNG: -3, HYNIX: -1}, WORTH, 402, 0, nothing) == {SAMSUNG: 301, HYNIX: 101}
    assert amounts({SAMSUNG: 3, HYNIX: -1}, WORTH, 402, 300, nothing) == {SAMSUNG: 300, HYNIX: 102}


def test_what_a_new_holding_cost_decides_where_it_adds_up() -> None:
    held = a_balance({SAMSUNG: 3, HYNIX: 1}, {SAMSUNG: 290, HYNIX: 98})
    assert amounts({SAMSUNG: 3, HYNIX: 1}, WORTH, 388, 388, held) == {SAMSUNG: 290, HYNIX: 98}
    assert amounts({SAMSUNG: 3, HYNIX: 1}, WORTH, 380, 380, held) == {SAMSUNG: 285, HYNIX: 95}
    assert amounts({SAMSUNG: 2, HYNIX: 1}, {SAMSUNG: 200, HYNIX: 100}, 291, 291, held) == {SAMSUNG: 194, HYNIX: 97}


def test_a_side_that_cost_something_and_has_no_shares_or_an_order_without_a_price_tells_nothing() -> None:
    nothing = a_balance({}, {})
    assert amounts({SAMSUNG: -3, HYNIX: -1}, WORTH, 402, 10, nothing) == {}
    assert amounts({SAMSUNG: 3, HYNIX: 1}, WORTH, 400, 390, nothing) == {}
    assert amounts({SAMSUNG: 3, HYNIX: -1}, WORTH, 400, 400, nothing) == {}
    assert amounts({SAMSUNG: 3, HYNIX: 1}, {SAMSUNG: 300, HYNIX: 0}, 400, 400, nothing) == {}

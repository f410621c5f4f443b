"""The account, its costs and its round trips agree to the won with books kept in SQL from the executions alone."""

import pytest

from tests.oracle.conftest import Play

ALL = pytest.mark.parametrize("name", ["samsung", "six", "split", "years", "funds"])


@ALL
def test_each_execution_pays_the_commission_and_tax_that_its_order_adds(name: str, play: Play) -> None:
    wrong = play(name).rows(
        "SELECT n, order_id, commission, said_commission, tax, said_tax FROM cost"
        " WHERE commission <> said_commission OR tax <> said_tax"
    )
    assert wrong == []


@ALL
def test_each_order_pays_on_its_total_cut_to_the_won(name: str, play: Play) -> None:
    wrong = play(name).rows(
        "SELECT order_id, commission, tax, sum(amount) * any_value(fee) // 1000000000,"
        " sum(amount) * any_value(duty) // 1000000000"
        " FROM wish JOIN fill USING (order_id) JOIN cost USING (n, order_id)"
    )
    assert wrong == []

from collections.abc import Sequence

import msgspec
import pytest

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.environment import CAPABILITIES
from qbtrade.adapters.kis.parse import account
from qbtrade.adapters.kis.parse.envelope import Page
from qbtrade.errors import WireError
from tests.adapters.kis.captured import own, recorded
from tests.adapters.kis.desk import an_environment


def test_a_balance_leaves_out_what_was_sold_and_marks_what_is_on_loan() -> None:
    found = account.balance(own("balance"))
    assert [(each.symbol, each.name, each.qty, each.cost, each.last, each.credit) for each in found.holdings] == [
        ("005930", "SAMSUNG", 4, 299_800, 75_100, False),
        ("009150", "ON LOAN", 3, 369_000, 0, True),
    ]
    assert (found.cash, found.deposit, found.tomorrow, found.costs) == (9_700_158, 10_000_000, 9_999_958, 42)
    assert (found.bought, found.sold, found.loans, found.net_assets) == (299_800, 0, 369_000, 10_000_558)


def test_an_empty_account_has_cash_and_no_holdings() -> None:
    found = account.balance(own("balance_empty"))
    assert (found.holdings, found.cash) == ((), 10_000_000)


@pytest.mark.parametrize("block", ["output1", "output2"])
def test_a_balance_that_lacks_a_block_is_no_empty_balance(block: str) -> None:
    (page,) = own("balance")
    del page.body[block]
    with pytest.raises(WireError, match="missing"):
        account.balance([page])


@pytest.mark.parametrize("blank", ["", " ", "abc", "12.5", "1_000", "-"])
def test_cash_that_cannot_be_read_is_an_error(blank: str) -> None:
    (page,) = own("balance")
    page.body["output2"][0]["prvs_rcdl_excc_amt"] = blank
    with pytest.raises(WireError, match="prvs_rcdl_excc_amt"):
        account.balance([page])


def test_cash_may_be_negative_but_shares_may_not() -> None:
    (page,) = own("balance")
    page.body["output2"][0]["prvs_rcdl_excc_amt"] = "-000000042"
    assert account.balance([page]).cash == -42
    page.body["output1"][0]["hldg_qty"] = "-1"
    with pytest.raises(WireError, match="hldg_qty is negative"):
        account.balance([page])


def test_the_recorded_balance_adds_up() -> None:
    found = account.balance(recorded("inquire_balance"))
    assert [(each.symbol, each.qty, each.sellable) for each in found.holdings] == [
        ("009150", 1657, 1611),
        ("009150", 3, 3),
        ("000660", 1, 1),
    ]
    assert found.net_assets == found.cash + found.stock_value


def test_the_recorded_buying_power_tells_credit_apart() -> None:
    found = account.buying_power(recorded("inquire_psbl_order"))
    assert (found.cash, found.amount, found.qty, found.price) == (741_191_178, 107_177_377, 1531, 70_000)
    assert found.amount < found.amount_on_credit


def test_the_recorded_sellable_shares_are_read() -> None:
    assert account.sellable(recorded("inquire_psbl_sell")) == account.Sellable("005930", 1744, 1744)


def test_a_holding_on_two_pages_is_no_balance_but_two_rows_on_one_page_are() -> None:
    (page,) = own("balance")
    with pytest.raises(WireError, match="two pages"):
        account.balance([page, page])
    first = page.body["output1"][0]
    twice = msgspec.structs.replace(page, body={**page.body, "output1": [first, first]})
    assert len(account.balance([twice]).holdings) == 2


def test_pages_that_lack_shares_which_their_total_counts_are_no_balance() -> None:
    (page,) = own("balance")
    first = page.body["output1"][0]
    other = {**first, "pdno": "035420", "pchs_amt": "300"}
    half = msgspec.structs.replace(page, body={**page.body, "output1": [other]})

    def told(total: int) -> Sequence[Page]:
        summed = {**page.body["output2"][0], "pchs_amt_smtl_amt": str(total)}
        return [msgspec.structs.replace(page, body={**page.body, "output1": [first], "output2": [summed]}), half]

    cost = int(first["pchs_amt"])
    assert len(account.balance(told(cost + 301)).holdings) == len(account.balance(told(0)).holdings) == 2
    with pytest.raises(WireError, match="its own total"):
        account.balance(told(cost + 900))
    assert calls.balance(an_environment()).parse is account.balance
    abilities = msgspec.structs.replace(CAPABILITIES["real"], balance_sum=False)
    unchecked = calls.balance(an_environment(capabilities=abilities))
    assert len(unchecked.parse(told(cost + 900)).holdings) == 2

"""What the broker tells of our orders against what is booked: only when both agree can others have moved the rest."""

import msgspec
import pytest

from qbtrade.adapters.kis.events import Stage
from qbtrade.adapters.kis.parse.orders import UnreadRow
from tests.adapters.kis.order_rig import PRICE, OrderRig, taken
from tests.builders import an_order


def bought(speaks: str = "real") -> OrderRig:
    """Three of ten shares are booked, by a notice."""
    rig = OrderRig("paper" if speaks == "paper" else "real")
    rig.submit(an_order("Q1", qty=10), taken("1"))
    rig.notice("1", Stage.FILLED, 3, order_qty=10)
    rig.rows, rig.totals = [rig.row("1", 10, filled_qty=3, filled_amount=3 * PRICE, open_qty=7)], (10, 3, 3 * PRICE)
    return rig


@pytest.mark.parametrize("speaks", ["real", "paper"])
def test_fills_that_are_all_booked_leave_no_doubt(speaks: str) -> None:
    rig = bought(speaks)
    assert (rig.broker.unbooked(rig.history()), rig.broker.still_work(rig.history())) == ("", ())


@pytest.mark.parametrize("speaks", ["real", "paper"])
def test_a_fill_that_is_not_booked_is_a_doubt_and_is_looked_for(speaks: str) -> None:
    rig = bought(speaks)
    rig.rows, rig.totals = [rig.row("1", 10, filled_qty=5, filled_amount=5 * PRICE, open_qty=5)], (10, 5, 5 * PRICE)
    assert rig.broker.unbooked(rig.history())
    rig.held = {"005930": 5}
    rig.wait(40)
    assert (rig.holding(), rig.broker.unbooked(rig.history())) == (5, "")


def test_a_list_that_cannot_be_trusted_is_a_doubt() -> None:
    rig, told = bought(), bought().history()
    assert rig.broker.unbooked(msgspec.structs.replace(told, is_torn=True))
    assert rig.broker.unbooked(msgspec.structs.replace(told, rows=()))
    assert rig.broker.unbooked(msgspec.structs.replace(told, unread=(UnreadRow("1", "odd"),)))


def test_an_order_that_ended_here_and_works_at_the_broker_is_named() -> None:
    rig = bought()
    rig.notice("1", Stage.FILLED, 7, order_qty=10)
    assert rig.broker.still_work(rig.history()) == ("1",)

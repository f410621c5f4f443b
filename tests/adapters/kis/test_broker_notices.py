"""Notices that are lost, doubled and out of order, and looks at the rows between them: the books end exact."""

from collections.abc import Callable
from datetime import time
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from qbtrade.adapters.kis.broker import KisBroker
from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.events import Action, Notice, Stage
from qbtrade.adapters.kis.outcomes import Accepted
from qbtrade.adapters.kis.parse.orders import OrderAck, OrderHistory, OrderRow
from qbtrade.adapters.kis.totals import Accounted
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.events import OrderFilled
from qbtrade.domain.order import Side
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.adapters.kis.desk import NOW, an_environment
from tests.builders import SAMSUNG, SECOND, TODAY, an_order

QTY = 10


class Desk(Caller):
    """Takes every order at once, and tells of the day's orders what the exchange has done by then."""

    def __init__(self, speaks: Dialect) -> None:
        self.fills: list[tuple[int, int]] = []
        self._has_rows = speaks == "real"

    def ask(self, call: Call[Any], then: Callable[[Any], None]) -> None:
        assert call.name == "inquire-daily-ccld"
        filled, amount = sum(qty for _, qty in self.fills), sum(price * qty for price, qty in self.fills)
        row = OrderRow(
            day=TODAY, at=time(9, 30), branch="06010", order_no="7", original_no="", symbol=SAMSUNG, side=Side.BUY,
            code="00", qty=QTY, price=75_000, filled_qty=filled, filled_amount=amount, open_qty=QTY - filled,
            canceled_qty=0, rejected_qty=0,
        )  # fmt: skip
        then(OrderHistory((row,) if self._has_rows else (), QTY, filled, amount))

    def order(self, call: Call[OrderAck], then: Callable[[Any], None]) -> None:
        del call
        then(Accepted(OrderAck("7", "06010", None)))


def notice(fill: tuple[int, int], second: int) -> Notice:
    price, qty = fill
    return Notice(
        NOW + second * SECOND, "5000000101", "7", "", SAMSUNG, Side.BUY, Action.NEW, Stage.FILLED, qty, price, QTY
    )


@given(
    fills=st.lists(st.tuples(st.sampled_from([74_800, 74_900, 75_000]), st.integers(1, 3)), min_size=1, max_size=3),
    seconds=st.lists(st.integers(0, 1), min_size=3, max_size=3),
    steps=st.lists(st.integers(0, 5), max_size=14),
)
@example(fills=[(74_800, 2), (74_900, 3)], seconds=[0, 1, 0], steps=[3, 5, 3, 1, 0])
def test_whatever_becomes_of_notices_the_rows_make_shares_and_money_exact(
    fills: list[tuple[int, int]], seconds: list[int], steps: list[int]
) -> None:
    bus, clock, booked, desk = Bus(), SimClock(NOW), list[OrderFilled](), Desk("real")
    bus.subscribe(OrderFilled, booked.append)
    broker = KisBroker(bus, clock, desk, an_environment())
    broker.begin(OrderHistory((), 0, 0, 0), Accounted(0, 0, {}))
    broker.submit(an_order(qty=QTY))
    for step in steps:
        if step < 3 and step < len(desk.fills):
            bus.publish(notice(fills[step], seconds[step]))  # perhaps not for the first time
        elif step == 3 and len(desk.fills) < len(fills):
            desk.fills.append(fills[len(desk.fills)])
        elif step > 3:
            clock.advance(clock.now() + (step - 3) * 3 * SECOND)
        assert sum(each.qty for each in booked) <= sum(qty for _, qty in desk.fills)
    desk.fills = list(fills)
    clock.advance(clock.now() + 20 * SECOND)
    assert sum(each.qty for each in booked) == sum(qty for _, qty in fills)
    assert sum(each.qty * each.price for each in booked) == sum(qty * price for price, qty in fills)

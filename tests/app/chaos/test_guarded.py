"""What counts as a stop-loss that nobody heeded."""

import pytest

from qbtrade.app.chaos.guarded import Watch
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import (
    Alert,
    Level,
    OrderApproved,
    OrderRejected,
    PositionChanged,
    RiskState,
    RiskStateChanged,
)
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import Purpose, Side
from tests.builders import SAMSUNG, an_order

STOP = 30_000_000
FALLS = 10 * NS


def held(ts: int = 0, qty: int = 2) -> PositionChanged:
    return PositionChanged(
        ts, SAMSUNG, qty, qty * 75_000, 0, 0, 0, 0, "Q1", Side.BUY, 75_000, qty, Purpose.ENTRY
    )  # fmt: skip


def sells(ts: int) -> OrderApproved:
    return OrderApproved(ts, an_order("Q2", qty=2, side=Side.SELL, purpose=Purpose.PROTECT), ())


def watched(*rows: Event, low: int = 72_000, since: int = 0, until: int = FALLS * 100) -> Watch:
    """Two shares of 75,000 fall at ten seconds and stay there for two minutes."""
    watch = Watch(since, until, STOP)
    trades = [Trade(0, SAMSUNG, 75_000, 1), *(Trade(FALLS + second * NS, SAMSUNG, low, 1) for second in range(120))]
    watch.read([held(), *rows], trades)
    return watch


def test_shares_that_stay_below_their_stop_loss_without_a_sale_break_a_promise() -> None:
    watch = watched()
    assert watch.broken[0] == "005930 was below its stop-loss for 46 s, and no sale of it was wished"
    assert watched(OrderRejected(FALLS + 5, "Q2", "x", "y"), sells(FALLS + 1)).broken == watch.broken


@pytest.mark.parametrize(
    "rows",
    [
        [sells(FALLS + 20 * NS)],
        [held(FALLS + 20 * NS, 0)],
        [RiskStateChanged(5, SAMSUNG, RiskState.HALTED, "vi")],
        [Alert(FALLS + second * NS, Level.CRITICAL, "stood-still", "") for second in (30, 70, 110)],
    ],
    ids=["for-sale", "sold", "halted", "asleep"],
)
def test_others_do_not(rows: list[Event]) -> None:
    watch = watched(*rows)
    assert (watch.broken, watch.stops > 0) == ([], rows[0].ts != 5)


def test_nor_does_a_price_above_it_or_a_time_at_which_things_go_wrong() -> None:
    assert (watched(low=73_000).stops, watched(low=72_700).stops) == (0, 0)
    assert watched(since=FALLS + 100 * NS).broken == []
    assert watched(until=FALLS + 20 * NS).broken == []

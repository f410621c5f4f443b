"""Canceling until the broker shows twice that nothing works."""

from pathlib import Path

import pytest

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.totals import everything
from qbtrade.app.live.asking import Working
from qbtrade.app.live.sweeping import Sweep
from qbtrade.domain import events as ev
from tests.builders import SAMSUNG, an_order
from tests.kis_venue import KisVenue, kis_venue
from tests.live_days import Hosted
from tests.venues import kinds, send


def working(venue: KisVenue) -> None:
    send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
    venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted])


def sweep_of(venue: KisVenue) -> Sweep:
    return Sweep(venue.wire, lambda order: venue.broker.is_ours(order.order_no), venue.broker.last_sent())


def test_orders_of_others_work_on(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        venue.order_by_hand(an_order(price=venue.last * 9 // 1000 * 100, qty=7))
        working(venue)
        sweep = sweep_of(venue)
        sweep.by_rows()
        (canceled,) = sweep.found()
        assert (canceled.done, canceled.qty) == (True, 4)
        assert [row.qty for row in venue.wire.history().rows if row.open_qty] == [7]


def test_an_order_that_has_ended_here_and_works_there_is_canceled(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        venue.send_elsewhere(an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        venue.until(lambda: bool(venue.wire.history().rows))
        history = venue.wire.history()
        (number,) = (row.order_no for row in history.rows)
        balance = venue.wire.fetch(calls.balance(venue.wire.environment))
        venue.broker.begin(history, everything(history, balance), frozenset({number}))
        sweep = sweep_of(venue)
        sweep.by_rows()
        assert [(each.order_no, each.done) for each in sweep.found()] == [(number, True)]
        assert not any(row.open_qty for row in venue.wire.history().rows)


@pytest.mark.parametrize("side", ["real", "paper"])
def test_an_order_that_no_cancel_ends_is_left(side: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qbtrade.app.live.sweeping.PERSISTS", 1.5)
    with kis_venue(tmp_path, side=side) as venue:
        working(venue)
        Hosted.at(venue.wire.environment.rest_url).set_faults(timeout_not_taken=10**9)
        sweep = sweep_of(venue)
        if side == "real":
            sweep.by_rows()
        else:
            (number,) = (event.broker_order_id for event in venue.heard if isinstance(event, ev.OrderAccepted))
            sweep.by_numbers([Working(number, "", "00", SAMSUNG, "BUY", 4)])
        (left,) = sweep.found()
        assert (left.done, left.side, left.qty) == (False, "BUY", 4)
        assert left.reason

"""What befalls an order on its way: the real client in front of the local KIS, over real sockets."""

from collections import Counter
from pathlib import Path

import pytest

from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain import events as ev
from qbtrade.domain.order import OrderStatus
from tests.kis_venue import KisVenue, kis_venue
from tests.live_days import Hosted
from tests.venues import crossing, filled, kinds, of, resting, send, walked

ALWAYS = 10**9
S = OrderStatus
DEAD = {"token-death": ALWAYS}


def at_broker(venue: KisVenue) -> Hosted:
    """The local KIS behind a venue."""
    return Hosted.at(venue.wire.environment.rest_url)


def held(venue: KisVenue) -> int:
    """Shares in the broker's true books."""
    return sum(at_broker(venue).account()["positions"].values())


@pytest.mark.parametrize("side", ["real", "paper"])
def test_an_order_that_meets_a_dead_token_is_unconfirmed_and_not_sent_again(side: Dialect, tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60, side=side, calls_per_second=20) as venue:
        at_broker(venue).set_faults(token_death=ALWAYS)
        order = crossing(venue, "Q1")
        send(venue, order)
        at_broker(venue).set_faults(token_death=0)
        assert kinds(venue, "Q1")[0] is ev.OrderUnconfirmed
        venue.let(100)
        assert (filled(venue, "Q1"), held(venue)) == (0, 0)
        assert kinds(venue, "Q1")[1:] == [ev.OrderAbandoned] * (side == "real")


def test_an_order_that_meets_the_rate_limit_is_unconfirmed_and_not_sent_again(tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60, calls_per_second=1) as venue:  # fewer than our own limiter keeps to
        orders = [resting(venue, f"Q{number}", qty=number) for number in range(1, 5)]
        for order in orders:
            venue.broker.submit(order)
        venue.until(lambda: all(of(venue, order.order_id) for order in orders))
        turned_away = [
            event for event in venue.heard if isinstance(event, ev.OrderUnconfirmed) and "EGW00201" in event.reason
        ]
        assert turned_away
        venue.let(200)
        numbers = Counter(event.broker_order_id for event in venue.heard if isinstance(event, ev.OrderAccepted))
        assert all(times == 1 for times in numbers.values())
        assert {event.order_id for event in turned_away}.isdisjoint(
            event.order_id for event in venue.heard if isinstance(event, ev.OrderAccepted)
        )


@pytest.mark.parametrize("side", ["real", "paper"])
def test_a_cancel_that_races_a_fill_ends_in_one_of_them(side: Dialect, tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=20, side=side, calls_per_second=20) as venue:
        for number in range(1, 6):
            order = crossing(venue, f"Q{number}", qty=number)
            send(venue, order)
            venue.broker.cancel(order.order_id)
        ids = [f"Q{number}" for number in range(1, 6)]
        ended = {S.FILLED, S.CANCELED}
        venue.until(lambda: all(walked(venue, crossing(venue, each, int(each[1:]))).status in ended for each in ids))
        venue.let(20)
        assert sum(filled(venue, each) for each in ids) == held(venue)


def test_a_fill_that_is_told_before_the_answer_is_booked_once(tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=20, faults={"notice-first": ALWAYS}) as venue:
        order = crossing(venue, "Q1", qty=7)
        send(venue, order)
        venue.until(lambda: filled(venue, "Q1") == 7)
        venue.let(20)
        assert (filled(venue, "Q1"), held(venue)) == (7, 7)


def test_a_balance_that_lags_behind_a_fill_takes_nothing_back_and_adds_nothing(tmp_path: Path) -> None:
    faults = {"balance-lag": ALWAYS, "notice-missing": ALWAYS, "empty-rows": ALWAYS}
    with kis_venue(tmp_path, speed=20, side="paper", calls_per_second=20, faults=faults) as venue:
        for number, qty in ((1, 3), (2, 4)):
            send(venue, crossing(venue, f"Q{number}", qty=qty))
            venue.until(lambda number=number, qty=qty: filled(venue, f"Q{number}") == qty)  # type: ignore[misc]
        venue.let(60)
        assert (filled(venue, "Q1"), filled(venue, "Q2"), held(venue)) == (3, 4, 7)


def test_pages_that_move_while_they_are_turned_over_lose_no_fill(tmp_path: Path) -> None:
    with kis_venue(
        tmp_path, speed=20, side="paper", calls_per_second=20,
        faults={"empty-rows": 0, "data-changed": ALWAYS // 3, "notice-missing": ALWAYS},
    ) as venue:  # fmt: skip
        for number in range(16):  # more than a page of paper has rows
            at_broker(venue).order_by_hand("005930", "BUY", 1, venue.last * 9 // 1000 * 100 - number * 100)
        order = crossing(venue, "Q1", qty=5)
        send(venue, order)
        venue.until(lambda: filled(venue, "Q1") == 5)
        assert held(venue) == 5


def test_shares_of_an_order_made_by_hand_are_never_ours(tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60) as venue:
        at_broker(venue).order_by_hand("005930", "BUY", 3, 0)
        venue.until(lambda: "foreign-order" in {getattr(event, "code", "") for event in venue.heard})
        send(venue, crossing(venue, "Q1", qty=2))
        venue.until(lambda: filled(venue, "Q1") == 2)
        venue.let(30)
        assert sum(event.qty for event in venue.heard if isinstance(event, ev.OrderFilled)) == 2
        assert held(venue) == 5

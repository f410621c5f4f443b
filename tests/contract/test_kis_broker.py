"""What an unsure wire adds to the contract of every Broker: the KIS broker over real sockets."""

from pathlib import Path

import pytest

from qbtrade.domain import events as ev
from qbtrade.domain.order import OrderStatus
from tests.kis_venue import kis_venue
from tests.live_days import Hosted
from tests.venues import crossing, filled, kinds, of, resting, send, walked

ALWAYS = 10**9


@pytest.mark.parametrize("fault", ["answer-lost", "timeout-taken"])
@pytest.mark.parametrize("late", [False, True], ids=["rows-at-once", "rows-late"])
def test_an_order_whose_answer_is_lost_is_found_by_evidence(fault: str, late: bool, tmp_path: Path) -> None:  # noqa: FBT001
    with kis_venue(tmp_path, faults={fault: ALWAYS, "notice-missing": ALWAYS, "late-rows": ALWAYS * late}) as venue:
        order = crossing(venue, "Q1")
        send(venue, order)
        venue.until(lambda: filled(venue, "Q1") == order.qty)
        assert kinds(venue, "Q1")[:2] == [ev.OrderUnconfirmed, ev.OrderAccepted]


def test_on_paper_notices_are_the_evidence(tmp_path: Path) -> None:
    with kis_venue(tmp_path, side="paper", calls_per_second=20, faults={"answer-lost": ALWAYS}) as venue:
        order = crossing(venue, "Q1")
        send(venue, order)
        venue.until(lambda: filled(venue, "Q1") == order.qty)
        assert walked(venue, order).status is OrderStatus.FILLED


def test_an_order_that_was_never_taken_is_given_up_after_enough_looks(tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60, faults={"timeout-not-taken": ALWAYS}) as venue:
        send(venue, resting(venue, "Q1"))
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderUnconfirmed, ev.OrderAbandoned])


def test_on_paper_an_order_without_evidence_stays_unconfirmed(tmp_path: Path) -> None:
    with kis_venue(
        tmp_path, speed=60, side="paper", calls_per_second=20, faults={"timeout-not-taken": ALWAYS}
    ) as venue:
        send(venue, resting(venue, "Q1"))
        venue.wait(3)
        assert kinds(venue, "Q1") == [ev.OrderUnconfirmed]


@pytest.mark.parametrize("fault", ["notice-twice", "notice-missing", "notice-first", "other-case", "late-rows"])
def test_totals_decide_what_was_filled(fault: str, tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60, faults={fault: ALWAYS}) as venue:
        order = crossing(venue, "Q1", qty=40)
        send(venue, order)
        venue.until(lambda: filled(venue, "Q1") == order.qty)
        venue.wait(0.5)
        assert walked(venue, order).status is OrderStatus.FILLED
        account = Hosted.at(venue.wire.environment.rest_url).account()
        paid = sum(event.price * event.qty for event in of(venue, "Q1") if isinstance(event, ev.OrderFilled))
        assert int(account["output1"][0]["pchs_amt"]) == paid


def test_a_late_refusal_of_the_exchange_ends_the_order(tmp_path: Path) -> None:
    with kis_venue(tmp_path, faults={"exchange-reject": ALWAYS}) as venue:
        send(venue, resting(venue, "Q1"))
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted, ev.OrderRejected])


def test_an_order_that_others_sent_is_told_once(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        venue.send_elsewhere(resting(venue, "Q1"))
        venue.until(lambda: any(isinstance(event, ev.Alert) and event.code == "foreign-order" for event in venue.heard))


def test_an_order_made_by_hand_that_looks_like_a_lost_one_is_a_question(tmp_path: Path) -> None:
    with kis_venue(tmp_path, speed=60) as venue:
        known = resting(venue, "Q1")
        send(venue, known)
        venue.let(10)  # its row tells how rows of ours look
        Hosted.at(venue.wire.environment.rest_url).set_faults(timeout_not_taken=ALWAYS)
        lost = send(venue, resting(venue, "Q2", qty=6))
        venue.order_by_hand(lost)
        venue.until(
            lambda: any(isinstance(event, ev.Alert) and event.code == "perhaps-by-hand" for event in venue.heard)
        )
        venue.let(120)
        assert kinds(venue, "Q2") == [ev.OrderUnconfirmed]

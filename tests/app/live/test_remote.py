"""Canceling from outside."""

from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.remote import cancel_everything, end_session
from qbtrade.domain import events as ev
from qbtrade.domain.order import Side
from qbtrade.errors import BrokerError
from tests.builders import an_order
from tests.kis_venue import kis_venue
from tests.live_days import Hosted, events, hosted, session, wait_for
from tests.program import PATIENCE
from tests.venues import kinds, send


def test_what_works_is_canceled_through_a_connection_of_its_own(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        (canceled,) = cancel_everything(tmp_path, venue.wire.environment, "")
        assert (canceled.done, canceled.qty, canceled.side) == (True, 4, "BUY")
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted, ev.OrderCanceled])
        assert cancel_everything(tmp_path, venue.wire.environment, "") == ()


def test_rows_that_are_missing_are_no_proof_that_nothing_works(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted])
        Hosted.at(venue.wire.environment.rest_url).set_faults(empty_rows=10**9)
        with pytest.raises(BrokerError, match="names none of them"):
            cancel_everything(tmp_path, venue.wire.environment, "")


def test_an_order_that_the_first_look_misses_is_found_by_the_second(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        Hosted.at(venue.wire.environment.rest_url).set_faults(late_rows=10**9)
        send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        (canceled,) = cancel_everything(tmp_path, venue.wire.environment, "")
        assert (canceled.done, canceled.qty) == (True, 4)


def test_a_cancel_without_an_answer_is_judged_by_what_the_rows_show(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted])
        Hosted.at(venue.wire.environment.rest_url).set_faults(answer_lost=10**9)
        (canceled,) = cancel_everything(tmp_path, venue.wire.environment, "")
        assert canceled.done


def test_what_no_cancel_ends_is_named_as_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qbtrade.app.live.sweeping.PERSISTS", 1.5)
    with kis_venue(tmp_path) as venue:
        send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted])
        Hosted.at(venue.wire.environment.rest_url).set_faults(timeout_not_taken=10**9)
        (left,) = cancel_everything(tmp_path, venue.wire.environment, "")
        assert (left.done, left.qty, left.side) == (False, 4, "BUY")
        assert left.reason


def test_a_session_that_no_halt_can_reach_is_told_to_end_by_a_signal(tmp_path: Path) -> None:
    with hosted("10:00") as kis, session(kis, tmp_path) as process:
        wait_for(process, lambda: any(isinstance(event, ev.OrderFilled) for event in events(tmp_path)))
        environment = local_environment(Settings({}), "real", CREDENTIALS["real"], (kis.url, "ws://127.0.0.1:1"))
        told = end_session(tmp_path / "home", environment)
        assert told is not None
        assert told.pid == process.pid
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 130
        assert not any(order["remaining"] for order in kis.orders())
        assert end_session(tmp_path / "home", environment) is None


def test_entries_alone_are_canceled_when_that_is_asked_for(tmp_path: Path) -> None:
    with kis_venue(tmp_path) as venue:
        send(venue, an_order(price=venue.last * 9 // 1000 * 100, qty=4))
        venue.until(lambda: kinds(venue, "Q1") == [ev.OrderAccepted])
        assert cancel_everything(tmp_path, venue.wire.environment, "", only=Side.SELL) == ()
        (canceled,) = cancel_everything(tmp_path, venue.wire.environment, "", only=Side.BUY)
        assert canceled.done

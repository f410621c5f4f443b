"""Halting an account from outside."""

from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.account_files import read_halt
from qbtrade.app.config import Settings
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.remote import cancel_everything, halt, resume
from qbtrade.domain import events as ev
from qbtrade.errors import BrokerError, UsageError
from tests.builders import an_order
from tests.kis_venue import kis_venue
from tests.live_days import Hosted
from tests.venues import kinds, send

HERE = local_environment(Settings({}), "real", CREDENTIALS["real"], ("http://127.0.0.1:1", "ws://127.0.0.1:1"))


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


def test_a_halt_flag_that_cannot_be_looked_for_halts(tmp_path: Path) -> None:
    assert read_halt(tmp_path / "nowhere", HERE) is None
    (tmp_path / "home").write_text("a file in place of the folder")
    flag = read_halt(tmp_path / "home", HERE)
    assert flag is not None
    assert "cannot be looked for" in flag.reason


def test_a_halt_stays_until_somebody_resumes_and_says_why(tmp_path: Path) -> None:
    halt(tmp_path, HERE, "too wild", flatten=False)
    flag = read_halt(tmp_path, HERE)
    assert flag is not None
    assert (flag.reason, flag.flatten) == ("too wild", False)
    assert resume(tmp_path, HERE, "it calmed down") == flag
    assert read_halt(tmp_path, HERE) is None
    assert "it calmed down" in (tmp_path / "halt" / "resumed.jsonl").read_text()
    with pytest.raises(UsageError, match="not halted"):
        resume(tmp_path, HERE, "again")

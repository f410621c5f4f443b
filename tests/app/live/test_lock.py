"""Whose account it is: one session, or whoever takes over from one that hangs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from qbtrade.adapters.emulator.plan import CREDENTIALS
from qbtrade.app.account_files import fence_path, read_running
from qbtrade.app.config import Settings
from qbtrade.app.halt_flag import halt_path, row_path, set_halt, take_halt
from qbtrade.app.kis_account import local_environment
from qbtrade.app.live.lock import Gate, account_lock, selling_lock, take_over, taken_by
from qbtrade.errors import LockedError

HERE = local_environment(Settings({}), "real", CREDENTIALS["real"], ("http://127.0.0.1:1", "ws://127.0.0.1:1"))


def objections(gate: Gate) -> tuple[str, str, str]:
    """To an entry, a protective sell, and a cancel."""
    with gate("halt") as entry, gate("takeover") as sell, gate("nothing") as cancel:
        return entry, sell, cancel


def test_orders_of_the_session_that_has_the_account_pass(tmp_path: Path) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        assert objections(Gate(tmp_path, HERE, "R1")) == ("", "", "")


def test_a_halt_stops_whatever_does_not_protect_until_it_is_taken_away(tmp_path: Path) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        flag = set_halt(tmp_path, HERE, "too wild").flag
        assert objections(Gate(tmp_path, HERE, "R1")) == ("trading is halted from outside", "", "")
        take_halt(tmp_path, HERE, flag, "it calmed down")
        assert objections(Gate(tmp_path, HERE, "R1")) == ("", "", "")


@pytest.mark.parametrize("path", [halt_path, row_path])
def test_flag_or_row_alone_stops_orders_whatever_it_holds(tmp_path: Path, path: Callable[..., Path]) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        path(tmp_path, HERE).parent.mkdir(exist_ok=True)
        path(tmp_path, HERE).touch()
        assert objections(Gate(tmp_path, HERE, "R1")) == ("trading is halted from outside", "", "")


def test_after_a_take_over_the_session_sends_nothing_but_cancels_for_ever(tmp_path: Path) -> None:
    lost = "another process took the account over"
    with account_lock(tmp_path, HERE, "R1"), selling_lock(tmp_path, HERE, "R2"):
        take_over(tmp_path, HERE, "R2", patience=1)
        assert objections(Gate(tmp_path, HERE, "R1")) == (lost, lost, "")
        assert objections(Gate(tmp_path, HERE, "R2")) == ("", "", "")
        assert (taken_by(tmp_path, HERE, "R1"), taken_by(tmp_path, HERE, "R2")) == ("R2", "")
    assert objections(Gate(tmp_path, HERE, "R1")) == (lost, lost, "")


def test_an_account_does_not_change_hands_while_an_order_is_on_its_way(tmp_path: Path) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        with Gate(tmp_path, HERE, "R1")("halt") as objection:
            assert objection == ""
            with pytest.raises(LockedError, match=f"process {os.getpid()} hangs with an order on its way"):
                take_over(tmp_path, HERE, "R2", patience=0.1)
        assert taken_by(tmp_path, HERE, "R1") == ""
        take_over(tmp_path, HERE, "R2", patience=1)
        assert taken_by(tmp_path, HERE, "R1") == "R2"


def test_no_order_leaves_when_its_fence_cannot_be_read(tmp_path: Path) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        fence_path(tmp_path, HERE).mkdir()
        entry, sell, cancel = objections(Gate(tmp_path, HERE, "R1"))
        assert "cannot write" in entry
        assert (sell, cancel) == (entry, "")


def test_no_session_starts_while_somebody_sells_out(tmp_path: Path) -> None:
    with selling_lock(tmp_path, HERE, "R2"):
        with pytest.raises(LockedError, match="sells what this account holds"), account_lock(tmp_path, HERE, "R1"):
            raise AssertionError
        with account_lock(tmp_path, HERE, "R2"):
            assert (found := read_running(tmp_path, HERE)) is not None
            assert found.run_id == "R2"


def test_a_session_that_was_deposed_is_named_with_the_way_to_end_it(tmp_path: Path) -> None:
    with account_lock(tmp_path, HERE, "R1"):
        take_over(tmp_path, HERE, "R2", patience=1)
        with pytest.raises(LockedError, match=f"kill -9 {os.getpid()}"), account_lock(tmp_path, HERE, "R3"):
            raise AssertionError

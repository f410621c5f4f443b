"""`qb live` as a process whose engines break, and break again while it winds down."""

import signal
from pathlib import Path
from typing import Final

import pytest

from qbtrade.domain.events import Alert
from qbtrade.domain.order import Side
from tests.live_days import HOLD, events, fills, hosted, session, the_report, wait_for
from tests.program import PATIENCE

BREAKS: Final = '''
"""Plants a fault in a running session at SIGUSR1."""
import signal


def fail(*_args, **_kwargs):
    raise ZeroDivisionError("planted")


def plant(_number, _frame):
    from qbtrade.app.snapshot import Snapshots
    from qbtrade.engines.portfolio import Portfolio
    from qbtrade.engines.protection import Protection
    from qbtrade.engines.risk import RiskGate

    Snapshots.take = fail
    if %(again)s:
        RiskGate.halt = Protection.rest = Portfolio.mark = fail


signal.signal(signal.SIGUSR1, plant)
'''


@pytest.mark.parametrize("again", [False, True], ids=["once", "again while winding down"])
def test_a_fault_cancels_what_works_and_names_the_shares(tmp_path: Path, *, again: bool) -> None:
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "sitecustomize.py").write_text(BREAKS % {"again": again})
    (tmp_path / "hold.py").write_text(HOLD)
    args = ("--symbol", "005930", "--max", "50000000000", "--strategy", "./hold.py:Hold", "--bar", "10s")
    with hosted("10:00", speed=1, cash=10**12) as kis:
        kis.variables["PYTHONPATH"] = str(tmp_path / "machine")
        with session(kis, tmp_path, *args) as process:
            wait_for(process, lambda: bool(fills(tmp_path)))
            process.send_signal(signal.SIGUSR1)
            stdout, stderr = process.communicate(timeout=PATIENCE)

        shares = kis.account()["positions"]["005930"]
        assert process.returncode == 1, stdout + stderr
        assert "ZeroDivisionError: planted; the session was ended" in stderr
        assert f"005930: {shares:,} shares are held, and no stop-loss is active" in stdout
        assert {event.code for event in events(tmp_path) if isinstance(event, Alert)} >= {"engine-fault", "shares-left"}
        report = the_report(tmp_path)
        assert (report["session"]["outcome"], report["session"]["reason"]) == ("FAULT", "ZeroDivisionError: planted")
        assert {order["status"] for order in report["orders"] if order["side"] == Side.BUY} <= {"CANCELED", "FILLED"}
        assert "order-left" not in {alert["code"] for alert in report["alerts"]}

"""Canceling what works on an account from outside its session, until KIS has shown twice that nothing does."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from qbtrade.adapters.kis.calls import CODES
from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import Running, running
from qbtrade.app.live.asking import Working
from qbtrade.app.live.carried import left_open
from qbtrade.app.live.desk import Desk
from qbtrade.app.live.sweeping import UNREAD, Canceled, Sweep
from qbtrade.domain.order import Side


def cancel_everything(
    home: Path, environment: Environment, run_id: str, *, only: Side | None = None
) -> tuple[Canceled, ...]:
    """Cancel what works on the account, whoever sent it, again and again until it works no more.

    run_id: of the last session, whose journal names its orders where the broker does not. only: of one side.
    Raises: BrokerError when KIS named nothing at all, FileError, JournalError.
    """
    with Desk(home, environment) as desk:
        sides = {UNREAD, only or Side.BUY, only or Side.SELL}
        sweep = Sweep(desk, lambda order: order.side in sides, desk.clock.now())
        if environment.capabilities.order_rows:
            sweep.by_rows()
        else:
            sweep.by_numbers(_of_journal(home, run_id))
        return sweep.found()


def end_session(home: Path, environment: Environment) -> Running | None:
    """Tell the running session by a signal to cancel and end, where no halt can be kept; None when none was told.

    Raises: FileError when nobody knows whether one runs.
    """
    session = running(home, environment)
    if session is None or session.pid <= 0:
        return None
    try:
        os.kill(session.pid, signal.SIGTERM)
    except OSError:
        return None
    return session


def _of_journal(home: Path, run_id: str) -> Iterable[Working]:
    """What our own journal knows."""
    return (
        Working(
            left.number, "", CODES[left.order.kind, left.order.tif], left.order.symbol, left.order.side.value,
            left.remaining,
        )
        for left in left_open(home, run_id) if left.number
    )  # fmt: skip

"""Watching a session from another process: when it falls silent, its entries are canceled and the account is halted."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.lifeline import Heard, Lifeline, Listener
from qbtrade.app.account_files import holder, running, selling_path
from qbtrade.app.halt_flag import set_halt
from qbtrade.app.live.deadman import Silence, Ward, to_letter
from qbtrade.app.live.remote import cancel_everything
from qbtrade.app.live.sweeping import Canceled
from qbtrade.app.live.world import clock_of
from qbtrade.domain.calendar import NS, TradingDay
from qbtrade.domain.order import Side
from qbtrade.errors import BrokerError, FileError, LockedError, QbError
from qbtrade.kernel.clock import LiveClock, sleep

TURN: Final = 1.0
"""Machine seconds between two looks."""
AGAIN: Final = 5.0
"""Machine seconds until KIS is asked again that did not answer."""
PROGRAM: Final = ("-m", "qbtrade.cli.watchdog")


class Finding(StrEnum):
    """What a look at a silent session finds."""

    WAIT = "wait"
    ACT = "act"
    LEAVE = "leave"


def watched(home: Path, environment: Environment, run_id: str, day: TradingDay, after: int) -> Lifeline:
    """Have a session watched. Raises: LockedError when that cannot be done."""
    ward = Ward(home.absolute(), run_id, environment, day.open, day.close, after)
    try:
        return Lifeline((sys.executable, *PROGRAM), to_letter(ward))
    except OSError as error:
        raise LockedError(
            "the watchdog cannot be started: {cause}", hint="--no-watchdog trades without one",
            cause=error.strerror or error,
        ) from error  # fmt: skip


def watch(ward: Ward, listener: Listener, say: Callable[[str], None]) -> None:
    """Watch until the session takes leave or is gone for good. say: told what is done."""
    clock = LiveClock()
    silence, heard = Silence(ward.after, clock.now()), Heard.NOTHING
    has_lived = has_ended = False
    while heard is not Heard.FAREWELL:
        heard = listener.listen(TURN)
        has_ended = has_ended or heard is Heard.END
        if heard is Heard.LIFE:
            has_lived = True
            silence.broken(clock.now())
        elif has_ended and not has_lived:
            return  # it sent no order yet
        elif has_lived and silence.is_too_long(clock.now()):
            found = _finding(ward, has_ended=has_ended)
            if found is Finding.ACT:
                act(ward, say)
            if found is not Finding.WAIT:
                return
        elif has_ended and _is_anothers(ward):
            return


def _is_anothers(ward: Ward) -> bool:
    """Whether another session has the account by now."""
    try:
        now = running(ward.home, ward.environment)
    except FileError:
        return False
    return now is not None and now.owner != ward.run_id


def _finding(ward: Ward, *, has_ended: bool) -> Finding:
    """What to do about a silent session. has_ended: it is gone, not only silent."""
    if _is_anothers(ward):
        return Finding.LEAVE
    if holder(selling_path(ward.home, ward.environment)) is not None:
        return Finding.WAIT  # somebody is at it by hand
    try:
        now = clock_of(ward.environment).now()
    except QbError:
        return Finding.LEAVE  # a local KIS that is gone with its orders
    if now >= ward.closes:
        return Finding.LEAVE
    if now >= ward.opens:
        return Finding.ACT
    return Finding.LEAVE if has_ended else Finding.WAIT


def act(ward: Ward, say: Callable[[str], None]) -> None:
    """Halt the account, then cancel its entries until none is left or the day is over."""
    reason = f"session {ward.run_id} gave no sign of life for {ward.after // NS} s"
    say(f"{reason}: the account is halted, entries are canceled; protective sells stay")
    for problem in set_halt(ward.home, ward.environment, reason).problems:
        say(f"the halt is not kept as it should be: {problem}")
    while True:
        try:
            _tell(cancel_everything(ward.home, ward.environment, ward.run_id, only=Side.BUY), say)
        except BrokerError as error:
            say(f"entries could not be canceled: {error.message}; trying again")
        except QbError as error:
            say(f"entries could not be canceled: {error.message}")
            return
        else:
            return
        sleep(AGAIN)
        if _is_anothers(ward) or _finding(ward, has_ended=True) is not Finding.ACT:
            return


def _tell(orders: tuple[Canceled, ...], say: Callable[[str], None]) -> None:
    for each in orders:
        what = f"order {each.order_no}: {each.side.lower()} {each.qty:,} of {each.symbol}"
        say(f"canceled {what}" if each.done else f"not canceled ({each.reason}), look in the KIS app: {what}")
    if not orders:
        say("no entry works")

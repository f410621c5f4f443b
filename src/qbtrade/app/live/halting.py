"""What a session does when somebody halts the account from outside, allows it again, or takes it over."""

from typing import TYPE_CHECKING, Final

from qbtrade.app.halt_flag import Halt
from qbtrade.domain.events import Alert, Level

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

BOOKS_DISAGREE: Final = "books-disagree"
ORDER_LEFT: Final = "order-left"
BOOKS_UNCLEAR: Final = "books-unclear"
"""Why entries wait while the books are compared again."""
SOLD_ELSEWHERE: Final = "sold-elsewhere"
HALTED_BY_HAND: Final = "halted-by-hand"
REJECT_STORM: Final = "reject-storm"
TAKEN_OVER: Final = "taken-over"


def heed(session: "LiveSession") -> None:
    """Follow the halt flag, which another process sets and takes away; end when the account is not ours any more."""
    if session.board.taken_by():
        session.is_over = True
        return
    halt, risk = session.board.halt(), session.engines.risk
    if halt is None and not risk.has(HALTED_BY_HAND):
        session.heeded = 0
        return
    now = session.engines.clock.now()
    if halt is not None and not risk.has(HALTED_BY_HAND):
        _obey(session, halt)
    if halt is not None and halt.flatten:
        for symbol in session.held():
            session.engines.protection.sell_out(now, symbol, "flatten")
    if halt is None:
        for cause in (HALTED_BY_HAND, BOOKS_DISAGREE, REJECT_STORM):
            risk.resume(now, cause)
    session.heeded = halt.since if halt else 0


def beat(session: "LiveSession") -> None:
    """Give a sign of life to whoever watches; say once that nobody does so any more."""
    if session.is_watched and not session.board.beat():
        session.is_watched = False
        text = "the watchdog has ended: nobody cancels entries if this session hangs or dies"
        session.say("watchdog-gone", text, "end this session and start qb again to have one", Level.WARNING)


def _obey(session: "LiveSession", halt: Halt) -> None:
    now = session.engines.clock.now()
    session.engines.risk.halt(now, HALTED_BY_HAND)
    session.cancel_all("halted")
    text = f"trading is halted from outside: {halt.reason}"
    session.wire.bus.publish(Alert(now, Level.CRITICAL, HALTED_BY_HAND, text, "`qb resume` when it may go on"))


def keep_halted(session: "LiveSession", reason: str) -> None:
    """Let a halt outlive this session, unless one stands already."""
    if session.board.halt() is not None:
        return
    for problem in session.board.keep_halted(reason):
        action = "mend the disk, and look at `qb status` before you start qb again"
        session.say("halt-not-kept", f"the halt is not kept as it should be: {problem}", action)


def step_aside(session: "LiveSession") -> None:
    """Send nothing more: another run sells what is held, and the books are its own."""
    session.engines.risk.halt(session.engines.clock.now(), TAKEN_OVER)
    session.engines.protection.rest()
    text = f"this session hung, and `qb halt --flatten` took the account over (run {session.taken_by})"
    session.say(TAKEN_OVER, text, "`qb report show` of that run tells what became of orders and shares")

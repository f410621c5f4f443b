"""Opens the stream once and waits for a first word."""

from random import Random
from typing import Final

from qbtrade.adapters.kis.environment import Secret
from qbtrade.adapters.kis.events import Registered, RegistrationRefused
from qbtrade.adapters.kis.frames import TRADES
from qbtrade.adapters.kis.registrations import Channel
from qbtrade.adapters.kis.stream import Stream
from qbtrade.adapters.kis.stream_terms import StreamLimits
from qbtrade.adapters.kis.transport import StreamThread
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, warn
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Alert, FeedLost
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.kernel.clock import Stopwatch
from qbtrade.kernel.loop import Inbox

NOTICES: Final = {"real": "H0STCNI0", "paper": "H0STCNI9"}
PATIENCE: Final = 8.0
"""Machine seconds for registrations and a first frame."""
WAIT: Final = 0.2


class _Heard:
    """What the stream told so far."""

    def __init__(self, wanted: list[Channel]) -> None:
        self.missing = list(wanted)
        self.trade = False
        self.verdict: Finding | None = None

    def take(self, event: Event) -> None:
        """Draw the conclusion from one event."""
        match event:
            case Registered(tr_id=tr_id, tr_key=tr_key):
                self.missing.remove(Channel(tr_id, tr_key))
            case Trade():
                self.trade = True
            case RegistrationRefused(tr_id=tr_id, code=code, text=text):
                self.verdict = fail(f"KIS refuses channel {tr_id}: {code} {text}", "See `qb kis error`")
            case Alert(text=text, action=action):
                self.verdict = fail(text, action)
            case FeedLost(reason=reason):
                self.verdict = self._lost(reason)
            case _other:
                pass

    def _lost(self, reason: str) -> Finding:
        if self.missing and self.missing[0].tr_id != TRADES:
            return fail(f"the stream broke off at the notices: {reason}", "Check QB_KIS_HTS_ID")
        return fail(f"the stream does not stand: {reason}", "Check the network, and port 21000 or 31000 in firewalls")


def first_frame(case: Case, key: Secret) -> Finding:
    """Register the symbols' trades and the notices, and wait for a trade while there can be one."""
    environment, inbox = case.environment, Inbox()
    wanted = [Channel(TRADES, symbol) for symbol in case.symbols]
    if environment.hts_id:
        wanted.append(Channel(NOTICES[environment.speaks], environment.hts_id))
    speed = case.clock.speed
    limits = StreamLimits(registrations=environment.limits.registrations).at_speed(speed)
    stream = Stream(environment.cano + environment.product, Random(environment.key_id), limits)
    thread = StreamThread(stream, environment.ws_url, case.clock.twin(), inbox, speed=speed)
    heard, watch = _Heard(wanted), Stopwatch()
    thread.use_key(key.reveal())
    for channel in wanted:
        thread.register(channel)
    thread.start()
    try:
        while heard.verdict is None and watch.seconds() < PATIENCE and not _is_enough(case, heard):
            event = inbox.take(WAIT)
            if event is not None:
                heard.take(event)
    finally:
        thread.close()
    return heard.verdict or _conclusion(case, heard)


def _is_enough(case: Case, heard: _Heard) -> bool:
    return not heard.missing and (heard.trade or case.phase() is not Phase.CONTINUOUS)


def _conclusion(case: Case, heard: _Heard) -> Finding:
    if heard.missing:
        return fail(f"KIS does not answer the registration of {heard.missing[0].tr_id}", "Try again in a minute")
    if heard.trade:
        return ok("connected, registered, and a trade came")
    if case.phase() is not Phase.CONTINUOUS:
        return ok("connected and registered; no trades come outside the continuous session")
    return warn("connected and registered, but no trade came", "A quiet or halted stock; try again, or see the KIS app")

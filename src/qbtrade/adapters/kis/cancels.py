"""Cancels under way: each ends in a confirmation, or in a refusal when none came in time; then it can be asked again.

Asking twice is safe: a cancel takes out what is left, and the second one is at worst refused. Source: PROTOCOL 5.3.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.codes import Verdict, verdict
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.events import Notice, Stage
from qbtrade.adapters.kis.outcomes import Accepted, NotSent, OrderOutcome, Refused, Unconfirmed
from qbtrade.adapters.kis.own import Own
from qbtrade.adapters.kis.sent import Sent
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import CancelRejected
from qbtrade.ports import Clock

PATIENCE: Final = (5 * NS, 10 * NS, 15 * NS)
"""From the answer to the first, second, any later cancel of an order, until it counts as come to nothing."""
TURNED_AWAY: Final = frozenset({Verdict.LIMIT, Verdict.TOKEN})
"""What the gateway says instead of passing a request on: a cancel need not wait for a confirmation then."""
NOTHING_LEFT: Final = frozenset({"40330000"})
"""Codes that say: it was filled or canceled. Which of the two, rows or totals tell."""


class Cancels:
    """Asks, and listens for what became of it. want_look: ask the broker soon for rows or totals."""

    def __init__(
        self, own: Own, clock: Clock, caller: Caller, environment: Environment, want_look: Callable[[], None]
    ) -> None:
        self._own, self._clock, self._caller, self._environment = own, clock, caller, environment
        self._want_look = want_look

    def ask(self, order_id: str) -> None:
        """Ask to cancel what remains of an order."""
        sent = self._own.get(order_id)
        if sent is None or sent.over or not sent.number:
            reason = "nothing of it is known at the broker"
            self._own.say(CancelRejected(self._clock.now(), order_id, reason))
            return
        sent.cancel_at, sent.cancels = self._clock.now(), sent.cancels + 1
        call = calls.cancel(self._environment, sent.branch, sent.number, sent.code)
        self._caller.order(call, partial(self._on_answer, sent))

    def _on_answer(self, sent: Sent, outcome: OrderOutcome) -> None:
        match outcome:
            case Refused(code=code) if code in NOTHING_LEFT:
                self._own.miss(sent)
                sent.was_gone = sent.was_gone or sent.cancels == 1
                self._wait(sent)
            case Unconfirmed(reason=reason, code=code) if verdict(code) in TURNED_AWAY:
                self._own.keep(sent, reason)
            case Refused(reason=reason) | NotSent(reason=reason):
                self._own.keep(sent, reason)
            case Accepted() | Unconfirmed():
                self._wait(sent)
        self._want_look()

    def _wait(self, sent: Sent) -> None:
        patience = PATIENCE[min(sent.cancels, len(PATIENCE)) - 1]
        due = self._clock.now() + patience
        self._clock.call_at(due, partial(self._on_patience, sent, sent.cancel_at))

    def _on_patience(self, sent: Sent, asked_at: int, _due: int) -> None:
        if sent.cancel_at == asked_at:
            self._own.keep(sent, "the broker did not confirm it")

    def on_news(self, sent: Sent, notice: Notice) -> None:
        """What a notice says about a cancel of this order."""
        if notice.stage is Stage.REJECTED:
            self._own.keep(sent, "the exchange refused it")
        elif notice.stage is Stage.CONFIRMED:
            self.on_cut(sent, notice, "asked")
        self._want_look()

    def on_cut(self, sent: Sent, notice: Notice, reason: str) -> None:
        """So many shares were taken out. When that is not all that is left, fills were not told yet."""
        if not notice.qty:
            self._own.miss(sent)
            return
        sent.cuts[notice.order_no] = notice.qty
        if sent.cut >= sent.remaining:
            self._own.cancel(sent, reason)

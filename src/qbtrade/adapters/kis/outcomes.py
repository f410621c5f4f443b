"""What comes out of the REST client: requests to send, answers to calls, alarms; and what an order request can meet.

Source: PROTOCOL 3.5.
"""

from typing import Any

import msgspec

from qbtrade.adapters.kis.call import Call
from qbtrade.adapters.kis.codes import Verdict, verdict
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.http import ConnectFailed, HttpOutcome, HttpReply, HttpRequest, NoAnswer
from qbtrade.adapters.kis.parse.envelope import Page, read
from qbtrade.adapters.kis.parse.orders import OrderAck
from qbtrade.errors import WireError


class Failed(msgspec.Struct, frozen=True):
    """A question without an answer: this never means that there is nothing. code: KIS's, or ""."""

    reason: str
    code: str = ""


class Accepted(msgspec.Struct, frozen=True):
    """The broker took the order; the exchange may still refuse it."""

    ack: OrderAck


class Refused(msgspec.Struct, frozen=True):
    """The broker refused the order in words that can only mean that."""

    code: str
    reason: str


class NotSent(msgspec.Struct, frozen=True):
    """Proof that nothing left this machine."""

    reason: str


class Unconfirmed(msgspec.Struct, frozen=True):
    """The order may exist. It is looked up, never sent again. code: KIS's, or ""."""

    reason: str
    code: str = ""


OrderOutcome = Accepted | Refused | NotSent | Unconfirmed


class Send(msgspec.Struct, frozen=True):
    """Send this now; its outcome comes back through `on_reply`."""

    request: HttpRequest


class Answer(msgspec.Struct, frozen=True):
    """A call is over. result: an OrderOutcome for an order; for a question what its parser gives, or Failed."""

    call_id: str
    result: Any


class WakeAt(msgspec.Struct, frozen=True):
    """Call `on_timer` at this time, UTC ns; it replaces any earlier wish."""

    ts: int


class Alarm(msgspec.Struct, frozen=True):
    """Something that a person must know. message, action: sentences."""

    code: str
    message: str
    action: str


Output = Send | Answer | WakeAt | Alarm


def order_outcome(environment: Environment, call: Call[OrderAck], outcome: HttpOutcome) -> OrderOutcome:
    """The one meaning of what came of an order request; what proves nothing is unconfirmed.

    Source: PROTOCOL 3.5.
    """
    match outcome:
        case ConnectFailed(reason=reason):
            return NotSent(reason)
        case NoAnswer(reason=reason):
            return Unconfirmed(reason)
        case HttpReply():
            try:
                return _replied(environment, call, read(call.name, outcome))
            except WireError as error:
                return Unconfirmed(f"HTTP {outcome.status}: {error.problem}")


def _replied(environment: Environment, call: Call[OrderAck], page: Page) -> OrderOutcome:
    if page.ok:
        return Accepted(call.parse([page]))
    if page.code in environment.refusals or verdict(page.code) is Verdict.REFUSED:
        return Refused(page.code, page.text)
    return Unconfirmed(page.text or "KIS gave no reason", page.code)

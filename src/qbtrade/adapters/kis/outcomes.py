"""What can become of a call: the answer to a question, or the one of four things that an order request can meet.

Source: PROTOCOL 3.5.
"""

import msgspec

from qbtrade.adapters.kis.parse.orders import OrderAck


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

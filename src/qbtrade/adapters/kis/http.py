"""HTTP as values: what is asked of the transport, and the only three things that can become of it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

Method = Literal["GET", "POST"]
Heeds = Literal["nothing", "takeover", "halt"]
"""What stops a request at the last moment: for cancels and questions nothing, for protective sells that another process
has taken the account over, for every other order a halt, too."""


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, ready to send. Prints neither headers nor body, which carry keys and tokens.

    request_id: given back with the answer. url: with its query, already encoded. timeout_ns: for the whole exchange,
    in machine time whatever the market clock's speed. once: True for an order, which gets a connection of its own and
    is never repeated by anybody. heeds: what stops it at the last moment. wait_ns: how long it may wait for a
    thread, in machine time; 0 for ever.
    """

    request_id: int
    method: Method
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeout_ns: int
    once: bool = False
    heeds: Heeds = "nothing"
    wait_ns: int = 0

    @property
    def is_urgent(self) -> bool:
        """Cancels and protective sells: what no halt stops goes first."""
        return self.heeds != "halt"

    def __repr__(self) -> str:
        return f"HttpRequest({self.request_id}, {self.method} {self.url.partition('?')[0]}, once={self.once})"


class HttpReply(msgspec.Struct, frozen=True):
    """The server answered, with whatever status. headers: names in lower case. Prints no body, which may hold a token.

    The body may be empty, cut short, or not be what its headers say.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"HttpReply({self.status}, {len(self.body)} bytes)"


class ConnectFailed(msgspec.Struct, frozen=True):
    """No connection was made: proof that not one byte of the request left this machine."""

    reason: str


class NoAnswer(msgspec.Struct, frozen=True):
    """The request may have arrived: no whole answer came in time, or the connection broke after sending began."""

    reason: str


HttpOutcome = HttpReply | ConnectFailed | NoAnswer

"""What goes into the local KIS and what comes out of it, before any socket."""

from collections.abc import Mapping

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One HTTP request. headers: names in lower case. query: names as written."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True):
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """The end of a request; without an answer its connection closes."""

    number: int
    answer: Answer | None


class Frame(msgspec.Struct, frozen=True):
    """A text frame for one stream; bytes are sent as they are."""

    session: int
    data: str | bytes


class Hangup(msgspec.Struct, frozen=True):
    """The end of one stream. clean: with a close frame."""

    session: int
    clean: bool


Output = Reply | Frame | Hangup

"""What KIS answered last: who asks again and again is mostly told the same, which need not be read anew."""

from collections.abc import Sequence
from typing import Any

import msgspec

from qbtrade.adapters.kis.call import Call, CallKind
from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis.parse.envelope import Page, read


class _Said(msgspec.Struct, frozen=True):
    """Everything of a reply that its page is made from."""

    status: int
    more: str
    body: bytes


class Remembered:
    """The newest page and value of each transaction. What is found is never changed; keys are not kept."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[_Said, Page]] = {}
        self._values: dict[str, tuple[Any, Sequence[Page], Any]] = {}

    def page(self, call: Call[Any], reply: HttpReply) -> Page:
        """One page of an answer. Raises: WireError."""
        if call.kind is CallKind.KEY:
            return read(call.name, reply, call.ctx, bare=True)
        said = _Said(reply.status, reply.headers.get("tr_cont", ""), reply.body)
        before = self._pages.get(call.name)
        if before is not None and before[0] == said:
            return before[1]
        page = read(call.name, reply, call.ctx)
        self._pages[call.name] = said, page
        return page

    def value(self, call: Call[Any], pages: Sequence[Page]) -> Any:
        """What all pages of an answer tell. Raises: WireError."""
        before = self._values.get(call.name)
        if before is not None and before[:2] == (call.parse, pages):
            return before[2]
        value = call.parse(pages)
        self._values[call.name] = call.parse, pages, value
        return value

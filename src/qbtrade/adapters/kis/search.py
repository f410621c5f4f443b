"""The search for orders whose answer never came: what at the broker may be one of them, and when to stop looking."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from qbtrade.adapters.kis.environment import Capabilities
from qbtrade.adapters.kis.sent import Sent, Trace
from qbtrade.domain.calendar import NS

GIVE_UP: Final = 60 * NS
"""An order that was looked for so long, with complete answers, does not exist."""
ENOUGH_LOOKS: Final = 5


class Search:
    """Unconfirmed orders, and those given up, which may turn up after all.

    is_taken: whether a number has an owner. accept: takes an order and the trace that it left. warn: takes code and
    words.
    """

    def __init__(
        self, capabilities: Capabilities, is_taken: Callable[[str], bool], accept: Callable[[Sent, str, str], None],
        warn: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self._capabilities, self._is_taken, self._accept, self._warn = capabilities, is_taken, accept, warn
        self._sought: list[Sent] = []
        self._given_up: list[Sent] = []

    def __contains__(self, sent: Sent) -> bool:
        return sent in self._sought

    def __bool__(self) -> bool:
        return bool(self._sought)

    @property
    def is_hopeful(self) -> bool:
        """Whether a trace may still belong to one of ours."""
        return bool(self._sought or self._given_up)

    def add(self, sent: Sent) -> None:
        """Begin to look for an order."""
        self._sought.append(sent)

    def found(self, sent: Sent) -> None:
        """It has its number."""
        for orders in (self._sought, self._given_up):
            if sent in orders:
                orders.remove(sent)

    def look_at(self, traces: Iterable[Trace]) -> None:
        """Give traces that nobody owns to orders that they fit, where there are not more traces than orders."""
        free = {trace.number: trace for trace in traces if not self._is_taken(trace.number)}
        for sent in (*self._nameless(self._sought), *self._nameless(self._given_up)):
            fitting = [trace for trace in free.values() if trace.may_be(sent)]
            if not fitting:
                continue
            rivals = [each for each in self._nameless((*self._sought, *self._given_up)) if fitting[0].may_be(each)]
            if len(fitting) <= len(rivals):
                trace = free.pop(fitting[0].number)
                self._accept(sent, trace.number, trace.branch)
            else:
                text = f"{len(fitting)} orders at the broker look like unconfirmed order {sent.request.order_id}"
                self._warn("which-is-ours", text)

    def looked(self) -> bool:
        """Count a complete look; True when the list of live orders should be asked, too."""
        for sent in self._sought:
            sent.looks += 1
        late = (sent for sent in self._sought if sent.looks >= ENOUGH_LOOKS and not sent.is_not_live)
        return self._capabilities.amendable_orders and any(late)

    def not_among_live(self) -> None:
        """The live orders were looked at."""
        for sent in self._sought:
            sent.is_not_live = True

    def hopeless(self, now: int) -> list[Sent]:
        """Orders that left no trace for long; where rows prove nothing, none."""
        if not self._capabilities.order_rows:
            return []
        needs_live = self._capabilities.amendable_orders
        given_up = [
            sent for sent in self._sought
            if sent.looks >= ENOUGH_LOOKS and (sent.is_not_live or not needs_live) and now - sent.sent_at >= GIVE_UP
        ]  # fmt: skip
        for sent in given_up:
            self._sought.remove(sent)
            self._given_up.append(sent)
        return given_up

    @staticmethod
    def _nameless(orders: Iterable[Sent]) -> Iterator[Sent]:
        return iter([sent for sent in orders if not sent.number])

"""How long it took until unconfirmed orders were found, counted while a living process could have read the evidence."""

from collections.abc import Iterable, Mapping

import msgspec

from qbtrade.adapters.emulator.orders import Entry
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import OrderAccepted, OrderResolved, OrderUnconfirmed, SessionStarted
from qbtrade.domain.message import Event
from qbtrade.kernel.clock import FOREVER

Span = tuple[int, int]
"""From and until, UTC ns."""


class Sight(msgspec.Struct):
    """What the processes of a world could see. Times UTC ns.

    asleep: no process could do anything. dark: KIS told no list of orders and no balance, to nobody. noticed: when a
    process first heard a notice of a number. born: when the process of a run began.
    """

    asleep: list[Span] = []
    dark: list[Span] = []
    noticed: dict[str, int] = {}
    born: dict[str, int] = {}

    def seen(self, number: str, since: int, until: int) -> int:
        """For how many ns of a time the order of this number could be seen."""
        heard = self.noticed.get(number, FOREVER)
        return _without([*self.asleep, *((begins, min(ends, heard)) for begins, ends in self.dark)], since, until)

    def awake(self, since: int, until: int) -> int:
        """For how many ns of a time the machine was awake."""
        return _without(self.asleep, since, until)


def _without(spans: Iterable[Span], since: int, until: int) -> int:
    """What is left of a time, ns."""
    left, at = until - since, since
    for begins, ends in sorted(spans):
        hidden = min(ends, until) - max(begins, at)
        if hidden > 0:
            left, at = left - hidden, min(ends, until)
    return left


def resolved(journals: Iterable[Iterable[Event]], entries: Iterable[Entry], sight: Sight) -> tuple[int, ...]:
    """The ns of every order of a world that was unconfirmed and got its number from qb.

    They run once the broker has the order and we know that we do not know; for one that an earlier process left, once
    the broker has it and the next process has begun.
    """
    taken = {str(entry.number): entry.ts for entry in entries}
    return tuple(wait for journal in journals for wait in _waits(journal, taken, sight))


def _waits(journal: Iterable[Event], taken: Mapping[str, int], sight: Sight) -> Iterable[int]:
    unknown, known, left = dict[str, int](), set[str](), dict[str, int]()
    for row in journal:
        match row:
            case SessionStarted():
                known = {each.order_id for each in row.leftovers if each.number}
                left = {each.order_id: sight.born.get(row.run_id, row.ts) for each in row.leftovers}
            case OrderUnconfirmed() if row.order_id not in known:
                unknown[row.order_id] = left.get(row.order_id, row.ts)
            case OrderResolved():  # by a person, who may take their time
                unknown.pop(row.order_id, None)
            case OrderAccepted() if row.order_id in unknown and row.broker_order_id in taken:
                number = row.broker_order_id
                yield sight.seen(number, max(unknown.pop(row.order_id), taken[number]), row.ts)
            case _other:
                pass


def figures(found: Iterable[int]) -> dict[str, int]:
    """Number of orders, and their median, 99th percentile and longest, ms."""
    waits = sorted(found)
    ranks = {"p50_ms": 50, "p99_ms": 99, "most_ms": 100} if waits else {}
    at = {name: waits[-(-len(waits) * rank // 100) - 1] for name, rank in ranks.items()}
    return {"orders": len(waits), **{name: ns * 1000 // NS for name, ns in at.items()}}

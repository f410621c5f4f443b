"""How long it took until unconfirmed orders were found, counted from when there was evidence at the broker."""

from collections.abc import Collection, Iterable, Mapping

from qbtrade.adapters.emulator.orders import Entry
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import OrderAccepted, OrderUnconfirmed, SessionStarted
from qbtrade.domain.message import Event


def resolved(
    journals: Iterable[Iterable[Event]], entries: Collection[Entry], heals: Collection[int]
) -> tuple[int, ...]:
    """The ns of every order of a world that was unconfirmed and got its number.

    Evidence is there once the broker has the order and we know that we do not know; where it was found only after
    everything had healed, what happened before counts for nothing. heals: when it does, day by day.
    """
    taken = {str(entry.number): entry.ts for entry in entries}
    return tuple(wait for journal in journals for wait in _waits(journal, taken, heals))


def _waits(journal: Iterable[Event], taken: Mapping[str, int], heals: Collection[int]) -> Iterable[int]:
    unknown, known = dict[str, int](), set[str]()
    for row in journal:
        match row:
            case SessionStarted():
                known = {left.order_id for left in row.leftovers if left.number}
            case OrderUnconfirmed() if row.order_id not in known:
                unknown[row.order_id] = row.ts
            case OrderAccepted() if row.order_id in unknown and row.broker_order_id in taken:
                since = max(unknown.pop(row.order_id), taken[row.broker_order_id])
                yield row.ts - max(since, *(healed for healed in heals if healed <= row.ts), 0)
            case _other:
                pass


def figures(found: Iterable[int]) -> dict[str, int]:
    """Number of orders, and their median, 99th percentile and longest, ms."""
    waits = sorted(found)
    ranks = {"p50_ms": 50, "p99_ms": 99, "most_ms": 100} if waits else {}
    at = {name: waits[-(-len(waits) * rank // 100) - 1] for name, rank in ranks.items()}
    return {"orders": len(waits), **{name: ns * 1000 // NS for name, ns in at.items()}}

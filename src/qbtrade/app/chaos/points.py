"""Every point of a world at which a process can end, walked one by one: nothing is left to the luck of a seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from qbtrade.adapters.kis_fields import Dialect
from qbtrade.app.chaos.plan import ChaosPlan, Crash
from qbtrade.app.chaos.run import Verdict, visited
from qbtrade.domain.money import PPB

HITS: Final = 3
"""So many lives in a row end at the same place, at most."""
SIDES: Final[tuple[Dialect, ...]] = ("real", "paper")
TROUBLED: Final[Mapping[str, int]] = {
    "slump": PPB, "vi": PPB, "exchange-reject": PPB // 10, "answer-timeout": PPB // 20, "line-cut": PPB // 20,
}  # fmt: skip
"""What goes wrong in the world that is walked, so that it has stop-losses, refusals and unconfirmed orders."""


class Place(msgspec.Struct):
    """What became of the worlds whose processes ended at one place. ends: processes that ended there."""

    name: str
    worlds: int = 0
    ends: int = 0
    broken: int = 0


def reference(seed: int, faults: Mapping[str, int]) -> Iterator[ChaosPlan]:
    """The worlds that are walked, one for each side of KIS. faults: rates that are said, ppb."""
    for side in SIDES:
        yield ChaosPlan(seed=seed, side=side, rates={**TROUBLED, **faults})


def walk(plan: ChaosPlan) -> Iterator[ChaosPlan]:
    """Worlds in which the first life ends at each point it comes to, and up to two more lives at the same place.

    Each killed, and without power.
    """
    seen = Counter[str]()
    for name in visited(plan):
        seen[name] += 1
        for power in (False, True):
            first, again = Crash(name, seen[name], power=power), Crash(name, 1, power=power)
            yield from (replace(plan, crashes=(first, again, again)[:hits]) for hits in range(1, HITS + 1))


def places(verdicts: Iterable[Verdict]) -> list[Place]:
    """What became of walked worlds, by place."""
    found: dict[str, Place] = {}
    for verdict in verdicts:
        name = verdict.plan.crashes[0].point
        place = found.setdefault(name, Place(name))
        place.worlds += 1
        place.ends += verdict.sometimes.get(f"killed {name.partition(' ')[0]}", 0)
        place.broken += bool(verdict.broken)
    return sorted(found.values(), key=lambda place: place.name)

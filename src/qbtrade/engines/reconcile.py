"""Our book against the broker's: what agrees is passed over, what does not is named, and believed when it repeats."""

from enum import StrEnum
from typing import Final

import msgspec

STUBBORN: Final = 6
"""Looks in a row with the same differences, after which entries wait for an explanation."""


UNSTEADY: Final = 12
"""Looks in a row with any differences, after which they do: who trades all the time never looks the same twice."""


class Book(msgspec.Struct, frozen=True):
    """One side's view. cash: KRW, D+2. positions: shares by symbol. orders: the broker's numbers of open orders."""

    cash: int
    positions: dict[str, int]
    orders: frozenset[str] = frozenset()


class Difference(msgspec.Struct, frozen=True):
    """One thing on which the books disagree. what: cash, shares or order. name: symbol, order number or ""."""

    what: str
    name: str
    ours: int
    theirs: int


def differences(ours: Book, theirs: Book, *, slack: int) -> tuple[Difference, ...]:
    """Everything on which the books disagree. slack: KRW of cash that may differ, because costs are estimates."""
    found = list[Difference]()
    if abs(ours.cash - theirs.cash) > slack:
        found.append(Difference("cash", "", ours.cash, theirs.cash))
    for symbol in sorted(ours.positions.keys() | theirs.positions.keys()):
        mine, other = ours.positions.get(symbol, 0), theirs.positions.get(symbol, 0)
        if mine != other:
            found.append(Difference("shares", symbol, mine, other))
    for number in sorted(ours.orders ^ theirs.orders):
        found.append(Difference("order", number, int(number in ours.orders), int(number in theirs.orders)))
    return tuple(found)


def told(difference: Difference) -> str:
    """One difference in words."""
    match difference.what:
        case "cash":
            return f"cash: qb has {difference.ours:,} won, the broker {difference.theirs:,}"
        case "shares":
            return f"{difference.name}: qb has {difference.ours:,} shares, the broker {difference.theirs:,}"
        case _order:
            whose = "the broker" if difference.theirs else "qb"
            return f"order {difference.name}: only {whose} has it as working"


class Look(msgspec.Struct, frozen=True):
    """What one complete look found. ts: when it was asked for, UTC ns.

    moved_at: when an order of ours last did anything. doubt: why it cannot be judged what is different, or "".
    """

    ts: int
    found: tuple[Difference, ...]
    moved_at: int
    doubt: str = ""


class Judgement(StrEnum):
    """CLEAN: the books agree. OPEN: look again. PROVEN: nothing of ours explains it. STUBBORN: it does not go away."""

    CLEAN = "CLEAN"
    OPEN = "OPEN"
    PROVEN = "PROVEN"
    STUBBORN = "STUBBORN"


class Repeats:
    """Believes a difference when two looks, some time apart, say the same while no order of ours did anything.

    settle: ns for which a balance may lag behind a fill. pause: ns between the two.
    """

    def __init__(self, *, settle: int, pause: int) -> None:
        self._settle, self._pause = settle, pause
        self._delta: tuple[tuple[str, str, int], ...] = ()
        self._first = self._times = 0  # when the first look that counts was asked for; looks that said the same
        self._unlike = 0  # looks in a row that said anything
        self.seen: tuple[int, ...] = ()

    def judge(self, look: Look) -> Judgement:
        """What a look means after those before it. seen: when the looks that prove it were asked for."""
        delta = tuple((each.what, each.name, each.theirs - each.ours) for each in look.found)
        self._times = self._times + 1 if delta == self._delta else 1
        self._unlike += 1
        if delta != self._delta or look.doubt:
            self._first = 0
        self._delta = delta
        if not delta and self._unlike > 1 and look.moved_at > look.ts:
            return Judgement.OPEN  # a fill between question and answer may hide by chance what looks before told
        if not delta:
            self._times = self._unlike = 0
            return Judgement.CLEAN
        if not look.doubt and look.ts >= look.moved_at + self._settle:
            if not self._first or self._first < look.moved_at + self._settle:
                self._first = look.ts
            elif look.ts >= self._first + self._pause:
                self.seen = (self._first, look.ts)
                return Judgement.PROVEN
        return Judgement.STUBBORN if self.is_steady or self._unlike >= UNSTEADY else Judgement.OPEN

    @property
    def is_steady(self) -> bool:
        """Whether the same was said so often that no fill on its way explains it."""
        return self._times >= STUBBORN

    def forget(self) -> None:
        """Begin anew: the book was changed."""
        self._delta, self._first, self._times, self._unlike = (), 0, 0, 0

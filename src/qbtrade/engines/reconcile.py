"""Our book against the broker's: what agrees is passed over, what does not is named."""

import msgspec


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

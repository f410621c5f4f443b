"""Which orders filled unseen, and for how much each, where only totals and a balance are told."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

import msgspec

from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.domain.order import Side

WAYS: Final = 100_000
"""So many combinations are tried at most; where there are more, hardly one alone fits."""


class Part(msgspec.Struct, frozen=True):
    """An order of which shares may have filled that nobody told. most: so many; is_whole: all of these, or none.

    price: its limit, or the price from which it was sized, KRW. was_gone: nothing was left of it for a cancel.
    """

    symbol: str
    side: Side
    most: int
    price: int
    is_whole: bool = False
    was_gone: bool = False


class Explained(msgspec.Struct, frozen=True):
    """Shares and KRW that filled of each order. estimates: places of those of which only the sum is told."""

    fills: tuple[tuple[int, int], ...]
    estimates: tuple[int, ...]


def explain(
    parts: Sequence[Part], moved: Mapping[str, int], qty: int, paid: Mapping[Side, int], balance: Balance
) -> Explained | None:
    """The one way in which orders make up what is told; None where there is none, or where there are several.

    moved: shares by symbol that came, or went (negative). qty: shares that filled in all. paid: KRW by side.
    Where the balance does not tell what each cost, each has its part of the sum by what its shares are worth at the
    limit of its order: no limit is passed then, and the sum is the broker's.
    """
    filled = _shares(parts, moved, qty)
    if not filled:
        return None
    costs, estimates = dict[int, int](), list[int]()
    for side, amount in paid.items():
        mine = {each: shares for each, shares in sorted(filled.items()) if parts[each].side is side}
        worth = {each: parts[each].price * shares for each, shares in mine.items()}
        if bool(mine) != (amount > 0) or not all(worth.values()):
            return None
        told = _told(parts, mine, moved, balance) if side is Side.BUY else {}
        exact = _completed(told, worth, amount)
        costs |= exact or _shared(worth, amount)
        estimates += () if exact else mine
    return Explained(tuple((filled.get(each, 0), costs.get(each, 0)) for each in range(len(parts))), tuple(estimates))


def _shares(parts: Sequence[Part], moved: Mapping[str, int], qty: int) -> dict[int, int]:
    """Shares by the place of their order, where only one way fits."""
    symbols = sorted({part.symbol for part in parts} | moved.keys())
    ways = [_ways(parts, symbol, moved.get(symbol, 0)) for symbol in symbols]
    if math.prod(map(len, ways)) > WAYS:
        return {}
    fitting = [way for way in product(*ways) if sum(map(sum, way)) == qty]
    if len(fitting) != 1:
        return {}
    found = dict[int, int]()
    for symbol, both in zip(symbols, fitting[0], strict=True):
        for side, shares in zip((Side.BUY, Side.SELL), both, strict=True):
            owned = _owned(parts, _of(parts, symbol, side), shares)
            if owned is None:
                return {}
            found |= owned
    return found


def _of(parts: Sequence[Part], symbol: str, side: Side) -> list[int]:
    return [each for each, part in enumerate(parts) if (part.symbol, part.side) == (symbol, side)]


def _ways(parts: Sequence[Part], symbol: str, moved: int) -> list[tuple[int, int]]:
    """Shares that may have been bought and sold of a stock."""
    bought, sold = (_possible([parts[each] for each in _of(parts, symbol, side)]) for side in (Side.BUY, Side.SELL))
    return [(shares, shares - moved) for shares in bought if shares - moved in sold]


def _possible(parts: Sequence[Part]) -> Sequence[int]:
    most = sum(part.most for part in parts)
    return sorted({0, most}) if len(parts) == 1 and parts[0].is_whole else range(most + 1)


def _owned(parts: Sequence[Part], able: Sequence[int], shares: int) -> dict[int, int] | None:
    """Whose so many shares of one side of a stock are; None where several could own them.

    They are all that can be, or one order can own them alone: the only one there, or one of which nothing was left.
    """
    if not shares:
        return {}
    if shares == sum(parts[each].most for each in able):
        return {each: parts[each].most for each in able}
    alone = [
        each for each in able if shares == parts[each].most or (shares < parts[each].most and not parts[each].is_whole)
    ]
    is_sure = len(alone) == 1 and (len(able) == 1 or (parts[alone[0]].was_gone and shares == parts[alone[0]].most))
    return {alone[0]: shares} if is_sure else None


def _told(
    parts: Sequence[Part], mine: Mapping[int, int], moved: Mapping[str, int], balance: Balance
) -> dict[int, int]:  # fmt: skip
    """What the balance says was paid for shares that came, where it holds just these."""
    whole = {
        parts[each].symbol: each for each, shares in mine.items()
        if balance.held.get(parts[each].symbol) == moved.get(parts[each].symbol) == shares
    }  # fmt: skip
    return {
        each: sum(holding.cost for holding in balance.holdings if holding.symbol == symbol)
        for symbol, each in whole.items()
    }


def _completed(told: Mapping[int, int], worth: Mapping[int, int], amount: int) -> dict[int, int]:
    """KRW of each where at most one is not told; {} where that does not add up."""
    if len(worth) == 1:
        return dict.fromkeys(worth, amount)
    rest, untold = amount - sum(told.values()), sorted(worth.keys() - told.keys())
    adds_up = 0 < rest <= worth[untold[0]] if len(untold) == 1 else not untold and not rest
    return {**told, **dict.fromkeys(untold, rest)} if adds_up else {}


def _shared(worth: Mapping[int, int], amount: int) -> dict[int, int]:
    """So many KRW in parts; the last one has what is left by rounding."""
    found, left, rest = dict[int, int](), amount, sum(worth.values())
    for each, part in worth.items():
        found[each] = left * part // rest
        left, rest = left - found[each], rest - part
    return found

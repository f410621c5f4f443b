"""Which orders filled unseen, and for how much each, where only totals and a balance are told."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain, product
from typing import Final

import msgspec

from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.sent import FAR
from qbtrade.domain.order import Side

WAYS: Final = 20_000
"""So many combinations are tried at most; where there are more, hardly one alone fits."""


class Part(msgspec.Struct, frozen=True):
    """An order of which shares may have filled that nobody told. most: so many.

    limit: KRW, 0 for none. price: its limit, or the price from which it was sized, KRW. is_whole: it can be booked
    when all of it filled, and not by a part.
    """

    symbol: str
    side: Side
    most: int
    limit: int
    price: int
    is_whole: bool = False


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
    filled = _shares(parts, moved, qty, paid)
    if not filled:
        return None
    costs, estimates = dict[int, int](), list[int]()
    for side, amount in paid.items():
        worth = {each: parts[each].price * qty for each, qty in filled.items() if parts[each].side is side}
        told = _told(parts, filled, moved, balance) if side is Side.BUY else {}
        exact = _completed(told, worth, amount)
        costs |= exact or _shared(worth, amount)
        estimates += () if exact else worth
    return Explained(tuple((filled.get(each, 0), costs.get(each, 0)) for each in range(len(parts))), tuple(estimates))


def _shares(
    parts: Sequence[Part], moved: Mapping[str, int], qty: int, paid: Mapping[Side, int]
) -> dict[int, int]:  # fmt: skip
    """Shares by the place of their order, where one way alone fits, and can be booked."""
    ways = [_ways(parts, symbol, moved.get(symbol, 0)) for symbol in {part.symbol for part in parts} | moved.keys()]
    if math.prod(map(len, ways)) > WAYS:
        return {}
    joined = (dict(chain.from_iterable(each.items() for each in way)) for way in product(*ways))
    fitting = [way for way in joined if sum(way.values()) == qty and _could_cost(parts, way, paid)]
    if len(fitting) != 1:
        return {}
    found = {each: shares for each, shares in sorted(fitting[0].items()) if shares}
    is_bookable = all(shares == parts[each].most or not parts[each].is_whole for each, shares in found.items())
    return found if is_bookable else {}


def _ways(parts: Sequence[Part], symbol: str, moved: int) -> list[dict[int, int]]:
    """Shares of each order of a stock that may have filled; none where there are too many to try."""
    mine = [each for each, part in enumerate(parts) if part.symbol == symbol]
    if not mine:
        return []
    *others, last = mine
    signs = {each: 1 if parts[each].side is Side.BUY else -1 for each in mine}
    ranges, ways = [range(parts[each].most + 1) for each in others], list[dict[int, int]]()
    if math.prod(map(len, ranges)) > WAYS:
        return []
    for shares in product(*ranges):
        way = dict(zip(others, shares, strict=True))
        way[last] = signs[last] * (moved - sum(signs[each] * qty for each, qty in way.items()))
        if 0 <= way[last] <= parts[last].most:
            ways.append(way)
    return ways


def _could_cost(parts: Sequence[Part], filled: Mapping[int, int], paid: Mapping[Side, int]) -> bool:
    """Whether so many shares may have filled for so many KRW: no limit is passed, and no price is far away."""
    for side, amount in paid.items():
        mine = [(parts[each], shares) for each, shares in filled.items() if shares and parts[each].side is side]
        worth = sum(part.price * shares for part, shares in mine)
        if bool(mine) != (amount > 0) or not all(part.price for part, _shares in mine):
            return False
        if not worth <= FAR * amount <= FAR * FAR * worth:
            return False
        passed = (amount - worth) * (1 if side is Side.BUY else -1)
        if passed > 0 and all(part.limit for part, _shares in mine):
            return False
    return True


def _told(
    parts: Sequence[Part], filled: Mapping[int, int], moved: Mapping[str, int], balance: Balance
) -> dict[int, int]:  # fmt: skip
    """What the balance says was paid for shares that came, where it holds just these."""
    whole = {
        parts[each].symbol: each for each, shares in filled.items()
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

"""What shares of several stocks cost, each, where totals alone say how much was filled."""

from collections.abc import Mapping

from qbtrade.adapters.kis.parse.account import Balance


def amounts(
    moved: Mapping[str, int], worth: Mapping[str, int], amount: int, paid: int, balance: Balance
) -> dict[str, int]:  # fmt: skip
    """KRW by symbol for shares that came, or went (negative), together for so many KRW; {} where that cannot be.

    paid: KRW of that for those that came. The balance tells what was paid for a stock of which nothing else is held.
    Where that does not add up, each has its part of what all of a side cost, by what its shares are worth at the limit
    of its order: no limit is passed then, and the sum is the broker's.
    """
    came = {symbol: worth[symbol] for symbol, qty in moved.items() if qty > 0}
    gone = {symbol: worth[symbol] for symbol, qty in moved.items() if qty < 0}
    if bool(paid) != bool(came) or bool(amount - paid) != bool(gone) or not all(worth.values()):
        return {}
    costs = _costs(moved, balance)
    is_exact = costs.keys() == came.keys() and sum(costs.values()) == paid
    return (costs if is_exact else _shared(paid, came)) | _shared(amount - paid, gone)


def is_estimate(moved: Mapping[str, int], told: Mapping[str, int], balance: Balance) -> bool:
    """Whether of such amounts only the sum is the broker's."""
    came = {symbol: told[symbol] for symbol, qty in moved.items() if qty > 0}
    return len(moved) - len(came) > 1 or (len(came) > 1 and came != _costs(moved, balance))


def _costs(moved: Mapping[str, int], balance: Balance) -> dict[str, int]:
    """What the balance says was paid for shares that came, where it holds just these."""
    whole = (symbol for symbol, qty in moved.items() if qty > 0 and balance.held.get(symbol) == qty)
    return {symbol: sum(each.cost for each in balance.holdings if each.symbol == symbol) for symbol in whole}


def _shared(amount: int, worth: Mapping[str, int]) -> dict[str, int]:
    """So many KRW in parts; the last one has what is left by rounding."""
    found, left, rest = dict[str, int](), amount, sum(worth.values())
    for symbol, each in worth.items():
        found[symbol] = left * each // rest
        left, rest = left - found[symbol], rest - each
    return found

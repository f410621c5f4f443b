"""Fills that nobody told, where the broker tells no rows of orders: by shares, the day's totals and cash."""

from collections.abc import Iterable
from itertools import chain

import msgspec

from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.split import Part, explain
from qbtrade.app.live.books import Books
from qbtrade.app.live.carried import Carried
from qbtrade.domain.events import Leftover
from qbtrade.domain.money import PPB
from qbtrade.domain.order import Side

ROUNDED = 2
"""KRW by which commission and tax of an order may differ where only the sum of several is told."""
FAR = PPB // 2
"""How far from its limit a fill may have been, ppb: the limits of a day are 30 % around one price."""
NEAR = PPB // 10
"""How far one may have been that only the change of cash tells, ppb."""


class Told(msgspec.Struct, frozen=True):
    """Shares and KRW that the day's totals have and we have not.

    bought: the part of the KRW that was paid for buys; -1 where the balance does not agree with the totals, or others
    may have traded. lags: the balance lacks fills that we know of, so it shows them as undone.
    """

    qty: int = 0
    amount: int = 0
    bought: int = -1
    lags: bool = False


def told_of(found: Carried, books: Books, listed: OrderHistory, balance: Balance | None) -> Told:
    """balance: None after a night, for it tells of another day."""
    if found.day_qty < 0:
        return Told()
    agrees = balance is not None and balance.bought + balance.sold == listed.filled_amount
    return Told(
        listed.filled_qty - found.day_qty - books.qty,
        listed.filled_amount - found.day_amount - books.amount,
        balance.bought - found.day_bought - books.bought if balance and agrees and found.day_bought >= 0 else -1,
        balance is not None and balance.bought + balance.sold < found.day_amount + books.amount,
    )


def by_balance(
    books: Books,
    left: list[Leftover],
    holdings: dict[str, int],
    foreign: dict[str, int],
    balance: Balance | None,
    told: Told,
) -> list[Leftover]:
    """Where no rows are told: book the one fill that explains the shares, and the cash to the won or the day's totals.

    Where the totals have just these shares, that is what they cost; what is different of the cash then is not the
    order's. Several may have filled where one way alone explains shares and totals. balance: None after a night, in
    which more happens to cash.
    """
    changed = {
        symbol: holdings.get(symbol, 0) - foreign.get(symbol, 0) - books.held(symbol)
        for symbol in {*books.positions, *(each.order.symbol for each in left)}
    }
    changed = {symbol: qty for symbol, qty in changed.items() if qty}
    several = _several(left, changed, balance, told)
    if several:
        left = [books.book(each, *several[each.order_id]) if each.order_id in several else each for each in left]
        if balance is not None and len(several) > 1 and abs(balance.cash - books.cash) <= len(several) * ROUNDED:
            books.cash = balance.cash  # the costs of a part are rounded in another way than those of what it was
        return left
    if len(changed) > 1:
        return left
    owners = [_only(left, symbol, qty) for symbol, qty in changed.items()]
    if not owners or owners[0] is None:
        return left
    owner, qty = owners[0], abs(sum(changed.values()))
    amount = _amount(books, owner, qty, balance.cash - books.cash if balance else None, told)
    return [books.book(each, qty, amount) if amount and each is owner else each for each in left]


def _only(left: Iterable[Leftover], symbol: str, qty: int) -> Leftover | None:
    """The only order that can have moved these shares."""
    side = Side.BUY if qty > 0 else Side.SELL
    able = [each for each in left if (each.order.symbol, each.order.side) == (symbol, side)]
    return able[0] if len(able) == 1 and able[0].remaining >= abs(qty) else None


def _several(
    left: list[Leftover], changed: dict[str, int], balance: Balance | None, told: Told
) -> dict[str, tuple[int, int]]:  # fmt: skip
    """Shares and KRW by order, where one way alone explains all that is told."""
    if balance is None or told.bought < 0:
        return {}
    paid = {Side.BUY: told.bought, Side.SELL: told.amount - told.bought}
    found = explain([_part(each) for each in left], changed, told.qty, paid, balance)
    filled = [(each, part) for each, part in zip(left, found.fills, strict=True) if part[0]] if found else []
    is_sure = all(_could_own(each, *part) for each, part in filled)
    return {each.order_id: part for each, part in filled} if is_sure else {}


def _part(left: Leftover) -> Part:
    order = left.order
    price = order.price or order.reference
    return Part(order.symbol, order.side, left.remaining, order.price, price, not left.number)


def _could_own(left: Leftover, qty: int, amount: int) -> bool:
    """Whether these may be shares of this order; without a number only when they are all of it."""
    fits = 0 < qty <= left.remaining if left.number else qty == left.remaining
    return fits and _takes(left, qty, amount)


def _takes(left: Leftover, qty: int, amount: int, far: int = FAR) -> bool:
    """Whether an order takes such a price, so far (ppb) from its own at most; a limit is never passed."""
    order = left.order
    total = (order.price or order.reference) * qty
    passed = (amount - total) * (1 if order.side is Side.BUY else -1)
    return abs(passed) <= total * far // PPB and not (order.price and passed > 0)


def _amount(books: Books, left: Leftover, qty: int, change: int | None, told: Told) -> int:
    """KRW at which so many shares filled: as the totals say, or by the change of cash; 0 where none is plausible.

    Where the balance knows of more fills, or of fewer than we, the change of cash is not that of this one alone.
    """
    if told.qty == qty and _takes(left, qty, told.amount):
        return told.amount
    if change is None or told.lags or (told.bought >= 0 and told.qty > qty):
        return 0
    reach = abs(change) // 100 + 100
    for amount in chain((told.amount,), range(abs(change) - reach, abs(change) + reach)):
        if books.effect(left, amount)[0] == change and _takes(left, qty, amount, NEAR):
            return amount
    return 0

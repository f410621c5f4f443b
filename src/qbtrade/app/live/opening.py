"""How a session begins: our book brought up to the broker's evidence, then compared with the broker's book."""

from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from qbtrade.adapters.kis.own import UNKNOWN
from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow, Sender
from qbtrade.adapters.kis.sent import Sent, traces_of_rows
from qbtrade.adapters.kis.totals import Accounted, everything
from qbtrade.app.live.base_price import Jumped, shares_now
from qbtrade.app.live.began import Began, corrections
from qbtrade.app.live.books import Books, CostsOf
from qbtrade.app.live.carried import REBASED, TOLD, Carried
from qbtrade.app.live.unseen import by_balance, told_of
from qbtrade.domain.events import BookCorrected, Jump, Leftover
from qbtrade.domain.order import Side
from qbtrade.engines.reconcile import Book, Difference, differences

NOTHING = Jumped()


class Opening(msgspec.Struct, frozen=True):
    """What a session begins with. held: shares and cost of qb's own lots; foreign: shares of others, by symbol.

    leftovers: orders that may still work. profit: KRW of the day so far, as Carried has it. settled: the broker's
    numbers of all other orders of the day that qb sent; answered: as Carried has them. accounted: what the broker's
    totals hold that is no news. aside: KRW in the account beyond cash, which no limit counts before the next day.
    jumps: base prices that nobody has decided about, by symbol. corrections: what of it no fill of ours explains,
    without their time.
    """

    cash: int
    held: dict[str, tuple[int, int]]
    foreign: dict[str, int]
    leftovers: tuple[Leftover, ...]
    differences: tuple[Difference, ...]
    profit: int
    settled: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    accounted: Accounted = Accounted(0, 0, {})
    aside: int = 0
    jumps: dict[str, Jump] = {}
    corrections: tuple[BookCorrected, ...] = ()


def opening(
    found: Carried, balance: Balance, history: OrderHistory, costs_of: CostsOf, *, same_day: bool,
    earlier: OrderHistory | None = None, jumped: Jumped = NOTHING, sender: Sender = UNKNOWN,
) -> Opening:  # fmt: skip
    """Book what the broker tells of leftover orders, and compare.

    history: of today. same_day: the last session was today's; else earlier: the orders of its day, if any was left.
    sender: what rows of our orders say, where somebody said that; else rows of those that are known tell.
    """
    books, listed = Books(found, costs_of), history if same_day else earlier
    holdings = balance.held
    left = list(_with_rows(books, found, listed.rows if listed else (), sender))
    taken = found.numbers | {each.number for each in left}
    if listed and listed.lacks_rows:
        told = told_of(found, books, listed, balance if same_day else None)
        jumps = () if same_day else jumped.jumps  # what a night made of shares tells nothing of fills
        seen = holdings | {symbol: books.held(symbol) + found.foreign.get(symbol, 0) for symbol in jumps}
        left = by_balance(books, left, seen, found.foreign, balance if same_day else None, told)
    kept = found.aside if same_day else 0
    was = Began(books.cash - kept, dict(books.positions), found.foreign, kept)
    rebased = _rebase(books, found.foreign, holdings, jumped)
    others_before = found.foreign | {symbol: holdings.get(symbol, 0) - books.held(symbol) for symbol in rebased}
    unclear = {each.order.symbol for each in left if each.remaining} if listed and listed.lacks_rows else set[str]()
    theirs = {symbol: min(holdings.get(symbol, 0), qty) for symbol, (qty, _) in books.positions.items()}
    theirs |= {symbol: holdings.get(symbol, 0) - others_before.get(symbol, 0) for symbol in unclear}
    leftovers = tuple(_may_work(left, history)) if same_day else ()
    held = _held(books, theirs, {symbol: _may_have_sold(left, symbol) for symbol in unclear})
    ours = Book(books.cash, {symbol: qty for symbol, (qty, _) in books.positions.items()}, _numbers(leftovers))
    others = Book(
        balance.cash if same_day else ours.cash, theirs,
        ours.orders if history.lacks_rows else _open_numbers(history),
    )  # fmt: skip
    foreign = {symbol: qty - held.get(symbol, (0, 0))[0] for symbol, qty in holdings.items()}
    foreign |= {symbol: others_before.get(symbol, 0) for symbol in unclear}  # whose the others are is the question
    slack = balance.costs + books.paid
    found_differences = differences(ours, others, slack=slack)
    settled = frozenset(taken - {""} - _numbers(leftovers)) if same_day else frozenset[str]()
    is_open = bool(found_differences or leftovers)  # else all that was filled today, by whomever, is in the books
    is_known = same_day and found.day_qty >= 0 and (is_open or history.filled_qty < found.day_qty + books.qty)
    accounted = _accounted(found, books) if is_known else everything(history, balance)
    is_unseen = found.day_qty >= 0 and history.filled_qty > found.day_qty + books.qty
    may_have_filled = any(is_unseen or theirs[symbol] != books.held(symbol) for symbol in unclear)
    cash, aside = _cash(books, balance, kept, slack, is_ours=same_day and may_have_filled, same_day=same_day)
    undecided = {symbol: jump for symbol, jump in jumped.jumps.items() if symbol not in rebased and books.held(symbol)}
    return Opening(
        cash,
        held,
        foreign,
        leftovers,
        found_differences,
        books.profit,
        settled,
        found.answered if same_day else frozenset(),
        accounted,
        aside,
        undecided,
        corrections(was, held, foreign, cash, aside, rebased, same_day=same_day),
    )


def _may_have_sold(left: Iterable[Leftover], symbol: str) -> int:
    return sum(each.remaining for each in left if (each.order.symbol, each.order.side) == (symbol, Side.SELL))


def _held(books: Books, theirs: Mapping[str, int], sold: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Own shares, and what they cost, as far as they are there. sold: by fills that may be still to be booked."""
    found = dict[str, tuple[int, int]]()
    for symbol, (own, cost) in books.positions.items():
        qty = own if own - theirs[symbol] <= sold.get(symbol, 0) else min(theirs[symbol], own)
        if own and qty > 0:
            found[symbol] = (qty, cost * qty // own)
    return found


def _cash(
    books: Books, balance: Balance, kept: int, slack: int, *, is_ours: bool, same_day: bool
) -> tuple[int, int]:  # fmt: skip
    """Cash, and what is aside of it. is_ours: what a fill that is still to be booked spent or brought is no payment.

    Within the day's costs our own sum is better, too: KIS estimates them, and a balance that lags hides in them.
    """
    is_near = same_day and abs(balance.cash - books.cash) <= slack
    total = books.cash if is_ours or is_near else balance.cash
    aside = min(kept, max(total, 0))
    return total - aside, aside


def _rebase(
    books: Books, foreign: Mapping[str, int], holdings: Mapping[str, int], jumped: Jumped
) -> dict[str, tuple[str, str]]:  # fmt: skip
    """Turn own shares into what they have become: by a person's word, or the broker's count. Why, by symbol."""
    found: dict[str, tuple[str, str]] = {}
    for symbol, jump in jumped.jumps.items():
        own, cost = books.positions.get(symbol, (0, 0))
        theirs, said = holdings.get(symbol, 0), jumped.told.get(symbol)
        if said is not None and said.day == jump.day and said.qty <= theirs:
            books.positions[symbol] = (said.qty, cost if said.cost is None else said.cost)
            found[symbol] = (TOLD, said.reason)
        elif own and (qty := shares_now(jump, own, own + foreign.get(symbol, 0), theirs)) >= 0:
            books.positions[symbol] = (qty, cost)
            found[symbol] = (REBASED, f"closed at {jump.close:,}, base {jump.base:,} on {jump.day}")
    return found


def _accounted(found: Carried, books: Books) -> Accounted:
    """What our own journals know of the day, so that a fill between two sessions is found missing.

    So it is where totals lack fills that the balance told of: they are older, and those fills are no news.
    """
    symbols = found.foreign.keys() | books.positions.keys()
    shares = {symbol: found.foreign.get(symbol, 0) + books.held(symbol) for symbol in symbols}
    bought = None if found.day_bought < 0 else found.day_bought + books.bought
    return Accounted(found.day_qty + books.qty, found.day_amount + books.amount, shares, bought)


def _may_work(left: Iterable[Leftover], history: OrderHistory) -> Iterator[Leftover]:
    """Orders that are not known to have ended, under the names that this session gives them."""
    rows = {row.order_no: row for row in history.rows}
    open_ones = (each for each in left if each.remaining > 0)
    open_ones = (each for each in open_ones if each.number not in rows or rows[each.number].open_qty)
    return (replace(each, order_id=f"L{number:06d}") for number, each in enumerate(open_ones, 1))


def _numbers(leftovers: Iterable[Leftover]) -> frozenset[str]:
    return frozenset(order.number for order in leftovers if order.number)


def _open_numbers(history: OrderHistory) -> frozenset[str]:
    """Orders that work, and rows that cannot be read."""
    unread = frozenset(row.order_no or "?" for row in history.unread)
    return unread | {row.order_no for row in history.rows if row.open_qty and not row.original_no}


def _with_rows(books: Books, found: Carried, rows: tuple[OrderRow, ...], sender: Sender) -> Iterator[Leftover]:
    """Every order without an end, with what rows tell of it; no row is two orders."""
    taken, certain = set(found.numbers), {sender} if sender else _senders(rows, found.answered)
    for each in found.leftovers:
        left = _by_rows(books, each, rows, taken, certain)
        taken.add(left.number)
        yield left


def _by_rows(
    books: Books, left: Leftover, rows: tuple[OrderRow, ...], taken: Collection[str], certain: Collection[Sender]
) -> Leftover:
    """Book what the row of an order tells: the row of its number, or the only one that looks like it.

    certain: how rows of our orders look, where that is known for sure. One that somebody else made, as rows of numbers
    that are ours tell, is left to the question that a session asks; so are two, unless it is certain who made them.
    """
    if not left.number:
        sent, ours = Sent(left.order, left.sent_at, after=left.after), certain or _senders(rows, taken)
        traces = [each for each in traces_of_rows(rows) if each.number not in taken and each.may_be(sent)]
        fitting = [each.number for each in traces if not any(own.differs(each.sender) for own in ours)]
        possible = fitting if certain else traces  # an order that was found by its looks may have been another's
        left = replace(left, number=fitting[0] if len(fitting) == len(possible) == 1 else "")
    row = next((row for row in rows if row.order_no == left.number), None)
    if row is None or row.filled_qty <= left.filled or row.filled_amount <= left.amount:
        return left
    return books.book(left, row.filled_qty - left.filled, row.filled_amount - left.amount)


def _senders(rows: Iterable[OrderRow], ours: Collection[str]) -> set[Sender]:
    """Who made the orders of ours; where they are not alike, one of them was found by mistake."""
    return {row.sender for row in rows if row.order_no in ours and row.sender}

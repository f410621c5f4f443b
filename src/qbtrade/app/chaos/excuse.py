"""What no judge may hold against qb: an order that works on after a session's end, and one of others taken for ours.

Paper tells no rows and no list of live orders. Where the answer to an order and its notices were lost, too, its number
is nowhere to be learned, so nobody can cancel it; all that qb can do is to name it and ask a person.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from qbtrade.adapters.emulator.orders import Action, Entry
from qbtrade.app.chaos.resolved import Sight
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.domain.events import (
    Alert,
    Level,
    OrderAbandoned,
    OrderAccepted,
    OrderResolved,
    OrderSending,
    SessionStarted,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, Side

SEEN_WITHIN: Final = 5 * NS
"""An order that turns up is seen by then."""
LISTS_AWAY: Final = 18 * NS
"""A notice without a list of orders is believed after that."""


def unexcused(left: Iterable[Entry], journal: Iterable[Event]) -> list[Entry]:
    """Orders that work on and are not among those that the last session named as unconfirmed at its end.

    One order that was named excuses one order that looks like it.
    """
    named = _named(journal)
    found = list[Entry]()
    for entry in left:
        excuse = next((order for order in named if _looks_like(entry, order)), None)
        if excuse is None:
            found.append(entry)
        else:
            named.remove(excuse)
    return found


def parts(entries: Iterable[Entry], journal: Collection[Event]) -> list[Entry]:
    """Orders that filled in part and work on unseen: named as unconfirmed at the end, and that the books disagree.

    Totals tell that shares were sold, not by which order; a part may be what somebody sold by hand.
    """
    left = [entry for entry in entries if entry.remaining and entry.action is Action.NEW]
    guilty, said = unexcused(left, journal), _disagreed(journal)
    return [entry for entry in left if entry not in guilty and 0 < entry.filled_at < said]


def either(entries: Iterable[Entry], journal: Collection[Event]) -> list[Entry]:
    """Orders that filled unseen beside one of the same side whose number nobody told: which of both did, nobody knows.

    Both were named at the end, and that the books disagree.
    """
    lost, said = _named(journal), _disagreed(journal)
    left = {
        int(number) for row in journal if isinstance(row, Alert) and row.code == "order-left"
        if (number := row.text.split()[1]).isdecimal()
    }  # fmt: skip
    return [
        entry for entry in entries
        if entry.number in left and 0 < entry.filled_at < said and any(_could_be(entry, order) for order in lost)
    ]  # fmt: skip


def _could_be(entry: Entry, order: OrderRequest) -> bool:
    """Whether its fills could be those of this order: a limit is never passed."""
    passed = (entry.amount - order.price * entry.filled) * (1 if order.side is Side.BUY else -1)
    is_alike = (entry.ticket.symbol, entry.ticket.side) == (order.symbol, order.side)
    return is_alike and not (order.price and passed > 0)


def _disagreed(journal: Iterable[Event]) -> int:
    """When a session said last that its books disagree, UTC ns; 0 for never."""
    return max((row.ts for row in journal if isinstance(row, Alert) and row.code == "books-disagree"), default=0)


class Taken(NamedTuple):
    """A number that a journal calls ours, since when. knew: a true one that day; asked: whether it is of others."""

    number: str
    ts: int
    knew: bool
    asked: bool


def taken(journals: Iterable[Iterable[Event]], foreign: Collection[int]) -> Iterator[Taken]:
    """Every number once. Rows of a number of others, taken before, tell nothing of what ours look like."""
    known, asked, today, day = set[str](), set[str](), set[str](), None
    for journal in journals:
        for row in journal:
            match row:
                case SessionStarted():
                    if kst_date(row.ts) != day:  # numbers of a day before teach a session nothing
                        today, day = set(), kst_date(row.ts)
                    numbers = {*row.settled, *(left.number for left in row.leftovers if left.number)}
                case OrderAccepted():
                    numbers = {row.broker_order_id}
                case Alert(code="perhaps-by-hand"):
                    asked.add(row.text.split()[1])
                    continue
                case _other:
                    continue
            for number in sorted(numbers - known):
                yield Taken(number, row.ts, any(int(each) not in foreign for each in today), number in asked)
            known |= numbers
            today |= numbers


def indistinct(
    journals: Collection[Iterable[Event]], entries: Iterable[Entry], foreign: Collection[int], sight: Sight,
    *, told_who: bool,
) -> set[int]:  # fmt: skip
    """Numbers of others that were taken for ours for good reasons.

    Rows of a program elsewhere look like ours, all of them do before qb knows a number of its own, unless it was told
    who it is; then one order of others counts as ours while KIS has none of ours that looks so. A notice alone counts
    when no list of orders was to be had for long.
    """
    found, by_number = set[int](), {entry.number: entry for entry in entries if entry.action is Action.NEW}
    claims = {int(each.number): each for each in taken(journals, foreign)}
    for number, each in claims.items():
        entry = by_number.get(number)
        if entry is None or number not in foreign:
            continue
        waited = sight.awake(sight.noticed.get(each.number, entry.ts), each.ts)
        is_late = LISTS_AWAY - SEEN_WITHIN <= waited <= LISTS_AWAY + SEEN_WITHIN and not each.asked
        is_like_ours = not entry.by_hand or not (each.knew or told_who)
        ours = [
            other for other in by_number.values()
            if other.number not in foreign and other.ticket == entry.ticket and other.shown <= each.ts - SEEN_WITHIN
            and (other.number not in claims or claims[other.number].ts > each.ts)
        ]  # fmt: skip
        if is_late or (is_like_ours and not ours):
            found.add(number)
    return found


def strays(
    journals: Sequence[Iterable[Event]], entries: Iterable[Entry], mistaken: Collection[int], healed: int
) -> list[Entry]:
    """Orders of ours that filled after all had healed, and that nobody could count with.

    Others had their name, what they sold was sold already, or a person had said that they do not exist.
    What they fill is what others do, or theirs, as far as qb can know, and that is believed after minutes; until then
    the last session has to say, after they filled, that its books disagree.
    """
    said = _disagreed(journals[-1])
    new = [entry for entry in entries if entry.action is Action.NEW]
    late = [each for each in new if healed < each.filled_at < said and each.number not in mistaken]
    if not late:
        return []
    names = {int(each.number) for each in taken(journals, mistaken)}
    tickets = [entry.ticket for entry in new if entry.number in names.intersection(mistaken)]
    gone = _sold_in_vain(journals[-1])
    denied = [(order, row.ts) for order, row in _written_off(journals) if isinstance(row, OrderResolved)]
    return [
        each for each in late
        if gone.get(each.number, each.ts) < each.ts or (
            each.number not in names
            and (each.ticket in tickets or any(_looks_like(each, order) and ts < each.ts for order, ts in denied))
        )
    ]  # fmt: skip


def _written_off(journals: Iterable[Iterable[Event]]) -> Iterator[tuple[OrderRequest, OrderAbandoned | OrderResolved]]:
    """Orders that were given up, or of which a person said that they do not exist, and the row that says so."""
    earlier = dict[str, OrderRequest]()  # as RUN/ORDER: a person may say it of an order of a session before
    for journal in journals:
        sent, run = dict[str, OrderRequest](), ""
        for row in journal:
            match row:
                case SessionStarted(run_id=run):
                    pass
                case OrderSending():
                    sent[row.order.order_id] = earlier[f"{run}/{row.order.order_id}"] = row.order
                case OrderAbandoned() | OrderResolved(number="") if order := (sent | earlier).get(row.order_id):
                    yield order, row
                case _other:
                    pass


def _sold_in_vain(journal: Iterable[Event]) -> dict[int, int]:
    """When orders were given up that sold shares after all which the book no longer had, by number."""
    given_up, numbers, found = dict[str, int](), dict[str, int](), dict[int, int]()
    for row in journal:
        match row:
            case OrderAbandoned():
                given_up[row.order_id] = row.ts
            case OrderAccepted():
                numbers[row.order_id] = int(row.broker_order_id)
            case Alert(code="oversold"):
                order_id = row.text.split()[1]
                found[numbers[order_id]] = given_up.get(order_id, row.ts)
            case _other:
                pass
    return found


def oversold(journals: Iterable[Iterable[Event]]) -> Counter[str]:
    """Shares that orders which had been given up sold beyond the book, as was told at once, by symbol."""
    found = Counter[str]()
    for journal in journals:
        given_up = set[str]()
        for row in journal:
            if isinstance(row, OrderAbandoned):
                given_up.add(row.order_id)
            elif isinstance(row, Alert) and row.code == "oversold":
                words = row.text.replace(",", "").split()  # order ID sold N shares of SYMBOL of which the book has M
                found[words[6]] += (int(words[3]) - int(words[-1])) * (words[1] in given_up)
    return found


def shared(journals: Iterable[Iterable[Event]]) -> int:
    """Orders of which qb says that only the sum of their fills is the broker's."""
    rows = (row for journal in journals for row in journal)
    said = (row.text for row in rows if isinstance(row, Alert) and row.code == "sum-shared")
    return sum(int(text.split()[0]) for text in said)


def just_come(entry: Entry, journals: Iterable[Iterable[Event]], now: int) -> bool:
    """Whether an order that was given up for lost reached KIS so late that nobody could see it before the end."""
    orders = (order for order, row in _written_off(journals) if isinstance(row, OrderAbandoned))
    return now - entry.ts < SEEN_WITHIN and any(_looks_like(entry, order) for order in orders)


def _named(journal: Iterable[Event]) -> list[OrderRequest]:
    orders, known, said = dict[str, OrderRequest](), set[str](), list[str]()
    for row in journal:
        match row:
            case OrderSending():
                orders[row.order.order_id] = row.order
            case OrderAccepted():
                known.add(row.order_id)
            case Alert(code="order-left", level=Level.CRITICAL):
                said.append(row.text)
            case _other:
                pass
    return [
        order for order_id, order in orders.items()
        if order_id not in known and any(
            text.startswith(f"order {order_id} is left") and text.endswith("unconfirmed") for text in said
        )
    ]  # fmt: skip


def _looks_like(entry: Entry, order: OrderRequest) -> bool:
    """Also by what is left of it: of an order that an earlier session left, a session knows the rest alone."""
    price = order.price if order.kind is OrderKind.LIMIT else 0
    looks = entry.ticket.symbol, entry.ticket.side, entry.ticket.price
    return looks == (order.symbol, order.side, price) and order.qty in {entry.ticket.qty, entry.remaining}

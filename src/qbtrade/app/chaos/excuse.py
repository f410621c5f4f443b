"""The one case in which an order may work on after a session's end: nobody could know its number, and qb said so.

Paper tells no rows and no list of live orders. Where the answer to an order and its notices were lost, too, its number
is nowhere to be learned, so nobody can cancel it; all that qb can do is to name it and ask a person.
"""

from collections.abc import Iterable
from typing import Final

from qbtrade.adapters.emulator.orders import Entry
from qbtrade.domain.calendar import NS
from qbtrade.domain.events import Alert, Level, OrderAbandoned, OrderAccepted, OrderSending
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest

SEEN_WITHIN: Final = 5 * NS
"""An order that turns up is seen by then."""


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


def just_come(entry: Entry, journals: Iterable[Iterable[Event]], now: int) -> bool:
    """Whether an order that was given up for lost reached KIS so late that nobody could see it before the end."""
    orders = list[OrderRequest]()
    for journal in journals:
        sent = dict[str, OrderRequest]()
        for row in journal:
            if isinstance(row, OrderSending):
                sent[row.order.order_id] = row.order
            elif isinstance(row, OrderAbandoned):
                orders.append(sent[row.order_id])
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
    price = order.price if order.kind is OrderKind.LIMIT else 0
    asked = (order.symbol, order.side, order.qty, price)
    return (entry.ticket.symbol, entry.ticket.side, entry.ticket.qty, entry.ticket.price) == asked

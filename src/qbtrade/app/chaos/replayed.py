"""What a journal makes of a session, folded anew, beside what the session itself knows."""

from collections.abc import Iterable, Iterator

from qbtrade.adapters.store.projections import folded
from qbtrade.app.wiring import Engines
from qbtrade.domain.message import Event


def differences(engines: Engines, events: Iterable[Event]) -> Iterator[str]:
    """On what they disagree, in words: cash, shares with their cost, and each order's state, number and fills."""
    tables, account = folded(events), engines.portfolio.account
    for _one, _account, _configuration, cash in tables["account"]:
        if cash != account.cash:
            yield f"cash is {account.cash:,} in the session, {cash:,} replayed"
    traded = {symbol: (held.qty, held.cost) for symbol, held in account.positions.items() if held.qty}
    replayed = {symbol: (qty, cost) for symbol, qty, cost in tables["position"]}
    if traded != replayed:
        yield f"shares and cost are {traded} in the session, {replayed} replayed"
    for order_id, status, number, _qty, filled, amount in tables["orders"]:
        order = engines.orders.get(order_id)
        known = order and (order.status, order.broker_order_id, order.filled_qty, order.filled_amount)
        if known != (status, number, filled, amount):
            yield f"order {order_id} is {known} in the session, {(status, number, filled, amount)} replayed"

"""How a session begins: our book brought up to the broker's rows, then compared with the broker's book."""

from collections.abc import Callable, Iterable

import msgspec

from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.orders import OrderHistory, OrderRow
from qbtrade.adapters.kis.sent import Sent, traces_of_rows
from qbtrade.app.live.carried import Carried, Leftover
from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side
from qbtrade.engines.reconcile import Book, Difference, differences

CostsOf = Callable[[str], Costs]


class Opening(msgspec.Struct, frozen=True):
    """What a session begins with. held: shares and cost of qb's own lots; foreign: shares of others, by symbol.

    leftovers: orders that may still work. profit: KRW of the day so far, without what is on paper.
    """

    cash: int
    held: dict[str, tuple[int, int]]
    foreign: dict[str, int]
    leftovers: tuple[Leftover, ...]
    differences: tuple[Difference, ...]
    profit: int


def opening(found: Carried, balance: Balance, history: OrderHistory, costs_of: CostsOf, *, same_day: bool) -> Opening:
    """Book what the rows tell of leftover orders, and compare. same_day: the last session was today's."""
    positions, cash, profit, paid = dict(found.positions), found.cash or 0, found.profit, 0
    leftovers = list[Leftover]()
    for order in found.leftovers if same_day else ():
        row = _row_of(order, history.rows)
        if row is not None and row.filled_qty > order.filled:
            effect = _book(positions, order, row, costs_of(order.order.symbol))
            cash, profit, paid = cash + effect[0], profit + effect[1], paid + effect[2]
            order.filled, order.amount = row.filled_qty, row.filled_amount
        if row is None or row.open_qty:
            leftovers.append(order)
    holdings: dict[str, int] = {}
    for holding in balance.holdings:
        holdings[holding.symbol] = holdings.get(holding.symbol, 0) + holding.qty
    ours = Book(cash, {symbol: qty for symbol, (qty, _) in positions.items()}, _numbers(leftovers))
    theirs = Book(
        balance.cash if same_day else ours.cash,
        {symbol: min(holdings.get(symbol, 0), qty) for symbol, qty in ours.positions.items()},
        frozenset(row.order_no for row in history.rows if row.open_qty and not row.original_no)
        | frozenset(row.order_no or "?" for row in history.unread),
    )
    slack = balance.costs + paid
    held = {
        symbol: (theirs.positions[symbol], cost * theirs.positions[symbol] // qty)
        for symbol, (qty, cost) in positions.items() if qty and theirs.positions[symbol]
    }  # fmt: skip
    foreign = {symbol: qty - held.get(symbol, (0, 0))[0] for symbol, qty in holdings.items()}
    found_differences = differences(ours, theirs, slack=slack)
    return Opening(balance.cash, held, foreign, tuple(leftovers), found_differences, profit)


def _numbers(leftovers: Iterable[Leftover]) -> frozenset[str]:
    return frozenset(order.number for order in leftovers if order.number)


def _row_of(order: Leftover, rows: tuple[OrderRow, ...]) -> OrderRow | None:
    """The row of a leftover order: by its number, or the only one that looks like it."""
    if not order.number:
        sent = Sent(order.order, order.sent_at)
        fitting = [trace.number for trace in traces_of_rows(rows) if trace.may_be(sent)]
        order.number = fitting[0] if len(fitting) == 1 else ""
    return next((row for row in rows if row.order_no == order.number), None)


def _book(positions: dict[str, tuple[int, int]], order: Leftover, row: OrderRow, costs: Costs) -> tuple[int, int, int]:
    """Book what was filled after the last session; cash, profit and costs that came of it, KRW."""
    symbol, qty, amount = order.order.symbol, row.filled_qty - order.filled, row.filled_amount - order.amount
    held, cost = positions.get(symbol, (0, 0))
    commission = costs.commission(row.filled_amount) - costs.commission(order.amount)
    if order.order.side is Side.BUY:
        positions[symbol] = (held + qty, cost + amount)
        return -amount - commission, -commission, commission
    sold = min(qty, held)
    released = cost * sold // held if held else 0
    positions[symbol] = (held - sold, cost - released)
    paid = commission + costs.tax(row.filled_amount) - costs.tax(order.amount)
    return amount - paid, amount - released - paid, paid

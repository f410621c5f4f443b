"""The broker's account as a session meets it and leaves it."""

from collections.abc import Iterable
from typing import Final

import msgspec

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.adapters.kis.parse.quotes import Price
from qbtrade.app.live.wire import Wire
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.engines.reconcile import Book, Difference, differences

TRIES: Final = 6
PAUSE: Final = 3 * NS
"""Between two looks at a balance that may lag; market time, and half a machine second at least."""
LEAST_PAUSE: Final = 0.5


class AtBroker(msgspec.Struct, frozen=True):
    """What the broker tells before a session."""

    balance: Balance
    history: OrderHistory
    prices: dict[str, Price]


def ask_account(wire: Wire, symbols: Iterable[str]) -> AtBroker:
    """Ask for everything. Raises: BrokerError, KeyboardInterrupt."""
    environment, today = wire.environment, kst_date(wire.clock.now())
    balance = wire.fetch(calls.balance(environment))
    history = wire.fetch(calls.order_history(environment, today, today))
    prices = {symbol: wire.fetch(calls.price(environment, symbol)) for symbol in symbols}
    return AtBroker(balance, history, prices)


def compare(wire: Wire, cash: int, positions: dict[str, int], foreign: dict[str, int]) -> tuple[Difference, ...]:
    """Our book against the balance, which may lag behind: asked again until they agree or that was tried enough.

    foreign: shares that were there before. Cash may differ by the broker's costs of the day, which are estimates.

    Raises: BrokerError, KeyboardInterrupt.
    """
    symbols = positions.keys() | foreign.keys()
    ours = Book(cash, {symbol: positions.get(symbol, 0) + foreign.get(symbol, 0) for symbol in symbols})
    found: tuple[Difference, ...] = ()
    for _ in range(TRIES):
        balance = wire.fetch(calls.balance(wire.environment))
        held: dict[str, int] = dict.fromkeys(symbols, 0)
        for holding in balance.holdings:
            held[holding.symbol] = held.get(holding.symbol, 0) + holding.qty
        found = differences(ours, Book(balance.cash, held), slack=balance.costs)
        if not found:
            return ()
        wait(wire)
    return found


def wait(wire: Wire) -> None:
    """Let what lags catch up."""
    wire.loop.run_until(lambda: False, max(PAUSE / NS / wire.clock.speed, LEAST_PAUSE))


def told(difference: Difference) -> str:
    """One difference in words."""
    match difference.what:
        case "cash":
            return f"cash: qb has {difference.ours:,} won, the broker {difference.theirs:,}"
        case "shares":
            return f"{difference.name}: qb has {difference.ours:,} shares, the broker {difference.theirs:,}"
        case _order:
            whose = "the broker" if difference.theirs else "qb"
            return f"order {difference.name}: only {whose} has it as working"

"""The broker's account as a session meets it and leaves it."""

from collections.abc import Callable, Iterable
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
FIRST: Final = 130.0
"""Machine seconds for the first question: a token may be asked for once a minute, and the call itself says why not."""


class AtBroker(msgspec.Struct, frozen=True):
    """What the broker tells before a session. asked: when, UTC ns."""

    balance: Balance
    history: OrderHistory
    prices: dict[str, Price]
    asked: int = 0


def ask_account(wire: Wire, symbols: Iterable[str]) -> Callable[[], AtBroker]:
    """Ask for everything at once, as far as the rate allows; what comes back waits for the answers.

    That raises: BrokerError, KeyboardInterrupt.
    """
    environment, asked = wire.environment, wire.clock.now()
    today = kst_date(asked)
    balance = wire.begin(calls.balance(environment), FIRST)
    history = wire.begin(calls.order_history(environment, today, today))
    prices = {symbol: wire.begin(calls.price(environment, symbol)) for symbol in symbols}
    return lambda: AtBroker(balance(), history(), {symbol: price() for symbol, price in prices.items()}, asked)


def compare(wire: Wire, cash: int, positions: dict[str, int]) -> tuple[Difference, ...]:
    """Our book against the balance, which may lag behind: asked again until they agree or that was tried enough.

    Cash may differ by the broker's costs of the day, which are estimates.

    Raises: BrokerError, KeyboardInterrupt.
    """
    ours = Book(cash, positions)
    found: tuple[Difference, ...] = ()
    for _ in range(TRIES):
        balance = wire.fetch(calls.balance(wire.environment))
        found = differences(ours, Book(balance.cash, balance.held), slack=balance.costs)
        if not found:
            return ()
        wait(wire)
    return found


def wait(wire: Wire) -> None:
    """Let what lags catch up."""
    wire.loop.run_until(lambda: False, max(PAUSE / NS / wire.clock.speed, LEAST_PAUSE))

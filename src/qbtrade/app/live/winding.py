"""The end of a live session: no more entries, nothing left working, and a word about whatever is left."""

from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Final

from qbtrade.adapters.kis.calls import CODES
from qbtrade.app.live.asking import Working
from qbtrade.app.live.halting import ORDER_LEFT, step_aside
from qbtrade.app.live.plan import OnExit
from qbtrade.app.live.sweeping import UNREAD, Sweep
from qbtrade.domain.calendar import NS, Phase
from qbtrade.domain.events import CancelOrder, Level
from qbtrade.domain.order import Order
from qbtrade.errors import BrokerError
from qbtrade.kernel.clock import Stopwatch

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

STOPPED: Final = "session-stopped"
PATIENCE: Final = 20.0
"""Machine seconds for cancels to be confirmed, and for the broker to tell how the closing auction ended."""
CATCHES_UP: Final = 5.0
"""Machine seconds for our book to hear what a read of the broker's orders has shown already."""
SELLING: Final = 180.0
"""Machine seconds for shares to be sold: longer than a volatility interruption."""
AGAIN: Final = 1.0
LOOK_FOR_IT: Final = "look for it in the KIS app and cancel it there if it should not work"


def wind_down(session: "LiveSession") -> None:
    """Stop entries, cancel what works, sell where that was asked for, and name what is left."""
    if session.taken_by:
        step_aside(session)
        return
    engines = session.engines
    engines.risk.halt(engines.clock.now(), STOPPED)
    flattens = session.on_exit is OnExit.FLATTEN and session.can_sell
    if not flattens:
        engines.protection.rest()
    if session.on_exit is not OnExit.LEAVE:
        _cancel_all(session)
    if flattens:
        _sell_all(session)
        _cancel_all(session)
    if session.on_exit is not OnExit.LEAVE:
        _prove(session)
    left = _numbers(session)
    session.books.look_at_last()
    if session.on_exit is not OnExit.LEAVE and _numbers(session) - left:  # that look found what nobody had seen before
        _cancel_all(session)
        _prove(session)
        session.books.look_at_last()
    engines.portfolio.mark(engines.clock.now())
    tell_what_is_left(session)


def stop_after_fault(session: "LiveSession", error: Exception) -> None:
    """Wind down after an engine failed, and when that fails, too, cancel what can be canceled and name the rest."""
    session.say(
        "engine-fault", f"an engine failed ({type(error).__name__}: {error}): the session ends here",
        "see what is left open",
    )  # fmt: skip
    try:
        wind_down(session)
    except Exception:  # noqa: BLE001 - the first fault is the one to tell; here only the account counts
        _cancel_in_spite(session)
        tell_what_is_left(session)


def tell_what_is_left(session: "LiveSession") -> None:
    """Name every order that may still work, and all shares."""
    engines = session.engines
    orders = engines.orders
    for symbol in orders.open_symbols():
        for order in orders.open_orders(symbol):
            what = f"{order.request.side.lower()} {order.remaining:,} of {symbol}"
            text = f"order {order.broker_order_id or order.request.order_id} is left: {what}, {order.status.lower()}"
            session.say(ORDER_LEFT, text, LOOK_FOR_IT)
    for text in session.survivors:
        session.say(ORDER_LEFT, text, LOOK_FOR_IT)
    for symbol, position in engines.portfolio.account.positions.items():
        if position.qty:
            text = f"{symbol}: {position.qty:,} shares are held, and no stop-loss is active from here on"
            session.say("shares-left", text, "start qb again, or watch them elsewhere")


def is_at_rest(session: "LiveSession") -> bool:
    """Whether nothing of it works that somebody else would have to cancel in its place."""
    if session.taken_by or session.on_exit is OnExit.LEAVE:
        return True
    return session.fault is None and not (session.survivors or session.engines.orders.open_symbols())


def _sell_all(session: "LiveSession") -> None:
    """Sell through the spread; what goes into the closing auction is known after it."""
    engines, loop = session.engines, session.wire.loop
    for symbol in session.symbols:
        engines.protection.sell_out(engines.clock.now(), symbol, "flatten")
    auction = session.day.close - engines.clock.now() if engines.market.phase() is Phase.CLOSING_AUCTION else 0
    patience = SELLING + auction / NS / session.wire.clock.speed
    loop.run_until(lambda: not engines.portfolio.total_cost() or not session.can_sell, patience)
    if not session.can_sell:
        loop.run_until(lambda: not engines.orders.open_symbols(), PATIENCE)
    engines.protection.rest()


def _cancel_all(session: "LiveSession") -> None:
    """Cancel what works, and wait for that, or for as long as our patience lasts; the order engine asks again itself.

    An order that nobody has confirmed is waited for, too: once it is found it is canceled, which is waited for anew.
    """
    orders, loop = session.engines.orders, session.wire.loop
    session.cancel_all(STOPPED)
    if loop.run_until(lambda: not orders.open_symbols(), AGAIN):
        return
    names = ", ".join(map(_named, _open(session)))
    text = f"waiting up to {PATIENCE:.0f} s for {names}"
    session.say("end-waits", text, "Ctrl+C once more leaves at once", Level.INFO)
    if not loop.run_until(lambda: not orders.open_symbols(), PATIENCE - AGAIN):
        loop.run_until(lambda: not _numbers(session), PATIENCE)


def _prove(session: "LiveSession") -> None:
    """Cancel what the broker shows of ours, as `qb halt` does, until two complete reads show none.

    What others ordered is theirs. An order that is open here and that no read shows has no end that we know of.
    """
    if session.kis is None:
        return
    wire = session.wire
    others, is_ours = {UNREAD, *(each.number for each in session.live.opening.leftovers)}, session.kis.is_ours
    sweep = Sweep(wire, lambda order: is_ours(order.order_no) or order.order_no in others, session.kis.last_sent())
    try:
        if wire.environment.capabilities.order_rows:
            sweep.by_rows()
        else:
            sweep.by_numbers(_numbered(session))
    except BrokerError as error:
        session.survivors = (f"whether orders are left could not be found out: {error.message}",)
        return
    wire.loop.run_until(lambda: not _numbers(session), CATCHES_UP)
    named = _numbers(session)
    session.survivors = tuple(
        f"order {each.order_no} is left: {each.side.lower()} {each.qty:,} of {each.symbol}, {each.reason or 'working'}"
        for each in sweep.found() if not each.done and each.order_no not in named
    )  # fmt: skip


def _numbers(session: "LiveSession") -> set[str]:
    """The broker's numbers of orders that may work, where they are known."""
    return {order.broker_order_id for order in _open(session) if order.broker_order_id}


def _numbered(session: "LiveSession") -> Iterable[Working]:
    """Orders of ours that may work and whose number is known."""
    for order in _open(session):
        if order.broker_order_id:
            said = order.request
            code = CODES[said.kind, said.tif]
            yield Working(order.broker_order_id, "", code, said.symbol, said.side.value, order.remaining)


def _open(session: "LiveSession") -> tuple[Order, ...]:
    orders = session.engines.orders
    return tuple(chain(*map(orders.open_orders, orders.open_symbols())))


def _named(order: Order) -> str:
    return f"{order.broker_order_id or order.request.order_id} ({order.status.lower()})"


def _cancel_in_spite(session: "LiveSession") -> None:
    """Ask for each cancel on its own: what fails for one order need not fail for the next."""
    engines = session.engines
    with suppress(Exception):
        engines.protection.rest()
    if session.on_exit is OnExit.LEAVE:
        return
    watch = Stopwatch()
    while engines.orders.open_symbols() and watch.seconds() < PATIENCE:
        for symbol in engines.orders.open_symbols():
            for order in engines.orders.open_orders(symbol):
                with suppress(Exception):
                    session.wire.bus.publish(CancelOrder(engines.clock.now(), order.request.order_id, STOPPED))
        with suppress(Exception):
            session.wire.loop.run_until(lambda: not engines.orders.open_symbols(), AGAIN)
    with suppress(Exception):
        _prove(session)

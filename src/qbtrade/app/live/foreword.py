"""What a live session says before it trades: differences, what it leaves alone, and what can never trade."""

from itertools import chain
from typing import TYPE_CHECKING

from qbtrade.app.live.halting import BOOKS_DISAGREE, ORDER_LEFT, keep_halted
from qbtrade.app.live.parts import held_elsewhere
from qbtrade.app.never_trades import never_trades
from qbtrade.app.status import NOT_TRADED
from qbtrade.domain.events import Level
from qbtrade.engines.market_data import PRICE_BASE_CHANGED
from qbtrade.engines.reconcile import Difference

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession


def say_first(session: "LiveSession") -> None:
    """Tell journal and screen; books that disagree halt the account until somebody says why it may go on."""
    say_differences(session, session.live.opening.differences)
    _say_jumps(session)
    _say_what_is_elsewhere(session)
    _say_terms(session)
    if session.live.is_first_day:
        text = "this is the first day of this configuration with real money: one entry a minute"
        session.say("first-real-day", text, "watch each order; tomorrow the configured rate counts", Level.WARNING)
    if not session.live.plan.sells_only:
        _say_what_can_never_trade(session)


def say_differences(session: "LiveSession", found: tuple[Difference, ...]) -> None:
    """Halt the account until somebody says why it may go on, and name each difference."""
    if not found:
        return
    session.engines.risk.halt(session.engines.clock.now(), BOOKS_DISAGREE)
    keep_halted(session, "the books disagree")
    session.say_table(BOOKS_DISAGREE, found, "compare with the KIS app, then `qb resume` and say why")


def _say_jumps(session: "LiveSession") -> None:
    """Let nothing happen to shares of which nobody knows yet how many they have become."""
    market, now, begun = session.engines.market, session.engines.clock.now(), session.live.opening
    for symbol, jump in begun.jumps.items():
        ratio = f"{jump.close / jump.base:.4g}" if jump.base else "?"
        held, others = begun.held.get(symbol, (0, 0))[0], begun.foreign.get(symbol, 0)
        text = (
            f"{symbol} closed at {jump.close:,} and counts from {jump.base:,} since {jump.day}, 1 to {ratio}: a split, "
            f"a consolidation or rights. qb has {held:,} shares, others {others:,}; nothing of it trades, no stop-loss"
        )
        action = f"ask KIS what happened, then `qb orders shares {symbol} --qty N` and start qb again"
        session.say(PRICE_BASE_CHANGED, text, action)
        if symbol in session.symbols:
            market.rebase(now, symbol, f"base {jump.base:,} after a close of {jump.close:,}")


def _say_what_is_elsewhere(session: "LiveSession") -> None:
    for symbol, held in held_elsewhere(session.live).items():
        text = f"{symbol}: {held.qty:,} shares of qb are held, and this session neither trades nor protects them"
        session.say(NOT_TRADED, text, "start a session that trades this symbol, or watch it elsewhere")
    for left in session.live.opening.leftovers:
        if left.order.symbol not in session.symbols:
            name = left.number or left.order.order_id
            text = f"order {name} of {left.order.symbol} is left from an earlier session, which traded that symbol"
            session.say(ORDER_LEFT, text, "look for it in the KIS app and cancel it there if it should not work")


def _say_terms(session: "LiveSession") -> None:
    for difference in chain.from_iterable(found.differences for found in session.told.values()):
        action = "KIS's limits count, and orders keep to both ticks; `qb rules` shows the rules"
        session.say(difference.code, difference.text, action, Level.WARNING)


def _say_what_can_never_trade(session: "LiveSession") -> None:
    engines, cash = session.engines, session.live.opening.cash
    for symbol, price in session.live.at_broker.prices.items():
        said = never_trades(
            symbol, session.limits, cash=cash, equity=engines.portfolio.equity(), most=price.upper,
            price=engines.host.entry_price(symbol, price.last or price.base), funds="an equity of {} won",
            ts=engines.clock.now(),
        )  # fmt: skip
        if said is not None:
            session.say(said.code, said.text, said.action, said.level)

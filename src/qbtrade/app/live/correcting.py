"""From a proven difference to the book as it is: what is not there, and what qb did not buy, is not sold."""

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from qbtrade.app.live.carried import REBASED
from qbtrade.app.live.halting import SOLD_ELSEWHERE
from qbtrade.domain.events import BookCorrected, Held, Level, OrderAccepted
from qbtrade.domain.order import Side
from qbtrade.engines.reconcile import Difference

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

CORRECTED: Final = "book-corrected"
CAME, WENT = "shares-came", "shares-went"
OURS_AFTER_ALL: Final = "ours-after-all"
ELSEWHERE: Final = frozenset({CAME, WENT, SOLD_ELSEWHERE})


def correct(session: "LiveSession", found: tuple[Difference, ...], seen: tuple[int, ...]) -> None:
    """Bring shares and cash to what the broker showed. seen: when complete answers said so."""
    shares = [each for each in found if each.what == "shares"]
    for each in shares:
        _shares(session, each, seen)
    for each in found:
        if each.what == "cash":
            _cash(session, each, seen, traded=bool(shares))


def correct_first(session: "LiveSession") -> None:
    """Write down what the session begins with and no fill explains."""
    now, live = session.wire.clock.now(), session.live
    for each in live.opening.corrections:
        session.wire.bus.publish(replace(each, ts=now, seen=live.seen))
        if each.what == REBASED:
            text = f"{each.symbol}: {each.reason}; {each.ours:,} shares have become {each.theirs:,} at the same cost"
            session.say(CORRECTED, text, "no entries there in this session; its stop-loss counts per new share")
            if each.symbol in session.symbols:
                session.engines.risk.keep_out(now, each.symbol, REBASED)
        elif each.what in ELSEWHERE:
            text = f"{each.symbol}: {each.ours:,} shares were known, the broker has {each.theirs:,} ({each.what})"
            session.say(CORRECTED, text, "qb sells only what it bought", Level.WARNING)


def give_back(session: "LiveSession", found: OrderAccepted) -> None:
    """An order of an earlier session was found: what it had bought when this one began counts as that of others.

    Its fills are booked now, so the book gets shares and cash as they were before them. A sale is left to the next
    comparison: nobody can say whose shares were taken for gone.
    """
    live, apart, portfolio = session.live, session.books.apart, session.engines.portfolio
    left = next((each for each in live.opening.leftovers if each.order_id == found.order_id), None)
    row = next((row for row in live.at_broker.history.rows if row.order_no == found.broker_order_id), None)
    if left is None or left.number or row is None or left.order.side is Side.SELL:
        return
    symbol, qty, amount = left.order.symbol, row.filled_qty - left.filled, row.filled_amount - left.amount
    foreign, own = apart.foreign.get(symbol, 0), Held(portfolio.qty(symbol), portfolio.cost(symbol), 0)
    if not 0 < qty <= min(foreign, left.remaining) or amount <= 0:  # the first balance had not shown them
        return
    costs = portfolio.costs_of(symbol, session.wire.clock.now())
    paid = amount + costs.commission(left.amount + amount) - costs.commission(left.amount)
    apart.keep(symbol, foreign - qty, own)
    counted = Difference("shares", symbol, own.qty + foreign, own.qty + foreign - qty)
    _publish(
        session, OURS_AFTER_ALL, counted, live.seen, own=(own.qty, own.cost), foreign=foreign - qty,
        cash=portfolio.cash() + paid,
    )  # fmt: skip
    text = (
        f"{symbol}: {qty:,} shares that counted as those of others were bought by order {found.broker_order_id} of qb"
    )
    session.say(CORRECTED, text, "they are booked with its fills", Level.WARNING)


def _shares(session: "LiveSession", found: Difference, seen: tuple[int, ...]) -> None:
    """Own shares stay as long as there are enough; who sold others' shares sold their own."""
    symbol, apart, portfolio = found.name, session.books.apart, session.engines.portfolio
    own = apart.elsewhere.get(symbol) or Held(portfolio.qty(symbol), portfolio.cost(symbol), 0)
    qty = min(own.qty, found.theirs)
    cost = own.cost * qty // own.qty if own.qty else 0
    gone, foreign, before = own.qty - qty, found.theirs - qty, apart.foreign.get(symbol, 0)
    trade = session.engines.market.last(symbol) if symbol in session.symbols else None
    realized = gone * trade.price - (own.cost - cost) if trade else 0
    apart.keep(symbol, foreign, Held(qty, cost, own.last, own.price))
    what = SOLD_ELSEWHERE if gone else CAME if foreign > before else WENT
    _publish(session, what, found, seen, own=(qty, cost), foreign=foreign, realized=realized)
    if gone:
        session.engines.risk.keep_out(session.wire.clock.now(), symbol, SOLD_ELSEWHERE)
        text = f"{symbol}: {gone:,} shares of qb are gone, and no order of qb sold them; {qty:,} are left"
        session.say(CORRECTED, text, "qb sells what is left and nothing else, and buys none of it in this session")
    elif foreign > before:
        came = foreign - before
        text = f"{symbol}: {came:,} shares came that no order of qb bought"
        session.say(CORRECTED, text, "they are left alone: no strategy and no stop-loss sells them", Level.WARNING)
    else:
        went = before - foreign
        text = f"{symbol}: {went:,} shares went that qb had not bought"
        session.say(CORRECTED, text, "qb's own shares are all there", Level.WARNING)


def _cash(session: "LiveSession", found: Difference, seen: tuple[int, ...], *, traded: bool) -> None:
    """Cash that came is for tomorrow, so that no limit rises today; what went is spent no more."""
    apart, portfolio = session.books.apart, session.engines.portfolio
    moved = found.theirs - found.ours
    apart.aside, rest = (apart.aside + moved, 0) if moved > 0 else _less(apart.aside, -moved)
    what = "traded-elsewhere" if traded else "deposit" if moved > 0 else "withdrawal"
    _publish(session, what, found, seen, cash=portfolio.cash() - rest)
    if moved > 0:
        text = f"{moved:,} won came to the account that no order of qb explains"
        session.say(CORRECTED, text, "limits count them from the next trading day on", Level.WARNING)
    else:
        text = f"{-moved:,} won left the account that no order of qb explains"
        session.say(CORRECTED, text, "limits count what is there from now on", Level.WARNING)


def _less(aside: int, missing: int) -> tuple[int, int]:
    """What is left aside, and what has to be taken from the book."""
    return max(aside - missing, 0), max(missing - aside, 0)


def _publish(
    session: "LiveSession", what: str, found: Difference, seen: tuple[int, ...], *, own: tuple[int, int] = (0, 0),
    foreign: int = 0, cash: int | None = None, realized: int = 0,
) -> None:  # fmt: skip
    kept = session.engines.portfolio.cash() if cash is None else cash
    session.wire.bus.publish(
        BookCorrected(
            session.wire.clock.now(), what, found.name, found.ours, found.theirs, seen, *own, foreign, kept,
            session.books.apart.aside, realized,
        )
    )  # fmt: skip

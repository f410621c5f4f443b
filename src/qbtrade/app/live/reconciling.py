"""Compares the books while a session runs: every minute, after each reconnect, and soon after anything odd."""

from functools import partial
from typing import TYPE_CHECKING, Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.broker import KisBroker
from qbtrade.adapters.kis.call import Priority
from qbtrade.adapters.kis.looks import Looks
from qbtrade.adapters.kis.outcomes import Failed
from qbtrade.adapters.kis.parse.account import Balance
from qbtrade.adapters.kis.parse.orders import OrderHistory
from qbtrade.app.live.account import compare
from qbtrade.app.live.apart import Apart
from qbtrade.app.live.correcting import correct, give_back
from qbtrade.app.live.foreword import say_differences
from qbtrade.app.live.halting import BOOKS_DISAGREE, BOOKS_UNCLEAR
from qbtrade.domain import events as ev
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderStatus, Side
from qbtrade.engines.reconcile import Book, Difference, Judgement, Look, Repeats, differences
from qbtrade.errors import BrokerError

if TYPE_CHECKING:
    from qbtrade.app.live.session import LiveSession

SETTLE: Final = 30 * NS
"""A balance may lag this long behind a fill; KIS's was seen to lag more than 5 s."""
PAUSE: Final = 10 * NS
"""Between two looks of which the second may prove what the first one found."""
BUSY: Final = 10
"""Seconds that a look waits at most for calls of others to end."""
NOT_COMPARED: Final = "books-not-compared"
ODD: Final = frozenset({
    "foreign-order", "traded-elsewhere", "totals-disagree", "amended-elsewhere", "overfilled", "oversold",
})  # fmt: skip
"""Alerts after which the books may disagree."""
MOVES: Final = (
    ev.OrderFilled, ev.OrderCanceling, ev.OrderCanceled, ev.OrderExpired, ev.OrderUnconfirmed, ev.OrderAbandoned
)  # fmt: skip
"""What an order of ours may do that the broker's balance shows later."""
UNSURE: Final = frozenset({
    OrderStatus.NEW, OrderStatus.APPROVED, OrderStatus.SENDING, OrderStatus.UNCONFIRMED, OrderStatus.ABANDONED,
    OrderStatus.CANCELING,
})  # fmt: skip


class Reconciling:
    """The books of one session against the broker's.

    found: on what they disagree at its end; is_compared: whether that could be found out.
    """

    def __init__(self, session: "LiveSession") -> None:
        self._session, self._clock = session, session.wire.clock
        pace = NS * self._clock.speed  # a machine second: sockets do not get faster with the market
        self.apart = Apart(session.live)
        self.found: tuple[Difference, ...] = ()
        self.is_compared = True
        self._every = max(session.live.plan.compare_every, pace)
        self._pause = max(PAUSE, pace // 2)
        self._repeats = Repeats(settle=max(SETTLE, pace), pause=self._pause)
        self._looks = Looks(self._clock, self._look, self._blind)
        self._moved_at, self._going = self._clock.now(), dict[str, int]()
        self._told: tuple[Difference, ...] = ()
        self._has_halted = False
        if not session.live.plan.dry_run:
            session.wire.bus.subscribe(ev.OrderSending, lambda event: self._on_going(event.order.order_id, event.ts))
            session.wire.bus.subscribe(ev.OrderAccepted, lambda event: self._on_going(event.order_id, event.ts))
            session.wire.bus.subscribe(ev.OrderAccepted, self._on_found)
            session.wire.bus.subscribe_all(MOVES, self._on_moved)
            session.wire.bus.subscribe_all((ev.OrderRejected, ev.OrderNotSent), self._on_refused)
            session.wire.bus.subscribe(ev.FeedRestored, lambda _event: self._looks.want(self._pause))
            session.wire.bus.subscribe(ev.OrderResolved, lambda _event: self._looks.want(self._pause))
            session.wire.bus.subscribe(ev.Alert, self._on_alert)

    def start(self) -> None:
        """Compare from now on."""
        if not self._session.live.plan.dry_run:
            self._looks.want(self._every)

    # when

    def _on_going(self, order_id: str, now: int) -> None:
        self._going[order_id] = now

    def _on_found(self, event: ev.OrderAccepted) -> None:
        """Behind what is told of it already: a correction says what the book is then."""
        if any(left.order_id == event.order_id for left in self._session.live.opening.leftovers):
            self._clock.call_at(event.ts, lambda _due: give_back(self._session, event))

    def _on_moved(self, event: Event) -> None:
        self._moved_at = event.ts

    def _on_refused(self, event: ev.OrderRejected | ev.OrderNotSent) -> None:
        """It has moved nothing, and a stop-loss may be refused again and again."""
        self._going.pop(event.order_id, None)

    def _on_alert(self, event: ev.Alert) -> None:
        if event.code in ODD:
            self._looks.want(self._pause)

    def _look(self, waited: int = 0) -> None:
        """Ask, when nothing else waits for the broker: no order comes later because of us."""
        session = self._session
        if session.has_to_end or self._clock.now() >= session.day.close:
            return
        if session.wire.caller.under_way() and waited < BUSY:
            self._clock.call_at(self._clock.now() + NS, lambda _due: self._look(waited + 1))
            return
        call = calls.balance(session.wire.environment)
        session.wire.caller.ask(call, partial(self._on_balance, self._clock.now()))

    def _on_balance(self, asked: int, found: Balance | Failed) -> None:
        if isinstance(found, Failed):
            self._looks.done(found.reason, again=self._pause)
            return
        environment, today = self._session.wire.environment, kst_date(asked)
        if not (environment.capabilities.order_rows or self._differences(found)):
            self._judge(asked, found, None)
            return
        call = calls.order_history(environment, today, today, priority=Priority.BALANCE)
        self._session.wire.caller.ask(call, partial(self._on_history, asked, found))

    def _on_history(self, asked: int, balance: Balance, found: OrderHistory | Failed) -> None:
        if isinstance(found, Failed):
            self._looks.done(found.reason, again=self._pause)
        else:
            self._judge(asked, balance, found)

    def _blind(self, problem: str) -> None:
        self._session.say(
            NOT_COMPARED, f"the books could not be compared several times in a row: {problem}", "look into the KIS app"
        )

    # what it means

    def _judge(self, asked: int, balance: Balance, history: OrderHistory | None) -> None:
        session, found = self._session, self._differences(balance)
        self.apart.price(balance.holdings)
        doubt = ""
        if history is not None and session.kis is not None:
            found += tuple(Difference("order", number, 0, 1) for number in session.kis.still_work(history))
            doubt = session.kis.unbooked(history) or next(
                filter(None, (self._doubt(each, history, session.kis) for each in found)), ""
            )
        moved_at = max((self._moved_at, *self._going.values()))
        judgement = self._repeats.judge(Look(asked, found, moved_at, doubt))
        match judgement:
            case Judgement.CLEAN:
                self._told, self._has_halted = (), False
                session.engines.risk.resume(self._clock.now(), BOOKS_UNCLEAR)
            case Judgement.OPEN:
                pass
            case Judgement.PROVEN:
                self._on_proven(found)
            case Judgement.STUBBORN:
                self._on_stubborn(found)
        self._looks.done("", again=self._every if judgement is Judgement.CLEAN else self._pause)

    def _on_proven(self, found: tuple[Difference, ...]) -> None:
        session = self._session
        session.engines.risk.reduce(self._clock.now(), BOOKS_UNCLEAR)
        if any(each.what == "order" for each in found):
            self._tell(found)
        correct(session, found, self._repeats.seen)
        self._repeats.forget()

    def _on_stubborn(self, found: tuple[Difference, ...]) -> None:
        """Entries wait; where more won are missing than a day may lose, first a person has to resume."""
        session, limit = self._session, self._session.limits.loss_limit
        is_much = any(each.what == "cash" and each.ours - each.theirs > limit for each in found)
        if is_much and self._repeats.is_steady and not self._has_halted:
            say_differences(session, found)
            self._told, self._has_halted = found, True
            return
        session.engines.risk.reduce(self._clock.now(), BOOKS_UNCLEAR)
        self._tell(found)

    def _tell(self, found: tuple[Difference, ...]) -> None:
        if found != self._told:
            self._told = found
            self._session.say_table(
                BOOKS_DISAGREE, found, "compare with the KIS app; entries wait until the books agree"
            )

    def _differences(self, balance: Balance) -> tuple[Difference, ...]:
        cash, positions = self.ours()
        theirs = Book(balance.cash, balance.held)
        return differences(Book(cash, positions), theirs, slack=balance.costs)

    def _doubt(self, found: Difference, history: OrderHistory, kis: KisBroker) -> str:
        """Which order of ours may explain a difference, or ""."""
        orders, more = self._session.engines.orders, found.theirs > found.ours
        if found.what != "shares":
            return ""
        if any(left.order.symbol == found.name for left in self._left_alone()):
            return "an order of an earlier session may work"
        tells_rows = self._session.wire.environment.capabilities.order_rows
        for order in (*orders.open_orders(found.name), *orders.abandoned(found.name)):
            order_id = order.request.order_id
            could_be = not tells_rows and (order.request.side is Side.BUY) == more
            if order.status is OrderStatus.ABANDONED and tells_rows and not kis.may_be_among(order_id, history):
                continue
            if order.status in UNSURE or could_be:
                return f"order {order_id} may explain it"
        return ""

    def _left_alone(self) -> list[ev.Leftover]:
        session = self._session
        return [left for left in session.live.opening.leftovers if left.order.symbol not in session.symbols]

    # our side

    def ours(self) -> tuple[int, dict[str, int]]:
        """All that the account should hold: cash in KRW, and shares by symbol."""
        account, shares = self._session.engines.portfolio.account, self.apart.shares()
        for symbol, position in account.positions.items():
            shares[symbol] = shares.get(symbol, 0) + position.qty
        return account.cash + self.apart.aside, shares

    def compared(self) -> tuple[Difference, ...]:
        """Ask and wait: on what the books disagree. Raises: BrokerError, KeyboardInterrupt."""
        return compare(self._session.wire, *self.ours())

    def look_at_last(self) -> None:
        """At the end: say on what the books disagree."""
        session = self._session
        if session.live.plan.dry_run:
            return
        try:
            self.found = self.compared()
        except (BrokerError, KeyboardInterrupt) as error:
            self.is_compared = False
            cause = error.message if isinstance(error, BrokerError) else "interrupted"
            session.say(NOT_COMPARED, f"the books could not be compared: {cause}", "look into the KIS app")
        if self.found:
            session.say_table(BOOKS_DISAGREE, self.found, "compare with the KIS app")

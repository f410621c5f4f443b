"""The Broker port over KIS: orders leave once, notices tell quickly, evidence asked for over REST decides.

A notice may come before the answer to its order, twice, or never; an answer may be lost. So every notice that nobody
owns is kept, fills are booked up to the larger of what notices and evidence say, and an order without an answer is
looked for until there is evidence. Source: PROTOCOL 3.5, 5.3, 5.5, 6.6.
"""

from functools import partial
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.answer import Answer
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.cancels import Cancels
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.events import Action, Notice, NoticeUnread, Stage
from qbtrade.adapters.kis.looks import Looks
from qbtrade.adapters.kis.outcomes import Accepted, NotSent, OrderOutcome, Refused, Unconfirmed
from qbtrade.adapters.kis.own import COMPARE, Own
from qbtrade.adapters.kis.parse.orders import OrderHistory, Sender
from qbtrade.adapters.kis.rows import Evidence, Rows, still_work
from qbtrade.adapters.kis.search import TURN, Search
from qbtrade.adapters.kis.sent import Sent, traces_of_rows
from qbtrade.adapters.kis.totals import Accounted, Totals
from qbtrade.domain.calendar import NS, Phase
from qbtrade.domain.events import (
    Alert,
    Leftover,
    Level,
    OrderNotSent,
    OrderRejected,
    OrderResolved,
    OrderUnconfirmed,
    PhaseChanged,
    RiskState,
    RiskStateChanged,
)
from qbtrade.domain.order import OrderRequest
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Clock

URGENT: Final = 2 * NS
"""Between two looks while an order is looked for, or shares are missing."""
OVER: Final = frozenset({Phase.CLOSED, Phase.AFTER_MARKET})


class KisBroker:
    """Our orders at KIS. Answers come as events on the bus, on the kernel thread."""

    def __init__(self, bus: Bus, clock: Clock, caller: Caller, environment: Environment) -> None:
        self._bus, self._clock, self._caller, self._environment = bus, clock, caller, environment
        self._own = Own(bus, clock, Sender(environment.order_sender))
        tells_rows = environment.capabilities.order_rows
        self._search = Search(self._own, self._accept, environment.limits.give_up_after_ns, tells_rows=tells_rows)
        self._totals = Totals(self._own, self._search, clock, caller, environment)
        rows = Rows(self._own, self._search, clock, caller, environment, self._totals.use)
        self._evidence: Evidence = rows if tells_rows else self._totals
        self._looks = Looks(clock, partial(self._evidence.look, self._looked), self._blind)
        self._cancels = Cancels(self._own, clock, caller, environment, self._looks.want)
        self._is_turning = False
        bus.subscribe(Notice, self.on_notice)
        bus.subscribe(NoticeUnread, lambda _event: self._looks.want())
        bus.subscribe(PhaseChanged, self.on_phase)
        bus.subscribe(RiskStateChanged, self.on_state)

    # what is known before the first order

    def begin(
        self, history: OrderHistory, accounted: Accounted, settled: frozenset[str] = frozenset(),
        answered: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        """Take the day so far: none of its numbers is this session's.

        accounted: what the broker's totals hold that is no news. settled: numbers of orders that earlier sessions
        knew, and that can be no order that is looked for; answered: those of ours that KIS itself named.
        """
        self._own.begin(history, settled, answered)
        self._totals.begin(accounted)

    def adopt(self, left: Leftover, order: OrderRequest) -> None:
        """Take in an order that an earlier session left: it works, if its number is known; else it is looked for.

        order: what had not been filled by then.
        """
        sent, number = Sent(order, left.sent_at, left.filled, left.amount, after=left.after), left.number
        self._own.add(sent)
        if not number:
            self._own.suspect()
        if not number or not self._accept(sent, number, ""):
            self._search.add(sent, self._clock.now())
        self._looks.want()

    # Broker

    def submit(self, order: OrderRequest) -> None:
        """Send it once; whatever becomes of it comes as an event."""
        sent = Sent(order, self._clock.now(), after=self._own.last_number)
        self._own.add(sent)
        self._own.awaiting.append(sent)
        self._caller.order(calls.order(self._environment, order), partial(self._on_answer, sent))

    def cancel(self, order_id: str) -> None:
        """Ask to cancel what remains."""
        self._cancels.ask(order_id)

    def resolve(self, answer: Answer) -> str:
        """Believe a person about an order whose answer was lost; why not, or ""."""
        sent = self._own.get(answer.order_id)
        if sent is None or not sent.remaining or not self._search.is_missing(sent):
            return "nothing about it is unknown"
        event = OrderResolved(self._clock.now(), answer.order_id, answer.number, answer.reason, answer.evidence)
        if answer.number:
            if self._own.owner(answer.number) or self._own.is_settled(answer.number):
                return f"number {answer.number} is that of another order of qb"
            self._own.say(event)
            self._accept(sent, answer.number, answer.branch)
            return ""
        if others := sorted(sent.alike.difference(answer.aside)):
            return f"order {others[0]} at the broker looks like it"
        self._own.rule_out(answer.aside)
        self._search.close(sent)
        if not sent.over:
            self._own.abandon(sent)
        self._own.say(event)
        return ""

    def last_number(self) -> str:
        """Of all that was heard of today, also of others' orders."""
        return self._own.last_number

    def last_sent(self) -> int:
        """When the newest order of this session was handed over, UTC ns; 0 without one."""
        return max((sent.sent_at for sent in self._own.all()), default=0)

    def is_ours(self, number: str) -> bool:
        """Whether qb sent the order of this number, in this session or an earlier one of the day."""
        return self._own.owner(number) is not None or self._own.is_settled(number)

    @property
    def open(self) -> tuple[str, ...]:
        """Ids of orders that may still fill, as far as is known."""
        return tuple(sent.request.order_id for sent in self._own.all() if not sent.over)

    def on_state(self, event: RiskStateChanged) -> None:
        """A halt of the account stops what was approved before it and still waits to leave."""
        if not event.symbol:
            self._caller.hold("trading is halted" if event.state is RiskState.HALTED else "")

    def unbooked(self, history: OrderHistory) -> str:
        """Why it is not certain that all our fills are booked, in words, or ""; what is missing is looked for."""
        problem = self._evidence.unbooked(history)
        if problem:
            self._looks.want()
        return problem

    def still_work(self, history: OrderHistory) -> tuple[str, ...]:
        """Numbers of orders that ended here and work at the broker."""
        return still_work(self._own, history)

    def may_be_among(self, order_id: str, history: OrderHistory) -> bool:
        """Whether a row that nobody owns may be that of an order of ours; so it may where not all rows are told."""
        sent, free = self._own.get(order_id), (row for row in history.rows if not self._own.is_taken(row.order_no))
        is_whole = not (history.lacks_rows or history.is_torn or history.unread)
        return not is_whole or sent is None or any(trace.looks_like(sent) for trace in traces_of_rows(free))

    # answers

    def _on_answer(self, sent: Sent, outcome: OrderOutcome) -> None:
        self._own.awaiting.remove(sent)
        now, order_id = self._clock.now(), sent.request.order_id
        match outcome:
            case Accepted(ack=ack):
                sent.is_answered = True
                if not self._accept(sent, ack.order_no, ack.branch):
                    self._look_for(sent, "its number is that of another order")
            case Refused(code=code, reason=reason):
                self._own.end(sent, OrderRejected(now, order_id, code, reason))
            case NotSent(reason=reason):
                self._own.end(sent, OrderNotSent(now, order_id, reason))
            case Unconfirmed(reason=reason, code=code):
                self._look_for(sent, f"{reason} {code}".strip())
        self._sort_out()

    def _look_for(self, sent: Sent, reason: str) -> None:
        now = self._clock.now()
        self._search.add(sent, now)
        self._own.say(OrderUnconfirmed(now, sent.request.order_id, reason))
        self._looks.want()

    def _accept(self, sent: Sent, number: str, branch: str) -> bool:
        if not self._own.take(sent, number, branch):
            return False
        self._search.found(sent)
        for notice in self._search.early(number):
            self.on_notice(notice)
        self._looks.want(self._evidence.every)
        return True

    # notices

    def on_notice(self, notice: Notice) -> None:
        """Tell what a notice means for the order that it speaks of."""
        sent = self._own.owner(notice.order_no if notice.action is Action.NEW else notice.original_no)
        if sent is None:
            self._own.hear((notice.order_no,))
            self._search.keep(notice)
            self._sort_out()
            if self._search or self._search.has_given_up:
                self._looks.want()
        elif notice.action is Action.NEW:
            self._on_news(sent, notice)
        elif notice.action is Action.CANCEL:
            self._cancels.on_news(sent, notice)
        else:
            self._own.alarm("amended-elsewhere", f"order {notice.original_no} was amended elsewhere")
            self._looks.want()

    def _sort_out(self) -> None:
        """Give kept notices to the orders that they fit, and tell of those that can be none of ours."""
        self._search.look_at(())
        for notice in self._search.let_go():
            self._own.foreign(notice)
        self._count_turns()

    def _count_turns(self) -> None:
        if not self._is_turning and self._search.is_waiting():
            self._is_turning = True
            self._clock.call_at(self._clock.now() + TURN, self._on_turn)

    def _on_turn(self, _due: int) -> None:
        self._is_turning = False
        self._search.turn()
        self._sort_out()

    def _on_news(self, sent: Sent, notice: Notice) -> None:
        match notice.stage:
            case Stage.FILLED:
                self._on_fill_news(sent, notice)
            case Stage.REJECTED:
                self._own.refuse(sent)
            case Stage.LAPSED:
                self._cancels.on_cut(sent, notice, "lapsed")
            case Stage.ACCEPTED | Stage.CONFIRMED:
                pass

    def _on_fill_news(self, sent: Sent, notice: Notice) -> None:
        """Book it, unless evidence, perhaps of this very fill, came first or it may be the same again: that decides."""
        key = (notice.ts, notice.qty, notice.price)
        if key in sent.heard or sent.by_rows or not sent.could_cost(notice.qty, notice.qty * notice.price):
            self._looks.want()
            return
        sent.heard.add(key)
        sent.noticed += notice.qty
        new = min(sent.noticed - sent.filled, sent.remaining)
        if new > 0:
            self._own.fill(sent, notice.price, new)
        if new != notice.qty:
            self._looks.want()

    # looks

    def on_phase(self, event: PhaseChanged) -> None:
        """After the close nothing works any more, but what filled in its auction is told later."""
        is_over = event.phase in OVER
        self._own.closed_at = (self._own.closed_at or event.ts) if is_over else 0
        if is_over:
            self._looks.want(URGENT)

    def _looked(self, problem: str) -> None:
        self._count_turns()
        if self._search.is_urgent(self._clock.now()) or self._evidence.is_unsettled:
            self._looks.done(problem, again=URGENT)
        else:
            may_change = self.open or self._search.has_given_up
            self._looks.done(problem, again=self._evidence.every if may_change else 0)

    def _blind(self, problem: str) -> None:
        text = f"KIS has not told the day's orders several times in a row: {problem}"
        self._bus.publish(Alert(self._clock.now(), Level.CRITICAL, "orders-not-seen", text, COMPARE))

"""The Broker port over KIS: orders leave once, notices tell quickly, the totals of the order history decide.

A notice may come before the answer to its order, twice, or never; an answer may be lost. So every number that nobody
owns is kept, fills are booked up to the larger of what notices and rows say, and an order without an answer is looked
for until there is evidence. Source: PROTOCOL 3.5, 5.3, 5.5, 6.6.
"""

from collections import deque
from functools import partial
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.caller import Caller
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.events import Action, Notice, NoticeUnread, Stage
from qbtrade.adapters.kis.looks import Looks
from qbtrade.adapters.kis.outcomes import Accepted, Failed, NotSent, OrderOutcome, Refused, Unconfirmed
from qbtrade.adapters.kis.parse.orders import LiveOrder, OrderHistory, OrderRow
from qbtrade.adapters.kis.search import Search
from qbtrade.adapters.kis.sent import Sent, fills_of, trace_of_notice, traces_of_live, traces_of_rows
from qbtrade.adapters.kis.totals import Totals
from qbtrade.domain.calendar import NS, Phase, kst_date
from qbtrade.domain.events import (
    Alert,
    CancelRejected,
    Level,
    OrderAbandoned,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotSent,
    OrderRejected,
    OrderUnconfirmed,
    PhaseChanged,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderRequest
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Clock

KEPT: Final = 256
"""Notices of numbers that nobody owns."""
SOON: Final = NS
CANCEL_PATIENCE: Final = 15 * NS
OVER: Final = frozenset({Phase.CLOSED, Phase.AFTER_MARKET})


class KisBroker:
    """Our orders at KIS. Answers come as events on the bus, on the kernel thread."""

    def __init__(self, bus: Bus, clock: Clock, caller: Caller, environment: Environment) -> None:
        self._bus, self._clock, self._caller, self._environment = bus, clock, caller, environment
        self._orders: dict[str, Sent] = {}
        self._numbers: dict[str, Sent] = {}
        self._strangers: set[str] = set()
        self._unowned: deque[Notice] = deque(maxlen=KEPT)
        self._answers_due = 0
        self._totals = Totals()
        self._told: set[str] = set()
        self._search = Search(environment.capabilities, self._is_taken, self._accept, self._warn)
        self._day_is_over = False
        self._looks = Looks(clock, self._look, every=5 * NS if environment.capabilities.order_rows else 15 * NS)
        bus.subscribe(Notice, self.on_notice)
        bus.subscribe(NoticeUnread, lambda _event: self._looks.want(SOON))
        bus.subscribe(PhaseChanged, self.on_phase)

    # what is known before the first order

    def begin(self, history: OrderHistory) -> None:
        """Take the day's orders so far: none of their numbers, and nothing of their totals, is this session's."""
        self._strangers.update(row.order_no for row in history.rows)
        self._totals.begin(history)

    def adopt(self, order: OrderRequest, sent_at: int, number: str, before: int, before_amount: int) -> None:
        """Look for an order that an earlier session left. order: what had not been filled by then; number: or ""."""
        sent = self._orders[order.order_id] = Sent(order, sent_at, before, before_amount)
        self._strangers.discard(number)
        sent.number = number
        if number:
            self._numbers[number] = sent
        else:
            self._strangers.clear()  # it may be any of today's
        self._search.add(sent)
        self._looks.want(SOON)

    # Broker

    def submit(self, order: OrderRequest) -> None:
        """Send it once; whatever becomes of it comes as an event."""
        sent = self._orders[order.order_id] = Sent(order, self._clock.now())
        self._answers_due += 1
        self._caller.order(calls.order(self._environment, order), partial(self._on_answer, sent))

    def cancel(self, order_id: str) -> None:
        """Ask to cancel what remains."""
        sent = self._orders.get(order_id)
        if sent is None or sent.over or not sent.number:
            self._say(CancelRejected(self._clock.now(), order_id, "nothing of it is left at the broker"))
            return
        sent.cancel_at, sent.cancel_told = self._clock.now(), False
        call = calls.cancel(self._environment, sent.branch, sent.number, sent.code)
        self._caller.order(call, partial(self._on_cancel_answer, sent))

    @property
    def open(self) -> tuple[str, ...]:
        """Ids of orders that may still fill, as far as is known."""
        return tuple(order_id for order_id, sent in self._orders.items() if not sent.over)

    # answers

    def _on_answer(self, sent: Sent, outcome: OrderOutcome) -> None:
        self._answers_due -= 1
        now, order_id = self._clock.now(), sent.request.order_id
        match outcome:
            case Accepted(ack=ack):
                self._accept(sent, ack.order_no, ack.branch)
            case Refused(code=code, reason=reason):
                self._end(sent, OrderRejected(now, order_id, code, reason))
            case NotSent(reason=reason):
                self._end(sent, OrderNotSent(now, order_id, reason))
            case Unconfirmed(reason=reason, code=code):
                self._search.add(sent)
                self._say(OrderUnconfirmed(now, order_id, f"{reason} {code}".strip()))
                self._search.look_at(filter(None, map(trace_of_notice, self._unowned)))
                self._looks.want(SOON)

    def _on_cancel_answer(self, sent: Sent, outcome: OrderOutcome) -> None:
        sent.cancel_told = True
        match outcome:
            case Refused(reason=reason) | NotSent(reason=reason):
                self._refuse_cancel(sent, reason)
            case _taken_or_unknown:
                pass
        self._looks.want(SOON)

    def _is_taken(self, number: str) -> bool:
        return number in self._numbers or number in self._strangers

    def _refuse_cancel(self, sent: Sent, reason: str) -> None:
        if sent.cancel_at and not sent.over:
            sent.cancel_at = 0
            self._say(CancelRejected(self._clock.now(), sent.request.order_id, reason))

    def _accept(self, sent: Sent, number: str, branch: str) -> None:
        sent.number, sent.branch, sent.over = number, branch or sent.branch, False
        self._numbers[number] = sent
        self._search.found(sent)
        self._say(OrderAccepted(self._clock.now(), sent.request.order_id, number))
        early = [notice for notice in self._unowned if number in {notice.order_no, notice.original_no}]
        for notice in early:
            self._unowned.remove(notice)
            self.on_notice(notice)
        self._looks.go_on()

    # notices

    def on_notice(self, notice: Notice) -> None:
        """Tell what a notice means for the order that it speaks of."""
        sent = self._numbers.get(notice.order_no if notice.action is Action.NEW else notice.original_no)
        if sent is None or sent in self._search:
            self._keep(notice)
        elif notice.action is Action.NEW:
            self._on_news(sent, notice)
        elif notice.action is Action.CANCEL:
            self._on_cancel_news(sent, notice)
        else:
            self._warn("amended-elsewhere", f"order {notice.original_no} was amended elsewhere")
            self._looks.want(SOON)

    def _keep(self, notice: Notice) -> None:
        self._unowned.append(notice)
        if self._search.is_hopeful:
            self._search.look_at(filter(None, [trace_of_notice(notice)]))
        elif not self._answers_due and notice.order_no not in self._strangers:
            self._strangers.add(notice.order_no)
            text = f"order {notice.order_no} of {notice.symbol} was not sent by this session"
            self._bus.publish(Alert(self._clock.now(), Level.WARNING, "foreign-order", text))

    def _on_news(self, sent: Sent, notice: Notice) -> None:
        match notice.stage:
            case Stage.FILLED:
                self._on_fill_news(sent, notice)
            case Stage.REJECTED:
                self._end(sent, self._refused(sent))
            case Stage.LAPSED:
                self._end(sent, self._canceled(sent, "lapsed"))
            case Stage.ACCEPTED | Stage.CONFIRMED:
                pass

    def _on_fill_news(self, sent: Sent, notice: Notice) -> None:
        """Book it, unless rows, perhaps with this very fill, came first or it may be the same again: totals decide."""
        key = (notice.ts, notice.qty, notice.price)
        if key in sent.heard or sent.by_rows:
            self._looks.want(SOON)
            return
        sent.heard.add(key)
        sent.noticed += notice.qty
        new = min(sent.noticed - sent.filled, sent.remaining)
        if new > 0:
            self._fill(sent, notice.price, new)
        if new != notice.qty:
            self._looks.want(SOON)

    def _on_cancel_news(self, sent: Sent, notice: Notice) -> None:
        if notice.stage is Stage.REJECTED:
            self._refuse_cancel(sent, "the exchange refused it")
        elif notice.stage is Stage.CONFIRMED and notice.qty >= sent.remaining:
            self._end(sent, self._canceled(sent, "asked"))
        self._looks.want(SOON)

    # rows

    def on_phase(self, event: PhaseChanged) -> None:
        """After the close nothing works any more."""
        self._day_is_over = event.phase in OVER
        if self._day_is_over:
            self._looks.want(2 * NS)

    def _look(self) -> None:
        today = kst_date(self._clock.now())
        self._caller.ask(calls.order_history(self._environment, today, today), self._on_history)

    def _on_history(self, found: OrderHistory | Failed) -> None:
        if isinstance(found, OrderHistory):
            if found.lacks_rows:
                self._use_totals(found)
            else:
                self._use_rows(found.rows)
        if self._search:
            self._looks.done(again=2 * NS)
        else:
            self._looks.done(again=self._looks.every if self.open else 0)

    def _use_rows(self, rows: tuple[OrderRow, ...]) -> None:
        for row in rows:
            sent = self._numbers.get(row.order_no)
            if sent is not None:
                if sent in self._search:
                    self._accept(sent, row.order_no, row.branch)
                self._use_row(sent, row)
        self._search.look_at(traces_of_rows(rows))
        if self._search.looked():
            self._caller.ask(calls.live_orders(self._environment), self._on_live)
        self._give_up()

    def _use_row(self, sent: Sent, row: OrderRow) -> None:
        sent.branch = sent.branch or row.branch
        missing = row.filled_qty - sent.before - sent.filled
        if missing > 0:
            sent.by_rows = True
            for price, qty in fills_of(missing, row.filled_amount - sent.before_amount - sent.amount):
                self._fill(sent, price, qty)
        if sent.over:
            return
        if row.rejected_qty and not row.filled_qty:
            self._end(sent, self._refused(sent))
        elif not row.open_qty and self._day_is_over:
            self._end(sent, OrderExpired(self._clock.now(), sent.request.order_id, sent.remaining))
        elif not row.open_qty and row.canceled_qty:
            self._end(sent, self._canceled(sent, "asked" if sent.cancel_at else "canceled-elsewhere"))
        elif sent.cancel_told and self._clock.now() - sent.cancel_at > CANCEL_PATIENCE:
            self._refuse_cancel(sent, "the broker still has it open")

    def _use_totals(self, found: OrderHistory) -> None:
        booked = [sent for sent in self._orders.values() if sent.number]
        missing = self._totals.missing(found, booked)
        if missing is not None and missing.owner is not None:
            for price, qty in fills_of(missing.qty, missing.amount):
                self._fill(missing.owner, price, qty)
        elif missing is not None and missing.stays:
            text = f"the broker filled {missing.qty:,} shares more today than this session knows of"
            self._warn("totals-disagree", text)
        for sent in booked if self._day_is_over else ():
            self._end(sent, OrderExpired(self._clock.now(), sent.request.order_id, sent.remaining))

    def _on_live(self, found: tuple[LiveOrder, ...] | Failed) -> None:
        if not isinstance(found, Failed):
            self._search.look_at(traces_of_live(found, self._clock.now()))
            self._search.not_among_live()
            self._give_up()

    def _give_up(self) -> None:
        now = self._clock.now()
        for sent in self._search.hopeless(now):
            self._end(sent, OrderAbandoned(now, sent.request.order_id, "no trace of it at the broker"))

    # what is told

    def _fill(self, sent: Sent, price: int, qty: int) -> None:
        request = sent.request
        if not 0 < qty <= sent.remaining:
            self._warn("overfilled", f"the broker filled more of order {request.order_id} than was ordered")
            return
        sent.filled, sent.amount = sent.filled + qty, sent.amount + price * qty
        sent.over = not sent.remaining
        self._say(OrderFilled(self._clock.now(), request.order_id, request.symbol, request.side, price, qty))

    def _canceled(self, sent: Sent, reason: str) -> OrderCanceled:
        return OrderCanceled(self._clock.now(), sent.request.order_id, sent.remaining, reason)

    def _refused(self, sent: Sent) -> OrderRejected:
        return OrderRejected(self._clock.now(), sent.request.order_id, "exchange", "the exchange refused it")

    def _end(self, sent: Sent, event: Event) -> None:
        if not sent.over:
            sent.over, sent.cancel_at = True, 0
            self._say(event)

    def _say(self, event: Event) -> None:
        self._bus.publish(event)

    def _warn(self, code: str, text: str) -> None:
        """Say it once."""
        if text not in self._told:
            self._told.add(text)
            alert = Alert(self._clock.now(), Level.CRITICAL, code, text, "compare with the orders in the KIS app")
            self._bus.publish(alert)

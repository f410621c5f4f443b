"""Our orders of a session: who owns which number at the broker, and what is told of them on the bus."""

from collections.abc import Iterable
from typing import Final

from qbtrade.adapters.kis.events import Notice, Stage
from qbtrade.adapters.kis.parse.orders import OrderHistory, Sender
from qbtrade.adapters.kis.sent import Sent
from qbtrade.domain.events import (
    Alert,
    CancelRejected,
    Level,
    OrderAbandoned,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from qbtrade.domain.message import Event
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Clock

UNKNOWN: Final = Sender()
COMPARE: Final = "compare with the orders in the KIS app"


class Own:
    """The only place that gives a number to an order, and that books.

    awaiting: orders whose HTTP answer is due. elsewhere: fills of orders that others sent. closed_at: when the day's
    trading was over, UTC ns; 0 before. sender: what tells our orders in rows, where somebody said that.
    last_number: the highest of the day so far, "" before the first.
    """

    def __init__(self, bus: Bus, clock: Clock, sender: Sender = UNKNOWN) -> None:
        self._bus, self._clock = bus, clock
        self._orders: dict[str, Sent] = {}
        self._numbers: dict[str, Sent] = {}
        self._strangers = set[str]()
        self._settled = frozenset[str]()
        self._told = set[str]()
        self.awaiting = list[Sent]()
        self.elsewhere = list[Notice]()
        self.closed_at = 0
        self._sender, self._alike = sender, set[Sender]()  # as is certain; as orders look that were found or left
        self.last_number = ""

    # who is who

    def add(self, sent: Sent) -> None:
        """Keep an order."""
        self._orders[sent.request.order_id] = sent

    def get(self, order_id: str) -> Sent | None:
        """The order of this id of ours."""
        return self._orders.get(order_id)

    def all(self) -> tuple[Sent, ...]:
        """Every order of the session, oldest first."""
        return tuple(self._orders.values())

    def working(self) -> tuple[Sent, ...]:
        """Orders with a number that may still fill, as far as is known."""
        return tuple(sent for sent in self._orders.values() if sent.number and not sent.over)

    def owner(self, number: str) -> Sent | None:
        """Whose number it is, if it is one of ours."""
        return self._numbers.get(number)

    def is_taken(self, number: str) -> bool:
        """Whether it is known whose number it is."""
        return number in self._numbers or number in self._strangers or number in self._settled

    def begin(self, history: OrderHistory, settled: frozenset[str], answered: frozenset[str] = frozenset()) -> None:
        """None of the numbers of the day so far is this session's. settled: of orders that earlier sessions knew.

        answered: numbers of ours that the broker itself named; the others may have been found by mistake.
        """
        self._settled = settled
        self._alike.update(row.sender for row in history.rows if row.order_no in settled and row.sender)
        certain = {row.sender for row in history.rows if row.order_no in answered and row.sender}
        if len(certain) == 1:
            self._sender = self._sender or certain.pop()
        self.hear(settled)
        self.hear(row.order_no for row in history.rows)
        self._strangers.update(row.order_no for row in history.rows)
        self._strangers.update(row.order_no for row in history.unread)

    def learn(self, number: str, sender: Sender) -> None:
        """See who made an order of ours that a row shows: best is one that KIS itself named in answer to our request.

        One that was found by its looks may be that of others; who differs from it is a question all the same.
        """
        sent = self._numbers.get(number)
        if sent is None:
            return
        sent.is_shown = True
        if not sender:
            return
        if sent.is_answered:
            self._sender = self._sender or sender
        else:
            self._alike.add(sender)

    @property
    def knows_sender(self) -> bool:
        """Whether somebody or KIS itself said who makes our orders: an order that was found may be that of others."""
        return bool(self._sender)

    def will_know_sender(self, sent_after: int) -> bool:
        """Whether an order that KIS itself named has no row yet, which will say who we are, and was sent after that."""
        return not self._sender and any(
            sent.is_answered and not sent.is_shown and sent.sent_at > sent_after for sent in self._orders.values()
        )

    def is_foreign(self, sender: Sender) -> bool:
        """Whether somebody else may have made an order, as its row tells: it is not like each of ours."""
        return any(each.differs(sender) for each in ((self._sender,) if self._sender else self._alike))

    def suspect(self) -> None:
        """Any number may be ours after all: an order of an earlier session is looked for."""
        self._strangers.clear()

    def is_settled(self, number: str) -> bool:
        """Whether it is the number of an order that an earlier session knew."""
        return number in self._settled

    def rule_out(self, numbers: Iterable[str]) -> None:
        """These numbers are not ours, unless an answer says so."""
        others = [number for number in numbers if number not in self._numbers]
        self._strangers.update(others)
        self.hear(others)

    def hear(self, numbers: Iterable[str]) -> None:
        """Numbers that the broker has given by now, to whomever: an order that leaves later has another one."""
        self.last_number = max((self.last_number, *filter(str.isdecimal, numbers)), key=lambda each: int(each or 0))

    def take(self, sent: Sent, number: str, branch: str) -> bool:
        """Give a number to an order, for ever; False, with an alarm, when another one has it."""
        owner = self._numbers.get(number)
        if owner is not None and owner is not sent:
            text = f"order {sent.request.order_id} was told the number {number} of order {owner.request.order_id}"
            self.alarm("number-taken", text)
            return False
        self._strangers.discard(number)
        self.hear((number,))
        self._numbers[number] = sent
        sent.number, sent.branch, sent.over = number, branch or sent.branch, not sent.remaining
        self.say(OrderAccepted(self._clock.now(), sent.request.order_id, number))
        return True

    def foreign(self, notice: Notice) -> None:
        """A notice of an order that others sent: told once, its fills remembered."""
        if notice.stage is Stage.FILLED:
            self.elsewhere.append(notice)
        number = notice.original_no or notice.order_no
        if number not in self._strangers | self._settled:
            self._strangers.add(number)
            self.hear((number,))
            text = f"order {number} of {notice.symbol} was not sent by this session"
            self._bus.publish(Alert(self._clock.now(), Level.WARNING, "foreign-order", text))

    # what is told

    def fill(self, sent: Sent, price: int, qty: int) -> None:
        """Book so many shares; the order ends when the rest of it is known to be taken out."""
        request = sent.request
        if not 0 < qty <= sent.remaining:
            self.alarm("overfilled", f"the broker filled more of order {request.order_id} than was ordered")
            return
        sent.filled, sent.amount = sent.filled + qty, sent.amount + price * qty
        sent.over = sent.over or not sent.remaining
        self.say(OrderFilled(self._clock.now(), request.order_id, request.symbol, request.side, price, qty))
        if sent.cuts and sent.remaining <= sent.cut:
            self.cancel(sent, "asked")

    def cancel(self, sent: Sent, reason: str) -> None:
        """What remained is taken out."""
        self.end(sent, OrderCanceled(self._clock.now(), sent.request.order_id, sent.remaining, reason))

    def miss(self, sent: Sent) -> None:
        """The broker says that nothing is left of it."""
        sent.gone_at = sent.gone_at or self._clock.now()

    def refuse(self, sent: Sent) -> None:
        """The exchange did not want it, or not what was left of it."""
        now, order_id = self._clock.now(), sent.request.order_id
        sent.cuts[sent.number] = sent.remaining
        if sent.filled:
            self.cancel(sent, "lapsed")
        else:
            self.end(sent, OrderRejected(now, order_id, "exchange", "the exchange refused it"))

    def expire(self, sent: Sent) -> None:
        """The day is over for it."""
        self.end(sent, OrderExpired(self._clock.now(), sent.request.order_id, sent.remaining))

    def abandon(self, sent: Sent) -> None:
        """It left no trace."""
        self.end(sent, OrderAbandoned(self._clock.now(), sent.request.order_id, "no trace of it at the broker"))

    def keep(self, sent: Sent, reason: str) -> None:
        """The cancel under way came to nothing, as far as is known."""
        if sent.cancel_at and not sent.over:
            sent.cancel_at = 0
            self.say(CancelRejected(self._clock.now(), sent.request.order_id, reason))

    def end(self, sent: Sent, event: Event) -> None:
        """Say how an order ended, once."""
        if not sent.over:
            sent.over, sent.cancel_at, sent.ended_at = True, 0, self._clock.now()
            self.say(event)

    def say(self, event: Event) -> None:
        """Publish."""
        self._bus.publish(event)

    def alarm(self, code: str, text: str, action: str = COMPARE, level: Level = Level.CRITICAL) -> None:
        """Tell a person, once."""
        if text not in self._told:
            self._told.add(text)
            self._bus.publish(Alert(self._clock.now(), level, code, text, action))

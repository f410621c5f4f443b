"""The local KIS itself: no sockets, threads or machine clock. Requests and time go in, answers and frames come out."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import date
from random import Random
from typing import Any, Final, Literal

import msgspec

from qbtrade.adapters.emulator.access import Access
from qbtrade.adapters.emulator.answers import Body, Refusal, json_answer
from qbtrade.adapters.emulator.balance import account_row, holding_rows
from qbtrade.adapters.emulator.broker import Broker
from qbtrade.adapters.emulator.checks import Checks
from qbtrade.adapters.emulator.desk import Desk
from qbtrade.adapters.emulator.gateway import Gateway, Handler
from qbtrade.adapters.emulator.ledger import Ledger
from qbtrade.adapters.emulator.market import Listing
from qbtrade.adapters.emulator.notices import notice_record
from qbtrade.adapters.emulator.orders import Action, Entry, Notice, Ticket, order_row
from qbtrade.adapters.emulator.plan import EmulatorPlan, Stage
from qbtrade.adapters.emulator.quotations import Quotations
from qbtrade.adapters.emulator.stream import Stream
from qbtrade.adapters.emulator.venue import Venue
from qbtrade.adapters.emulator.wire import Output, Reply, Request
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import RandomRefusals, Through, TickSlippage, VolumeShare
from qbtrade.domain.calendar import iso_kst, kst_date
from qbtrade.domain.money import Costs
from qbtrade.domain.order import Side
from qbtrade.errors import UnknownNameError
from qbtrade.kernel.clock import SimClock

CONTROL: Final = "/emulator/"
"""Paths that KIS does not have: the market clock, the true account, the faults."""
NOTICE_AFTER: Final = 40_000_000
"""From the exchange to the holder, ns."""
SOMEBODY_ELSES: Final = "50000099-01"
"""An account that sends its notices to the same customer."""
_SLIPPAGE: Final = 1
_VOLUME_SHARE: Final = 100_000_000


class HandOrder(msgspec.Struct, frozen=True):
    """What `POST /emulator/orders` takes. price: KRW, 0 for a market order. channel: HTS, or a program elsewhere."""

    symbol: str
    side: Side
    qty: int
    price: int = 0
    channel: Literal["hts", "api"] = "hts"

    @property
    def ticket(self) -> Ticket:
        """As the broker takes it."""
        return Ticket(self.symbol, self.side, "00" if self.price else "01", self.qty, self.price)


class Emulator:
    """One side of KIS with one account. What it wants sent is in `outputs` after each call, in order.

    clock: market time. At its `next_due` `advance` has something to do.
    """

    def __init__(self, plan: EmulatorPlan, stage: Stage) -> None:
        self._plan, self._stage = plan, stage
        self.clock = SimClock(stage.start)
        self.outputs: list[Output] = []
        rng, self._faults = Random(f"{plan.seed}:emulator"), plan.drawn_faults()
        access = Access(rng, self._faults, plan.ahead)
        symbols = frozenset(instrument.symbol for instrument in stage.instruments)
        self._stream = Stream(
            self.clock, plan.side, access, self._faults, rng, self.outputs.append, symbols, plan.speed
        )  # fmt: skip
        self._listings = {
            each.symbol: Listing(
                each, stage.bases[each.symbol], stage.rules, stage.past.get(each.symbol, ()),
                is_halted=each.symbol in plan.halted,
            )
            for each in stage.instruments
        }  # fmt: skip
        self._make_broker()
        self._venue = Venue(self.clock, stage, self._listings, self._exchange, self._broker, self._stream, plan.events)
        self._gateway = Gateway(
            plan.side, access, self._handlers(), self._faults, rng, plan.calls_per_second, plan.credentials.account
        )
        self.clock.advance(stage.start)

    def _make_broker(self) -> None:
        plan, calendar = self._plan, self._stage.rules.calendar
        self._exchange = SimExchange(
            slippage=TickSlippage(_SLIPPAGE), fill_rule=Through(), volume=VolumeShare(_VOLUME_SHARE),
            refusals=RandomRefusals(0, Random(plan.seed)), sketched=self._stage.sketched,
        )  # fmt: skip
        self._checks = Checks(
            plan.side, calendar, self._listings, lambda symbol: self._costs(symbol, self._stage.first)
        )
        books, shown = (Ledger(plan.cash, calendar, self._costs) for _ in range(2))
        self._broker = Broker(self.clock, self._exchange, self._checks, books, shown, self._faults, self._tell)

    @property
    def happened(self) -> Counter[str]:
        """How often each fault happened."""
        return self._faults.happened

    @property
    def side(self) -> Dialect:
        """Which side of KIS this is."""
        return self._plan.side

    @property
    def entries(self) -> Collection[Entry]:
        """Every order number that the broker gave, oldest first."""
        return self._broker.entries.values()

    @property
    def ledger(self) -> Ledger:
        """The true books."""
        return self._broker.ledger

    def request(self, now: int, number: int, request: Request) -> None:
        """Take one HTTP request."""
        self.clock.advance(now)
        if request.path.startswith(CONTROL):
            self.outputs.append(Reply(number, json_answer(now, self._control(request))))
            return
        outcome = self._gateway.handle(now, request)
        reply = Reply(number, outcome.answer)
        self.clock.call_at(now + outcome.after, lambda _due: self.outputs.append(reply))

    def connect(self, now: int, session: int) -> None:
        """A stream opened."""
        self.clock.advance(now)
        self._stream.connect(session)

    def receive(self, now: int, session: int, text: str) -> None:
        """Take one text frame of a stream."""
        self.clock.advance(now)
        self._stream.receive(session, text)

    def pong(self, now: int, session: int) -> None:
        """Take one pong control frame of a stream."""
        self.clock.advance(now)
        self._stream.pong(session)

    def disconnect(self, now: int, session: int) -> None:
        """A stream ended."""
        self.clock.advance(now)
        self._stream.disconnect(session)

    def advance(self, now: int) -> None:
        """Let everything happen that is due by now."""
        self.clock.advance(now)

    def _handlers(self) -> dict[str, Handler]:
        calendar = self._stage.rules.calendar
        quotations = Quotations(self._listings, calendar, lambda: self._venue.phase)
        desk = Desk(self._plan.side, self._broker, self._checks, self._listings, calendar, self._faults)
        return {name: _without_variant(fn) for name, fn in quotations.answers.items()} | dict(desk.answers)

    def _costs(self, symbol: str, day: date) -> Costs:
        plan, rules, instrument = self._plan, self._stage.rules, self._listings[symbol].instrument
        settles = rules.calendar.settlement_day(day)
        return Costs(
            rules.commission_ppb(instrument) if plan.commission_ppb < 0 else plan.commission_ppb,
            rules.tax_ppb(instrument, settles) if plan.tax_ppb < 0 else plan.tax_ppb,
        )

    def _tell(self, notice: Notice) -> None:
        held, name = self._plan.credentials, self._listings[notice.entry.ticket.symbol].instrument.name
        record = notice_record(notice, self._plan.side, held, name, kst_date(notice.ts))
        times = 0 if self._faults.hits("notice-missing") else 2 if self._faults.hits("notice-twice") else 1
        for _ in range(times):
            self.clock.call_at(notice.ts + NOTICE_AFTER, lambda _due: self._stream.notify(record))
        if self._faults.hits("notice-foreign"):
            others = msgspec.structs.replace(held, account=SOMEBODY_ELSES)
            foreign = notice_record(notice, self._plan.side, others, name, kst_date(notice.ts))
            self.clock.call_at(notice.ts + NOTICE_AFTER, lambda _due: self._stream.notify(foreign))

    def _control(self, request: Request) -> Body:
        match request.method, request.path.removeprefix(CONTROL):
            case "GET", "clock":
                return {"now": str(self.clock.now()), "time": iso_kst(self.clock.now()), "speed": self._plan.speed}
            case "GET", "account":
                return self._account()
            case "GET", "orders":
                return {"orders": [order_row(each) for each in self.entries if each.action is Action.NEW]}
            case "PUT", "faults":
                return self._set_faults(request.body)
            case ("POST", "orders") | ("DELETE", "orders") | ("PUT", "cash"):
                by_hand = {"POST": self._order_by_hand, "DELETE": self._withdraw, "PUT": self._pay_in}
                return by_hand[request.method](request.body)
            case _other:
                return Refusal("EGW00203").body()

    def _account(self) -> Body:
        """The true books, whatever the balance shows."""
        calendar, day, books = self._stage.rules.calendar, kst_date(self.clock.now()), self._broker.ledger
        return {
            "cash": books.cash,
            "positions": {symbol: position.qty for symbol, position in books.positions.items() if position.qty},
            "output1": holding_rows(books, self._listings, calendar, day, self._broker.sellable),
            "output2": [account_row(books, self._listings, calendar, day)],
        }

    def _set_faults(self, body: bytes) -> Body:
        try:
            for name, rate in msgspec.json.decode(body, type=dict[str, int]).items():
                self._faults.set(name, rate)
        except (msgspec.DecodeError, msgspec.ValidationError, UnknownNameError) as error:
            return {"error": str(error)}
        return {"done": True}

    def _pay_in(self, body: bytes) -> Body:
        """Money comes, or goes with a negative number."""
        try:
            krw = msgspec.json.decode(body, type=dict[str, int]).get("krw", 0)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return {"error": str(error)}
        for ledger in (self._broker.ledger, self._broker.shown):
            ledger.pay_in(krw)
        return {"done": True}

    def _order_by_hand(self, body: bytes) -> Body:
        """An order made elsewhere, which clients learn of by lists, notices and the balance alone."""
        try:
            asked = msgspec.json.decode(body, type=HandOrder)
            return {"number": str(self._broker.place(asked.ticket, by_hand=asked.channel == "hts").number)}
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return {"error": str(error)}
        except Refusal as refusal:
            return refusal.body()

    def _withdraw(self, body: bytes) -> Body:
        """Somebody cancels what remains of an order elsewhere."""
        try:
            number = msgspec.json.decode(body, type=dict[str, int]).get("number", 0)
            entry = next((each for each in self.entries if each.number == number and each.remaining), None)
            return {"number": str(self._broker.cancel(entry, entry.remaining).number)} if entry else {}
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return {"error": str(error)}
        except Refusal as refusal:
            return refusal.body()


def _without_variant(fn: Callable[[int, Any], Body]) -> Handler:
    return lambda now, params, _variant: fn(now, params)

"""One live session: engines on the market's clock, from the first look at the account to the last."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from qbtrade.adapters.kis.broker import KisBroker
from qbtrade.adapters.kis.feed import KisFeed
from qbtrade.app.live.board import Board
from qbtrade.app.live.correcting import correct_first
from qbtrade.app.live.ending import ended, judged
from qbtrade.app.live.first_day import limited
from qbtrade.app.live.foreword import say_first
from qbtrade.app.live.halting import TAKEN_OVER, beat, heed
from qbtrade.app.live.joined import joined
from qbtrade.app.live.latency import Latency
from qbtrade.app.live.parts import Live, opening_held, started, told_terms
from qbtrade.app.live.past import past_bars
from qbtrade.app.live.plan import OnExit
from qbtrade.app.live.reconciling import Reconciling
from qbtrade.app.live.resolving import heed_answers, tell_answers
from qbtrade.app.live.timekeeping import TURN, Timekeeper
from qbtrade.app.live.triggers import Triggers
from qbtrade.app.live.winding import stop_after_fault, wind_down
from qbtrade.app.live.wire import Wire
from qbtrade.app.snapshot import Snapshots
from qbtrade.app.status import Screen, Status
from qbtrade.app.wiring import Engines, Setup, risk_limits, sim_broker
from qbtrade.domain.calendar import MINUTE, NS, Phase, kst_date
from qbtrade.domain.events import (
    Alert,
    CancelOrder,
    Level,
    OrderUnconfirmed,
    Outcome,
    RiskState,
)
from qbtrade.domain.market import Bar
from qbtrade.domain.order import OrderKind
from qbtrade.engines.reconcile import Difference, told
from qbtrade.errors import JournalError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import Stopwatch
from qbtrade.kernel.loop import StopRequest
from qbtrade.ports import Broker, Clock, JournalStore, MarketView

FOREVER: Final = 1e12
LOOK_EVERY: Final = NS // 5
"""Machine time between two looks at the halt."""


class LiveSession:
    """The engines of one live session, its wire and its end.

    fault: what an engine raised, or None. survivors: orders of ours that the broker still shows at the end, in words.
    """

    def __init__(
        self, live: Live, wire: Wire, store: JournalStore, board: Board, screen: Screen, stop: StopRequest
    ) -> None:
        self.live, self.wire, self.board, self._screen, self._stop = live, wire, board, screen, stop
        self._watch = Stopwatch()
        self.fault: Exception | None = None
        self.is_over, self.heeded = live.plan.sells_only, 0
        self.is_watched, self.survivors = True, tuple[str, ...]()
        plan, clock = live.plan.session, wire.clock
        self.symbols = tuple(instrument.symbol for instrument in live.instruments)
        self.kis: KisBroker | None = None
        limits = risk_limits(plan, self._dearest_commission())
        self.limits = limited(limits) if live.is_first_day else limits
        self.told, self.day = told_terms(live, clock.now()), live.rules.calendar.trading_day(kst_date(clock.now()))
        setup = Setup(
            rules=live.rules, instruments=live.instruments, interval=plan.interval or MINUTE, limits=self.limits,
            cash=live.opening.cash, durable=True, order_kind=OrderKind(plan.order_kind.upper()),
            commission_ppb=plan.commission_ppb, tax_ppb=plan.tax_ppb, grace=NS * max(1, clock.speed // 20),
            bases={symbol: price.base for symbol, price in live.at_broker.prices.items()},
            terms={symbol: told.terms for symbol, told in self.told.items()},
        )  # fmt: skip
        self._time = Timekeeper(self)
        live.recording.follow(wire.bus)
        self.engines = Engines(wire.bus, clock, setup, store, self._make_broker())
        self.latency, self._triggers, self.books = Latency(wire.bus, clock), Triggers(self), Reconciling(self)
        hosted = live.strategy.build(self.engines.host, self.symbols)
        self._warm_up = live.strategy.warm_up(hosted)
        self.engines.host_strategy(hosted, self._warm_up)
        self.feed = KisFeed(
            wire.bus, clock, self.engines.market, wire.caller, wire.stream, wire.environment, live.rules.calendar,
            symbols=self.symbols, interval=setup.interval, held=self.held,
        )  # fmt: skip
        self._pictures, self._glances = self._snapshots(), self._snapshots()

    def _make_broker(self) -> Callable[[Bus, Clock, MarketView], Broker]:
        if self.live.plan.dry_run:
            return sim_broker(self.live.plan.session.venue, self.live.plan.session.seed)

        def make(bus: Bus, clock: Clock, market: MarketView) -> Broker:
            del market
            self.kis = KisBroker(bus, clock, self.wire.caller, self.wire.environment)
            return self.kis

        return make

    def _snapshots(self) -> Snapshots:
        return Snapshots(
            self.engines, self._mode, self.symbols, self.wire.loop.idle, apart=self.books.apart, is_live=True
        )  # fmt: skip

    @property
    def has_to_end(self) -> bool:
        """Whether the time is over, or somebody asked for an end."""
        return self._stop.asked or self.is_over

    @property
    def _mode(self) -> str:
        return "dry-run" if self.live.plan.dry_run else self.wire.environment.kind.value

    def held(self) -> tuple[str, ...]:
        """Symbols of this session of which shares are held."""
        return tuple(symbol for symbol in self.symbols if self.engines.portfolio.qty(symbol))

    def _dearest_commission(self) -> int:
        said = self.live.plan.session.commission_ppb
        return said if said >= 0 else max(map(self.live.rules.commission_ppb, self.live.instruments))

    # the beginning

    def run(self) -> Outcome:
        """Trade until the end, a stop or a fault, and write the last row.

        Raises: BrokerError, KeyboardInterrupt before the first row, when the bars of the past are not to be had.
        """
        past = self._past()
        try:
            self._open(past)
            while not self.has_to_end:
                self.wire.loop.run_until(lambda: self._stop.asked or self.is_over or self._time.is_stale, FOREVER)
                self._time.look_anew()
            outcome, reason = self._outcome()
            wind_down(self)
        except JournalError:
            raise  # of the first row: nothing was sent yet
        except Exception as error:  # noqa: BLE001 - whatever an engine raises ends the session, not the report
            self.fault, outcome, reason = error, Outcome.FAULT, ""
            stop_after_fault(self, error)
        self.engines.journal.flush(durable=True)
        outcome, reason = judged(self.engines, self.fault) or (outcome, reason)
        last = ended(self.engines, self.symbols, outcome, reason, self.wire.stream.counts(), self._watch)
        self.wire.bus.publish(last)
        with suppress(Exception):  # a view, and what an engine did once it may do again
            self._show()
        return outcome

    def _past(self) -> tuple[Bar, ...]:
        """Asked for before anything is written: who gives up here leaves no session behind."""
        calendar, interval = self.live.rules.calendar, self.live.plan.session.interval or MINUTE
        found = list[Bar]()
        for symbol in self.symbols:
            if not self._stop.asked:
                found += past_bars(self.wire, calendar, symbol, interval=interval, count=self._warm_up)
        if self._stop.asked:
            raise KeyboardInterrupt
        return tuple(found)

    def _open(self, past: tuple[Bar, ...]) -> None:
        live, engines, wire = self.live, self.engines, self.wire
        now = wire.clock.now()
        held = opening_held(live)
        wire.bus.publish(started(live, wire.environment, self.limits, now, self._mode))
        engines.journal.flush(durable=True)
        if engines.journal.trouble:
            raise JournalError(engines.journal.trouble)
        live.recording.begin(
            {symbol: price.base for symbol, price in live.at_broker.prices.items()},
            self.told,
            msgspec.structs.replace(live.plan.session, speed=wire.clock.speed),
        )
        engines.portfolio.adopt(held, self.day.day.isoformat(), live.day_start)
        engines.risk.carry(self.day.day.isoformat(), live.entries, is_over=live.is_day_over)
        for bar in past:
            engines.host.warm(bar)
            live.recording.past(bar)
            self.feed.know(bar)
        engines.hours.start()
        for symbol, price in live.at_broker.prices.items():
            self.feed.prepare(symbol, price)
        if self.kis is not None:
            begun = live.opening
            self.kis.begin(live.at_broker.history, begun.accounted, begun.settled, begun.answered)
            self._adopt_leftovers(self.kis, now)
        self.feed.start()
        tell_answers(self)
        correct_first(self)
        say_first(self)
        self.books.start()
        self._on_look(now)
        self._on_show(now)
        self._on_status(now)
        wire.clock.call_at(self.live.plan.until.ts(self.day), self._on_until)

    def _adopt_leftovers(self, broker: KisBroker, now: int) -> None:
        """Orders that an earlier session may have sent are looked for, and canceled when they are found."""
        for left in self.live.opening.leftovers:
            if left.order.symbol not in self.symbols:
                continue
            order = msgspec.structs.replace(left.order, order_id=left.order_id, qty=left.remaining, lifetime=0)
            self.engines.adopt_order(order, now)
            self.engines.portfolio.account.resume(order.order_id, left.amount)
            why = f"order {left.order.order_id} of an earlier session has no end"
            self.wire.bus.publish(OrderUnconfirmed(now, order.order_id, why))
            self.wire.bus.publish(CancelOrder(now, order.order_id, "left-over"))
            broker.adopt(left, order)

    # the middle

    def _on_until(self, _due: int) -> None:
        """End; after the close only when the broker has said of every order how it ended."""
        clock = self.wire.clock
        if clock.now() < self.day.close:
            self.is_over = True
            return
        self.is_over = not self.engines.orders.open_symbols() or clock.now() > self.day.close + 5 * MINUTE
        if not self.is_over:
            clock.call_at(clock.now() + NS, self._on_until)

    def _on_status(self, due: int) -> None:
        self.engines.journal.flush()  # what was shown is written
        with suppress(OSError):  # whoever watched may be gone
            self._screen.on_status(self._status(self._pictures))
        clock = self.wire.clock
        clock.call_at(max(due + self.live.plan.session.status_every, clock.now()), self._on_status)

    def _on_show(self, due: int) -> None:
        clock = self.wire.clock
        self._time.look(due)
        beat(self)
        heed_answers(self)
        self.live.memory.look(self.wire.bus, clock.now())
        self.live.recording.look(self.wire.bus, clock.now())
        self.engines.journal.flush()
        with suppress(OSError):
            self._show()
        clock.call_at(clock.now() + TURN * clock.speed, self._on_show)

    def _on_look(self, due: int) -> None:
        heed(self)
        clock = self.wire.clock
        clock.call_at(max(due, clock.now()) + LOOK_EVERY * clock.speed, self._on_look)

    def cancel_all(self, reason: str) -> None:
        """Ask to cancel whatever works."""
        orders = self.engines.orders
        for symbol in orders.open_symbols():
            for order in orders.open_orders(symbol):
                now = self.wire.clock.now()
                self.wire.bus.publish(CancelOrder(now, order.request.order_id, reason))

    def _status(self, snapshots: Snapshots) -> Status:
        wire = joined(self.wire, self.latency, self.feed.state, self.day.open, self.live.memory.behind)
        return msgspec.structs.replace(snapshots.take(self.wire.clock.now()), wire=wire)

    def _show(self) -> None:
        if not self.board.is_watched():
            return
        status = self._status(self._glances)
        self.board.show(status, self.heeded)
        self._screen.on_glance(status)

    # the end

    def _outcome(self) -> tuple[Outcome, str]:
        if self.taken_by:
            return Outcome.HALTED, TAKEN_OVER
        if self._stop.asked:
            return Outcome.INTERRUPTED, self._stop.reason
        if self.engines.risk.state() is RiskState.HALTED:
            return Outcome.HALTED, self.engines.risk.reason()
        return Outcome.DONE, ""

    def say(self, code: str, text: str, action: str, level: Level = Level.CRITICAL) -> None:
        """Tell journal and screen; the screen also when an engine fails at it."""
        try:
            self.wire.bus.publish(Alert(self.wire.clock.now(), level, code, text, action))
        except Exception as error:  # noqa: BLE001 - told as the fault of the session; what is left has to be named
            self.fault = self.fault or error
        with suppress(OSError):
            self._screen.on_notice(text, action)

    def say_table(self, code: str, found: tuple[Difference, ...], action: str) -> None:
        """Tell the journal each difference, the screen all of them in one table."""
        for difference in found:
            text = f"the books disagree: {told(difference)}"
            self.wire.bus.publish(Alert(self.wire.clock.now(), Level.CRITICAL, code, text, action))
        with suppress(OSError):
            self._screen.on_table(found, action)

    @property
    def taken_by(self) -> str:
        """The run that took the account over because this one hung, or ""."""
        return self.board.taken_by()

    @property
    def on_exit(self) -> OnExit:
        """What becomes of orders and shares."""
        return self.live.plan.on_exit

    @property
    def can_sell(self) -> bool:
        """Whether the venue takes sells now."""
        return self.engines.market.phase() in {Phase.CONTINUOUS, Phase.CLOSING_AUCTION}

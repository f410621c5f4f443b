"""Builds the engines and joins them by events. The only place that knows which world it is in."""

from collections.abc import Callable
from itertools import count
from random import Random

import msgspec

from qbtrade.adapters.sim.broker import SimBroker
from qbtrade.adapters.sim.exchange import SimExchange
from qbtrade.adapters.sim.models import FixedLatency, RandomRefusals, TickSlippage, VolumeShare, fill_rule
from qbtrade.app.plan import SimulationPlan, VenuePlan
from qbtrade.domain import events as ev
from qbtrade.domain.instrument import DayTerms, Instrument
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.order import OrderKind, OrderRequest
from qbtrade.domain.rules import Rules
from qbtrade.engines.hours import Hours
from qbtrade.engines.journal import WRITTEN, IntentGate, Journal
from qbtrade.engines.market_data import SPIKE, MarketData
from qbtrade.engines.monitoring import Monitoring
from qbtrade.engines.orders import Orders
from qbtrade.engines.portfolio import Portfolio
from qbtrade.engines.protection import Protection
from qbtrade.engines.risk import RiskGate
from qbtrade.engines.strategy import StrategyHost, listens_to_trades
from qbtrade.kernel.bus import Bus
from qbtrade.ports import Broker, Clock, JournalStore, MarketView, Strategy

BrokerMaker = Callable[[Bus, Clock, MarketView], Broker]


class Setup(msgspec.Struct, frozen=True):
    """What the engines are built from, the same in every world. interval: ns of a bar; bases: yesterday's close, KRW.

    made_of_bars: the trades are the paths of recorded bars, whose jumps are no spikes. durable: intents reach the
    disk before the broker. heartbeat: ns, 0 for none. mark_every: ns between looks at the day's loss while shares are
    held. grace: ns that a bar waits for stragglers. terms: prices of the day as the venue told them, by symbol.
    """

    rules: Rules
    instruments: tuple[Instrument, ...]
    interval: int
    limits: RiskLimits
    cash: int
    bases: dict[str, int] = {}
    made_of_bars: bool = False
    durable: bool = True
    heartbeat: int = 0
    order_kind: OrderKind = OrderKind.LIMIT
    mark_every: int = 1_000_000_000
    grace: int = 0
    commission_ppb: int = -1
    tax_ppb: int = -1
    terms: dict[str, DayTerms] = {}


class Engines:
    """Every engine of one session on one bus, subscribed in the order in which they hear of an event.

    The journal hears everything first. Market data hears a trade before the venue and the strategy; the order engine
    registers a wish before risk judges it; the portfolio books a fill before risk and protection look at it; protection
    sells before the strategy does.
    """

    def __init__(self, bus: Bus, clock: Clock, setup: Setup, store: JournalStore, make_broker: BrokerMaker) -> None:
        self.bus, self.clock = bus, clock
        symbols = tuple(instrument.symbol for instrument in setup.instruments)
        self.journal = Journal(store, bus, durable=setup.durable)
        self._join_journal()
        self.monitoring = Monitoring(bus, clock, heartbeat=setup.heartbeat)
        self._join_monitoring()
        self.market = MarketData(
            bus, clock, setup.rules, setup.instruments,
            interval=setup.interval, bases=setup.bases, spike=0 if setup.made_of_bars else SPIKE,
            grace=setup.grace, terms=setup.terms,
        )  # fmt: skip
        self._join_market()
        self.broker = make_broker(bus, clock, self.market)
        self.orders = Orders(bus, clock, self.market, IntentGate(bus, clock, self.journal, self.broker))
        self._join_orders()
        self.portfolio = Portfolio(
            bus, clock, self.market, self.orders, setup.rules,
            cash=setup.cash, mark_every=setup.mark_every,
            commission_ppb=setup.commission_ppb, tax_ppb=setup.tax_ppb,
        )  # fmt: skip
        bus.subscribe(ev.OrderFilled, self.portfolio.on_filled)
        bus.subscribe(ev.PhaseChanged, self.portfolio.on_phase)
        bus.subscribe(ev.BookCorrected, self.portfolio.on_corrected)
        views = (bus, clock, self.market, self.portfolio, self.orders)
        self.risk = RiskGate(*views, limits=setup.limits, symbols=symbols)
        self._join_risk()
        numbers = count(1)

        def next_order_id() -> str:
            return f"Q{next(numbers):06d}"

        self.next_order_id = next_order_id
        self.protection = Protection(*views, limits=setup.limits, symbols=symbols, next_order_id=next_order_id)
        self._join_protection()
        self.host = StrategyHost(
            *views, setup.limits, symbols=symbols, next_order_id=next_order_id, kind=setup.order_kind
        )
        bus.subscribe(ev.PriceTouched, self.host.on_price_touched)
        bus.subscribe(Bar, self.host.on_bar)
        bus.subscribe(ev.OrderDenied, self.host.on_denied)
        bus.subscribe(ev.RiskStateChanged, self.host.on_risk_changed)
        self.hours = Hours(bus, clock, setup.rules.calendar)

    def host_strategy(self, strategy: Strategy, warm_up: int) -> None:
        """Take the strategy in; it hears every trade only when it asks for that."""
        self.host.host(strategy, warm_up)
        if listens_to_trades(strategy):
            self.bus.subscribe(Trade, self.host.on_trade)

    def adopt_order(self, order: OrderRequest, ts: int) -> None:
        """Take in an order that an earlier session may have sent, as if it were on its way."""
        wish = ev.SubmitOrder(ts, order)
        for event in (wish, ev.OrderApproved(ts, order, ()), ev.OrderSending(ts, order)):
            self.journal.on_event(event)
        self.orders.adopt(wish)

    def _join_journal(self) -> None:
        special = {ev.OrderSending, ev.OrderCanceling, ev.EquityMarked, ev.PhaseChanged, ev.SessionEnded}
        self.bus.subscribe_all((cls for cls in WRITTEN if cls not in special), self.journal.on_event)
        self.bus.subscribe(ev.OrderSending, self.journal.on_intent)
        self.bus.subscribe(ev.OrderCanceling, self.journal.on_intent)
        self.bus.subscribe(ev.EquityMarked, self.journal.on_mark)
        self.bus.subscribe(ev.PhaseChanged, self.journal.on_phase)
        self.bus.subscribe(ev.SessionEnded, self.journal.on_ended)

    def _join_monitoring(self) -> None:
        self.bus.subscribe_all((cls for cls in WRITTEN if cls is not ev.EquityMarked), self.monitoring.on_event)
        self.bus.subscribe(ev.Alert, self.monitoring.on_alert)
        self.bus.subscribe(ev.SymbolHalted, self.monitoring.on_symbol_halted)
        self.bus.subscribe(ev.StrategyFailed, self.monitoring.on_strategy_failed)
        self.bus.subscribe(ev.TickQuarantined, self.monitoring.on_quarantined)

    def _join_market(self) -> None:
        self.bus.subscribe(Trade, self.market.on_trade)
        self.bus.subscribe(Quote, self.market.on_quote)
        self.bus.subscribe(ev.PhaseChanged, self.market.on_phase)
        self.bus.subscribe(ev.SymbolHalted, self.market.on_halted)
        self.bus.subscribe(ev.SymbolResumed, self.market.on_resumed)

    def _join_orders(self) -> None:
        orders = self.orders
        self.bus.subscribe(ev.SubmitOrder, orders.on_submit)
        self.bus.subscribe(ev.OrderDenied, orders.on_denied)
        self.bus.subscribe(ev.OrderApproved, orders.on_approved)
        self.bus.subscribe(ev.OrderSending, orders.on_sending)
        self.bus.subscribe(ev.CancelOrder, orders.on_cancel)
        self.bus.subscribe(ev.OrderCanceling, orders.on_canceling)
        self.bus.subscribe(ev.OrderAccepted, orders.on_accepted)
        self.bus.subscribe(ev.OrderRejected, orders.on_rejected)
        self.bus.subscribe(ev.OrderNotSent, orders.on_not_sent)
        self.bus.subscribe(ev.OrderUnconfirmed, orders.on_unconfirmed)
        self.bus.subscribe(ev.OrderAbandoned, orders.on_abandoned)
        self.bus.subscribe(ev.OrderResolved, orders.on_resolved)
        self.bus.subscribe(ev.OrderFilled, orders.on_filled)
        self.bus.subscribe(ev.OrderCanceled, orders.on_canceled)
        self.bus.subscribe(ev.CancelRejected, orders.on_cancel_rejected)
        self.bus.subscribe(ev.OrderExpired, orders.on_expired)

    def _join_risk(self) -> None:
        risk = self.risk
        self.bus.subscribe(ev.SubmitOrder, risk.on_submit)
        self.bus.subscribe(ev.EquityMarked, risk.on_equity)
        self.bus.subscribe(ev.PhaseChanged, risk.on_phase)
        self.bus.subscribe(ev.StrategyFailed, risk.on_strategy_failed)
        self.bus.subscribe(ev.SymbolHalted, risk.on_halted)
        self.bus.subscribe(ev.SymbolResumed, risk.on_resumed)
        self.bus.subscribe(ev.FeedLost, risk.on_feed_lost)
        self.bus.subscribe(ev.FeedRestored, risk.on_feed_restored)
        self.bus.subscribe(ev.JournalLost, risk.on_journal_lost)

    def _join_protection(self) -> None:
        protection = self.protection
        self.bus.subscribe(ev.PositionChanged, protection.on_position)
        self.bus.subscribe(ev.BookCorrected, protection.on_corrected)
        self.bus.subscribe(ev.PriceTouched, protection.on_touched)
        self.bus.subscribe(ev.PhaseChanged, protection.on_phase)
        self.bus.subscribe(ev.SymbolResumed, protection.on_resumed)
        self.bus.subscribe_all((ev.OrderCanceled, ev.OrderExpired, ev.OrderAbandoned), protection.on_ended)
        self.bus.subscribe_all((ev.OrderDenied, ev.OrderRejected, ev.OrderNotSent), protection.on_refused)
        self.bus.subscribe(ev.CancelRejected, protection.on_cancel_rejected)


def sim_broker(venue: VenuePlan, seed: int, *, sketched: bool = False) -> BrokerMaker:
    """The simulated exchange behind the Broker port, refusing its share of orders by `seed`.

    sketched: prints are bar paths.
    """

    def make(bus: Bus, clock: Clock, market: MarketView) -> Broker:
        exchange = SimExchange(
            slippage=TickSlippage(venue.slippage),
            fill_rule=fill_rule(venue.fill_model),
            volume=VolumeShare(venue.volume_share),
            refusals=RandomRefusals(venue.reject_rate, Random(seed)),
            sketched=sketched,
        )
        return SimBroker(bus, clock, market, exchange, FixedLatency(venue.latency))

    return make


def risk_limits(plan: SimulationPlan, commission_ppb: int) -> RiskLimits:
    """The plan's limits as the engines take them."""
    return RiskLimits(**msgspec.structs.asdict(plan.limits), commission_ppb=commission_ppb)

"""The gate: judges every order before it can reach a broker, and narrows trading when something is wrong."""

from typing import Final

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    Alert,
    AtRisk,
    CancelOrder,
    EquityMarked,
    FeedLost,
    FeedRestored,
    JournalLost,
    Level,
    OrderApproved,
    OrderDenied,
    PhaseChanged,
    RiskState,
    RiskStateChanged,
    StrategyFailed,
    SubmitOrder,
    SymbolHalted,
    SymbolResumed,
)
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.order import OrderKind, OrderRequest, OrderStatus, Side
from qbtrade.engines.risk_rules import Case, Intent, Rule, cash_left, intent_of, standard_rules
from qbtrade.ports import Clock, MarketView, OrderView, PositionView, Publisher

BUY: Final = Side.BUY
LIMIT: Final = OrderKind.LIMIT
UNKNOWN: Final = frozenset({OrderStatus.UNCONFIRMED, OrderStatus.ABANDONED})
CANCELING: Final = OrderStatus.CANCELING
ENTER: Final = Intent.ENTER
ACCOUNT: Final = ""
DAILY_LOSS: Final = "daily-loss"
DAY_OVER: Final = "until the next trading day only cancels and protective sells go out; there is no override"
FEED_LOST: Final = "feed-lost"
JOURNAL_LOST: Final = "journal-lost"
STRATEGY_FAILED: Final = "strategy-failed"
STATES: Final = tuple(RiskState)  # by severity


class RiskGate:
    """Gives exactly one verdict for each SubmitOrder, and owns the risk states of account and symbols.

    All rules that bind an order are evaluated; the first broken one is the reason. Subscribed to SubmitOrder behind the
    order engine, so that the order is already known as NEW, and to all else behind market data and portfolio.
    """

    def __init__(
        self,
        bus: Publisher,
        clock: Clock,
        market: MarketView,
        positions: PositionView,
        orders: OrderView,
        *,
        limits: RiskLimits,
        symbols: tuple[str, ...],
    ) -> None:
        self._bus, self._clock, self._market, self._positions, self._orders = bus, clock, market, positions, orders
        self._symbols = frozenset(symbols)
        self._loss_limit, self._commission_ppb = limits.loss_limit, limits.commission_ppb
        self._rules = standard_rules(limits, symbols, market, positions, orders)
        self._on_limits = tuple(tuple(r.check for r in self._rules if intent in r.binds) for intent in Intent)
        self._on_markets = tuple(
            tuple(r.check for r in self._rules if intent in r.binds and not r.priced) for intent in Intent
        )
        self._for_strangers = (self._rules[0].check,)
        self._remembering = tuple(r.remember for r in self._rules if type(r).remember is not Rule.remember)
        self._causes: dict[str, dict[str, int]] = {}  # scope -> cause -> severity
        self._severity: dict[str, int] = {ACCOUNT: 0}
        self._kept_out = set[str]()  # causes that only a new session takes away
        self._day = ""

    # what others may ask

    def state(self, symbol: str = ACCOUNT) -> RiskState:
        """The state of the account, or of a symbol: the worse of its own and the account's."""
        return STATES[max(self._severity[ACCOUNT], self._severity.get(symbol, 0))]

    def reason(self, symbol: str = ACCOUNT) -> str:
        """Slug of what narrows the account, or the symbol alone; "" while nothing does."""
        causes = self._causes.get(symbol, {})
        return max(causes, key=causes.__getitem__, default="")

    def limits_in_use(self) -> tuple[tuple[str, int, int, str], ...]:
        """Limits of the whole session: (rule, used, limit, unit)."""
        now = self._clock.now()
        return tuple((rule.slug, *use) for rule in self._rules if (use := rule.in_use(now)) is not None)

    # what is said from outside

    def carry(self, day: str, entries: int, *, is_over: bool) -> None:
        """Go on with a day, ISO, in which earlier sessions made so many entries. is_over: its loss has ended it."""
        self._day = day
        for rule in self._rules:
            rule.carry(entries)
        if is_over:
            now, loss = self._clock.now(), -self._positions.day_profit()
            self._narrow(now, ACCOUNT, RiskState.HALTED, DAILY_LOSS, self._loss_limit, loss)
            text = f"the day's loss reached its limit in an earlier session, and is {loss:,} won now: trading is halted"
            self._bus.publish(Alert(now, Level.CRITICAL, DAILY_LOSS, text, DAY_OVER))

    def halt(self, ts: int, cause: str) -> None:
        """Send nothing but cancels and protective sells until `resume`; entries that work are canceled."""
        self._narrow(ts, ACCOUNT, RiskState.HALTED, cause)
        self._cancel_entries(ts, self._orders.open_symbols(), cause)

    def reduce(self, ts: int, cause: str) -> None:
        """Send only what reduces until `resume`; entries that work are canceled."""
        self._narrow(ts, ACCOUNT, RiskState.REDUCING, cause)
        self._cancel_entries(ts, self._orders.open_symbols(), cause)

    def keep_out(self, ts: int, symbol: str, cause: str) -> None:
        """Only reduce in a symbol until the session ends."""
        self._kept_out.add(cause)
        self._narrow(ts, symbol, RiskState.REDUCING, cause)
        self._cancel_entries(ts, (symbol,), cause)

    def resume(self, ts: int, cause: str) -> None:
        """That cause is gone; others may stand."""
        self._lift(ts, ACCOUNT, {cause}, "resumed")

    def has(self, cause: str) -> bool:
        """Whether that cause narrows the account."""
        return cause in self._causes.get(ACCOUNT, ())

    # judging

    def on_submit(self, event: SubmitOrder) -> None:
        """Publish exactly one verdict, behind a halt when the day's loss turns out to have reached its limit."""
        order = event.order
        now = self._clock.now()
        loss = self._watch_loss(now, order.order_id)
        if order.symbol in self._symbols:
            case = self._case(order, now, loss)
            rules = (self._on_limits if order.kind is LIMIT else self._on_markets)[case.intent]
        else:
            case = Case(order, intent_of(order), now, 0, 0, 0, 0, 0, 0, 0, 0, 0, loss)
            rules = self._for_strangers
        checks = tuple([check for rule in rules if (check := rule(case)) is not None])
        for check in checks:
            if not check.passed:
                self._bus.publish(OrderDenied(now, order.order_id, order.symbol, check.rule, checks))
                return
        for remember in self._remembering:
            remember(case)
        self._bus.publish(OrderApproved(now, order, checks, self._at_risk(case)))

    def _at_risk(self, case: Case) -> AtRisk:
        positions = self._positions
        committed = positions.total_cost() + (case.buying or self._orders.buying())
        return AtRisk(positions.cash(), committed, case.unconfirmed, case.loss)

    def _case(self, order: OrderRequest, now: int, loss: int) -> Case:
        """Ask the views once for what several rules need."""
        symbol, side, order_id = order.symbol, order.side, order.order_id
        price = order.price if order.kind is LIMIT else self._margin(order)
        amount = price * order.qty
        registered = buying = buying_here = left = selling = unconfirmed = 0
        for other in (*self._orders.open_orders(symbol), *self._orders.abandoned(symbol)):
            request = other.request
            if request.order_id == order_id:
                registered = amount
                continue
            if request.side is BUY:
                buying_here += other.remaining * (request.price if request.kind is LIMIT else self._margin(request))
            elif other.is_open:
                selling += other.remaining
            if other.status in UNKNOWN and request.side is side:
                unconfirmed += 1
        intent = intent_of(order)
        if intent is ENTER:
            buying_here += amount
            buying = self._orders.buying() + amount - registered
            left = cash_left(self._positions, buying, self._commission_ppb)
        severity = max(self._severity[ACCOUNT], self._severity.get(symbol, 0))
        trade = self._market.last(symbol)
        last, age = (trade.price, now - trade.ts) if trade else (0, now)
        return Case(
            order, intent, now, last, age, price, buying, buying_here, left, selling, unconfirmed, severity, loss
        )  # fmt: skip

    def _margin(self, order: OrderRequest) -> int:
        """What a share of a market order may cost: the upper price limit, or without one 30 % above the last price."""
        band = self._market.band(order.symbol)
        return band.upper if band else order.reference * 13 // 10

    # the loss of the day

    def on_equity(self, event: EquityMarked) -> None:
        """Look at the day's loss at each mark, of which every fill makes one."""
        if self._positions.day_start_equity() - event.equity >= self._loss_limit:
            self._watch_loss(event.ts)

    def on_phase(self, event: PhaseChanged) -> None:
        """The first phase of the next trading day takes yesterday's halt and counts away."""
        if event.phase is Phase.CLOSED or event.day == self._day:
            return
        self._day = event.day
        for rule in self._rules:
            rule.new_day()
        self._lift(event.ts, ACCOUNT, {DAILY_LOSS}, "new-day")

    def _watch_loss(self, now: int, judged: str = "") -> int:
        """Halt until the next trading day once the loss reaches its limit. judged: an order that needs no cancel."""
        loss = -self._positions.day_profit()
        limit = self._loss_limit
        if loss >= limit and DAILY_LOSS not in self._causes.get(ACCOUNT, ()):
            self._narrow(now, ACCOUNT, RiskState.HALTED, DAILY_LOSS, limit, loss)
            text = f"the day's loss of {loss:,} won reached the limit of {limit:,}: trading is halted"
            self._bus.publish(Alert(now, Level.CRITICAL, DAILY_LOSS, text, DAY_OVER))
            self._cancel_entries(now, self._orders.open_symbols(), DAILY_LOSS, judged)
        return loss

    # other causes

    def on_strategy_failed(self, event: StrategyFailed) -> None:
        """Its symbol only reduces from here on."""
        self.keep_out(event.ts, event.symbol, STRATEGY_FAILED)

    def on_halted(self, event: SymbolHalted) -> None:
        """Nothing goes out for the symbol."""
        self._narrow(event.ts, event.symbol, RiskState.HALTED, event.reason)

    def on_resumed(self, event: SymbolResumed) -> None:
        """The symbol trades again, unless market data still objects; what keeps out of it for the session stays."""
        if event.symbol in self._symbols and not self._market.halted(event.symbol):
            halts = self._causes.get(event.symbol, {}).keys() - self._kept_out
            self._lift(event.ts, event.symbol, halts, event.reason)

    def on_feed_lost(self, event: FeedLost) -> None:
        """Without market data we only reduce."""
        self._narrow(event.ts, ACCOUNT, RiskState.REDUCING, FEED_LOST)
        text = f"market data stopped ({event.reason}): no new entries, and stop-losses see prices less often"
        self._bus.publish(Alert(event.ts, Level.CRITICAL, FEED_LOST, text, "watch your positions elsewhere meanwhile"))
        self._cancel_entries(event.ts, self._orders.open_symbols(), FEED_LOST)

    def on_feed_restored(self, event: FeedRestored) -> None:
        """Market data is back."""
        self._lift(event.ts, ACCOUNT, {FEED_LOST}, "feed-restored")

    def on_journal_lost(self, event: JournalLost) -> None:
        """What cannot be written down may not be sent; there is no way back in this session."""
        text = f"the journal cannot be written ({event.reason}): no new orders; cancels and protective sells go on"
        action = "free space or mend the disk, then end this session and start qb again"
        self._bus.publish(Alert(event.ts, Level.CRITICAL, JOURNAL_LOST, text, action))
        self.halt(event.ts, JOURNAL_LOST)

    # states

    def _narrow(self, ts: int, scope: str, state: RiskState, cause: str, limit: int = 0, value: int = 0) -> None:
        self._causes.setdefault(scope, {})[cause] = STATES.index(state)
        self._settle(ts, scope, cause, limit, value)

    def _lift(self, ts: int, scope: str, causes: set[str], reason: str) -> None:
        standing = self._causes.get(scope, {})
        for cause in causes & standing.keys():
            del standing[cause]
        self._settle(ts, scope, self.reason(scope) or reason)

    def _settle(self, ts: int, scope: str, reason: str, limit: int = 0, value: int = 0) -> None:
        """Publish the state of a scope when its worst cause made it another one."""
        severity = max(self._causes.get(scope, {}).values(), default=0)
        if severity == self._severity.get(scope, 0):
            return
        self._severity[scope] = severity
        self._bus.publish(RiskStateChanged(ts, scope, STATES[severity], reason, limit, value))
        if not severity:
            text = f"{scope or 'the account'} trades again ({reason})"
            self._bus.publish(Alert(ts, Level.INFO, "risk-active", text))

    def _cancel_entries(self, ts: int, symbols: tuple[str, ...], reason: str, judged: str = "") -> None:
        for symbol in symbols:
            for order in self._orders.open_orders(symbol):
                request = order.request
                if request.side is BUY and order.status is not CANCELING and request.order_id != judged:
                    self._bus.publish(CancelOrder(ts, request.order_id, reason))

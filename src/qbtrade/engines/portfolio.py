"""Portfolio: fills become positions, cash, profit and costs, to the won."""

from datetime import date

from qbtrade.domain.calendar import Phase, kst_date
from qbtrade.domain.events import (
    Alert,
    BookCorrected,
    EquityMarked,
    Held,
    Level,
    OrderFilled,
    PhaseChanged,
    PositionChanged,
)
from qbtrade.domain.money import Costs
from qbtrade.domain.order import Purpose, Side
from qbtrade.domain.portfolio import Account, Position
from qbtrade.domain.rules import Rules
from qbtrade.ports import Clock, MarketView, OrderView, Publisher


class Portfolio:
    """Owns the account. mark_every: ns between equity marks while shares are held.

    commission_ppb, tax_ppb: override the dated rules when not negative.
    """

    def __init__(
        self,
        bus: Publisher,
        clock: Clock,
        market: MarketView,
        orders: OrderView,
        rules: Rules,
        *,
        cash: int,
        mark_every: int,
        commission_ppb: int = -1,
        tax_ppb: int = -1,
    ) -> None:
        self._bus, self._clock, self._market, self._orders, self._rules = bus, clock, market, orders, rules
        self._commission_ppb, self._tax_ppb, self._mark_every = commission_ppb, tax_ppb, mark_every
        self.account = Account(cash)
        self._day = ""
        self._day_start = cash
        self._marked = (-1, -1)
        self._marking = False
        self._costs: dict[tuple[str, date], Costs] = {}

    def adopt(self, held: dict[str, Held], day: str, day_start: int) -> None:
        """Begin with shares of an earlier session. day: ISO; day_start: equity from which that day's profit counts."""
        for symbol, position in held.items():
            self.account.adopt(symbol, position.qty, position.cost)
        self._day, self._day_start = day, day_start

    # PositionView

    def qty(self, symbol: str) -> int:
        """Shares held."""
        position = self.account.positions.get(symbol)
        return position.qty if position else 0

    def cost(self, symbol: str) -> int:
        """What the shares held cost, without fees."""
        position = self.account.positions.get(symbol)
        return position.cost if position else 0

    def total_cost(self) -> int:
        """Cost of all positions."""
        return self.account.total_cost()

    def cash(self) -> int:
        """D+2 cash."""
        return self.account.cash

    def unrealized(self, symbol: str) -> int:
        """Profit on paper of one position."""
        position = self.account.positions.get(symbol)
        return self._unrealized(symbol, position) if position else 0

    def total_unrealized(self) -> int:
        """Profit on paper of all positions."""
        total = 0
        for symbol, position in self.account.positions.items():
            if position.qty:
                total += self._unrealized(symbol, position)
        return total

    def equity(self) -> int:
        """Cash plus positions at last price."""
        return self.account.cash + self.account.total_cost() + self.total_unrealized()

    def day_start_equity(self) -> int:
        """Equity when the KST day began."""
        return self._day_start

    def day_profit(self) -> int:
        """Realized + unrealized - costs since the previous close."""
        return self.equity() - self._day_start

    def session_realized(self) -> int:
        """Gross profit taken since the session began."""
        return self.account.realized

    def _unrealized(self, symbol: str, position: Position) -> int:
        last = self._market.last(symbol)
        return position.qty * last.price - position.cost if last else 0

    # events

    def on_filled(self, event: OrderFilled) -> None:
        """Book one execution and tell what it changed.

        Of a sale of more than is held the surplus is not booked: a correction took those shares before, or they were
        those of others. What it brought stays out of the book until the broker's balance is seen to have it.
        """
        order, qty = self._orders.get(event.order_id), self._held_of(event)
        if not qty:
            return
        booking = self.account.fill(
            event.order_id, event.symbol, event.side, event.price, qty, self.costs_of(event.symbol, event.ts)
        )
        position = self.account.positions[event.symbol]
        self._bus.publish(
            PositionChanged(
                event.ts, event.symbol, position.qty, position.cost, booking.realized, booking.commission, booking.tax,
                self.account.cash, event.order_id, event.side, event.price, qty,
                order.request.purpose if order else Purpose.ENTRY,
            )
        )  # fmt: skip
        self.mark(event.ts)
        self._keep_marking(event.ts)

    def _held_of(self, event: OrderFilled) -> int:
        """How many shares of a fill are ours to book."""
        held = self.qty(event.symbol)
        if event.side is Side.BUY or event.qty <= held:
            return event.qty
        text = f"order {event.order_id} sold {event.qty:,} shares of {event.symbol}, of which the book has {held:,}"
        action = "compare with the KIS app: they went before without an order of qb, or they were not qb's"
        self._bus.publish(Alert(event.ts, Level.CRITICAL, "oversold", text, action))
        return held

    def on_corrected(self, event: BookCorrected) -> None:
        """Take the book as it is. What others did neither takes from the day's profit nor adds to it."""
        before = self.equity()
        symbol = event.symbol if event.symbol in self.account.positions else ""  # it may be none of this session's
        self.account.correct(symbol, event.qty, event.cost, event.cash)
        self._day_start += self.equity() - before
        self.mark(event.ts)

    def on_phase(self, event: PhaseChanged) -> None:
        """A new day starts from the equity of the old one; each day ends with a mark."""
        if event.day != self._day:
            self._day = event.day
            self._day_start = self.equity()
        if event.phase is Phase.CLOSED:
            self.mark(event.ts)
        elif event.phase is Phase.CONTINUOUS:
            self._keep_marking(event.ts)

    def mark(self, ts: int) -> None:
        """Publish the equity when it has changed since the last mark."""
        unrealized = self.total_unrealized()
        equity = self.account.cash + self.account.total_cost() + unrealized
        if (equity, self.account.cash) != self._marked:
            self._marked = (equity, self.account.cash)
            self._bus.publish(EquityMarked(ts, equity, self.account.cash, unrealized))

    def _keep_marking(self, ts: int) -> None:
        if not self._marking and self.account.total_cost():
            self._marking = True
            self._clock.call_at(ts + self._mark_every, self._on_mark)

    def _on_mark(self, due: int) -> None:
        self._marking = False
        if self._market.phase() is not Phase.CLOSED:
            self.mark(due)
            self._keep_marking(due)

    def costs_of(self, symbol: str, ts: int) -> Costs:
        """Rates of one symbol on one day; the tax is that of the settlement day."""
        key = (symbol, kst_date(ts))
        costs = self._costs.get(key)
        if costs is None:
            instrument, day = self._market.instrument(symbol), key[1]
            commission, tax = self._commission_ppb, self._tax_ppb
            costs = Costs(
                commission if commission >= 0 else self._rules.commission_ppb(instrument),
                tax if tax >= 0 else self._rules.tax_ppb(instrument, self._rules.calendar.settlement_day(day)),
            )
            self._costs[key] = costs
        return costs

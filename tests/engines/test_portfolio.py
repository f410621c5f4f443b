"""Fills become positions, cash, costs and marks."""

from datetime import date

from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import Alert, BookCorrected, EquityMarked, OrderFilled, PhaseChanged, PositionChanged
from qbtrade.domain.message import Event
from qbtrade.domain.order import Order, Purpose, Side
from qbtrade.engines.portfolio import Portfolio
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import SAMSUNG, SECOND, a_trade, an_order, at
from tests.fakes import FakeMarket

CASH = 10_000_000
B, S = Side.BUY, Side.SELL


class OneOrder:
    """Knows every order id as an entry."""

    def get(self, order_id: str) -> Order:
        return Order(an_order(order_id), 0)

    def open_orders(self, symbol: str) -> tuple[Order, ...]:
        del symbol
        return ()

    def open_symbols(self) -> tuple[str, ...]:
        return ()

    def abandoned(self, symbol: str) -> tuple[Order, ...]:
        del symbol
        return ()

    def buying(self) -> int:
        return 0

    def selling(self, symbol: str) -> int:
        del symbol
        return 0


class Desk:
    def __init__(self, **rates: int) -> None:
        self.bus, self.clock = Bus(), SimClock(at("10:00"))
        self.market = FakeMarket(self.bus)
        self.events = list[Event]()
        self.portfolio = Portfolio(
            self.bus, self.clock, self.market, OneOrder(), load_rules(), cash=CASH, mark_every=10 * SECOND, **rates
        )
        self.bus.subscribe(OrderFilled, self.portfolio.on_filled)
        self.bus.subscribe(PhaseChanged, self.portfolio.on_phase)
        self.bus.subscribe(BookCorrected, self.portfolio.on_corrected)
        self.bus.subscribe_all((PositionChanged, EquityMarked), self.events.append)

    def fill(self, side: Side, price: int, qty: int, *, order_id: str = "Q1", ts: int | None = None) -> None:
        moment = at("10:00") if ts is None else ts
        self.market.show(a_trade(price, ts=moment))
        self.bus.publish(OrderFilled(moment, order_id, SAMSUNG, side, price, qty))


def test_a_fill_tells_position_costs_and_cash_to_the_won() -> None:
    desk = Desk()
    desk.fill(B, 75_000, 10)
    changed = PositionChanged(
        at("10:00"), SAMSUNG, 10, 750_000, 0, 105, 0, CASH - 750_105, "Q1", B, 75_000, 10, Purpose.ENTRY
    )
    assert desk.events[0] == changed
    desk.fill(S, 76_000, 10, order_id="Q2")
    last = desk.events[-2]
    assert isinstance(last, PositionChanged)
    assert (last.realized, last.commission, last.tax) == (10_000, 106, 1_520)
    assert desk.portfolio.cash() == CASH + 10_000 - 105 - 106 - 1_520


def test_the_tax_is_that_of_the_settlement_day() -> None:
    desk = Desk()
    for number, (day, tax) in enumerate([(date(2024, 12, 26), 180), (date(2024, 12, 27), 150)]):
        desk.fill(B, 100_000, 1, order_id=f"B{number}", ts=at("10:00", day))
        desk.fill(S, 100_000, 1, order_id=f"S{number}", ts=at("10:00", day))
        changed = [e for e in desk.events if isinstance(e, PositionChanged)][-1]
        assert changed.tax == tax


def test_rates_can_be_overridden_even_by_zero() -> None:
    desk = Desk(commission_ppb=0, tax_ppb=0)
    desk.fill(B, 75_000, 10)
    desk.fill(S, 75_000, 10, order_id="Q2")
    assert desk.portfolio.cash() == CASH


def test_equity_is_cash_plus_positions_at_last_price() -> None:
    desk = Desk(commission_ppb=0, tax_ppb=0)
    desk.fill(B, 75_000, 10)
    desk.market.show(a_trade(74_000))
    portfolio = desk.portfolio
    assert (portfolio.unrealized(SAMSUNG), portfolio.total_unrealized(), portfolio.equity()) == (
        -10_000,
        -10_000,
        CASH - 10_000,
    )
    assert (portfolio.qty(SAMSUNG), portfolio.cost(SAMSUNG), portfolio.total_cost()) == (10, 750_000, 750_000)
    assert (portfolio.qty("000660"), portfolio.cost("000660"), portfolio.unrealized("000660")) == (0, 0, 0)


def test_a_position_without_a_price_is_worth_its_cost() -> None:
    desk = Desk(commission_ppb=0)
    desk.bus.publish(OrderFilled(at("10:00"), "Q1", SAMSUNG, B, 75_000, 1))
    assert desk.portfolio.equity() == CASH


def test_a_new_day_starts_from_the_equity_of_the_old_one() -> None:
    desk = Desk(commission_ppb=0, tax_ppb=0)
    desk.bus.publish(PhaseChanged(at("09:00"), Phase.CONTINUOUS, "2026-11-20"))
    desk.fill(B, 75_000, 10)
    desk.market.show(a_trade(74_000))
    assert (desk.portfolio.day_start_equity(), desk.portfolio.day_profit()) == (CASH, -10_000)
    desk.bus.publish(PhaseChanged(at("15:30"), Phase.CLOSED, "2026-11-20"))
    assert desk.portfolio.day_profit() == -10_000
    desk.bus.publish(PhaseChanged(at("08:30"), Phase.OPENING_AUCTION, "2026-11-23"))
    assert (desk.portfolio.day_start_equity(), desk.portfolio.day_profit()) == (CASH - 10_000, 0)


def test_equity_is_marked_while_shares_are_held_and_only_when_it_changed() -> None:
    desk = Desk(commission_ppb=0, tax_ppb=0)
    desk.fill(B, 75_000, 10)
    desk.clock.advance(at("10:00") + 15 * SECOND)
    desk.market.show(a_trade(74_000))
    desk.clock.advance(at("10:00") + 35 * SECOND)
    marks = [(e.ts - at("10:00"), e.equity) for e in desk.events if isinstance(e, EquityMarked)]
    assert marks == [(0, CASH), (20 * SECOND, CASH - 10_000)]


def test_marking_pauses_over_night_and_goes_on_in_the_morning() -> None:
    desk = Desk(commission_ppb=0)
    desk.fill(B, 75_000, 10)
    desk.market.now_in = Phase.CLOSED
    desk.clock.advance(at("10:10"))
    desk.market.now_in = Phase.CONTINUOUS
    desk.bus.publish(PhaseChanged(at("10:10"), Phase.CONTINUOUS, "2026-11-23"))
    desk.market.show(a_trade(76_000))
    desk.clock.advance(at("10:11"))
    assert [e.equity for e in desk.events if isinstance(e, EquityMarked)] == [CASH, CASH + 10_000]


def test_what_others_did_changes_the_book_and_not_the_profit_of_the_day() -> None:
    desk = Desk(commission_ppb=0, tax_ppb=0)
    desk.fill(B, 75_000, 10)
    desk.market.show(a_trade(73_000, ts=at("10:01")))
    assert desk.portfolio.day_profit() == -20_000
    desk.bus.publish(BookCorrected(at("10:02"), "x", SAMSUNG, 10, 4, (), 4, 300_000, 0, 9_250_000, 0, -12_000))
    desk.bus.publish(BookCorrected(at("10:02"), "x", "", 9_250_000, 8_000_000, (), 0, 0, 0, 8_000_000, 0))
    desk.bus.publish(BookCorrected(at("10:02"), "x", "000660", 9, 4, (), 0, 0, 4, 8_000_000, 0))

    portfolio = desk.portfolio
    assert (portfolio.qty(SAMSUNG), portfolio.cost(SAMSUNG), portfolio.cash()) == (4, 300_000, 8_000_000)
    assert portfolio.equity() == 8_000_000 + 4 * 73_000
    assert portfolio.day_profit() == -20_000
    desk.market.show(a_trade(72_000, ts=at("10:03")))
    assert portfolio.day_profit() == -24_000
    account = portfolio.account
    assert account.cash + account.total_cost() == account.deposits + account.realized


def test_of_a_sale_of_more_than_is_held_the_surplus_is_told_and_not_booked() -> None:
    desk = Desk(commission_ppb=0, tax_ppb=0)
    told = list[Event]()
    desk.bus.subscribe(Alert, told.append)
    desk.fill(B, 75_000, 4)
    desk.fill(S, 76_000, 6, order_id="Q2")
    desk.fill(S, 76_000, 6, order_id="Q3")
    sold = [each for each in desk.events if isinstance(each, PositionChanged) and each.side is S]
    assert [(each.qty, each.fill_qty, each.realized, each.cash) for each in sold] == [(0, 4, 4_000, CASH + 4_000)]
    assert (desk.portfolio.qty(SAMSUNG), desk.portfolio.cash()) == (0, CASH + 4_000)
    assert [each.code for each in told if isinstance(each, Alert)] == ["oversold", "oversold"]

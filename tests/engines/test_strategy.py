"""A strategy asks; the host decides when and how much."""

from itertools import count

import pytest

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    CancelOrder,
    OrderDenied,
    PriceTouched,
    RiskState,
    RiskStateChanged,
    Signal,
    StrategyFailed,
    SubmitOrder,
)
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.market import Bar, Quote, Trade
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, Purpose, Side
from qbtrade.engines.strategy import LIFETIME, StrategyHost, listens_to_trades
from qbtrade.errors import UsageError
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from qbtrade.ports import NoParams, Strategy
from tests.builders import SAMSUNG, a_bar, a_trade, an_order, at
from tests.fakes import FakeMarket, FakeOrders, FakePositions

LIMITS = RiskLimits(
    max_budget=300_000, daily_loss=0, stop_loss=0, position_share=50_000_000, cash_share=200_000_000, max_entries=10,
    max_order_qty=100, collar=30_000_000, orders_per_minute=30, stale_after=60, duplicate_window=0, commission_ppb=0,
)  # fmt: skip


class Puppet(Strategy):
    """Does with each bar what its volume says: 1 buy, 2 sell, 3 raise."""

    def on_bar(self, bar: Bar) -> None:
        if bar.volume == 1:
            self.desk.buy(bar.symbol, "told to", close=bar.close)
        elif bar.volume == 2:
            self.desk.sell(bar.symbol, "told to")
        elif bar.volume == 3:
            raise ZeroDivisionError("puppet")


class Leaver(Strategy):
    def on_bar(self, bar: Bar) -> None:
        raise SystemExit(bar.volume - 1)


class EveryTrade(Strategy):
    def on_trade(self, trade: Trade) -> None:
        raise ValueError(f"no {trade.price}")


class Desk:
    def __init__(self, *, kind: OrderKind = OrderKind.LIMIT, cash: int = 10_000_000, needs: int = 0) -> None:
        self.bus, self.clock = Bus(), SimClock(at("10:00"))
        self.market, self.orders = FakeMarket(self.bus), FakeOrders()
        self.positions = FakePositions(self.bus, self.orders, cash)
        numbers = count(1)
        self.host = StrategyHost(
            self.bus,
            self.clock,
            self.market,
            self.positions,
            self.orders,
            LIMITS,
            symbols=(SAMSUNG,),
            next_order_id=lambda: f"Q{next(numbers)}",
            kind=kind,
        )
        puppet = Puppet(self.host, (SAMSUNG,), NoParams())
        self.host.host(puppet, needs)
        self.events = list[Event]()
        self.bus.subscribe(Bar, self.host.on_bar)
        self.bus.subscribe(PriceTouched, self.host.on_price_touched)
        self.bus.subscribe_all((Signal, SubmitOrder, CancelOrder, StrategyFailed), self.events.append)

    def bar(self, volume: int, end: str = "10:01") -> None:
        self.bus.publish(a_bar(end=end, volume=volume))

    def trade(self, price: int = 75_000) -> None:
        self.market.show(a_trade(price, clock="10:01:01"))

    def asked(self) -> list[OrderRequest]:
        return [e.order for e in self.events if isinstance(e, SubmitOrder)]


def test_a_signal_acts_on_the_next_trade_and_not_before() -> None:
    desk = Desk()
    desk.bar(1)
    assert [type(e) for e in desk.events] == [Signal]
    desk.trade()
    assert [type(e) for e in desk.events] == [Signal, SubmitOrder]
    desk.trade()
    assert len(desk.events) == 2


def test_a_signal_keeps_what_the_strategy_saw() -> None:
    desk = Desk()
    desk.bar(1)
    assert desk.events == [Signal(at("10:00"), SAMSUNG, Side.BUY, "told to", {"close": "75000"})]


def test_an_entry_is_a_limit_two_ticks_above_the_last_price_sized_by_the_budget() -> None:
    desk = Desk()
    desk.bar(1)
    desk.trade(75_000)
    (order,) = desk.asked()
    assert (order.side, order.price, order.qty, order.purpose) == (Side.BUY, 75_200, 3, Purpose.ENTRY)
    assert (order.lifetime, order.reference, order.signal) == (LIFETIME, 75_000, "told to")


def test_an_entry_reaches_two_ticks_beyond_the_best_ask_but_not_beyond_the_band() -> None:
    desk = Desk()
    desk.market.quotes[SAMSUNG] = Quote(at("10:00"), SAMSUNG, 74_800, 5, 75_100, 5)
    desk.bar(1)
    desk.trade(75_000)
    assert desk.asked()[0].price == 75_300
    desk = Desk()
    desk.bar(1)
    desk.trade(97_400)
    assert desk.asked()[0].price == 97_500


def test_a_received_price_off_the_grid_gives_an_order_on_the_grid() -> None:
    desk = Desk()
    desk.bar(1)
    desk.trade(75_050)
    assert desk.asked()[0].price == 75_300


def test_a_market_entry_is_sized_at_the_upper_price_limit() -> None:
    desk = Desk(kind=OrderKind.MARKET)
    desk.bar(1)
    desk.trade()
    (order,) = desk.asked()
    assert (order.price, order.qty, order.kind) == (0, 3, OrderKind.MARKET)
    desk = Desk(kind=OrderKind.MARKET)
    desk.market.price_band = None
    desk.bar(1)
    desk.trade(100_000)
    assert desk.asked()[0].qty == 2


def test_an_entry_that_no_limit_admits_is_still_asked_for_so_that_risk_says_why() -> None:
    desk = Desk(cash=1_000)
    desk.bar(1)
    desk.trade()
    assert desk.asked()[0].qty == 1


def test_an_exit_sells_everything_two_ticks_below() -> None:
    desk = Desk()
    desk.positions.hold(SAMSUNG, 3, 75_000)
    desk.bar(2)
    desk.trade(75_000)
    (order,) = desk.asked()
    assert (order.side, order.price, order.qty, order.purpose) == (Side.SELL, 74_800, 3, Purpose.EXIT)


def test_an_exit_leaves_alone_what_other_sells_offer() -> None:
    desk = Desk()
    desk.positions.hold(SAMSUNG, 3, 75_000)
    desk.orders.place(an_order("S1", side=Side.SELL, qty=3))
    desk.bar(2)
    desk.trade()
    assert desk.asked() == []


def test_nothing_is_bought_twice_and_nothing_is_sold_that_is_not_held() -> None:
    desk = Desk()
    desk.bar(2)
    desk.orders.place(an_order("B1"))
    desk.bar(1)
    assert desk.events == []
    held = Desk()
    held.positions.hold(SAMSUNG, 1, 75_000)
    held.bar(1)
    assert held.events == []


def test_a_reversed_signal_calls_the_entry_back() -> None:
    desk = Desk()
    desk.orders.place(an_order("B1"))
    desk.bar(2)
    assert [e for e in desk.events if isinstance(e, CancelOrder)] == [CancelOrder(at("10:00"), "B1", "signal-reversed")]


def test_a_reversed_wish_is_forgotten() -> None:
    desk = Desk()
    desk.bar(1)
    desk.host.sell(SAMSUNG, "changed its mind")
    desk.trade()
    assert desk.asked() == []


def test_an_entry_wish_is_forgotten_when_the_next_bar_closes_without_a_trade_between() -> None:
    desk = Desk()
    desk.bar(1, "10:01")
    desk.bar(0, "10:02")
    desk.trade()
    assert desk.asked() == []


def test_an_exit_is_asked_again_with_every_bar_until_the_position_is_flat() -> None:
    desk = Desk()
    desk.positions.hold(SAMSUNG, 1, 75_000)
    desk.bar(2)
    desk.trade()
    desk.bar(0, "10:02")
    desk.trade()
    assert [order.purpose for order in desk.asked()] == [Purpose.EXIT, Purpose.EXIT]
    desk.positions.held.clear()
    desk.bar(0, "10:03")
    desk.trade()
    desk.bar(0, "10:04")
    desk.trade()
    assert len(desk.asked()) == 2


def test_an_exit_denied_by_a_narrowed_state_is_asked_again_when_the_state_changes() -> None:
    desk = Desk()
    desk.bus.subscribe(OrderDenied, desk.host.on_denied)
    desk.bus.subscribe(RiskStateChanged, desk.host.on_risk_changed)
    desk.positions.hold(SAMSUNG, 1, 75_000)
    desk.bar(2)
    desk.trade()
    desk.bus.publish(OrderDenied(at("10:02"), "Q1", SAMSUNG, "daily-loss", ()))
    desk.bar(0, "10:03")
    desk.trade()
    assert len(desk.asked()) == 1
    desk.bus.publish(RiskStateChanged(at("10:04"), "", RiskState.ACTIVE, "new-day"))
    desk.bar(0, "10:05")
    desk.trade()
    assert len(desk.asked()) == 2


def test_an_exit_denied_for_another_reason_is_asked_again_with_the_next_bar() -> None:
    desk = Desk()
    desk.positions.hold(SAMSUNG, 1, 75_000)
    desk.bar(2)
    desk.trade()
    desk.host.on_denied(OrderDenied(at("10:02"), "Q1", SAMSUNG, "sell-qty", ()))
    desk.bar(0, "10:03")
    desk.trade()
    assert len(desk.asked()) == 2


def test_a_waiting_exit_is_forgotten_when_the_strategy_asks_to_buy() -> None:
    desk = Desk()
    desk.positions.hold(SAMSUNG, 1, 75_000)
    desk.bar(2)
    desk.host.buy(SAMSUNG, "changed its mind")
    desk.trade()
    desk.bar(0, "10:02")
    desk.trade()
    assert desk.asked() == []


def test_orders_stay_within_the_collar_where_two_ticks_are_more_than_that() -> None:
    desk = Desk()
    desk.market.price_band = None
    desk.bar(1)
    desk.trade(50)
    assert desk.asked()[0].price == 51
    desk = Desk()
    desk.market.price_band = None
    desk.positions.hold(SAMSUNG, 3, 50)
    desk.bar(2)
    desk.trade(50)
    assert desk.asked()[0].price == 49


def test_a_strategy_that_exits_the_program_has_failed() -> None:
    desk = Desk()
    desk.host.host(Leaver(desk.host, (SAMSUNG,), NoParams()), 0)
    desk.bar(1)
    assert [e.error for e in desk.events if isinstance(e, StrategyFailed)] == ["SystemExit: 0"]


def test_a_wish_waits_through_auctions_and_halts() -> None:
    desk = Desk()
    desk.market.now_in = Phase.CLOSING_AUCTION
    desk.bar(1)
    desk.trade()
    desk.market.now_in = Phase.CONTINUOUS
    desk.market.halts[SAMSUNG] = "volatility-interruption"
    desk.trade()
    assert desk.asked() == []
    del desk.market.halts[SAMSUNG]
    desk.trade()
    assert len(desk.asked()) == 1


def test_wishes_before_the_warm_up_is_over_do_not_count() -> None:
    desk = Desk(needs=3)
    desk.host.warm(a_bar(volume=1))
    desk.bar(1, "10:01")
    assert desk.events == []
    desk.bar(1, "10:02")
    assert [type(e) for e in desk.events] == [Signal]


def test_a_strategy_that_raises_loses_its_turn_and_its_frames_are_kept() -> None:
    desk = Desk()
    desk.bar(1)
    desk.bar(3)
    desk.bar(1)
    desk.trade()
    (failure,) = (e for e in desk.events if isinstance(e, StrategyFailed))
    assert failure.error == "ZeroDivisionError: puppet"
    assert "in on_bar" in failure.traceback
    assert "_show" not in failure.traceback
    assert desk.asked() == []


def test_a_wish_to_leave_survives_the_failure_that_follows() -> None:
    desk = Desk()
    desk.positions.hold(SAMSUNG, 1, 75_000)
    desk.bar(2, "10:01")
    desk.bar(3, "10:02")
    desk.bar(0, "10:03")
    desk.trade()
    assert [order.purpose for order in desk.asked()] == [Purpose.EXIT]


def test_a_strategy_may_fail_on_a_trade_but_only_once() -> None:
    desk = Desk()
    strategy = EveryTrade(desk.host, (SAMSUNG,), NoParams())
    assert listens_to_trades(strategy)
    assert not listens_to_trades(Puppet(desk.host, (), NoParams()))
    desk.host.host(strategy, 0)
    for price in (1, 2):
        desk.market.show(a_trade(price))
        desk.host.on_trade(desk.market.trades[SAMSUNG])
    (failure,) = desk.events
    assert isinstance(failure, StrategyFailed)
    assert failure.error == "ValueError: no 1"


def test_a_trade_that_market_data_set_aside_is_not_shown() -> None:
    desk = Desk()
    desk.host.host(EveryTrade(desk.host, (SAMSUNG,), NoParams()), 0)
    desk.market.show(a_trade(75_000))
    desk.host.on_trade(a_trade(5))
    assert desk.events == []


def test_a_wish_for_a_symbol_of_no_session_is_the_strategys_own_mistake() -> None:
    desk = Desk()
    with pytest.raises(UsageError, match="000660 is not a symbol of this session"):
        desk.host.buy("000660", "a stranger")
    assert desk.events == []


def test_the_desk_shows_time_price_and_position() -> None:
    desk = Desk()
    assert (desk.host.now(), desk.host.last(SAMSUNG), desk.host.position(SAMSUNG)) == (at("10:00"), 0, 0)
    desk.market.show(a_trade(75_500))
    desk.positions.hold(SAMSUNG, 2, 75_000)
    assert (desk.host.last(SAMSUNG), desk.host.position(SAMSUNG)) == (75_500, 2)


@pytest.mark.parametrize("method", ["on_bar", "on_trade"])
def test_the_base_strategy_does_nothing(method: str) -> None:
    desk = Desk()
    base = Strategy(desk.host, (), NoParams())
    assert base.warm_up() == 0
    if method == "on_bar":
        base.on_bar(a_bar())
    else:
        base.on_trade(a_trade())
    assert desk.events == []

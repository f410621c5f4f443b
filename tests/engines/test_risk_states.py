"""The risk states: what narrows trading, what widens it again, and what is said and canceled meanwhile."""

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    Alert,
    CancelOrder,
    EquityMarked,
    FeedLost,
    FeedRestored,
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
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderStatus, Purpose, Side
from tests.builders import SAMSUNG, SECOND, an_order, at
from tests.engines.bench import HYNIX, Bench

TEN = at("10:00")
EXIT = an_order("Q-exit", side=Side.SELL, purpose=Purpose.EXIT)
PROTECT = an_order("Q-protect", side=Side.SELL, purpose=Purpose.PROTECT)


def a_phase(phase: Phase, day: str, ts: int = TEN) -> PhaseChanged:
    return PhaseChanged(ts, phase, day)


def lose(bench: Bench, loss: int) -> list[Event]:
    """Let the equity be marked with this loss since the day began."""
    bench.positions.profit_today = -loss
    return bench.publish(EquityMarked(TEN, bench.positions.started_with - loss, 0, -loss))


def of(kind: type[Event], events: list[Event]) -> list[Event]:
    return [event for event in events if type(event) is kind]


def test_reaching_the_daily_loss_halts_the_account_and_cancels_working_entries() -> None:
    bench = Bench(daily_loss=50_000)
    bench.orders.place(an_order("W1"))
    bench.orders.place(an_order("W2", symbol=HYNIX), OrderStatus.UNCONFIRMED)
    bench.orders.place(an_order("W3"), OrderStatus.CANCELING)
    bench.orders.place(an_order("W4"), OrderStatus.CANCELED)
    bench.orders.place(an_order("W5", side=Side.SELL, purpose=Purpose.EXIT))
    assert lose(bench, 49_999) == []
    changed, alert, first, second = lose(bench, 50_000)
    assert changed == RiskStateChanged(TEN, "", RiskState.HALTED, "daily-loss", 50_000, 50_000)
    assert isinstance(alert, Alert)
    assert (alert.level, alert.code) == (Level.CRITICAL, "daily-loss")
    assert "50,000" in alert.text
    assert alert.action
    assert first == CancelOrder(TEN, "W2", "daily-loss")
    assert second == CancelOrder(TEN, "W1", "daily-loss")
    assert (bench.gate.state(), bench.gate.state(SAMSUNG), bench.gate.reason()) == ("HALTED", "HALTED", "daily-loss")
    assert lose(bench, 60_000) == []


def test_the_order_that_finds_the_loss_reached_is_denied_behind_the_halt_and_not_canceled() -> None:
    bench = Bench(daily_loss=50_000)
    bench.positions.profit_today = -50_000
    events = bench.publish(SubmitOrder(TEN, an_order()))
    assert [type(event) for event in events] == [RiskStateChanged, Alert, OrderDenied]
    assert isinstance(events[-1], OrderDenied)
    assert events[-1].reason == "daily-loss"


def test_while_halted_exits_are_denied_and_protective_sells_pass() -> None:
    bench = Bench(daily_loss=50_000)
    bench.positions.hold(SAMSUNG, 2, 75_000)
    lose(bench, 50_000)
    assert isinstance(bench.submit(EXIT), OrderDenied)
    assert isinstance(bench.submit(PROTECT), OrderApproved)


def test_the_halt_outlives_a_recovery_and_ends_with_the_next_trading_day() -> None:
    bench = Bench(daily_loss=50_000)
    bench.publish(a_phase(Phase.OPENING_AUCTION, "2026-11-20"))
    lose(bench, 50_000)
    assert lose(bench, 0) == []
    verdict = bench.submit(an_order("Q1"))
    assert isinstance(verdict, OrderDenied)
    assert verdict.reason == "session-state"
    for phase, day in [(Phase.CONTINUOUS, "2026-11-20"), (Phase.CLOSED, "2026-11-20"), (Phase.CLOSED, "2026-11-23")]:
        assert bench.publish(a_phase(phase, day)) == []
    reopened, alert = bench.publish(a_phase(Phase.OPENING_AUCTION, "2026-11-23"))
    assert reopened == RiskStateChanged(TEN, "", RiskState.ACTIVE, "new-day")
    assert isinstance(alert, Alert)
    assert (alert.level, alert.code) == (Level.INFO, "risk-active")
    assert (bench.gate.state(), bench.gate.reason()) == (RiskState.ACTIVE, "")
    assert isinstance(bench.submit(an_order("Q2")), OrderApproved)


def test_a_loss_can_halt_again_on_the_next_day() -> None:
    bench = Bench(daily_loss=50_000)
    lose(bench, 50_000)
    bench.positions.profit_today = 0
    bench.publish(a_phase(Phase.OPENING_AUCTION, "2026-11-23"))
    assert of(RiskStateChanged, lose(bench, 50_000)) != []


def test_a_failed_strategy_leaves_its_symbol_reducing_and_takes_its_entries_back() -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 2, 75_000)
    bench.orders.place(an_order("W1"))
    bench.orders.place(an_order("W2", symbol=HYNIX))
    changed, cancel = bench.publish(StrategyFailed(TEN, SAMSUNG, "ValueError: x", ""))
    assert changed == RiskStateChanged(TEN, SAMSUNG, RiskState.REDUCING, "strategy-failed")
    assert cancel == CancelOrder(TEN, "W1", "strategy-failed")
    assert bench.gate.state(SAMSUNG) is RiskState.REDUCING
    assert bench.gate.reason(SAMSUNG) == "strategy-failed"
    assert bench.gate.state(HYNIX) is bench.gate.state() is RiskState.ACTIVE
    assert isinstance(bench.submit(an_order("Q1")), OrderDenied)
    assert isinstance(bench.submit(an_order("Q2", symbol=HYNIX)), OrderApproved)
    assert isinstance(bench.submit(EXIT), OrderApproved)


def test_a_halted_symbol_is_halted_until_it_resumes() -> None:
    bench = Bench()
    bench.market.halts[SAMSUNG] = "vi"
    (changed,) = bench.publish(SymbolHalted(TEN, SAMSUNG, "vi", "two minutes"))
    assert changed == RiskStateChanged(TEN, SAMSUNG, RiskState.HALTED, "vi")
    assert bench.gate.state(SAMSUNG) is RiskState.HALTED
    bench.market.halts.clear()
    resumed, alert = bench.publish(SymbolResumed(TEN, SAMSUNG, "vi-over"))
    assert resumed == RiskStateChanged(TEN, SAMSUNG, RiskState.ACTIVE, "vi-over")
    assert isinstance(alert, Alert)
    assert SAMSUNG in alert.text


def test_a_symbol_that_market_data_still_objects_to_stays_halted() -> None:
    bench = Bench()
    bench.market.halts[SAMSUNG] = "price-base-changed"
    bench.publish(SymbolHalted(TEN, SAMSUNG, "price-base-changed", ""))
    bench.publish(SymbolHalted(TEN, SAMSUNG, "vi", ""))
    assert bench.publish(SymbolResumed(TEN, SAMSUNG, "vi-over")) == []
    assert (bench.gate.state(SAMSUNG), bench.gate.reason(SAMSUNG)) == (RiskState.HALTED, "price-base-changed")


def test_after_a_halt_a_failed_strategy_is_still_reducing() -> None:
    bench = Bench()
    bench.publish(SymbolHalted(TEN, SAMSUNG, "vi", ""))
    assert bench.publish(StrategyFailed(TEN, SAMSUNG, "ValueError", "")) == []
    (changed,) = bench.publish(SymbolResumed(TEN, SAMSUNG, "vi-over"))
    assert changed == RiskStateChanged(TEN, SAMSUNG, RiskState.REDUCING, "strategy-failed")


def test_events_about_strangers_change_nothing() -> None:
    bench = Bench(symbols=(SAMSUNG,))
    assert bench.publish(SymbolResumed(TEN, HYNIX, "vi-over")) == []


def test_without_market_data_the_account_only_reduces() -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 2, 75_000)
    bench.orders.place(an_order("W1", symbol=HYNIX))
    changed, alert, cancel = bench.publish(FeedLost(TEN, "socket closed"))
    assert changed == RiskStateChanged(TEN, "", RiskState.REDUCING, "feed-lost")
    assert isinstance(alert, Alert)
    assert (alert.level, alert.code, bool(alert.action)) == (Level.CRITICAL, "feed-lost", True)
    assert cancel == CancelOrder(TEN, "W1", "feed-lost")
    assert isinstance(bench.submit(an_order("Q1")), OrderDenied)
    assert isinstance(bench.submit(EXIT), OrderApproved)
    restored, _ = bench.publish(FeedRestored(TEN, SECOND))
    assert restored == RiskStateChanged(TEN, "", RiskState.ACTIVE, "feed-restored")
    assert bench.publish(FeedRestored(TEN, SECOND)) == []


def test_the_worse_of_account_and_symbol_rules() -> None:
    bench = Bench(daily_loss=50_000)
    bench.publish(FeedLost(TEN, ""))
    bench.publish(SymbolHalted(TEN, SAMSUNG, "vi", ""))
    assert bench.gate.state(SAMSUNG) is RiskState.HALTED
    assert bench.gate.state(HYNIX) is RiskState.REDUCING
    lose(bench, 50_000)
    assert (bench.gate.state(HYNIX), bench.gate.reason()) == (RiskState.HALTED, "daily-loss")
    assert bench.publish(FeedRestored(TEN, 0)) == []
    assert bench.gate.state() is RiskState.HALTED


def test_after_a_loss_halt_a_lost_feed_is_still_reducing() -> None:
    bench = Bench(daily_loss=50_000)
    bench.publish(FeedLost(TEN, ""))
    lose(bench, 50_000)
    bench.positions.profit_today = 0
    (changed,) = bench.publish(a_phase(Phase.OPENING_AUCTION, "2026-11-23"))
    assert changed == RiskStateChanged(TEN, "", RiskState.REDUCING, "feed-lost")


def test_the_limits_in_use_are_named_for_the_panel() -> None:
    names = [name for name, *_ in Bench().gate.limits_in_use()]
    assert names == ["daily-loss", "order-rate", "entries-per-day", "budget", "position-share", "cash-reserve"]


def test_a_fresh_gate_is_active() -> None:
    gate = Bench().gate
    assert (gate.state(), gate.state(SAMSUNG), gate.reason(), gate.reason(SAMSUNG)) == ("ACTIVE", "ACTIVE", "", "")

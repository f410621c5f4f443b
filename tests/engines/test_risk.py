"""The gate: one verdict for each order, all checks told, and states that narrow trading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

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
    PositionChanged,
    RiskState,
    RiskStateChanged,
    StrategyFailed,
    SubmitOrder,
    SymbolHalted,
    SymbolResumed,
)
from qbtrade.domain.message import Event
from qbtrade.domain.order import OrderKind, OrderRequest, OrderStatus, Purpose, Side
from tests.builders import SAMSUNG, SECOND, an_order, at
from tests.engines.bench import HYNIX, Bench

TEN = at("10:00")
EXIT = an_order("Q-exit", side=Side.SELL, purpose=Purpose.EXIT)
PROTECT = an_order("Q-protect", side=Side.SELL, purpose=Purpose.PROTECT)
EVERY_RULE = (
    "whitelist", "daily-loss", "session-state", "market-phase", "symbol-halted", "stale-data", "tick-grid",
    "price-band", "price-collar", "order-qty", "sell-qty", "unconfirmed-lock", "duplicate", "order-rate",
    "entries-per-day", "budget", "position-share", "cash", "cash-reserve",
)  # fmt: skip
ONLY_BUYS = {"order-qty", "order-rate", "entries-per-day", "budget", "position-share", "cash", "cash-reserve"}
PROTECTIVE = ["whitelist", "market-phase", "symbol-halted", "tick-grid", "price-band", "sell-qty"]
PRICED = {"tick-grid", "price-band", "price-collar"}


def a_mark(ts: int = TEN) -> EquityMarked:
    return EquityMarked(ts, 0, 0, 0)


def a_phase(phase: Phase, day: str, ts: int = TEN) -> PhaseChanged:
    return PhaseChanged(ts, phase, day)


def lose(bench: Bench, loss: int) -> list[Event]:
    bench.positions.profit_today = -loss
    return bench.publish(a_mark())


def of(kind: type[Event], events: list[Event]) -> list[Event]:
    return [event for event in events if type(event) is kind]


# verdicts


def test_an_order_that_breaks_nothing_is_approved_with_every_check_that_binds_it() -> None:
    bench = Bench()
    order = an_order()
    (verdict,) = bench.publish(SubmitOrder(TEN, order))
    assert isinstance(verdict, OrderApproved)
    assert (verdict.ts, verdict.order) == (TEN, order)
    assert [check.rule for check in verdict.checks] == [rule for rule in EVERY_RULE if rule != "sell-qty"]
    assert all(check.passed and check.distance >= 0 for check in verdict.checks)


def test_a_denied_order_shows_all_checks_and_the_first_broken_one_is_the_reason() -> None:
    bench = Bench(max_budget=0, cash=0, max_entries=0)
    verdict = bench.submit(an_order(price=75_050))
    assert isinstance(verdict, OrderDenied)
    assert (verdict.ts, verdict.order_id, verdict.symbol, verdict.reason) == (TEN, "Q1", SAMSUNG, "tick-grid")
    broken = [check.rule for check in verdict.checks if not check.passed]
    assert broken == ["tick-grid", "entries-per-day", "budget", "position-share", "cash", "cash-reserve"]
    assert len(verdict.checks) == len(EVERY_RULE) - 1


def test_a_voluntary_sell_passes_count_rate_and_money_rules() -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 1, 75_000)
    rules = [check.rule for check in bench.submit(EXIT).checks]
    assert rules == [rule for rule in EVERY_RULE if rule not in ONLY_BUYS]


@pytest.mark.parametrize("purpose", [Purpose.PROTECT, Purpose.FLATTEN])
def test_a_protective_sell_meets_only_what_the_venue_would_refuse(purpose: Purpose) -> None:
    bench = Bench()
    bench.positions.hold(SAMSUNG, 1, 75_000)
    verdict = bench.submit(an_order(side=Side.SELL, purpose=purpose))
    assert [check.rule for check in verdict.checks] == PROTECTIVE


@pytest.mark.parametrize("purpose", Purpose)
def test_a_buy_is_an_entry_whatever_it_calls_itself(purpose: Purpose) -> None:
    verdict = Bench(max_entries=0).submit(an_order(purpose=purpose))
    assert isinstance(verdict, OrderDenied)
    assert verdict.reason == "entries-per-day"


def test_a_market_order_has_no_limit_to_check() -> None:
    verdict = Bench().submit(an_order(kind=OrderKind.MARKET, price=0))
    assert {check.rule for check in verdict.checks} & PRICED == {"price-band"}


def test_orders_asked_for_in_one_breath_are_judged_with_each_other_counted() -> None:
    bench = Bench(max_budget=150_000)

    def ask_three_times(event: FeedRestored) -> None:
        for order_id in ("Q1", "Q2", "Q3"):
            bench.bus.publish(SubmitOrder(event.ts, an_order(order_id)))

    bench.bus.subscribe(FeedRestored, ask_three_times)
    verdicts = [e for e in bench.publish(FeedRestored(TEN, 0)) if isinstance(e, OrderApproved | OrderDenied)]
    assert [type(verdict) for verdict in verdicts] == [OrderApproved, OrderApproved, OrderDenied]


def requests() -> st.SearchStrategy[list[OrderRequest]]:
    order = st.builds(
        lambda symbol, side, qty, price, kind, purpose: an_order(
            symbol=symbol,
            side=side,
            qty=qty,
            price=0 if kind is OrderKind.MARKET else price,
            kind=kind,
            purpose=purpose,
        ),
        st.sampled_from([SAMSUNG, HYNIX, "035420"]),
        st.sampled_from(Side),
        st.integers(-2, 20),
        st.integers(-100, 120_000) | st.sampled_from([74_900, 75_000, 75_100]),
        st.sampled_from(OrderKind),
        st.sampled_from(Purpose),
    )
    return st.lists(order, max_size=12).map(
        lambda orders: [replace(order, order_id=f"Q{number}") for number, order in enumerate(orders)]
    )


@given(orders=requests(), held=st.integers(1, 20), phase=st.sampled_from(Phase))
def test_every_order_gets_exactly_one_verdict_and_no_limit_is_ever_exceeded(
    orders: list[OrderRequest], held: int, phase: Phase
) -> None:
    bench = Bench(cash=1_000_000, max_budget=500_000, position_share=300_000_000, cash_share=200_000_000, max_entries=3)
    bench.market.now_in = phase
    bench.positions.started_with = 1_000_000
    bench.positions.hold(SAMSUNG, held, 1)
    for order in orders:
        verdict = bench.submit(order)  # fails unless there is exactly one
        reasons = [check.rule for check in verdict.checks if not check.passed]
        assert isinstance(verdict, OrderDenied) == bool(reasons)
        if isinstance(verdict, OrderDenied):
            assert verdict.reason == reasons[0]
    assert bench.orders.selling(SAMSUNG) <= held
    assert bench.orders.buying() <= 500_000
    assert sum(1 for open_ in bench.orders.open_orders(SAMSUNG) if open_.request.side is Side.BUY) <= 3
    assert phase in {Phase.CONTINUOUS, Phase.CLOSING_AUCTION} or not bench.orders.open_symbols()


# daily loss


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


def test_a_fill_is_looked_at_as_well() -> None:
    bench = Bench(daily_loss=50_000)
    bench.positions.profit_today = -50_000
    fill = PositionChanged(TEN, SAMSUNG, 0, 0, -50_000, 0, 0, 0, "Q1", Side.SELL, 1, 1, Purpose.EXIT)
    assert of(RiskStateChanged, bench.publish(fill)) == [
        RiskStateChanged(TEN, "", RiskState.HALTED, "daily-loss", 50_000, 50_000)
    ]


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


# other states


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

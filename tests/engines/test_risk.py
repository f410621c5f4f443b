"""The gate: exactly one verdict for each order, with every check that binds it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import (
    FeedRestored,
    OrderApproved,
    OrderDenied,
    SubmitOrder,
)
from qbtrade.domain.order import OrderKind, OrderRequest, Purpose, Side
from tests.builders import SAMSUNG, an_order, at
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

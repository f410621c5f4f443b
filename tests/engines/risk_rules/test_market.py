"""Rules about the market: phase, halt, age of data, and the prices that may be sent."""

import pytest

from qbtrade.domain.calendar import Phase
from qbtrade.domain.events import OrderApproved, OrderDenied
from qbtrade.domain.instrument import PriceBand
from qbtrade.domain.order import OrderKind, OrderRequest, Purpose, Side
from tests.builders import SAMSUNG, SECOND, a_trade, an_order, at
from tests.engines.bench import Bench
from tests.fakes import BAND

ENTRY = an_order()
EXIT = an_order(side=Side.SELL, purpose=Purpose.EXIT)
PROTECT = an_order(side=Side.SELL, purpose=Purpose.PROTECT)
FLATTEN = an_order(side=Side.SELL, purpose=Purpose.FLATTEN)
YES = (1, 1, 0, "yes", True)
NO = (1, 0, -1, "yes", False)


def a_bench(collar: int = 10**9) -> Bench:
    bench = Bench(collar=collar)
    bench.positions.hold(SAMSUNG, 1, 75_000)
    return bench


def a_limit(price: int, side: Side = Side.BUY, purpose: Purpose = Purpose.EXIT) -> OrderRequest:
    return an_order(price=price, side=side, purpose=Purpose.ENTRY if side is Side.BUY else purpose)


@pytest.mark.parametrize("order", [ENTRY, EXIT, PROTECT, FLATTEN])
@pytest.mark.parametrize("phase", Phase)
def test_orders_go_out_in_the_continuous_phase_and_protective_ones_in_the_closing_auction(
    order: OrderRequest, phase: Phase
) -> None:
    bench = a_bench()
    bench.market.now_in = phase
    protective = order in (PROTECT, FLATTEN)
    suits = phase is Phase.CONTINUOUS or (phase is Phase.CLOSING_AUCTION and protective)
    assert bench.check(order, "market-phase") == (YES if suits else NO)


@pytest.mark.parametrize("order", [ENTRY, EXIT, PROTECT, FLATTEN])
def test_nothing_goes_out_for_a_halted_symbol(order: OrderRequest) -> None:
    bench = a_bench()
    bench.market.halts[SAMSUNG] = "vi"
    assert bench.check(order, "symbol-halted") == NO


@pytest.mark.parametrize("order", [ENTRY, EXIT, PROTECT, FLATTEN])
def test_another_symbols_halt_is_no_obstacle(order: OrderRequest) -> None:
    bench = a_bench()
    bench.market.halts["000660"] = "vi"
    assert bench.check(order, "symbol-halted") == YES


@pytest.mark.parametrize("order", [ENTRY, EXIT])
@pytest.mark.parametrize(("over", "passed"), [(0, True), (1, False)])
def test_the_last_trade_may_be_as_old_as_the_limit_and_not_a_nanosecond_older(
    order: OrderRequest, over: int, passed: object
) -> None:
    bench = a_bench()
    bench.clock.advance(at("10:01") + over)
    assert bench.check(order, "stale-data") == (60 * SECOND, 60 * SECOND + over, -over, "ns", passed)


def test_without_any_trade_the_data_is_stale_and_the_collar_admits_no_buy() -> None:
    bench = a_bench()
    bench.market.trades.clear()
    verdict = bench.submit(ENTRY)
    assert isinstance(verdict, OrderDenied)
    assert [check.rule for check in verdict.checks if not check.passed] == ["stale-data", "price-collar"]
    assert verdict.checks[5].value == bench.clock.now()


@pytest.mark.parametrize("order", [PROTECT, FLATTEN])
def test_protective_sells_do_not_wait_for_fresh_data_or_fit_the_collar(order: OrderRequest) -> None:
    bench = a_bench(collar=0)
    bench.market.trades[SAMSUNG] = a_trade(90_000, clock="09:00")
    assert bench.check(order, "stale-data") is None
    (verdict,) = [event for event in bench.seen if isinstance(event, OrderApproved)]
    assert "price-collar" not in {check.rule for check in verdict.checks}


@pytest.mark.parametrize("order", [ENTRY, EXIT, PROTECT, FLATTEN])
@pytest.mark.parametrize(("price", "off"), [(75_000, 0), (75_001, 1), (75_099, 99), (-5, 6), (0, 1), (1, 0)])
def test_a_limit_is_a_positive_multiple_of_the_tick_size(order: OrderRequest, price: int, off: int) -> None:
    bench = a_bench()
    bench.market.price_band = PriceBand(50_000, -10, 97_500)
    order = an_order(price=price, side=order.side, purpose=order.purpose)
    if order.side is Side.SELL and price < 1:
        order = an_order(price=price, side=order.side, purpose=Purpose.PROTECT)  # no collar to break as well
    assert bench.check(order, "tick-grid") == (0, off, -off, "KRW", off == 0)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("price", "numbers"),
    [
        (97_500, (97_500, 97_500, 0, "KRW", True)),
        (97_600, (97_500, 97_600, -100, "KRW", False)),
        (52_500, (52_500, 52_500, 0, "KRW", True)),
        (52_400, (52_500, 52_400, -100, "KRW", False)),
        (75_000, (97_500, 75_000, 22_500, "KRW", True)),
        (74_900, (52_500, 74_900, 22_400, "KRW", True)),
    ],
)
def test_a_limit_lies_within_the_days_price_limits(
    side: Side, price: int, numbers: tuple[int, int, int, str, bool]
) -> None:
    assert a_bench().check(a_limit(price, side), "price-band") == numbers


def test_without_a_base_price_there_is_no_band_to_measure_limits_against() -> None:
    bench = a_bench()
    bench.market.price_band = None
    assert bench.check(ENTRY, "price-band") is None


@pytest.mark.parametrize(
    ("band", "reference", "margin"), [(BAND, 70_001, 97_500), (None, 70_001, 91_001), (None, 1, 1), (None, 0, 0)]
)
def test_a_market_buy_needs_a_price_for_its_margin(band: PriceBand | None, reference: int, margin: int) -> None:
    bench = a_bench()
    bench.market.price_band = band
    order = an_order(kind=OrderKind.MARKET, price=0, reference=reference)
    assert bench.check(order, "price-band") == (1, margin, margin - 1, "KRW", margin > 0)


def test_a_market_sell_has_no_price_to_measure() -> None:
    bench = a_bench()
    bench.market.price_band = None
    order = an_order(kind=OrderKind.MARKET, price=0, side=Side.SELL, purpose=Purpose.EXIT)
    checks = {check.rule for check in bench.submit(order).checks}
    assert checks & {"tick-grid", "price-band", "price-collar"} == set()


@pytest.mark.parametrize(("price", "room"), [(77_200, 50), (77_250, 0), (77_251, -1), (77_300, -50)])
def test_a_buy_is_not_above_the_collar(price: int, room: int) -> None:
    bench = a_bench(collar=30_000_000)
    verdict = bench.submit(a_limit(price))
    (check,) = [check for check in verdict.checks if check.rule == "price-collar"]
    assert (check.limit, check.value, check.distance, check.passed) == (77_250, price, room, room >= 0)


@pytest.mark.parametrize(("price", "room"), [(72_800, 50), (72_750, 0), (72_749, -1), (72_700, -50)])
def test_a_sell_is_not_below_the_collar(price: int, room: int) -> None:
    bench = a_bench(collar=30_000_000)
    verdict = bench.submit(a_limit(price, Side.SELL))
    (check,) = [check for check in verdict.checks if check.rule == "price-collar"]
    assert (check.limit, check.value, check.distance, check.passed) == (72_750, price, room, room >= 0)


def test_a_price_better_than_the_last_is_inside_the_collar() -> None:
    bench = a_bench(collar=0)
    assert bench.check(a_limit(60_000), "price-collar") == (75_000, 60_000, 15_000, "KRW", True)
    sell = an_order("Q2", side=Side.SELL, price=90_000, purpose=Purpose.EXIT)
    assert bench.check(sell, "price-collar") == (75_000, 90_000, 15_000, "KRW", True)

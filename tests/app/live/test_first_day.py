"""Which day with real money is the first one of a configuration."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from msgspec.structs import replace

from qbtrade.app.live.first_day import configuration, is_first_day, limited
from qbtrade.app.plan import Limits, SimulationPlan
from qbtrade.app.strategies import load_strategy
from qbtrade.app.wiring import risk_limits
from qbtrade.domain.calendar import DAY
from qbtrade.domain.events import OrderSending, SessionStarted
from qbtrade.domain.message import Event
from tests.builders import TODAY, an_order, at

PLAN = SimulationPlan()
SMA = load_strategy("sma_cross", {})
DIGEST = configuration(PLAN, SMA)
YESTERDAY = at("10:00", TODAY - timedelta(days=1))
STARTED = SessionStarted(
    YESTERDAY, "S", "R", "0.1.0", "real", ("005930",), "sma_cross", {}, 0, "KIS", 60, 1, {}, configuration=DIGEST
)
SENT = OrderSending(YESTERDAY, an_order())


def first(*rows: Event) -> bool:
    def read() -> Iterator[Event]:
        return iter(rows)

    return is_first_day([partial(read)], DIGEST, TODAY)


def test_a_day_that_sent_orders_under_the_same_configuration_was_the_first_one() -> None:
    assert not first(STARTED, SENT)


def test_days_of_paper_of_other_configurations_without_orders_and_today_do_not_count() -> None:
    assert is_first_day([], DIGEST, TODAY)
    assert first(replace(STARTED, mode="paper"), SENT)
    assert first(replace(STARTED, configuration="another"), SENT)
    assert first(STARTED)
    assert first(replace(STARTED, ts=YESTERDAY + DAY), SENT)


def test_whatever_decides_how_it_trades_makes_another_configuration() -> None:
    others = [
        configuration(replace(PLAN, limits=Limits(max_budget=1)), SMA),
        configuration(replace(PLAN, symbols=("000660",)), SMA),
        configuration(PLAN, load_strategy("sma_cross", {"fast": "3"})),
    ]
    assert len({DIGEST, *others}) == 4
    assert configuration(replace(PLAN, symbols=("005930",), speed=9, report="x"), SMA) == DIGEST


def test_on_the_first_day_one_order_a_minute_is_let_out() -> None:
    assert limited(risk_limits(PLAN, 0)).orders_per_minute == 1

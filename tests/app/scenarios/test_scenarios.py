"""The six offline scenarios pass on sound code, and each notices a fault of the kind that it is there for."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from qbtrade.adapters.sim.models import TickSlippage
from qbtrade.adapters.store.sqlite import SqliteJournal
from qbtrade.app.scenarios import SCENARIOS, ScenarioResult, run_suite
from qbtrade.domain.events import Check, Heartbeat
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.message import Event
from qbtrade.domain.rules import Rules
from qbtrade.engines.market_data import MarketData
from qbtrade.engines.orders import Orders
from qbtrade.engines.risk import RiskGate
from qbtrade.engines.risk_rules import Case
from qbtrade.engines.risk_rules.money import PositionShare
from qbtrade.engines.strategy import StrategyHost
from qbtrade.errors import JournalError
from qbtrade.kernel.bus import Bus
from qbtrade.strategies.averages import Sma

NAMES = ("connectivity", "market data", "strategy", "risk", "order execution", "performance")


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is configured, neither in the environment nor in the folder."""
    for name in ("QB_DATABASE_URL", "QB_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def only(monkeypatch: pytest.MonkeyPatch, name: str, seed: int = 0) -> ScenarioResult:
    """Run one scenario alone."""
    monkeypatch.setattr("qbtrade.app.scenarios.SCENARIOS", tuple(each for each in SCENARIOS if each[0] == name))
    (result,) = run_suite(seed)
    return result


def changed(method: Callable[..., Any], change: Callable[..., Any]) -> Callable[..., Any]:
    """The method, its arguments passed through `change`, which gives None for a call that never happens."""

    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        passed = change(*args)
        return None if passed is None else method(self, *passed, **kwargs)

    return called


def losing(number: int) -> Callable[[Event], tuple[Event] | None]:
    """A change that loses one event, counted from 1."""
    seen = count(1)
    return lambda event: None if next(seen) == number else (event,)


@pytest.mark.parametrize("seed", [0, 1, 20_261_102])
def test_all_six_pass_in_order(seed: int) -> None:
    results = run_suite(seed)
    assert [(result.number, result.name) for result in results] == list(enumerate(NAMES, start=1))
    assert [result.detail for result in results] == [""] * 6
    assert all(result.passed and result.figures for result in results)


def test_suite_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    run_suite()
    assert list(tmp_path.iterdir()) == []


def test_scenarios_measure_what_they_promise() -> None:
    figures = {result.name: result.figures for result in run_suite()}
    assert (figures["connectivity"]["postgresql"], figures["connectivity"]["redis"]) == ("embedded", "embedded")
    assert figures["market data"] == {"ticks": 60, "bars": 6}
    assert figures["strategy"] == {"prices": 100, "signals": 3}
    assert figures["risk"]["loss_limit"] == 20_000
    assert figures["order execution"] == {"commission": 210, "tax": 1_498, "cash": 9_996_292}
    assert figures["performance"]["trades"] == 100_000


def test_connectivity_notices_an_event_that_the_bus_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    lose = changed(Bus.publish, lambda event: None if event == Heartbeat(7) else (event,))
    monkeypatch.setattr(Bus, "publish", lose)
    assert only(monkeypatch, "connectivity").detail.startswith("events heard in order: ")


def test_connectivity_notices_a_row_that_the_journal_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteJournal, "append", changed(SqliteJournal.append, lambda events: (list(events)[:-1],)))
    assert only(monkeypatch, "connectivity").detail.startswith("journal read back: ")


def test_connectivity_tells_what_the_journal_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: SqliteJournal, _events: list[Event], *, durable: bool) -> None:
        del durable
        raise JournalError("the disk is full")

    monkeypatch.setattr(SqliteJournal, "append", full)
    assert only(monkeypatch, "connectivity").detail == "the disk is full"


def test_market_data_notices_a_tick_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MarketData, "on_trade", changed(MarketData.on_trade, losing(number=10)))
    result = only(monkeypatch, "market data")
    assert (result.passed, result.figures) == (False, {"ticks": 59, "bars": 6})
    assert result.detail.startswith("bars: [Bar(")


def test_strategy_notices_a_bar_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    first_crossing = losing(number=26)
    monkeypatch.setattr(StrategyHost, "on_bar", changed(StrategyHost.on_bar, first_crossing))
    assert only(monkeypatch, "strategy").detail.startswith("signals: [(26, <Side.BUY")


def test_strategy_notices_an_average_over_the_wrong_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sma, "add", changed(Sma.add, lambda price: (75_000 if price == 75_500 else price,)))
    assert only(monkeypatch, "strategy").detail.startswith("signals: ")


def test_risk_notices_a_rule_that_lets_everything_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    check = PositionShare.check

    def passing(self: PositionShare, case: Case) -> Check:
        return replace(check(self, case), passed=True)

    monkeypatch.setattr(PositionShare, "check", passing)
    assert only(monkeypatch, "risk").detail.startswith("the oversized order: <OrderStatus.")


def test_risk_notices_a_loss_that_halts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RiskGate, "_watch_loss", lambda _self, _now, _judged="": 0)
    assert only(monkeypatch, "risk").detail.startswith("the account after the loss: <RiskState.ACTIVE")


def test_order_execution_notices_another_commission(monkeypatch: pytest.MonkeyPatch) -> None:
    def dearer(_self: Rules, _instrument: Instrument) -> int:
        return 150_000

    monkeypatch.setattr(Rules, "commission_ppb", dearer)
    assert only(monkeypatch, "order execution").detail == "commission: 224 instead of 210"


def test_order_execution_notices_a_missing_slippage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TickSlippage, "__init__", lambda self, _count: setattr(self, "_count", 0))
    detail = only(monkeypatch, "order execution").detail
    assert detail == (
        "filled with a tick of slippage: (<OrderStatus.FILLED: 'FILLED'>, 750000)"
        " instead of (<OrderStatus.FILLED: 'FILLED'>, 751000)"
    )


def test_order_execution_notices_a_cancel_that_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Orders, "on_canceling", lambda _self, _event: None)
    assert only(monkeypatch, "order execution").detail.startswith("canceled: <OrderStatus.CANCELING")


def test_performance_notices_that_nothing_trades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StrategyHost, "on_price_touched", lambda _self, _event: None)
    result = only(monkeypatch, "performance")
    assert (result.passed, result.detail, result.figures["fills"]) == (False, "nothing traded", 0)


def test_scenario_that_breaks_has_failed_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Orders, _event: object) -> None:
        raise ZeroDivisionError("no desk")

    monkeypatch.setattr(Orders, "on_sending", broken)
    assert only(monkeypatch, "risk").detail == "ZeroDivisionError: no desk"

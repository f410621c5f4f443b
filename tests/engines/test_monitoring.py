"""Monitoring counts, keeps the latest alerts, and beats."""

from qbtrade.domain.events import Alert, Heartbeat, Level, StrategyFailed, SymbolHalted, TickQuarantined
from qbtrade.domain.message import Event
from qbtrade.engines.monitoring import KEPT_ALERTS, Monitoring
from qbtrade.kernel.bus import Bus
from qbtrade.kernel.clock import SimClock
from tests.builders import SAMSUNG, SECOND


def a_monitoring(heartbeat: int = 0) -> tuple[Bus, SimClock, Monitoring, list[Event]]:
    bus, clock, heard = Bus(), SimClock(), list[Event]()
    monitoring = Monitoring(bus, clock, heartbeat=heartbeat)
    bus.subscribe_all((Alert, StrategyFailed, SymbolHalted, TickQuarantined), monitoring.on_event)
    bus.subscribe(Alert, monitoring.on_alert)
    bus.subscribe(StrategyFailed, monitoring.on_strategy_failed)
    bus.subscribe(SymbolHalted, monitoring.on_symbol_halted)
    bus.subscribe(TickQuarantined, monitoring.on_quarantined)
    bus.subscribe_all((Alert, Heartbeat), heard.append)
    return bus, clock, monitoring, heard


def test_only_the_newest_alerts_are_kept_and_all_are_counted() -> None:
    bus, _, monitoring, _ = a_monitoring()
    for number in range(KEPT_ALERTS + 2):
        bus.publish(Alert(number, Level.INFO, "code", f"text {number}"))
    assert [alert.ts for alert in monitoring.alerts] == [2, 3, 4, 5, 6]
    assert monitoring.count("ALERT") == KEPT_ALERTS + 2


def test_a_halt_and_a_failed_strategy_are_critical() -> None:
    bus, _, _, heard = a_monitoring()
    bus.publish(SymbolHalted(1, SAMSUNG, "price-base-changed", "a split"))
    bus.publish(StrategyFailed(2, SAMSUNG, "ZeroDivisionError: x", "traceback"))
    alerts = [(e.level, e.code) for e in heard if isinstance(e, Alert)]
    assert alerts == [(Level.CRITICAL, "symbol-halted"), (Level.CRITICAL, "strategy-failed")]


def test_bad_ticks_are_said_once_per_reason() -> None:
    bus, _, monitoring, heard = a_monitoring()
    for reason in ("spike", "spike", "off-band"):
        bus.publish(TickQuarantined(1, SAMSUNG, 99_000, 1, reason))
    assert len(heard) == 2
    assert monitoring.counts()["TICK_QUARANTINED"] == 3


def test_it_beats_with_its_counts_or_not_at_all() -> None:
    bus, clock, monitoring, heard = a_monitoring(heartbeat=30 * SECOND)
    monitoring.start()
    bus.publish(Alert(1, Level.INFO, "code", "text"))
    clock.advance(65 * SECOND)
    assert [e.ts for e in heard if isinstance(e, Heartbeat)] == [30 * SECOND, 60 * SECOND]
    _, silent, monitoring, heard = a_monitoring()
    monitoring.start()
    silent.advance(65 * SECOND)
    assert heard == []

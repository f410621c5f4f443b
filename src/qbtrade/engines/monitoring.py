"""Monitoring: counts what happens, keeps the latest alerts, and beats while the session lives."""

from collections import Counter, deque

from qbtrade.domain.events import Alert, Heartbeat, Level, StrategyFailed, SymbolHalted, TickQuarantined
from qbtrade.domain.message import Event
from qbtrade.ports import Clock, Publisher

KEPT_ALERTS = 5


class Monitoring:
    """Counts events by type name. heartbeat: ns between heartbeats, 0 for none."""

    def __init__(self, bus: Publisher, clock: Clock, *, heartbeat: int) -> None:
        self._bus, self._clock, self._heartbeat = bus, clock, heartbeat
        self._counts: Counter[str] = Counter()
        self.alerts: deque[Alert] = deque(maxlen=KEPT_ALERTS)

    def count(self, name: str) -> int:
        """How many events of this type there were."""
        return self._counts[name]

    def counts(self) -> dict[str, int]:
        """All counts, by name."""
        return dict(sorted(self._counts.items()))

    def on_event(self, event: Event) -> None:
        """Count it."""
        self._counts[event.__struct_config__.tag] += 1  # type: ignore[index]

    def on_alert(self, alert: Alert) -> None:
        """Keep the latest ones for the panel."""
        self.alerts.append(alert)

    def on_symbol_halted(self, event: SymbolHalted) -> None:
        """Say aloud that a symbol stopped trading."""
        self._bus.publish(
            Alert(event.ts, Level.CRITICAL, "symbol-halted", f"{event.symbol} halted ({event.reason}): {event.detail}")
        )

    def on_strategy_failed(self, event: StrategyFailed) -> None:
        """Say aloud that user code failed."""
        text = f"the strategy raised on {event.symbol}: {event.error}; no more entries there, stops stay alive"
        self._bus.publish(Alert(event.ts, Level.CRITICAL, "strategy-failed", text, "read the traceback in the report"))

    def on_quarantined(self, event: TickQuarantined) -> None:
        """Say once per reason that bad ticks are being set aside."""
        if self._counts[f"quarantined {event.reason}"] == 0:
            text = f"{event.symbol}: a print of {event.price:,} x {event.qty:,} was set aside ({event.reason})"
            self._bus.publish(Alert(event.ts, Level.WARNING, "tick-quarantined", text))
        self._counts[f"quarantined {event.reason}"] += 1

    def start(self) -> None:
        """Begin to beat."""
        if self._heartbeat:
            self._clock.call_at(self._clock.now() + self._heartbeat, self._beat)

    def _beat(self, due: int) -> None:
        self._bus.publish(Heartbeat(due, self.counts()))
        self._clock.call_at(due + self._heartbeat, self._beat)

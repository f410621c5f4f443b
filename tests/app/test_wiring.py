"""Who hears of an event, and in which order: the order of subscription is part of what a session means."""

from pathlib import Path
from typing import Any

import pytest

from qbtrade.app.scenarios.stage import SYMBOL, Stage
from qbtrade.app.strategies import load_strategy
from qbtrade.domain.events import type_of
from qbtrade.domain.message import EventType
from qbtrade.engines.journal import NOT_WRITTEN

E = EventType
HEAR = {
    E.TRADE: ("MarketData.on_trade", "SimBroker.on_trade"),
    E.QUOTE: ("MarketData.on_quote",),
    E.BAR: ("StrategyHost.on_bar",),
    E.PHASE_CHANGED: (
        "MarketData.on_phase", "SimBroker.on_phase_changed", "Portfolio.on_phase", "RiskGate.on_phase",
        "Protection.on_phase",
    ),
    E.PRICE_TOUCHED: ("Protection.on_touched", "StrategyHost.on_price_touched"),
    E.TICK_QUARANTINED: ("Monitoring.on_quarantined",),
    E.SYMBOL_HALTED: (
        "Monitoring.on_symbol_halted", "MarketData.on_halted", "SimBroker.on_symbol_halted", "RiskGate.on_halted",
    ),
    E.SYMBOL_RESUMED: (
        "MarketData.on_resumed", "SimBroker.on_symbol_resumed", "RiskGate.on_resumed", "Protection.on_resumed",
    ),
    E.FEED_LOST: ("RiskGate.on_feed_lost",),
    E.FEED_RESTORED: ("RiskGate.on_feed_restored",),
    E.JOURNAL_LOST: ("RiskGate.on_journal_lost",),
    E.SIGNAL: (),
    E.STRATEGY_FAILED: ("Monitoring.on_strategy_failed", "RiskGate.on_strategy_failed"),
    E.SUBMIT_ORDER: ("Orders.on_submit", "RiskGate.on_submit"),
    E.CANCEL_ORDER: ("Orders.on_cancel",),
    E.ORDER_APPROVED: ("Orders.on_approved",),
    E.ORDER_DENIED: ("Orders.on_denied", "Protection.on_refused", "StrategyHost.on_denied"),
    E.ORDER_SENDING: ("Orders.on_sending",),
    E.ORDER_ACCEPTED: ("Orders.on_accepted",),
    E.ORDER_REJECTED: ("Orders.on_rejected", "Protection.on_refused"),
    E.ORDER_NOT_SENT: ("Orders.on_not_sent", "Protection.on_refused"),
    E.ORDER_UNCONFIRMED: ("Orders.on_unconfirmed",),
    E.ORDER_ABANDONED: ("Orders.on_abandoned", "Protection.on_ended"),
    E.ORDER_RESOLVED: ("Orders.on_resolved",),
    E.ORDER_FILLED: ("Orders.on_filled", "Portfolio.on_filled"),
    E.ORDER_CANCELING: ("Orders.on_canceling",),
    E.ORDER_CANCELED: ("Orders.on_canceled", "Protection.on_ended"),
    E.CANCEL_REJECTED: ("Orders.on_cancel_rejected", "Protection.on_cancel_rejected"),
    E.ORDER_EXPIRED: ("Orders.on_expired", "Protection.on_ended"),
    E.POSITION_CHANGED: ("Protection.on_position",),
    E.BOOK_CORRECTED: ("Portfolio.on_corrected", "Protection.on_corrected"),
    E.EQUITY_MARKED: ("RiskGate.on_equity",),
    E.RISK_STATE_CHANGED: ("StrategyHost.on_risk_changed",),
    E.ALERT: ("Monitoring.on_alert",),
    E.HEARTBEAT: (),
    E.SESSION_STARTED: (),
    E.SESSION_ENDED: (),
}  # fmt: skip
"""Handlers by event type, behind the journal and the counting of what is written down."""
UNCOUNTED = E.EQUITY_MARKED
"""Often, and of no interest as a number."""
INTENTS = frozenset({E.ORDER_SENDING, E.ORDER_CANCELING})
WRITES = {
    **dict.fromkeys(INTENTS, "on_intent"), E.EQUITY_MARKED: "on_mark", E.PHASE_CHANGED: "on_phase",
    E.SESSION_ENDED: "on_ended",
}  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def hearers(stage: Stage, event_type: EventType) -> list[str]:
    return [_name(handler) for handler in stage.bus.routes[type_of[event_type]]]


def _name(handler: Any) -> str:
    return f"{type(handler.__self__).__name__}.{handler.__name__}"


@pytest.mark.parametrize("event_type", EventType)
def test_events_are_heard_in_this_order(stage: Stage, event_type: EventType) -> None:
    first = [f"Journal.{WRITES.get(event_type, 'on_event')}"] if type_of[event_type] not in NOT_WRITTEN else []
    second = ["Monitoring.on_event"] if first and event_type is not UNCOUNTED else []
    assert hearers(stage, event_type) == [*first, *second, *HEAR[event_type]]


@pytest.mark.parametrize(("strategy", "asks"), [("sma_cross", False), ("tick_cross", True)])
def test_strategy_hears_trades_last_and_only_when_it_asks_for_them(stage: Stage, strategy: str, asks: bool) -> None:  # noqa: FBT001
    stage.engines.host_strategy(load_strategy(strategy, {}).build(stage.engines.host, (SYMBOL,)), 0)
    assert hearers(stage, E.TRADE) == [*HEAR[E.TRADE], *["StrategyHost.on_trade"] * asks]

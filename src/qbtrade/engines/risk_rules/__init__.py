"""The rules of the risk gate: one small class each, in the order in which the first broken one names the denial."""

from qbtrade.domain.limits import RiskLimits
from qbtrade.engines.risk_rules.case import Case, Intent, Rule, intent_of
from qbtrade.engines.risk_rules.market import DailyBand, MarketPhase, PriceCollar, StaleData, SymbolHalt, TickGrid
from qbtrade.engines.risk_rules.money import Budget, Cash, CashReserve, DailyLoss, PositionShare, cash_left
from qbtrade.engines.risk_rules.never import CanNeverTrade, why_never
from qbtrade.engines.risk_rules.rate import Duplicate, EntriesPerDay, OrderRate
from qbtrade.engines.risk_rules.shares import OrderQty, SellQty, SessionState, UnconfirmedLock, Whitelist
from qbtrade.ports import MarketView, OrderView, PositionView

__all__ = ["CanNeverTrade", "Case", "Intent", "Rule", "cash_left", "intent_of", "standard_rules", "why_never"]


def standard_rules(
    limits: RiskLimits, symbols: tuple[str, ...], market: MarketView, positions: PositionView, orders: OrderView
) -> tuple[Rule, ...]:
    """Every rule; the whitelist comes first."""
    return (
        Whitelist(symbols),
        DailyLoss(limits, positions),
        SessionState(),
        MarketPhase(market),
        SymbolHalt(market),
        StaleData(limits),
        TickGrid(market),
        DailyBand(market),
        PriceCollar(limits),
        OrderQty(limits),
        SellQty(positions),
        UnconfirmedLock(),
        Duplicate(limits, orders),
        OrderRate(limits),
        EntriesPerDay(limits),
        Budget(limits, positions, orders),
        PositionShare(limits, positions, symbols),
        Cash(),
        CashReserve(limits, positions, orders),
    )

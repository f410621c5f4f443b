"""What a session says beforehand of a symbol that its limits can never buy."""

from qbtrade.domain.events import Alert, Level
from qbtrade.domain.limits import RiskLimits
from qbtrade.engines.risk_rules import why_never


def never_trades(
    symbol: str, limits: RiskLimits, *, cash: int, equity: int, price: int, most: int, funds: str, ts: int
) -> Alert | None:
    """A warning when no share can be bought at `price`, with what is missing to buy one up to `most` KRW; else None.

    funds: how the equity that it takes is said, with one {}. ts: of the alert, UTC ns.
    """
    obstacle = why_never(limits, cash=cash, equity=equity, price=price)
    if obstacle is None:
        return None
    dearest = why_never(limits, cash=cash, equity=equity, price=max(price, most)) or obstacle
    budget = [f"--max {dearest.min_budget:,}"] if dearest.min_budget > limits.max_budget else []
    missing = [funds.format(f"{dearest.min_equity:,}")] if dearest.min_equity > equity else []
    needs = " and ".join(budget + missing)
    text = f"{symbol} can never trade at {price:,} won: {obstacle.reason} admits no share"
    return Alert(
        ts, Level.WARNING, "can-never-trade", text, f"it takes at least {needs}" if needs else "widen that limit"
    )

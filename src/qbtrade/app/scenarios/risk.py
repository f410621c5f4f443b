"""Scenario 4: a normal order passes, an oversized one is denied, the loss limit halts."""

from pathlib import Path

import msgspec

from qbtrade.app.scenarios.stage import PRICE, ROOMY, Checks, Stage
from qbtrade.domain.events import OrderDenied, RiskState
from qbtrade.domain.order import OrderStatus, Side

LIMITS = msgspec.structs.replace(ROOMY, max_budget=1_000_000, position_share=50_000_000, daily_loss=20_000, stop_loss=0)


def run(folder: Path, seed: int, checks: Checks) -> None:
    """One position of 5 % of 10,000,000 won is 6 shares; a fall of 4,000 won a share loses more than 20,000."""
    del seed
    stage = Stage(folder, limits=LIMITS, listen=(OrderDenied,))
    stage.print(PRICE, second=1)
    normal, oversized = stage.order(Side.BUY, 6, PRICE), stage.order(Side.BUY, 7, PRICE)
    stage.print(PRICE, second=2)
    checks.expect("the normal order", normal.status, OrderStatus.FILLED)
    checks.expect("the oversized order", oversized.status, OrderStatus.DENIED)
    for second, price in ((10, PRICE - 2_000), (40, PRICE - 4_000)):
        stage.print(price, second=second)
        stage.wait(15)
    checks.expect("the account after the loss", stage.engines.risk.state(), RiskState.HALTED)
    late = stage.order(Side.BUY, 1, PRICE - 4_000)
    checks.expect("an order after the halt", late.status, OrderStatus.DENIED)
    stage.close()
    reasons = [event.reason for event in stage.seen if isinstance(event, OrderDenied)]
    checks.figures |= {
        "denials": ", ".join(reasons),
        "loss": -stage.engines.portfolio.day_profit(),
        "loss_limit": 20_000,
    }

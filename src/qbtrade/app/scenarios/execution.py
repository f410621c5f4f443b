"""Scenario 5: accept, fill with slippage, partial fill, reject, cancel; commission and tax to the won."""

from pathlib import Path

from qbtrade.app.plan import VenuePlan
from qbtrade.app.scenarios.stage import CASH, PRICE, Checks, Stage
from qbtrade.domain.events import CancelOrder, OrderRejected
from qbtrade.domain.order import OrderStatus, Side

TICK = 100


def run(folder: Path, seed: int, checks: Checks) -> None:
    """Buy 10 in two parts, one tick worse than printed, sell them again, and account for every won."""
    del seed
    stage = Stage(folder, venue=VenuePlan(latency=0, slippage=1, volume_share=500_000_000), listen=(OrderRejected,))
    stage.print(PRICE, second=1)
    buy = stage.order(Side.BUY, 10, PRICE + 5 * TICK)
    checks.expect("accepted", buy.status, OrderStatus.WORKING)
    stage.print(PRICE, 12, second=2)
    checks.expect("filled in part", (buy.status, buy.filled_qty), (OrderStatus.PARTLY_FILLED, 6))
    stage.print(PRICE, 100, second=3)
    checks.expect(
        "filled with a tick of slippage", (buy.status, buy.filled_amount), (OrderStatus.FILLED, 10 * (PRICE + TICK))
    )
    resting = stage.order(Side.BUY, 1, PRICE - 10 * TICK)
    stage.bus.publish(CancelOrder(stage.clock.now(), resting.request.order_id, "scenario"))
    stage.wait(1)
    checks.expect("canceled", resting.status, OrderStatus.CANCELED)
    sell = stage.order(Side.SELL, 10, PRICE - 5 * TICK)
    stage.print(PRICE, 100, second=5)
    checks.expect("sold", (sell.status, sell.filled_amount), (OrderStatus.FILLED, 10 * (PRICE - TICK)))
    _books(stage, checks)
    stage.close()
    _refusal(folder / "refusing", checks)


def _books(stage: Stage, checks: Checks) -> None:
    bought, sold = 10 * (PRICE + TICK), 10 * (PRICE - TICK)
    commission = bought * 140_527 // 10**9 + sold * 140_527 // 10**9
    tax = sold * 20 // 10_000  # 0.20 % on sales that settle in 2026
    account = stage.engines.portfolio.account
    checks.figures |= {"commission": account.commission, "tax": account.tax, "cash": account.cash}
    checks.expect("commission", account.commission, commission)
    checks.expect("tax", account.tax, tax)
    checks.expect("cash", account.cash, CASH - bought + sold - commission - tax)


def _refusal(folder: Path, checks: Checks) -> None:
    """An exchange that refuses everything."""
    folder.mkdir()
    stage = Stage(folder, venue=VenuePlan(latency=0, reject_rate=10**9))
    stage.print(PRICE, second=1)
    checks.expect("refused", stage.order(Side.BUY, 1, PRICE).status, OrderStatus.REJECTED)
    stage.close()

"""Whether the books of an account agree with the broker's, asked from outside of a session, or without any."""

from pathlib import Path
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.environment import Environment
from qbtrade.adapters.kis.parse.orders import Sender
from qbtrade.app.account_files import account_of
from qbtrade.app.live.account import PAUSE, TRIES, AtBroker
from qbtrade.app.live.base_price import Jumped, jumps
from qbtrade.app.live.brought_up import brought_up, orders_before
from qbtrade.app.live.carried import account_in, carried, journals
from qbtrade.app.live.desk import Desk
from qbtrade.app.live.plan import LivePlan
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.domain.calendar import NS, kst_date
from qbtrade.engines.reconcile import Difference

LEAST_PAUSE: Final = 0.5


def differences_now(home: Path, environment: Environment, run_id: str, plan: SimulationPlan) -> tuple[Difference, ...]:
    """What does not agree between our journals, that of a running session too, and the broker; none when all does.

    run_id: of the session that showed itself last. plan: what costs are configured. Both sides may lag, so they are
    compared until they agree or that was tried enough. Raises: BrokerError, FileError, JournalError.
    """
    with Desk(home, environment) as desk:
        account = account_in(home, run_id) or account_of(environment)
        found = _differences(home, desk, account, plan)
        for _ in range(TRIES - 1):
            if not found:
                break
            desk.wait(max(PAUSE / NS / desk.clock.speed, LEAST_PAUSE))
            found = _differences(home, desk, account, plan)
        return found


def _differences(home: Path, desk: Desk, account: str, plan: SimulationPlan) -> tuple[Difference, ...]:
    environment, today = desk.environment, kst_date(desk.clock.now())
    found = carried(journals(home), account, today)
    if found.cash is None:
        return ()  # qb never had this account: there is nothing that could disagree
    history = desk.fetch(calls.order_history(environment, today, today))
    earlier = orders_before(desk, found)
    at_broker = AtBroker(desk.fetch(calls.balance(environment)), history, {})
    rules, live = load_rules(), LivePlan(plan)
    jumped = Jumped(jumps(desk, found, rules.calendar, {}, live.base_slack))
    sender = Sender(environment.order_sender)
    return brought_up(live, rules, (), found, at_broker, earlier, today, jumped, sender=sender).differences

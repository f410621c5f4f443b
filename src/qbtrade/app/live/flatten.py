"""Selling out an account from outside: by its session where that still heeds a halt, else in its place.

A session that hangs may wake up at any moment. So the account is taken over first, under a fence that every order of
the session has to pass; then what its journal and the broker say is sold by the engines of a session that only sells.
"""

from pathlib import Path
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import Environment
from qbtrade.app.account_files import Running, account_of, running
from qbtrade.app.live.carried import Carried, account_in, carried, journals
from qbtrade.app.live.lock import account_lock, selling_lock, take_over
from qbtrade.app.live.plan import LivePlan, OnExit
from qbtrade.app.live.run import trade, trading_day
from qbtrade.app.live.status_file import Seen, seen_on
from qbtrade.app.live.winding import SELLING
from qbtrade.app.live.world import World, clock_of
from qbtrade.app.plan import SimulationPlan
from qbtrade.app.rules import load_rules
from qbtrade.app.session import SessionResult, new_run_id
from qbtrade.app.status import NOT_TRADED, Screen
from qbtrade.app.strategies import LoadedStrategy
from qbtrade.domain.calendar import NS, Phase, kst_date
from qbtrade.errors import LockedError
from qbtrade.kernel.clock import Stopwatch, sleep, wall_ns
from qbtrade.kernel.loop import StopRequest
from qbtrade.ports import NoParams, Strategy

HANGS: Final = 10 * NS
"""Machine time without a sign of life."""
NAP: Final = 0.2
SELLS: Final = frozenset({Phase.CONTINUOUS.value, Phase.CLOSING_AUCTION.value})
NOBODY: Final = LoadedStrategy("halt --flatten", Strategy, NoParams(), "")


class Flattened(msgspec.Struct, frozen=True):
    """How selling out ended. left: shares by symbol that qb opened and that are still held.

    result: of the run that sold in place of the session; None where the session did, or where nothing could be sold,
    which why explains.
    """

    left: dict[str, int]
    result: SessionResult | None = None
    why: str = ""


def flatten(home: Path, environment: Environment, since: int, screen: Screen, stop: StopRequest) -> Flattened:
    """Sell what qb opened. since: when the halt was set that says so.

    Raises: QbError when nothing could be sold from here, which names why.
    """
    run_id, last = new_run_id(), seen_on(home, environment)
    with selling_lock(home, environment, run_id):
        while (session := running(home, environment)) is not None and not stop.asked:
            left = _watched(home, environment, session, since)
            if left is not None:
                return Flattened(left)
            if running(home, environment) == session:
                patience = environment.limits.order_timeout_ns / NS + 5
                take_over(home, environment, run_id, patience)
                return _sell(home, environment, run_id, last, screen, stop)
        with account_lock(home, environment, run_id):
            return _sell(home, environment, run_id, last, screen, stop)


def _watched(home: Path, environment: Environment, session: Running, since: int) -> dict[str, int] | None:
    """What a session has left when it can sell no more; None when it hangs or has ended."""
    watch, began = Stopwatch(), wall_ns()
    while running(home, environment) == session:
        seen = seen_on(home, environment)
        if seen is None or seen.run_id != session.run_id or seen.heeded != since:
            if wall_ns() - began > HANGS:
                return None
        elif wall_ns() - seen.written > HANGS:
            return None
        elif not _selling(seen) or seen.status.phase not in SELLS or watch.seconds() > SELLING:
            return {each.symbol: each.qty for each in seen.status.symbols if each.qty}
        sleep(NAP)
    return None


def _selling(seen: Seen) -> bool:
    return any(each.qty and each.state != NOT_TRADED for each in seen.status.symbols)


def _sell(
    home: Path, environment: Environment, run_id: str, last: Seen | None, screen: Screen, stop: StopRequest
) -> Flattened:
    """Sell as the owner of the account."""
    world = World(environment, clock_of(environment))
    account = (account_in(home, last.run_id) if last else "") or account_of(environment)
    today = kst_date(world.clock.now())
    found = carried(journals(home), account, today)
    symbols = sorted({*found.positions, *(left.order.symbol for left in found.leftovers)})
    if not symbols:
        return Flattened({})
    plan = LivePlan(SimulationPlan(symbols=tuple(symbols)), on_exit=OnExit.FLATTEN, sells_only=True)
    try:
        rules = load_rules()
        trading_day(rules.calendar, world.clock.now(), plan)
        result = trade(plan, rules, NOBODY, world, home, screen, stop, run_id=run_id, account=account)
    except LockedError as error:
        return Flattened(_qty(found), None, error.message)
    return Flattened(_qty(carried(journals(home), account, today)), result)


def _qty(found: Carried) -> dict[str, int]:
    return {symbol: qty for symbol, (qty, _cost) in found.positions.items()}

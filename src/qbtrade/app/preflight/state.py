"""What earlier sessions and other hands left behind."""

from collections.abc import Callable, Mapping
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.environment import EnvKind
from qbtrade.adapters.kis.parse.orders import Sender
from qbtrade.app.account_files import account_of, running
from qbtrade.app.halt_flag import read_halt
from qbtrade.app.live.account import AtBroker
from qbtrade.app.live.base_price import Jumped
from qbtrade.app.live.brought_up import brought_up
from qbtrade.app.live.carried import Carried, carried, journals
from qbtrade.app.live.first_day import configuration, is_first_day
from qbtrade.app.live.paper_day import had_paper_day
from qbtrade.app.live.plan import LivePlan
from qbtrade.app.live.real_money import NO_PAPER_DAY, PAPER_FIRST
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, skip, warn
from qbtrade.app.strategies import load_strategy
from qbtrade.domain.calendar import iso_kst
from qbtrade.engines.reconcile import Difference


def halt_flag(case: Case) -> Finding:
    """Nobody halted trading. A session may start all the same: what is held needs its stop-loss."""
    halt = read_halt(case.home, case.environment)
    if halt is None:
        return ok("not halted")
    since = iso_kst(halt.since)[:16].replace("T", " ")
    seen = f"trading is halted since {since}: {halt.reason}; a session only cancels and protects"
    return warn(seen, "Start `qb resume` when the reason is gone")


def instance(case: Case) -> Finding:
    """No other session trades this account."""
    other = running(case.home, case.environment)
    if other is None:
        return ok("no other session runs")
    return fail(f"session {other.run_id} runs (process {other.pid})", "End it first, or see `qb status`")


def open_orders(case: Case) -> Finding:
    """No orders are left over at the broker."""
    if case.environment.capabilities.amendable_orders:
        left = [(order.order_no, order.symbol, order.open_qty) for order in case.ask(calls.live_orders)]
    else:
        history = case.ask(lambda environment: calls.order_history(environment, case.today, case.today))
        if history.lacks_rows:
            return warn(
                f"KIS tells {history.ordered_qty:,} ordered shares today and no orders", "See the orders in the KIS app"
            )
        left = [(order.order_no, order.symbol, order.open_qty) for order in history.rows if order.open_qty]
    if not left:
        return ok("no open orders")
    count, named = len(left), ", ".join(f"{number}: {symbol} {qty:,}" for number, symbol, qty in left[:3])
    return warn(f"{count} open orders ({named})", "Cancel them in the KIS app unless they are meant")


def unconfirmed(case: Case) -> Finding:
    """Every order that the last session sent has come to its end."""
    found = _carried(case)
    if found.since is None:
        return ok("no earlier session of this account")
    if found.leftovers:
        count = len(found.leftovers)
        named = ", ".join(left.number or left.order.order_id for left in found.leftovers[:3])
        return warn(
            f"{count} orders of the last session have no known end: {named}",
            "Compare with the orders in the KIS app; `qb live` looks them up before anything else",
        )
    return ok("every order of the last session came to its end")


def positions(case: Case) -> Finding:
    """The books agree, and what is held was bought by qb."""
    found = _carried(case)
    ours = {symbol: qty for symbol, (qty, _cost) in found.positions.items() if qty}
    table = _differences(case, found)
    held = case.balance().held
    sold = sorted(symbol for symbol, qty in ours.items() if held.get(symbol, 0) < qty)
    if sold:
        named = ", ".join(sold)
        return fail(f"qb holds more than the broker says: {named}", "Were they sold by hand? `qb live` compares", table)
    if table:
        return warn("the books disagree; a session begins halted", "Compare with the KIS app", table)
    foreign = {symbol: qty - ours.get(symbol, 0) for symbol, qty in held.items() if qty > ours.get(symbol, 0)}
    if foreign:
        named = ", ".join(f"{symbol} {qty:+,}" for symbol, qty in sorted(foreign.items())[:5])
        return warn(f"not opened by qb: {named}", "qb never sells them; they count in equity only")
    count = len(held)
    return ok(f"{count} positions, all opened by qb") if held else ok("nothing is held")


def _differences(case: Case, found: Carried) -> tuple[Difference, ...]:
    """What a session would begin with; what lags at the broker for seconds is in it, too."""
    since, today = found.since, case.today
    if found.cash is None or since is None:
        return ()
    history = case.ask(lambda environment: calls.order_history(environment, today, today))
    earlier = None
    if since != today and found.leftovers:
        earlier = case.ask(lambda environment: calls.order_history(environment, since, since))
    at_broker, jumped = AtBroker(case.balance(), history, {}), Jumped(found.jumps)
    sender = Sender(case.environment.order_sender)
    begun = brought_up(LivePlan(case.plan), case.rules, (), found, at_broker, earlier, today, jumped, sender=sender)
    return begun.differences


def first_day(case: Case) -> Finding:
    """With real money: this configuration has sent orders on an earlier day; on its first one entries are slow."""
    if case.kind is not EnvKind.REAL:
        return skip("only with real money")
    strategy = load_strategy(case.plan.strategy, case.plan.params)
    if is_first_day(journals(case.home), configuration(case.plan, strategy), case.today):
        return ok("the first day of this configuration: one entry a minute")
    return ok("this configuration has had a day with real money")


def paper_day(case: Case) -> Finding:
    """With real money: this version has got through a session on KIS's paper server, with fills."""
    if case.kind is not EnvKind.REAL or case.dry_run:
        return skip("only with real money")
    if case.settings.value("live.paper_first") is False:
        return warn("nobody looks for a day on paper: live.paper_first is no", "Trade small amounts first")
    if had_paper_day(journals(case.home)):
        return ok("this version has had a day on paper that ended in order")
    return fail(NO_PAPER_DAY, PAPER_FIRST)


def _carried(case: Case) -> Carried:
    """What the last sessions of this account left; an emulator of this process has had none."""
    if case.local:
        return Carried()
    return carried(journals(case.home), account_of(case.environment), case.today)


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "halt-flag": halt_flag,
    "instance": instance,
    "open-orders": open_orders,
    "unconfirmed": unconfirmed,
    "positions": positions,
    "paper-day": paper_day,
    "first-day": first_day,
}

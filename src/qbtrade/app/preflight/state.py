"""What earlier sessions and other hands left behind."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.store.sqlite import read_events
from qbtrade.app.account_files import read_halt, running
from qbtrade.app.home import journals_dir
from qbtrade.app.order_rows import OrderRows
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, warn
from qbtrade.domain.calendar import iso_kst
from qbtrade.domain.events import PositionChanged, SessionStarted
from qbtrade.domain.order import OrderStatus
from qbtrade.errors import QbError
from qbtrade.kernel.bus import Bus

LOOKED_AT: Final = 20
"""Journals, newest first, among which the last one of this environment is sought."""
UNKNOWN: Final = frozenset({OrderStatus.SENDING.value, OrderStatus.UNCONFIRMED.value})


def halt_flag(case: Case) -> Finding:
    """Nobody halted trading."""
    halt = read_halt(case.home, case.environment)
    if halt is None:
        return ok("not halted")
    since = iso_kst(halt.since)[:16].replace("T", " ")
    return fail(f"trading is halted since {since}: {halt.reason}", "Start `qb resume` when the reason is gone")


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
    named = ", ".join(f"{number}: {symbol} {qty:,}" for number, symbol, qty in left[:3])
    return warn(f"{len(left)} open orders ({named})", "Cancel them in the KIS app unless they are meant")


def unconfirmed(case: Case) -> Finding:
    """No order intent of ours is without an answer."""
    journal = _last_journal(case)
    if journal is None:
        return ok("no earlier session of this environment")
    bus = Bus()
    rows = OrderRows(bus)
    for event in read_events(journal):
        bus.publish(event)
    left = [order_id for order_id, row in rows.orders.items() if row["status"] in UNKNOWN]
    if left:
        named = ", ".join(left[:3])
        return fail(
            f"{len(left)} orders of {journal.stem} have no known end: {named}",
            "Compare with the orders in the KIS app; the next session looks them up before anything else",
        )
    return ok(f"every order of {journal.stem} has its end")


def positions(case: Case) -> Finding:
    """What is held was bought by qb."""
    held = {holding.symbol: 0 for holding in case.balance().holdings}
    for holding in case.balance().holdings:
        held[holding.symbol] += holding.qty
    foreign = {symbol: qty - ours for symbol, qty in held.items() if qty != (ours := _ours(case).get(symbol, 0))}
    if not held:
        return ok("nothing is held")
    if not foreign:
        return ok(f"{len(held)} positions, all opened by qb")
    named = ", ".join(f"{symbol} {qty:+,}" for symbol, qty in sorted(foreign.items())[:5])
    return warn(f"not opened by qb: {named}", "qb never sells them; they count in equity only")


def _ours(case: Case) -> dict[str, int]:
    """Shares by symbol as the last session left them."""
    journal = _last_journal(case)
    if journal is None:
        return {}
    changes = (event for event in read_events(journal) if isinstance(event, PositionChanged))
    return {event.symbol: event.qty for event in changes}


def _last_journal(case: Case) -> Path | None:
    newest = sorted(journals_dir(case.home).glob("[!.]*.sqlite3"), reverse=True)[:LOOKED_AT]
    return next((path for path, mode in _modes(newest) if mode == case.kind), None)


def _modes(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            first = next(read_events(path), None)
        except QbError:
            continue  # `intact` tells of it
        if isinstance(first, SessionStarted):
            yield path, first.mode


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "halt-flag": halt_flag,
    "instance": instance,
    "open-orders": open_orders,
    "unconfirmed": unconfirmed,
    "positions": positions,
}

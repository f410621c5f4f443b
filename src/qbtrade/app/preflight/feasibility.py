"""Whether these limits can ever buy a share, and whether the stop-loss has room to work."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, skip, warn
from qbtrade.domain.limits import RiskLimits
from qbtrade.domain.money import PPB
from qbtrade.domain.sizing import shares
from qbtrade.engines.risk_rules import why_never
from qbtrade.engines.risk_rules.money import commission_of

TICKS: Final = 2
"""Price steps that an entry may pay above the best price."""


def one_share(case: Case, symbol: str) -> Finding:
    """One share can be bought at today's upper limit, its commission included."""
    balance, limits, upper = case.balance(), case.limits(symbol), case.told(symbol).terms.band.upper
    equity = balance.cash + balance.stock_value
    due = upper + commission_of(upper, limits.commission_ppb)
    obstacle = why_never(limits, cash=balance.cash, equity=equity, price=upper)
    if obstacle is None:
        return ok(f"one share costs up to {due:,} won with commission, and --max is {limits.max_budget:,}")
    told = f"no share can be bought at the upper limit of {upper:,} won: {obstacle.reason}"
    if obstacle.min_equity == 0:
        return fail(told, "Widen that limit in qb.toml")
    return fail(told, f"It takes at least --max {obstacle.min_budget:,} and an equity of {obstacle.min_equity:,} won")


def an_order(case: Case, symbol: str) -> Finding:
    """The limits let an order pass at the present price; which of them binds first."""
    balance, limits, price = case.balance(), case.limits(symbol), case.price(symbol)
    equity, last = balance.cash + balance.stock_value, price.last or price.base
    if not last:
        return skip("no price yet")
    room = {
        "budget": limits.max_budget // last,
        "position-share": equity * limits.position_share // PPB // last,
        "order-qty": limits.max_order_qty,
        "cash-reserve": shares(
            _open(limits), last, at_work=0, in_symbol=0, spendable=balance.cash, equity=equity, day_start=equity,
            realized=0,
        ),
    }  # fmt: skip
    binding = min(room, key=lambda name: room[name])
    if room[binding] < 1 or limits.max_entries < 1 or limits.orders_per_minute < 1:
        reason = binding if room[binding] < 1 else "entries-per-day"
        return fail(f"no order can pass at {last:,} won: {reason}", "Widen that limit in qb.toml, or raise --max")
    most = room[binding]
    return ok(f"up to {most:,} shares at {last:,} won; what binds first: {binding}")


def stop_loss(case: Case, symbol: str) -> Finding:
    """The stop-loss is wider than two price steps and the costs of a round trip."""
    limits, price = case.limits(symbol), case.price(symbol)
    last = price.last or price.base
    if not limits.stop_loss:
        return warn("there is no stop-loss", "Set limits.stop_loss, 3% say")
    if not last or not case.rules.calendar.is_trading_day(case.today):
        return skip("no price or no session today")
    said, settles = case.plan.tax_ppb, case.rules.calendar.settlement_day(case.today)
    tax = said if said >= 0 else case.rules.tax_ppb(case.instrument(symbol), settles)
    distance = last * limits.stop_loss // PPB
    costs = -(-last * (2 * limits.commission_ppb + tax) // PPB)
    needed = TICKS * case.told(symbol).terms.ticks.size(last) + costs
    told = f"it lies {distance:,} won below {last:,}; two ticks and costs are {needed:,}"
    return ok(told) if distance > needed else fail(told, "Widen limits.stop_loss")


def _open(limits: RiskLimits) -> RiskLimits:
    """The same limits with nothing in the way but the reserve of cash."""
    return replace(limits, max_budget=PPB**2, position_share=PPB**2, max_order_qty=PPB**2)


SYMBOL_CHECKS: Final[Mapping[str, Callable[[Case, str], Finding]]] = {
    "one-share": one_share,
    "an-order": an_order,
    "stop-loss": stop_loss,
}

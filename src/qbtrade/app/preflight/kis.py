"""KIS itself: token, approval key, stream, balance, buying power, credit, call budget."""

from collections.abc import Callable, Mapping
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.adapters.kis.codes import CODES
from qbtrade.adapters.kis.environment import LIMITS, EnvKind
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, fail, ok, warn
from qbtrade.app.preflight.stream import first_frame
from qbtrade.domain.calendar import iso_kst

MILLI: Final = 1000
FEW: Final = 3
UP: Final = "Start `qb emulator`, and use the addresses that it prints"
NETWORK: Final = "Check network and firewall, and the notices of KIS for an outage; then try again"


def token(case: Case) -> Finding:
    """KIS gives an access token."""
    case.answer(calls.price(case.environment, case.symbols[0]))
    asker = case.asker
    if asker.silence:
        return fail(f"KIS does not answer: {asker.silence}", UP if case.kind is EnvKind.EMULATOR else NETWORK)
    if asker.token() is None:
        trouble = asker.token_trouble().removeprefix("KIS gives no access token: ")
        return fail(f"KIS gives no access token: {trouble}", _advice(trouble))
    until = iso_kst(asker.token_expires())[:16].replace("T", " ")
    return ok(f"valid until {until}")


def _advice(trouble: str) -> str:
    """What helps against this trouble, which begins with its code when KIS told one."""
    known = CODES.get(trouble.partition(" ")[0])
    return known.advice if known else "Check address, keys and network; then try again"


def approval_key(case: Case) -> Finding:
    """KIS gives the key of the stream."""
    case.ask(lambda _environment: calls.approval_key())
    return ok("it was given")


def stream(case: Case) -> Finding:
    """The stream connects and brings something, or its silence is explained."""
    key = case.ask(lambda _environment: calls.approval_key())
    return first_frame(case, key)


def balance(case: Case) -> Finding:
    """What the account holds."""
    found = case.balance()
    return ok(f"cash {found.cash:,} won (D+2), {len(found.holdings)} stocks worth {found.stock_value:,} won")


def buying_power(case: Case) -> Finding:
    """What an order may cost without credit."""
    symbol = case.symbols[0]
    upper = case.price(symbol).upper
    found = case.ask(lambda environment: calls.buying_power(environment, symbol, upper))
    told = f"{found.amount:,} won, {found.qty:,} shares of {symbol} at its upper limit"
    return ok(told) if found.amount > 0 else fail(told, "Put money into the account")


def credit(case: Case) -> Finding:
    """The account cannot slip into unsettled credit."""
    symbol, balance = case.symbols[0], case.balance()
    upper = case.price(symbol).upper
    found = case.ask(lambda environment: calls.buying_power(environment, symbol, upper))
    if balance.loans or any(holding.credit for holding in balance.holdings):
        return warn(f"the account has loans of {balance.loans:,} won", "qb trades with cash only; mind the margin")
    if found.amount_on_credit > found.amount:
        beyond = found.amount_on_credit - found.amount
        return warn(
            f"KIS would let it buy for {beyond:,} won more than there is cash",
            "qb stays within cash; ask KIS for 100% margin to be sure",
        )
    return ok("no order can be larger than its cash")


def rate_budget(case: Case) -> Finding:
    """How often KIS may be asked."""
    limits, budget = case.environment.limits, case.asker.budget()
    shipped = LIMITS[case.environment.speaks]
    rate, known = (f"{each.calls_per_second_milli / MILLI:g}" for each in (limits, shipped))
    told = f"{rate} calls a second, {budget.used} of {budget.allowed} used just now"
    if limits.calls_per_second_milli > shipped.calls_per_second_milli:
        return warn(f"{told}; KIS is known to allow {known}", "Lower kis.calls_per_second")
    kept = limits.kept_for_cancels + limits.kept_for_orders
    if kept >= budget.allowed > 1:
        return fail(f"{told}, and {kept} are kept for orders", "Lower kis.kept_for_cancels or kis.kept_for_orders")
    if budget.allowed < FEW:
        return ok(f"{told}; a cancel goes first")
    return ok(f"{told}; {limits.kept_for_cancels} kept for cancels")


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "token": token,
    "approval-key": approval_key,
    "stream": stream,
    "balance": balance,
    "buying-power": buying_power,
    "credit": credit,
    "rate-budget": rate_budget,
}

"""The market: is there a session today, when, and may the symbol be traded in it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from qbtrade.adapters.kis import calls
from qbtrade.app.account_files import Opening, opening_path, read_opening, write_private
from qbtrade.app.preflight.case import Case
from qbtrade.app.preflight.rows import Finding, Lacking, Status, fail, ok, skip, warn
from qbtrade.domain.calendar import MINUTE, DayKind, TradingDay, iso_kst

BACK: Final = timedelta(days=14)
NO_WARNING: Final = frozenset({"", "00", "0"})
DANGER: Final = "03"
ADMINISTRATIVE: Final = "51"
OWN_CALENDAR: Final = "qb goes by its own calendar; see `qb rules`"
_HOUR: Final = slice(11, 16)


def trading_day(case: Case) -> Finding:
    """KRX trades today."""
    calendar, day = case.rules.calendar, case.today
    why = calendar.why_closed(day)
    if why:
        following = calendar.next_day(day)
        return fail(f"KRX does not trade on {day} ({why})", f"The next session is {following}")
    return ok(f"{day}")


def holiday(case: Case) -> Finding:
    """KIS, where it tells, says of today what our own calendar says. It wants to be asked once a day at most."""
    if not case.environment.capabilities.holidays:
        return skip(f"the {case.environment.speaks} environment does not tell; qb's own calendar counts")
    known = None if case.local else read_opening(case.home, case.environment, case.today)
    if known is None:
        try:
            known = _told(case)
        except Lacking as error:
            found = error.finding
            raise Lacking(warn(found.seen, OWN_CALENDAR) if found.status is Status.FAIL else found) from error
        if not case.local:
            write_private(opening_path(case.home, case.environment), known)
    if known.open == case.rules.calendar.is_trading_day(case.today):
        return ok("KIS says the same: open" if known.open else "KIS says the same: closed")
    if known.open:
        return warn("KIS says that it opens today", "qb's calendar says no and keeps closed: update qb")
    return fail("KIS says that it stays closed today", "Do not trade; read the notices of KRX, and update qb")


def hours(case: Case) -> Finding:
    """When it trades."""
    day = _today(case)
    told = f"{_clock(day.open)} to {_clock(day.close)}, no entries from {_clock(day.continuous_end)}"
    if case.rules.calendar.hours_row(day.day).kind is not DayKind.NORMAL:
        return warn(f"other hours today: {told}", "Plan the day by these hours")
    return ok(told)


def time_to_open(case: Case) -> Finding:
    """How long it is until the open, or until the close."""
    day, now = _today(case), case.clock.now()
    if now < day.open:
        return ok(f"opens in {_minutes(day.open - now)} minutes")
    if now < day.continuous_end:
        return ok(f"open since {_clock(day.open)}; {_minutes(day.continuous_end - now)} minutes are left")
    following = case.rules.calendar.next_day(day.day)
    return fail(f"the session of {day.day} is over", f"The next session is {following}")


def symbol_known(case: Case, symbol: str) -> Finding:
    """KIS knows it, and so do the rules."""
    price = case.price(symbol)
    instrument = case.instrument(symbol)
    name = f"{instrument.market} {instrument.kind} {instrument.name}".rstrip()
    return ok(f"{name}, last price {price.last:,} won")


def halted(case: Case, symbol: str) -> Finding:
    """It is not suspended."""
    price = case.price(symbol)
    if price.is_suspended:
        return fail("trading is suspended", "Choose another --symbol, or wait until it trades again")
    return ok("it trades")


def designated(case: Case, symbol: str) -> Finding:
    """It is no administrative issue."""
    price = case.price(symbol)
    if price.managed or price.status == ADMINISTRATIVE:
        return fail("it is an administrative issue: it may be delisted", "Choose another --symbol")
    return ok("it is no administrative issue")


def warned(case: Case, symbol: str) -> Finding:
    """The exchange warns nobody of it."""
    price = case.price(symbol)
    if price.warning == DANGER:
        return fail("the exchange calls it an investment risk", "Choose another --symbol")
    if price.warning not in NO_WARNING or price.caution:
        return warn("the exchange warns investors of it", "It may be suspended for a day; read the notice of KRX")
    if price.overheated:
        return warn("short-term overheating: it trades in single-price auctions", "Entries wait for the next session")
    return ok("no investment warning")


def liquidation(case: Case, symbol: str) -> Finding:
    """It is not on its last days."""
    if case.price(symbol).liquidation:
        return fail("liquidation trading: it is about to be delisted, without price limits", "Choose another --symbol")
    return ok("no liquidation trading")


def ex_date(case: Case, symbol: str) -> Finding:
    """Today's base price is the last close: nothing was paid out, split or merged."""
    today, base = case.today, case.price(symbol).base
    bars = case.ask(lambda environment: calls.daily_bars(environment, symbol, today - BACK, today))
    closes = [bar.close for bar in bars if bar.day < today]
    if not closes:
        return skip("no daily bars of earlier days")
    if closes[-1] != base:
        return warn(
            f"the base price is {base:,} won and the last close {closes[-1]:,}: an ex-date or a split",
            "Averages over earlier days mislead; the first signals count for little",
        )
    return ok(f"the base price is the last close, {base:,} won")


def interruption(case: Case, symbol: str) -> Finding:
    """No volatility interruption is on."""
    if case.price(symbol).vi:
        return warn("a volatility interruption is on", "It ends by itself after two minutes or so")
    return ok("no volatility interruption")


def price_limits(case: Case, symbol: str) -> Finding:
    """Today's limits and tick, as KIS gives them, are those that the rules give."""
    price = case.price(symbol)
    told = f"{price.lower:,} to {price.upper:,} won, tick {price.tick:,}"
    for difference in case.told(symbol).differences:
        return warn(difference.text, "KIS's limits are the ones that count, and orders keep to both ticks")
    return ok(told)


def _told(case: Case) -> Opening:
    """What KIS says of today. Raises: Lacking."""
    days = case.ask(lambda environment: calls.market_days(environment, case.today))
    for day in days:
        if day.day == case.today:
            return Opening(day.day, open=day.open)
    raise Lacking(warn("KIS says nothing of today", OWN_CALENDAR))


def _today(case: Case) -> TradingDay:
    """Raises: Lacking on a day without a session."""
    if not case.rules.calendar.is_trading_day(case.today):
        raise Lacking(skip("no session today"))
    return case.rules.calendar.trading_day(case.today)


def _clock(ts: int) -> str:
    return iso_kst(ts)[_HOUR]


def _minutes(ns: int) -> int:
    return -(-ns // MINUTE)


CHECKS: Final[Mapping[str, Callable[[Case], Finding]]] = {
    "trading-day": trading_day,
    "holiday": holiday,
    "hours": hours,
    "open": time_to_open,
}
SYMBOL_CHECKS: Final[Mapping[str, Callable[[Case, str], Finding]]] = {
    "symbol": symbol_known,
    "halted": halted,
    "designated": designated,
    "warning": warned,
    "liquidation": liquidation,
    "ex-date": ex_date,
    "vi": interruption,
    "price-limits": price_limits,
}

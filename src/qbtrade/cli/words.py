"""What comes out of the engines (states, reasons, limits, alerts, errors), in the user's words."""

import re
from functools import partial
from typing import Final

from qbtrade.cli.text import FIELD, N_, _, language, templates
from qbtrade.errors import QbError

WORDS: Final = {
    # sessions
    "simulation": N_("Simulation"),
    "dry-run": N_("Dry run"),
    "paper": N_("Paper"),
    "real": N_("Real"),
    "emulator": N_("Emulator"),
    "open": N_("open"),
    "connecting": N_("connecting"),
    "lost": N_("lost"),
    "DONE": N_("done"),
    "INTERRUPTED": N_("interrupted"),
    "FAULT": N_("ended by a fault of the program"),
    "UNFINISHED": N_("unfinished"),
    "SIGINT": N_("stopped by Ctrl+C"),
    "SIGTERM": N_("told to end"),
    "SIGHUP": N_("the terminal was closed"),
    # risk states
    "ACTIVE": N_("active"),
    "REDUCING": N_("reducing only"),
    "HALTED": N_("halted"),
    "ENDED": N_("ended"),
    # phases
    "CLOSED": N_("closed"),
    "OPENING_AUCTION": N_("opening auction"),
    "CONTINUOUS": N_("continuous session"),
    "CLOSING_AUCTION": N_("closing auction"),
    "AFTER_MARKET": N_("after-market"),
    # orders
    "BUY": N_("buy"),
    "SELL": N_("sell"),
    "LIMIT": N_("limit"),
    "MARKET": N_("market"),
    "ENTRY": N_("entry"),
    "EXIT": N_("exit"),
    "PROTECT": N_("stop-loss"),
    "FLATTEN": N_("flatten"),
    "NEW": N_("new"),
    "DENIED": N_("denied"),
    "APPROVED": N_("approved"),
    "SENDING": N_("sending"),
    "WORKING": N_("working"),
    "REJECTED": N_("rejected"),
    "NOT_SENT": N_("not sent"),
    "UNCONFIRMED": N_("unconfirmed"),
    "ABANDONED": N_("abandoned"),
    "PARTLY_FILLED": N_("partly filled"),
    "FILLED": N_("filled"),
    "CANCELING": N_("canceling"),
    "CANCELED": N_("canceled"),
    "EXPIRED": N_("expired"),
    # alerts
    "INFO": N_("info"),
    "WARNING": N_("warning"),
    "CRITICAL": N_("critical"),
    # limits, and reasons of denials
    "budget": N_("money at work"),
    "daily-loss": N_("loss of the day"),
    "position-share": N_("one position"),
    "cash": N_("cash"),
    "cash-reserve": N_("cash reserve"),
    "entries-per-day": N_("entries a day"),
    "order-rate": N_("orders a minute"),
    "order-qty": N_("shares of one order"),
    "sell-qty": N_("shares free to sell"),
    "duplicate": N_("same order again"),
    "price-collar": N_("too far from the last trade"),
    "price-band": N_("outside the daily price limits"),
    "tick-grid": N_("off the tick grid"),
    "market-phase": N_("no continuous session"),
    "symbol-halted": N_("symbol halted"),
    "session-state": N_("trading narrowed"),
    "stale-data": N_("price too old"),
    "whitelist": N_("not a symbol of this session"),
    "unconfirmed-lock": N_("an order is unconfirmed"),
    # other reasons
    "flatten": N_("flatten"),
    "stop-loss": N_("stop-loss"),
    "strategy-failed": N_("strategy failed"),
    "feed-lost": N_("no market data"),
    "journal-lost": N_("the journal cannot be written"),
    "stood-still": N_("qb stood still"),
    "clock-set": N_("the machine's clock was set"),
    "feed-restored": N_("market data is back"),
    "new-day": N_("new trading day"),
    "session-stopped": N_("session stopped"),
    "signal-reversed": N_("signal reversed"),
    "books-disagree": N_("the books disagree"),
    "reject-storm": N_("orders refused again and again"),
    "clock-skew": N_("KIS's clock differs"),
    "feed-gone": N_("market data stays away"),
    "books-unclear": N_("the books are compared again"),
    "sold-elsewhere": N_("shares of qb sold elsewhere"),
    "shares-came": N_("shares of others came"),
    "shares-went": N_("shares of others went"),
    "ours-after-all": N_("shares of others were qb's"),
    "traded-elsewhere": N_("traded by hand or elsewhere"),
    "deposit": N_("money came"),
    "withdrawal": N_("money went"),
    "overnight": N_("what the night brought"),
    "rebased": N_("shares became others"),
    "told-by-hand": N_("said by hand"),
    "halted-by-hand": N_("halted by hand"),
    "taken-over": N_("taken over while it hung"),
    "not-traded-here": N_("not traded here, no stop"),
    "resumed": N_("resumed"),
    "left-over": N_("left by an earlier session"),
    "asked": N_("asked for"),
    "canceled-elsewhere": N_("canceled elsewhere"),
    "lapsed": N_("lapsed"),
    "trading-halt": N_("trading suspended"),
    "lifetime": N_("waited long enough"),
    "vi": N_("volatility interruption"),
    "circuit-breaker": N_("circuit breaker"),
    "price-base-changed": N_("price base changed"),
    "off-band": N_("outside the daily price limits"),
    "bad-value": N_("impossible value"),
    "spike": N_("wild spike"),
    "halted": N_("halted"),
    "embedded": N_("embedded"),
    # market data
    "raw": N_("raw"),
    "adjusted": N_("adjusted"),
    "unknown": N_("unknown"),
}
"""English words by name; every reason that an engine gives stands here."""
STOPPED: Final = "session-stopped"
"""Why a session that ends by itself sends nothing more."""
UNITS: Final = {
    "KRW": N_("won"),
    "orders": N_("orders"),
    "shares": N_("shares"),
    "ms": N_("ms"),
    "ticks": N_("ticks"),
}
_SLUG: Final = re.compile(r"\(([a-z]+(?:-[a-z]+)*)\)")
_OURS: Final = ("what", "problem", "cause")
"""Values of an error that are sentences or names of ours."""
FROM_BELOW: Final = (
    N_("PostgreSQL has not answered for {seconds} s"),
    N_("{table}: {ours} rows in the journal, {theirs} in the database"),
    N_("{table}: rows are not what the journal says"),
    N_("Saturday"),
    N_("Sunday"),
    N_("fast average crossed above slow"),
    N_("fast average crossed below slow"),
    N_("stop-loss: {price} is at or below {level}"),
    N_("--max {budget} and --cash {cash}"),
    N_("--max {budget} and an equity of {equity} won"),
    N_("an equity of {equity} won"),
    N_("{rate} calls a second, {used} of {allowed} used just now"),
    N_("KIS {environment}, account {account}"),
    N_("the account"),
    N_("Switch off sleep and closing the lid until the close"),
    N_("app key"),
    N_("app secret"),
)
"""What lower rooms put together out of pieces, so that it does not stand whole in their code."""
FIGURES: Final = {
    "connectivity": N_("connectivity"),
    "market data": N_("market data"),
    "strategy": N_("strategy"),
    "risk": N_("risk"),
    "order execution": N_("order execution"),
    "performance": N_("performance"),
    "bus_us": N_("µs per event"),
    "journal_rows_per_s": N_("journal rows/s"),
    "postgresql": "PostgreSQL",
    "redis": "Redis",
    "ticks": N_("ticks"),
    "bars": N_("bars"),
    "prices": N_("prices"),
    "signals": N_("signals"),
    "denials": N_("denied"),
    "loss": N_("loss"),
    "loss_limit": N_("loss limit"),
    "commission": N_("commission"),
    "tax": N_("tax"),
    "cash": N_("cash"),
    "trades": N_("trades"),
    "fills": N_("fills"),
    "events_per_s": N_("events/s"),
    "peak_mb": N_("peak MB"),
}
"""What the offline scenarios are called and what they measure."""


def figure(name: str) -> str:
    """The user's words for a scenario or a figure of one."""
    return _(FIGURES[name]) if name in FIGURES else name.replace("_", " ")


def word(name: str) -> str:
    """The user's words for a name; one that nobody explained is shown without its dashes."""
    return _(WORDS[name]) if name in WORDS else name.replace("-", " ").replace("_", " ").lower()


def unit(name: str) -> str:
    """The user's word for the unit of a limit."""
    return _(UNITS[name]) if name in UNITS else name


def said(sentence: str) -> str:
    """A sentence that was filled in before it came here, in the user's language where its template is known."""
    whole = _(sentence)
    if whole != sentence:
        return whole
    for pattern, translation in templates(language()):
        found = pattern.fullmatch(sentence)
        if found:
            return FIELD.sub(partial(_filled, found.groupdict()), translation)
    return _SLUG.sub(lambda slug: f"({word(slug[1])})" if slug[1] in WORDS else slug[0], sentence)


def _filled(values: dict[str, str], field: re.Match[str]) -> str:
    value = values[field[1]]
    return word(value) if value in WORDS else said(value)


def explain(error: QbError) -> str:
    """The one line of an error in the user's language: what is wrong, then what to do."""
    if not error.values:
        parts = [said(template) for template in error.templates]
    else:
        values = {name: said(str(value)) if name in _OURS else value for name, value in error.values.items()}
        parts = [_(template).format(**values) for template in error.templates]
    *first, last = [part.rstrip(".") for part in parts if part]
    return " ".join([*(part if part.endswith(("?", "!")) else f"{part}." for part in first), last])

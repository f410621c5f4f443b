"""Every key of the configuration: how its text is read and written, and what it means."""

from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from typing import Any, Final, NamedTuple

from qbtrade.adapters.sim.models import FILL_RULES
from qbtrade.adapters.sim.scenarios import SCENARIOS
from qbtrade.app import addresses, units
from qbtrade.domain.calendar import DAY
from qbtrade.domain.instrument import parse_symbol
from qbtrade.domain.order import OrderKind
from qbtrade.errors import UsageError

LANGUAGES: Final = ("ko", "en")
ORDER_KINDS: Final = tuple(kind.lower() for kind in OrderKind)


class Key(NamedTuple):
    """One key. read: takes where the text stood and the text, raises UsageError; write: its inverse.

    text: the meaning, in one sentence. unsaid: what happens by default, where the default value does not show it.
    """

    read: Callable[[str, str], Any]
    write: Callable[[Any], str]
    text: str
    unsaid: str = ""


def _text(_what: str, text: str) -> str:
    return text


def _one_of(names: Collection[str], what: str, text: str) -> str:
    name = text.strip().lower()
    if name not in names:
        raise UsageError("{what}: {text!r} is none of {names}", what=what, text=text, names=", ".join(names))
    return name


def _symbols(what: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(parse_symbol(symbol) for symbol in text.split(",")))
    except UsageError as error:
        raise UsageError("{what}: {cause}", hint=error.hint, what=what, cause=error.message) from error


def _choice(names: Collection[str], text: str, unsaid: str = "") -> Key:
    return Key(partial(_one_of, names), str, text, unsaid)


def _string(text: str, unsaid: str = "") -> Key:
    return Key(_text, str, text, unsaid)


def _whole(text: str, unsaid: str = "", *, least: int = 1, most: int = units.LARGEST) -> Key:
    return Key(partial(units.whole, least=least, most=most), str, text, unsaid)


def _rate(text: str, unsaid: str = "", *, least: int = 0) -> Key:
    return Key(partial(units.rate, least=least), units.write_rate, text, unsaid)


def _duration(text: str, unsaid: str = "", *, least: int = 0, most: int = DAY) -> Key:
    return Key(partial(units.duration, bare="s", least=least, most=most), units.write_duration, text, unsaid)


def _date(what: str, text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError as error:
        raise UsageError("{what}: {text!r} is not a date", hint="Write 2026-11-02", what=what, text=text) from error


KEYS: Final[dict[str, Key]] = {
    "home": _string("Folder of journals, reports and recordings.", "the platform's user data folder"),
    "lang": _choice(LANGUAGES, "Language of the screen: ko or en.", "from the locale"),
    "database_url": Key(
        partial(addresses.address, schemes=("postgresql", "postgres")),
        addresses.masked,
        "PostgreSQL, the long memory.",
        "none",
    ),
    "redis_url": Key(
        partial(addresses.address, schemes=("redis", "rediss", "unix")),
        addresses.masked,
        "Redis, for other processes.",
        "none",
    ),
    "simulate.symbols": Key(_symbols, ",".join, "What to trade.", "005930, or what the files hold"),
    "simulate.strategy": _string("A built-in name, package.module:Class or ./file.py:Class."),
    "simulate.bar": _duration("Length of a bar.", "1m, or the source's own", least=units.NS_OF["s"]),
    "simulate.cash": _whole("Cash to start with, in won."),
    "simulate.seed": _whole("Same seed, same session, to the byte.", least=0),
    "simulate.order_kind": _choice(ORDER_KINDS, "limit or market, for entries and exits."),
    "simulate.speed": Key(units.speed, units.write_speed, "Market seconds per second; 1 is real time."),
    "simulate.status_every": _duration("Market time between two status panels.", least=units.NS_OF["s"]),
    "limits.max_budget": _whole("Money at work at any moment, in won."),
    "limits.daily_loss": _whole("Loss that halts trading for the day, in won.", "half of max_budget"),
    "limits.stop_loss": _rate("Sell this far below the average cost; 0 switches it off."),
    "limits.position_share": _rate("Largest position, as a share of equity."),
    "limits.cash_share": _rate("Share of equity that stays cash."),
    "limits.max_entries": _whole("Entries per day."),
    "limits.max_order_qty": _whole("Shares per order."),
    "limits.collar": _rate("How far an order's price may be from the last trade."),
    "limits.orders_per_minute": _whole("Orders per minute."),
    "limits.stale_after": _duration("Age of the last trade from which nothing is bought."),
    "limits.duplicate_window": _duration("An equal order within this time is a duplicate."),
    "venue.reject_rate": _rate("Share of orders that the exchange refuses.", "5% in the made market, else 0%"),
    "venue.latency": _duration("An order's way to the exchange.", most=units.NS_OF["m"]),
    "venue.slippage": _whole("Price steps lost by a marketable order.", least=0, most=100),
    "venue.volume_share": _rate("Share of each print that may fill our orders.", least=1),
    "venue.fill_model": _choice(FILL_RULES, "When a resting order counts as reached: through or touch."),
    "mock.scenario": _choice(SCENARIOS, "calm, trend, crash, limit-up or halt."),
    "mock.ticks": _whole("Trades per symbol and day.", most=10**7),
    "mock.days": _whole("Trading days.", most=1000),
    "mock.price": _whole("Price at which the first day opens, in won.", "near 75,000", most=10**8),
    "mock.volatility": _rate("How far a day moves."),
    "mock.first_day": Key(_date, str, "Date of the first day.", "2026-11-02"),
    "costs.commission": _rate("The broker's commission.", "by market, from the rules"),
    "costs.tax": _rate("Transaction tax on sells.", "by market and day, from the rules"),
}


def reader_of(key: str) -> Callable[[str, str], Any] | None:
    """How the text of `key` is read; None when there is no such key. `params` holds whatever the strategy knows."""
    if key in KEYS:
        return KEYS[key].read
    section, _, name = key.partition(".")
    return _text if section == "params" and name.isidentifier() else None


def variable(key: str) -> str:
    """The environment variable of a key: `limits.stop_loss` is QB_LIMITS_STOP_LOSS."""
    return "QB_" + key.replace(".", "_").upper()

"""Every key of the configuration: how its text is read and written, and what it means."""

from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from typing import Any, Final, NamedTuple

from qbtrade.adapters.kis.environment import Capabilities, EnvKind, Secret
from qbtrade.adapters.sim.models import FILL_RULES
from qbtrade.adapters.sim.scenarios import SCENARIOS
from qbtrade.app import addresses, units
from qbtrade.domain.calendar import DAY
from qbtrade.domain.instrument import parse_symbol
from qbtrade.domain.order import OrderKind
from qbtrade.errors import UsageError

LANGUAGES: Final = ("ko", "en")
ORDER_KINDS: Final = tuple(kind.lower() for kind in OrderKind)
HIDDEN: Final = "***"
OFFERED: Final = "yes on real, no on paper"
LEAST_SEARCH: Final = 30 * units.NS_OF["s"]
"""Below it an order that KIS takes late would count as never taken."""
_TAIL: Final = 3
"""Characters of an account that are shown: those of its product."""


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


def _secret(text: str) -> Key:
    return Key(_read_secret, str, text, "none")


def _read_secret(what: str, text: str) -> Secret:
    return Secret(addresses.secret(what, text.strip()))


def _place(text: str, unsaid: str) -> Key:
    return Key(_text, addresses.masked, text, unsaid)


def _account(text: str) -> Key:
    return Key(_text, _write_account, text, "none")


def _write_account(account: str) -> str:
    return f"******{account[-_TAIL - 2 :]}" if account[-_TAIL:].startswith("-") else HIDDEN


def _private(text: str) -> Key:
    return Key(_text, lambda _value: HIDDEN, text, "none")


def _ability(text: str, offered: str = OFFERED) -> Key:
    return Key(units.flag, units.write_flag, text, offered)


def _codes(_what: str, text: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in text.split(",") if code.strip())


def _customer(scope: str) -> dict[str, Key]:
    """Who we are at KIS."""
    return {
        f"{scope}.app_key": _secret("App key of the KIS portal, or keyring:NAME."),
        f"{scope}.app_secret": _secret("App secret of the KIS portal, or keyring:NAME."),
        f"{scope}.account": _account("Account, written as 12345678-01."),
        f"{scope}.hts_id": _private("HTS id, for notices of orders and fills."),
    }


KEYS: Final[dict[str, Key]] = {
    "home": _string("Folder of journals, reports and recordings.", "the platform's user data folder"),
    "lang": _choice(LANGUAGES, "Language of the screen: ko or en.", "from the locale"),
    "database_url": Key(
        partial(addresses.address, schemes=("postgresql", "postgres")),
        addresses.masked,
        "PostgreSQL, the long memory.",
        "that of qb services while it is up, else none",
    ),
    "redis_url": Key(
        partial(addresses.address, schemes=("redis", "rediss", "unix")),
        addresses.masked,
        "Redis, for other processes.",
        "that of qb services while it is up, else none",
    ),
    "services.dir": _string(
        "Folder of the servers that qb services runs.", "services in the home folder; for root /var/lib/qbtrade"
    ),
    "redis_halt_key": _secret("With this key `qb halt --over-redis` signs, and a session knows it; or keyring:NAME."),
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
    "live.watchdog_after": _duration(
        "Silence of a live session after which the watchdog cancels its entries; 0s for no watchdog.", "30s"
    ),
    "live.record": Key(units.flag, units.write_flag, "Keep every trade and quote that a live session hears.", "yes"),
    "live.rejects": _whole("Refusals of KIS or the exchange that halt a live session; 0 for never.", "5", least=0),
    "live.reject_window": _duration("Time within which so many refusals count.", "1m", least=units.NS_OF["s"]),
    "live.compare_every": _duration(
        "Time between two comparisons of a live session's books with the broker's.",
        "1m",
        least=10 * units.NS_OF["s"],
        most=units.NS_OF["h"],
    ),
    "live.paper_first": Key(
        units.flag,
        units.write_flag,
        "Orders with real money wait for a session of the same version on KIS's paper server that ended in order.",
        "yes",
    ),
    "live.base_slack": _rate("How far the base price of a stock that is held may be from its close before.", "0%"),
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
    "kis.env": _choice(tuple(EnvKind), "Where to trade unless --env says so: real, paper or emulator.", "paper"),
    **_customer("kis"),
    "kis.rest_url": _place("REST address in place of KIS's own, for an emulator or a proxy.", "KIS's own"),
    "kis.ws_url": _place("Stream address that goes with it.", "KIS's own"),
    "kis.speaks": _choice(("real", "paper"), "Which side of KIS an emulator plays: real or paper.", "real"),
    "kis.devlp": _string("KIS's own kis_devlp.yaml, which is only read.", "KIS/config in the home folder"),
    "kis.calls_per_second": Key(
        units.per_second, units.write_per_second, "REST calls in any second.", "18 on real, 1 on paper"
    ),
    "kis.margin": _duration("Added to each second against jitter.", "100ms"),
    "kis.kept_for_cancels": _whole("Calls of a second that only cancels may use.", "2 on real, 0 on paper", least=0),
    "kis.kept_for_orders": _whole(
        "Calls of a second that only cancels and orders may use.", "4 on real, 0 on paper", least=0
    ),
    "kis.ledger_gap": _duration("Between two questions about the account.", "1s"),
    "kis.registrations": _whole("Channels of one stream session.", "41", most=1000),
    "kis.token_gap": _duration("Between two requests for an access token.", "61s"),
    "kis.refresh_ahead": _duration("A new token is fetched this long before the old one ends.", "1h"),
    "kis.tries": _whole("How often a question is asked before it counts as unanswered.", "4", most=100),
    "kis.pages": _whole("Pages of one answer, at most.", "100", most=10_000),
    "kis.read_timeout": _duration("How long the answer to a question may take.", "5s"),
    "kis.order_timeout": _duration("How long the answer to an order may take.", "10s"),
    "kis.give_up_after": _duration(
        "An order without a trace at KIS is looked for this long, at least, before it counts as never taken.",
        "60s",
        least=LEAST_SEARCH,
    ),
    "kis.order_sender": _string(
        "What `ordr_empno` says in rows of orders that qb sent, so that hand orders are told apart.",
        "learned from orders that KIS answered",
    ),
    "kis.refusals": Key(
        _codes, ",".join, "Message codes that prove a refused order, besides those that qb knows.", "none"
    ),
    "kis.amendable_orders": _ability("KIS lists the orders that are live."),
    "kis.order_rows": _ability("The order history has rows, so that an order that is not in it does not exist."),
    "kis.holidays": _ability("KIS tells which days the exchange opens."),
    "kis.stock_info": _ability("KIS tells what a stock is."),
    "kis.past_minutes": _ability("KIS has minute bars of earlier days."),
    "kis.padded_numbers": _ability("Amendments and cancels name an order with ten digits."),
    "kis.balance_sum": _ability("Several pages of a balance add up to the cost that the first one tells.", "yes"),
    **_customer("kis.real"),
    **_customer("kis.paper"),
}
ABILITIES: Final = tuple(name for name in Capabilities.__struct_fields__ if f"kis.{name}" in KEYS)
"""What an environment offers and can be said otherwise. The others are asked by nobody yet."""
SECRETS: Final = frozenset(key for key in KEYS if key.endswith((".app_key", ".app_secret", "_halt_key")))
"""Keys whose text is not for other eyes."""


def reader_of(key: str) -> Callable[[str, str], Any] | None:
    """How the text of `key` is read; None when there is no such key. `params` holds whatever the strategy knows."""
    if key in KEYS:
        return KEYS[key].read
    section, _, name = key.partition(".")
    return _text if section == "params" and name.isidentifier() else None


def variable(key: str) -> str:
    """The environment variable of a key: `limits.stop_loss` is QB_LIMITS_STOP_LOSS."""
    return "QB_" + key.replace(".", "_").upper()

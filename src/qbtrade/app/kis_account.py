"""The KIS environment that was configured: keys, account, addresses and limits of one kind, and nothing of another."""

import ipaddress
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from msgspec.structs import replace

from qbtrade.adapters.emulator.plan import Credentials
from qbtrade.adapters.kis.environment import (
    CAPABILITIES,
    DIALECT,
    HOSTS,
    LIMITS,
    Capabilities,
    Environment,
    EnvKind,
    KisLimits,
    Secret,
    check,
    hts_id_problem,
)
from qbtrade.adapters.kis_fields import REST, Dialect
from qbtrade.app.config import Settings
from qbtrade.app.keys import ABILITIES
from qbtrade.errors import ConfigError, UnknownNameError

KIS_DOMAIN: Final = "koreainvestment.com"
LIMIT_FIELDS: Final = {
    "calls_per_second": "calls_per_second_milli",
    "margin": "margin_ns",
    "kept_for_cancels": "kept_for_cancels",
    "kept_for_orders": "kept_for_orders",
    "ledger_gap": "ledger_gap_ns",
    "registrations": "registrations",
    "token_gap": "token_gap_ns",
    "refresh_ahead": "refresh_ahead_ns",
    "tries": "tries",
    "pages": "pages",
    "read_timeout": "read_timeout_ns",
    "order_timeout": "order_timeout_ns",
    "give_up_after": "give_up_after_ns",
}
"""Keys below `kis` and the limits that they set."""
NEEDS: Final = {
    "amendable_orders": "inquire-psbl-rvsecncl",
    "holidays": "chk-holiday",
    "stock_info": "search-stock-info",
}
"""Abilities that are a question with an id of its own, and the question."""
NOTHING: Final = Secret("")


def kind_of(settings: Settings, asked: str = "") -> EnvKind:
    """Which environment is meant: what was asked for, else `kis.env`, else paper. Raises: UsageError."""
    return parse_kind(asked or settings.value("kis.env") or EnvKind.PAPER)


def parse_kind(text: str) -> EnvKind:
    """Read the name of an environment. Raises: UsageError."""
    name = text.strip().lower()
    if name not in tuple(EnvKind):
        raise UnknownNameError("environment", text, EnvKind)
    return EnvKind(name)


def is_local(settings: Settings, kind: EnvKind) -> bool:
    """True when the emulator is meant and no address says where one runs: it is started in this process."""
    return kind is EnvKind.EMULATOR and not settings.value("kis.rest_url")


def is_here(url: str) -> bool:
    """True when an address that can be used is one of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def environment_of(settings: Settings, kind: EnvKind) -> Environment:
    """The environment as configured. Raises: ConfigError for anything missing or mixed, before any request."""
    rest_url, ws_url = _addresses(settings, kind)
    speaks: Dialect = DIALECT.get(kind) or settings.value("kis.speaks") or "real"
    held = customer_of(settings, kind)
    if problem := hts_id_problem(held["hts_id"]):
        raise _objection(kind, problem)
    environment = Environment(
        kind=kind, rest_url=rest_url, ws_url=ws_url, speaks=speaks, **held,
        limits=limits_of(settings, speaks), capabilities=capabilities_of(settings, kind, speaks),
        refusals=frozenset(settings.value("kis.refusals") or ()),
        order_sender=settings.value("kis.order_sender") or "",
    )  # fmt: skip
    return check(environment, _others(environment, settings))


def local_environment(settings: Settings, speaks: Dialect, held: Credentials, urls: tuple[str, str]) -> Environment:
    """An emulator of this process, with its own keys: those that are configured never reach it. Raises: ConfigError."""
    return check(
        Environment(
            kind=EnvKind.EMULATOR, rest_url=urls[0], ws_url=urls[1], app_key=Secret(held.app_key),
            app_secret=Secret(held.app_secret), account=held.account, hts_id=held.hts_id, speaks=speaks,
            limits=limits_of(settings, speaks), capabilities=capabilities_of(settings, EnvKind.EMULATOR, speaks),
            refusals=frozenset(settings.value("kis.refusals") or ()),
            order_sender=settings.value("kis.order_sender") or "",
        )
    )  # fmt: skip


def limits_of(settings: Settings, speaks: Dialect) -> KisLimits:
    """What KIS allows one side, with what is configured instead."""
    said = {field: settings.value(f"kis.{name}") for name, field in LIMIT_FIELDS.items()}
    return replace(LIMITS[speaks], **{field: value for field, value in said.items() if value is not None})


def capabilities_of(settings: Settings, kind: EnvKind, speaks: Dialect) -> Capabilities:
    """What one side offers, with what is configured instead. Raises: ConfigError for what has no transaction there."""
    said = {name: settings.value(f"kis.{name}") for name in ABILITIES}
    for name, call in NEEDS.items():
        if said[name] and not REST[call].tr_id(speaks):
            raise _objection(kind, f"there is no {call} in the {speaks} environment: leave out kis.{name}")
    return replace(CAPABILITIES[speaks], **{name: value for name, value in said.items() if value is not None})


def customer_of(settings: Settings, kind: EnvKind) -> dict[str, Any]:
    """Keys, account and HTS id as said for a kind, unchecked. The two halves of a key pair come from one scope."""
    scopes = _scopes(settings, kind)

    def best(*fields: str) -> str:
        return min(scopes, key=lambda scope: min(settings.rank(f"{scope}.{field}") for field in fields))

    pair = best("app_key", "app_secret")
    return {
        "app_key": settings.value(f"{pair}.app_key") or NOTHING,
        "app_secret": settings.value(f"{pair}.app_secret") or NOTHING,
        "account": settings.value(f"{best('account')}.account") or "",
        "hts_id": settings.value(f"{best('hts_id')}.hts_id") or "",
    }


def _scopes(settings: Settings, kind: EnvKind) -> list[str]:
    """Where the customer of a kind may be said: below its name; below `kis` unless `kis.env` gives that to another."""
    own = [f"kis.{kind}"] if kind is not EnvKind.EMULATOR else []
    declared = settings.value("kis.env")
    return [*own, "kis"] if declared is None or declared == kind or not own else own


def _others(environment: Environment, settings: Settings) -> Iterator[Environment]:
    for kind in HOSTS:
        key: Secret | None = settings.value(f"kis.{kind}.app_key")
        if kind is not environment.kind and key:
            yield replace(environment, kind=kind, app_key=key)


def _addresses(settings: Settings, kind: EnvKind) -> tuple[str, str]:
    """REST and stream. Raises: ConfigError for one without the other, and for an address of KIS that is not its own."""
    rest_url, ws_url = (settings.value(f"kis.{name}") or "" for name in ("rest_url", "ws_url"))
    if not rest_url and not ws_url and kind in HOSTS:
        return HOSTS[kind]
    if not rest_url or not ws_url:
        raise _objection(kind, "kis.rest_url and kis.ws_url go together")
    own = tuple(urlsplit(url).netloc for url in HOSTS.get(kind, ()))
    for place in (_split(kind, rest_url), _split(kind, ws_url)):
        if (place.hostname or "").endswith(KIS_DOMAIN) and place.netloc.lower() not in own:
            raise _objection(kind, f"{place.netloc} is not its address")
    rest = _split(kind, rest_url)
    if kind in HOSTS and rest.scheme == "http" and not is_here(rest_url):
        raise _objection(kind, "keys would cross the network in the open: use https")
    return rest_url, ws_url


def _split(kind: EnvKind, url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        if place.hostname and place.port != 0 and not place.username and not place.password:
            return place
    except ValueError:
        pass
    raise _objection(kind, "an address cannot be used")


def _objection(kind: EnvKind, problem: str) -> ConfigError:
    return ConfigError(
        "KIS {kind}: {problem}", hint="See docs/configuration.md, or start `qb init`", kind=kind, problem=problem
    )

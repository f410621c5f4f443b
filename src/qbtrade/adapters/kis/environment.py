"""Where KIS is, who we are there, what it allows: one frozen object, and the check that nothing in it is mixed.

Source: PROTOCOL 1 (hosts, ids, what paper lacks) and 4 (limits).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, NoReturn
from urllib.parse import urlsplit

import msgspec

from qbtrade.adapters.kis_fields import REST, Dialect
from qbtrade.errors import ConfigError

NS: Final = 10**9
ACCOUNT: Final = re.compile(r"\d{8}-\d{2}")
PLACEHOLDER: Final = re.compile(r"(?is)\A(your[ _-]?.*|example.*|change.?me.*|paste.*|<.*>|.*\.\.\.|(.)\2*|.*\s.*)\Z")
"""What stands in a file that was not filled in; a key has neither blanks nor one character only."""
ORDER_TRS: Final = frozenset(
    tr_id
    for name in ("order-cash", "order-rvsecncl")
    for ids in (REST[name].real, REST[name].paper)
    for tr_id in ids.values()
)


class EnvKind(StrEnum):
    """Whose server it is."""

    REAL = "real"
    PAPER = "paper"
    EMULATOR = "emulator"


class Secret:
    """A text that shows itself only to who asks for it: printed, it is ***; it is never encoded or pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class KisLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How often KIS may be asked. Every number is configuration: KIS changes them by notice.

    calls_per_second_milli: REST calls in any second, in thousandths; above 1000 parts of a call do not count.
    margin_ns: added to each second against jitter.
    kept_for_cancels, kept_for_orders: calls of a window that only cancels, only cancels and orders may use.
    ledger_gap_ns: between two questions about the account. registrations: of one stream session.
    token_gap_ns: between two requests for a token. refresh_ahead_ns: a new token is fetched in a quiet moment
    that long before the old one ends; without a quiet moment at half of that. tries: of a read, the first included.
    pages: of one answer, at most. The timeouts are machine time.
    give_up_after_ns: market time for which an order is looked for, at least, before it counts as never taken.
    """

    calls_per_second_milli: int
    margin_ns: int = NS // 10
    kept_for_cancels: int = 0
    kept_for_orders: int = 0
    ledger_gap_ns: int = NS
    registrations: int = 41
    token_gap_ns: int = 61 * NS
    refresh_ahead_ns: int = 3600 * NS
    tries: int = 4
    pages: int = 100
    read_timeout_ns: int = 5 * NS
    order_timeout_ns: int = 10 * NS
    give_up_after_ns: int = 60 * NS


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What an environment offers beyond what all do.

    amendable_orders: a list of live orders. order_rows: rows, not only totals, in the order history.
    sellable, holidays, vi_status, stock_info, past_minutes: the questions of those names.
    market_operation: the stream of halts and VI. padded_numbers: an order is named by ten digits.
    balance_sum: a balance tells what all its holdings cost together.
    """

    amendable_orders: bool
    order_rows: bool
    sellable: bool
    holidays: bool
    vi_status: bool
    stock_info: bool
    past_minutes: bool
    market_operation: bool
    padded_numbers: bool
    balance_sum: bool


REAL_LIMITS: Final = KisLimits(calls_per_second_milli=18_000, kept_for_cancels=2, kept_for_orders=4)
PAPER_LIMITS: Final = KisLimits(calls_per_second_milli=1_000)
EVERYTHING: Final = Capabilities(
    amendable_orders=True, order_rows=True, sellable=True, holidays=True, vi_status=True, stock_info=True,
    past_minutes=True, market_operation=True, padded_numbers=True, balance_sum=True,
)  # fmt: skip
PAPER_ONLY: Final = Capabilities(
    amendable_orders=False, order_rows=False, sellable=False, holidays=False, vi_status=False, stock_info=False,
    past_minutes=False, market_operation=False, padded_numbers=False, balance_sum=True,
)  # fmt: skip
LIMITS: Final[dict[Dialect, KisLimits]] = {"real": REAL_LIMITS, "paper": PAPER_LIMITS}
CAPABILITIES: Final[dict[Dialect, Capabilities]] = {"real": EVERYTHING, "paper": PAPER_ONLY}
HOSTS: Final = {
    EnvKind.REAL: ("https://openapi.koreainvestment.com:9443", "ws://ops.koreainvestment.com:21000"),
    EnvKind.PAPER: ("https://openapivts.koreainvestment.com:29443", "ws://ops.koreainvestment.com:31000"),
}
"""REST and stream address of KIS's own environments."""
DIALECT: Final[dict[EnvKind, Dialect]] = {EnvKind.REAL: "real", EnvKind.PAPER: "paper"}
"""What a kind must speak; the emulator may speak either."""
KEY_LENGTH: Final = 16
"""Characters below which a key or secret cannot be one; KIS's have 36 and 180."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs from one KIS to another. Prints no key and only the tail of the account.

    account: 12345678-01. speaks: whose TR ids the server understands. refusals: message codes that prove a refusal,
    beside those of `codes.py`. order_sender: `ordr_empno` in the rows of our own orders, "" where nobody said it.
    """

    kind: EnvKind
    rest_url: str
    ws_url: str
    app_key: Secret
    app_secret: Secret
    account: str
    hts_id: str
    speaks: Dialect
    limits: KisLimits
    capabilities: Capabilities
    refusals: frozenset[str] = frozenset()
    order_sender: str = ""

    def __repr__(self) -> str:
        return f"Environment({self.kind}, {self.rest_url}, speaks {self.speaks}, account {self.account_tail})"

    @property
    def cano(self) -> str:
        """The first eight digits of the account."""
        return self.account[:8]

    @property
    def product(self) -> str:
        """The last two digits of the account."""
        return self.account[-2:]

    @property
    def account_tail(self) -> str:
        """The account as it may be shown."""
        return f"******{self.account[6:]}"

    @property
    def key_id(self) -> str:
        """A short digest of key and server, under which tokens and budgets are kept."""
        text = f"{self.kind}|{self.rest_url}|{self.app_key.reveal()}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def objection(self, tr_id: str) -> str:
        """Why this TR may not be sent here, or "". Asked anew before every request."""
        if self.speaks != DIALECT.get(self.kind, self.speaks):
            return f"{self.kind} settings in the {self.speaks} dialect"
        if any(_place(url) in _places_of_others(self.kind) for url in (self.rest_url, self.ws_url)):
            return f"{self.kind} settings lead to {_place(self.rest_url)} and {_place(self.ws_url)}"
        if tr_id in ORDER_TRS and tr_id.startswith("V") != (self.speaks == "paper"):
            return f"{tr_id} is no order of the {self.speaks} environment"
        return ""


def kis(kind: EnvKind, app_key: Secret, app_secret: Secret, account: str, hts_id: str) -> Environment:
    """KIS's own real or paper environment, with the shipped limits. Raises: ConfigError."""
    rest_url, ws_url = HOSTS[kind]
    speaks: Dialect = "paper" if kind is EnvKind.PAPER else "real"
    return check(
        Environment(
            kind=kind,
            rest_url=rest_url,
            ws_url=ws_url,
            app_key=app_key,
            app_secret=app_secret,
            account=account,
            hts_id=hts_id,
            speaks=speaks,
            limits=LIMITS[speaks],
            capabilities=CAPABILITIES[speaks],
        )
    )


def check(environment: Environment, others: Iterable[Environment] = ()) -> Environment:
    """The environment, if nothing in it is missing or mixed. Raises: ConfigError, before any request.

    others: what is configured for other kinds; none of them may have the same key.
    """
    for problem in _problems(environment, others):
        raise ConfigError(
            "KIS {kind}: {problem}", hint="`qb init` asks for what is needed", kind=environment.kind, problem=problem
        )
    return environment


def key_problem(name: str, text: str) -> str:
    """Why this cannot be an app key or secret, or ""."""
    if not text:
        return f"the {name} is missing"
    if PLACEHOLDER.search(text):
        return f"the {name} is a placeholder"
    if len(text) < KEY_LENGTH:
        return f"the {name} is too short: {len(text)} characters"
    return ""


def account_problem(text: str) -> str:
    """Why this cannot be an account, or ""."""
    return "" if ACCOUNT.fullmatch(text) else "the account is not written as 12345678-01"


def hts_id_problem(text: str) -> str:
    """Why this cannot be an HTS id, or ""; there may be none."""
    return "the HTS id is a placeholder" if PLACEHOLDER.search(text) or not text.isascii() else ""


def _problems(environment: Environment, others: Iterable[Environment]) -> Iterator[str]:
    for name, secret in (("app key", environment.app_key), ("app secret", environment.app_secret)):
        if problem := key_problem(name, secret.reveal()):
            yield problem
    if problem := account_problem(environment.account):
        yield problem
    if urlsplit(environment.rest_url).scheme not in {"http", "https"}:
        yield "the REST address does not begin with http:// or https://"
    if urlsplit(environment.ws_url).scheme not in {"ws", "wss"}:
        yield "the stream address does not begin with ws:// or wss://"
    mixed = environment.objection("")
    if mixed:
        yield mixed
    for other in others:
        if other.kind is not environment.kind and other.app_key == environment.app_key:
            yield f"its app key is also that of {other.kind}"


@lru_cache
def _place(url: str) -> str:
    return urlsplit(url).netloc.lower()


@cache
def _places_of_others(kind: EnvKind) -> frozenset[str]:
    return frozenset(_place(url) for other, urls in HOSTS.items() if other is not kind for url in urls)

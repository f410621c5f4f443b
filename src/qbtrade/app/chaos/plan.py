"""What one seed lets go wrong."""

from collections.abc import Mapping
from random import Random
from typing import Final

import msgspec

from qbtrade.adapters.emulator.faults import FAULTS as SERVER_FAULTS
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.money import PPB

NETWORK_FAULTS: Final[Mapping[str, str]] = {
    "connect-failed": "a request finds no connection",
    "request-lost": "a request never arrives, and its answer never comes",
    "answer-cut": "a request arrives, and the connection breaks before its answer",
    "answer-timeout": "a request arrives, and its answer never comes",
    "arrives-late": "a request arrives up to 600 s after its sender gave up",
    "bad-gateway": "a page of HTML comes instead of the answer, whether or not the request arrived",
    "slow": "a request or its answer takes seconds",
    "line-cut": "the stream breaks, drawn every 10 s",
    "line-dead": "the stream falls silent without breaking, drawn every 10 s",
    "line-quiet": "the stream brings nothing but PINGPONG any more, drawn every 10 s",
}
"""What the virtual network does, and what it means."""
PROCESS_FAULTS: Final[Mapping[str, str]] = {
    "kill": "the process is killed at a write or a send; what it wrote stays",
    "power": "the machine loses power at a write or a send; what was not synced is gone",
    "halted": "`qb halt` from outside, and `qb resume` a while later",
    "disk-full": "the journal cannot be written for a while",
    "blackout": "KIS tells nothing of orders and account for three minutes",
    "tight": "limits of the session are tight, each by a draw of its own",
    "disk-read-only": "nothing can be written for a while, not even what is to be rescued",
    "asleep": "the machine sleeps for up to 90 s",
    "clock-set": "the machine's clock is set by up to 60 s, and qb is started again",
}
"""What happens to the process, and what it means."""
MARKET_FAULTS: Final[Mapping[str, str]] = {
    "vi": "a volatility interruption stops the stock for two minutes",
    "slump": "the price falls by 6 % within a minute",
    "thin": "trades are of few shares, so that orders fill in parts; not on paper, which does not tell of which side",
    "sidecar": "programme trading stops for five minutes",
    "circuit-breaker": "the whole market stops for half an hour, on the first day",
    "overnight-jump": "a day begins up to 8 % away from the close",
    "corporate-action": "shares are split, put together or go ex rights overnight",
}
"""What happens to the market, and what it means."""
ACCOUNT_FAULTS: Final[Mapping[str, str]] = {
    "silence": "a blackout takes the notices of orders with it, and begins as an order leaves, whose answer is lost",
    "stopped": "somebody ends qb in order, up to three times a day and where trading was halted, and starts it again",
    "by-hand": "somebody trades in the same account with KIS's app, sometimes exactly as qb does; not on paper",
    "second-machine": "a program on another machine trades in the same account; not on paper",
    "payment": "money comes to the account or leaves it",
}
"""What people and programs beside qb do to it and in its account, and what it means."""
SERVER: Final = (
    "answer-lost", "timeout-taken", "timeout-not-taken", "limit-taken", "exchange-reject", "late-rows", "short-pages",
    "data-changed", "other-case", "notice-first", "notice-missing", "notice-twice", "notice-foreign", "balance-lag",
    "holding-split", "ledger-busy", "limit-as-200", "token-death", "server-error", "truncated-json", "slow-answer",
    "bad-utf8", "ping-silence", "socket-drop", "zombie-slot", "order-token-death",
)  # fmt: skip
"""Faults of the local KIS that are drawn."""
NATURE: Final = frozenset({"short-pages"})
"""Those that are no fault: they do not heal."""
RATES: Final[Mapping[str, int]] = {
    "line-cut": 60_000_000, "line-dead": 30_000_000, "line-quiet": 30_000_000, "socket-drop": 30_000_000,
    "token-death": 3_000_000, "order-token-death": 20_000_000, "bad-utf8": 10_000_000,
    "kill": PPB // 2, "power": PPB // 2, "halted": PPB // 2,
    "disk-full": PPB // 4, "disk-read-only": PPB // 4, "asleep": PPB // 2, "clock-set": PPB // 4,
    "tight": PPB // 3, "sidecar": PPB // 2, "circuit-breaker": PPB // 8, "overnight-jump": PPB // 2,
    "holding-split": PPB // 3, "vi": PPB // 2, "slump": PPB // 3, "thin": PPB, "zombie-slot": PPB // 2,
    "data-changed": PPB // 5, "blackout": PPB // 2, "short-pages": PPB // 2,
    "corporate-action": PPB // 3,
    "by-hand": PPB // 2, "silence": PPB // 2, "stopped": PPB // 2, "second-machine": PPB // 3, "payment": PPB // 3,
}  # fmt: skip
"""How often what is on happens, ppb, where it differs from USUAL."""
USUAL: Final = 50_000_000
ALL: Final[Mapping[str, str]] = {
    **NETWORK_FAULTS, **PROCESS_FAULTS, **MARKET_FAULTS, **{name: SERVER_FAULTS[name] for name in SERVER},
    **ACCOUNT_FAULTS,
}  # fmt: skip
LATER: Final = ("corporate-action", "order-token-death")
"""Drawn apart, so that the worlds of before are what they were."""
COMPANY: Final = 3
"""One seed in so many has others beside qb."""
TRADING: Final = frozenset({"by-hand", "second-machine", "payment"})
CALM: Final = 4
LONG_CALM: Final = 6
"""Minutes without faults where others trade: a difference among trades of our own is believed after minutes."""
STOCKS: Final = (1, 1, 1, 1, 2, 3)
"""How many stocks a world has, drawn."""
POINTS: Final = ("before-write", "after-write", "before-send", "after-send")
"""Where a process can be ended."""


class Crash(msgspec.Struct, frozen=True):
    """An end of the process: at the `hit`-th time that it comes to `point`. power: unsynced writes are gone."""

    point: str
    hit: int
    power: bool = False


class ChaosPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One world. rates: ppb by fault. crashes: one for each life, in order.

    trouble, calm: minutes of each day with faults, and without them afterwards. symbols: so many stocks.
    """

    seed: int
    side: Dialect = "real"
    trouble: int = 6
    calm: int = CALM
    days: int = 1
    symbols: int = 1
    rates: dict[str, int] = {}
    crashes: tuple[Crash, ...] = ()

    def rate(self, name: str) -> int:
        """How often something happens, ppb."""
        return self.rates.get(name, 0)


def drawn(seed: int, faults: Mapping[str, int] | None = None) -> ChaosPlan:
    """The world of a seed: each fault is on in half of the seeds. faults: rates that are said, ppb."""
    rng = Random(f"{seed}:plan")
    apart = {*LATER, *ACCOUNT_FAULTS}
    rates = {name: RATES.get(name, USUAL) for name in ALL if name not in apart and rng.getrandbits(1)}
    rates |= {name: RATES[name] for name in LATER if Random(f"{seed}:{name}").getrandbits(1)}
    rates |= {name: RATES[name] for name in _company(seed)} | dict(faults or {})
    side: Dialect = "paper" if rng.randrange(3) == 0 else "real"
    ends = [name for name in ("kill", "power") if rates.get(name)]
    crashes = tuple(
        Crash(rng.choice(POINTS), rng.randrange(1, 25), power=rng.choice(ends) == "power")
        for _ in range(rng.randrange(1, 4) if ends else 0)
    )
    stocks = rng if side == "real" else Random(f"{seed}:stocks")
    calm = LONG_CALM if any(rates.get(name) for name in TRADING) else CALM
    return ChaosPlan(seed=seed, side=side, calm=calm, rates=rates, crashes=crashes, symbols=stocks.choice(STOCKS))


def _company(seed: int) -> list[str]:
    """What happens beside qb in the world of a seed."""
    rng = Random(f"{seed}:company")
    return [name for name in ACCOUNT_FAULTS if rng.getrandbits(1)] if rng.randrange(COMPANY) == 0 else []

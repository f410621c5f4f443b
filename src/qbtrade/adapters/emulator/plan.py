"""What a local KIS is asked to be: side, keys, account, pace and faults."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

import msgspec
from msgspec.structs import replace

from qbtrade.adapters.emulator.faults import Faults
from qbtrade.adapters.kis_fields import Dialect
from qbtrade.domain.instrument import Instrument
from qbtrade.domain.market import Trade
from qbtrade.domain.message import Event
from qbtrade.domain.rules import Rules

_KEY_LENGTH: Final = 36
_SECRET_LENGTH: Final = 180


class Credentials(msgspec.Struct, frozen=True):
    """What a customer of one side holds. account: 8 and 2 digits with a dash. None of it opens anything but this."""

    app_key: str
    app_secret: str
    account: str
    hts_id: str


def _made(side: str, account: str) -> Credentials:
    key = f"EMULATOR{side.upper()}KEY"
    secret = f"emulator/{side}/secret/"
    return Credentials(
        key + "0" * (_KEY_LENGTH - len(key)), secret + "0" * (_SECRET_LENGTH - len(secret)), account, "emulator"
    )


CREDENTIALS: Final[Mapping[Dialect, Credentials]] = {
    "real": _made("real", "50000001-01"),
    "paper": _made("paper", "50000002-01"),
}
"""The keys of both sides; those of the other side half-work, as with KIS."""


class EmulatorPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One local KIS.

    side: whose TR ids, limits and abilities it has. symbols: none for what the files hold, or for 005930.
    day: ISO date of the first market day, "" for the usual one. price: KRW of its open, 0 for one near 75,000.
    source: files to replay instead of the made market. cash: KRW. speed: market seconds per second.
    port: of REST, the stream has the next one; 0 for any two. faults: ppb by name. record: file that keeps the wire.
    events: what befalls the market on the first day, `NAME@HH:MM`.
    halted: symbols that do not trade at all. calls_per_second: 0 for what the side allows.
    commission_ppb, tax_ppb: instead of the dated rules when not negative. ahead: ns by which the clocks of clients are
    ahead of the market's; token expiries are told later by it, so that clients that ask their own clock believe them.
    account: in the place of the usual one.
    """

    side: Dialect = "real"
    symbols: tuple[str, ...] = ()
    day: str = ""
    days: int = 1
    price: int = 0
    scenario: str = "calm"
    ticks: int = 20_000
    source: tuple[str, ...] = ()
    cash: int = 10_000_000
    speed: int = 1
    seed: int = 0
    port: int = 0
    faults: dict[str, int] = {}
    record: str = ""
    events: tuple[str, ...] = ()
    halted: tuple[str, ...] = ()
    calls_per_second: int = 0
    commission_ppb: int = -1
    tax_ppb: int = -1
    ahead: int = 0
    market: str = ""
    kind: str = ""
    account: str = ""

    @property
    def credentials(self) -> Credentials:
        """The keys that belong to this side."""
        held = CREDENTIALS[self.side]
        return replace(held, account=self.account or held.account)

    def drawn_faults(self) -> Faults:
        """The faults of this plan, each with its own seeded draw."""
        return Faults(self.faults, self.seed, self.side)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """The market that a local KIS plays, with what it needs to know of the world.

    events: trades, halts and resumptions in time order. past: trades of earlier days, in time order.
    first, last: market days that are played. bases: close before the first day, KRW.
    sketched: the trades are paths of recorded bars. start: UTC ns at which the market clock begins.
    """

    rules: Rules
    instruments: tuple[Instrument, ...]
    events: Iterable[Event]
    past: Mapping[str, Iterable[Trade]]
    bases: Mapping[str, int]
    first: date
    last: date
    start: int
    sketched: bool = False

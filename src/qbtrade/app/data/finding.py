"""What a check of market data found, and what is being checked."""

from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from qbtrade.adapters.market_store.layout import Basis
from qbtrade.domain.calendar import DAY, KST, NS
from qbtrade.domain.instrument import Instrument

MIDNIGHT: Final = "00:00:00"


class Row(NamedTuple):
    """A bar by its beginning, or a trade as a bar of one price. UTC ns, KRW, shares."""

    ts: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class Series(msgspec.Struct, frozen=True):
    """All rows of one symbol and sort. kind: `trades`, or the length of its bars as `1m`. interval: ns, 0 for trades.

    instrument: None where market and kind are not known; then there are no ticks and limits to check.
    """

    symbol: str
    kind: str
    interval: int
    instrument: Instrument | None = None
    basis: Basis = Basis.UNKNOWN

    @property
    def is_daily(self) -> bool:
        """Its bars are whole days."""
        return self.interval == DAY


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or worth knowing. code: of a fixed list. count: rows, prices or days it is about.

    day: ISO. time, until: KST time of day, or "". text: a sentence. is_wrong: False for what may be as it should be.
    """

    symbol: str
    kind: str
    day: str
    time: str
    until: str = ""
    code: str
    count: int
    text: str
    is_wrong: bool


def amiss(text: str, code: str, series: Series, day: date, *, ts: int = 0, till: int = 0, count: int = 1) -> Finding:
    """Something that should not be so. ts, till: UTC ns, 0 where the whole day is meant."""
    return Finding(
        symbol=series.symbol, kind=series.kind, day=day.isoformat(), time=_clock(ts), until=_clock(till), code=code,
        count=count, text=text, is_wrong=True,
    )  # fmt: skip


def noted(text: str, code: str, series: Series, day: date, *, ts: int = 0, till: int = 0, count: int = 1) -> Finding:
    """Something that may be as it should be."""
    found = amiss(text, code, series, day, ts=ts, till=till, count=count)
    return msgspec.structs.replace(found, is_wrong=False)


def _clock(ts: int) -> str:
    if not ts:
        return ""
    text = datetime.fromtimestamp(ts // NS, KST).time().isoformat()
    return "" if text == MIDNIGHT else text

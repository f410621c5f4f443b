"""Stream frames: trades, quotes and control answers out of text. Nothing here does I/O or reads a clock.

Source: PROTOCOL sections 6.2, 6.4 and 6.6 (KIS workbook, H0STCNT0 and H0STASP0), and the recorded frames in the tests.
"""

from collections.abc import Container
from datetime import date, time
from functools import lru_cache
from typing import Any, Final

import msgspec

from qbtrade.adapters.kis.tape import Tape
from qbtrade.adapters.kis_fields import WIDTHS, position
from qbtrade.domain.calendar import kst_ns
from qbtrade.domain.instrument import parse_symbol
from qbtrade.domain.market import Quote, Trade
from qbtrade.errors import UsageError, WireError

TRADES: Final = "H0STCNT0"
QUOTES: Final = "H0STASP0"
OPERATIONS: Final = "H0STMKO0"
LEAST: Final = {tr_id: min(width for _, width in widths) for tr_id, widths in WIDTHS.items()} | {
    OPERATIONS: position(OPERATIONS, "VI_CLS_CODE") + 1  # documents disagree on its width: as far as it is read
}
"""The narrowest record ever seen of each TR; wider ones carry fields behind those that we read."""
_PARTS: Final = 4
_COUNTS: Final = {f"{count:03d}": count for count in range(1, 1000)}
LONGEST: Final = 18
"""Digits of the largest number that is read."""
BELIEVED: Final = 10**12
"""No price in KRW and no day's volume comes near this."""

_TIME, _PRICE, _QTY, _VOLUME, _SIDE, _DATE, _HOUR = (
    position(TRADES, name)
    for name in ("STCK_CNTG_HOUR", "STCK_PRPR", "CNTG_VOL", "ACML_VOL", "CCLD_DVSN", "BSOP_DATE", "HOUR_CLS_CODE")
)
_BEST: Final = tuple(position(TRADES, name) for name in ("BIDP1", "BIDP_RSQN1", "ASKP1", "ASKP_RSQN1"))
_BOOK_TIME, _ASK, _BID, _ASK_QTY, _BID_QTY = (
    position(QUOTES, name) for name in ("BSOP_HOUR", "ASKP1", "BIDP1", "ASKP_RSQN1", "BIDP_RSQN1")
)
DEPTH: Final = 40
"""Values of a book that stand side by side: ten asks, ten bids, and the sizes of both."""
_IN_SESSION: Final = frozenset({"0", ""})
_OPENING: Final = "3"
_SIDES: Final = {"1": "BUY", "5": "SELL"}
"""Who took the other side's price."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One data frame, taken apart as far as its envelope goes. sealed: the payload is encrypted."""

    tr_id: str
    sealed: bool
    count: int
    payload: str


def read_frame(text: str) -> Frame:
    """Open the envelope `flag|TR id|count|payload`. Raises: WireError."""
    parts = text.split("|", 3)
    if len(parts) < _PARTS or parts[0] not in {"0", "1"}:
        raise WireError("frame", "not flag|TR id|count|payload")
    flag, tr_id, count, payload = parts
    if tr_id not in LEAST:
        raise WireError("frame", "of a TR id that was not asked for")
    number_of_records = _COUNTS.get(count)
    if number_of_records is None:
        raise WireError(tr_id, "its record count is not three digits, or 0")
    return Frame(tr_id, flag == "1", number_of_records, payload)


def records(tr_id: str, count: int, payload: str) -> tuple[list[str], int]:
    """All values of a payload, and how many make one record. Raises: WireError.

    The width is found from the frame, because it changes over time and between environments.
    """
    values = payload.split("^")
    width, rest = divmod(len(values), count)
    if rest or width < LEAST[tr_id]:
        raise WireError(tr_id, f"{len(values)} fields do not make {count} records of {LEAST[tr_id]} or more")
    return values, width


def number(text: str) -> int:
    """A whole number, digits only, as KIS sends shares and won. Raises: ValueError."""
    if len(text) <= LONGEST and text.isascii() and text.isdigit():
        return int(text)
    raise ValueError


@lru_cache(maxsize=4096)
def moment(day: str, clock: str) -> int:
    """UTC ns of a KST `YYYYMMDD` and `HHMMSS`. Raises: ValueError."""
    if len(day) != len("YYYYMMDD") or len(clock) != len("HHMMSS"):
        raise ValueError
    number(day + clock)
    at = time(int(clock[:2]), int(clock[2:4]), int(clock[4:]))
    return kst_ns(date(int(day[:4]), int(day[4:6]), int(day[6:])), at)


@lru_cache(maxsize=4096)
def symbol_of(text: str) -> str:
    """A symbol as it stands in a record. Raises: ValueError."""
    try:
        return parse_symbol(text)
    except UsageError:
        raise ValueError from None


class Reader:
    """Reads market data frames. tape: lets each trade through once. unread: records that were set aside, by TR id."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.unread = {TRADES: 0, QUOTES: 0}
        self.records = 0
        self._best: tuple[int, str, list[str], int] | None = None

    def trades(self, frame: Frame, today: str) -> list[Trade]:
        """The new trades of a frame, in its order. today: KST `YYYYMMDD`, for records without a date.

        A print of the opening auction, or one that shares its record with an expected price, counts as an auction's.
        Raises: WireError for a frame that cannot be cut into records.
        """
        values, width = records(TRADES, frame.count, frame.payload)
        accepts, trades = self._tape.accepts, list[Trade]()
        self.records += frame.count
        self._best = None
        for at in range(0, len(values), width):
            price, qty, volume = values[at + _PRICE], values[at + _QTY], values[at + _VOLUME]
            digits = price + qty + volume
            day, hour = values[at + _DATE] or today, values[at + _HOUR]
            try:
                if not (digits.isascii() and digits.isdigit()):
                    raise ValueError  # noqa: TRY301 - one way out for whatever is wrong with a record
                ts, symbol = moment(day, values[at + _TIME]), symbol_of(values[at])
                krw, shares, total = int(price), int(qty), int(volume)
            except ValueError:
                self.unread[TRADES] += 1
                continue
            if not (0 < krw < BELIEVED and shares <= total < BELIEVED):
                self.unread[TRADES] += 1
                continue
            regular = hour in _IN_SESSION
            if accepts(symbol, day, ts, shares, total, expected=not regular):
                auction = not regular or values[at + _SIDE] == _OPENING
                trades.append(Trade(ts, symbol, krw, shares, auction, _SIDES.get(values[at + _SIDE], ""), total))
                if regular:
                    self._best = (ts, symbol, values, at)
        return trades

    def best(self, quoted: Container[tuple[str, str]]) -> Quote | None:
        """The best prices that the newest of those trades came with, unless its symbol's quotes are among `quoted`."""
        if self._best is None or (QUOTES, self._best[1]) in quoted:
            return None
        ts, symbol, values, at = self._best
        try:
            bid, bid_qty, ask, ask_qty = (number(values[at + place]) for place in _BEST)
        except ValueError:
            return None
        is_believed = 0 < max(bid, ask) < BELIEVED and not (bid and ask and bid >= ask)
        return Quote(ts, symbol, bid, bid_qty, ask, ask_qty) if is_believed else None

    def quotes(self, frame: Frame, today: str) -> list[Quote]:
        """The best levels of a frame's order books. Raises: WireError for one that cannot be cut into records."""
        values, width = records(QUOTES, frame.count, frame.payload)
        quotes = list[Quote]()
        self.records += frame.count
        for at in range(0, len(values), width):
            try:
                ts, symbol = moment(today, values[at + _BOOK_TIME]), symbol_of(values[at])
                bid, bid_qty = number(values[at + _BID]), number(values[at + _BID_QTY])
                ask, ask_qty = number(values[at + _ASK]), number(values[at + _ASK_QTY])
            except ValueError:
                self.unread[QUOTES] += 1
                continue
            depth = tuple(values[at + _ASK : at + _ASK + DEPTH])
            quotes.append(Quote(ts, symbol, bid, bid_qty, ask, ask_qty, depth))
        return quotes


class Control(msgspec.Struct, frozen=True):
    """One JSON answer of the server. is_ping: it wants its text back. key, iv: for the notices of this session.

    Prints neither key nor iv.
    """

    tr_id: str
    tr_key: str
    code: str
    text: str
    is_success: bool
    is_ping: bool = False
    key: str = ""
    iv: str = ""

    def __repr__(self) -> str:
        return f"Control({self.tr_id}, {self.code}, {self.text!r})"


def read_control(text: str) -> Control:
    """Read a JSON answer, whatever of it is there. Raises: WireError."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise WireError("control", "not JSON") from error
    header, body = _part(message, "header"), _part(message, "body")
    if not header:
        raise WireError("control", "without a header")
    tr_id, output = _word(header, "tr_id"), _part(body, "output")
    if tr_id == "PINGPONG":
        return Control(tr_id, "", "", "", is_success=True, is_ping=True)
    if not body:
        raise WireError("control", "without a body")
    return Control(
        tr_id, _word(header, "tr_key"), _word(body, "msg_cd"), _word(body, "msg1"),
        is_success=_word(body, "rt_cd") == "0", key=_word(output, "key"), iv=_word(output, "iv"),
    )  # fmt: skip


def _part(message: Any, name: str) -> dict[str, Any]:
    part = message.get(name) if isinstance(message, dict) else None
    return part if isinstance(part, dict) else {}


def _word(part: dict[str, Any], name: str) -> str:
    word = part.get(name)
    return word.strip() if isinstance(word, str) else ""

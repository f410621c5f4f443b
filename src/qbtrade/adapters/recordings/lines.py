"""One line of a log for each event. Nothing here does I/O or reads a clock."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from qbtrade.adapters.recordings.layout import Kind
from qbtrade.domain.events import FeedLost, FeedRestored, SymbolHalted, SymbolResumed
from qbtrade.domain.market import Bar, Quote, Trade

_NUMBERED: Final = re.compile(r"[a-z]+,(\d+),\d+,(\d+)")
Heard = Trade | Quote | FeedLost | FeedRestored | SymbolHalted | SymbolResumed
"""What is kept as it comes."""


def line(seq: int, received: int, event: Heard) -> str:
    """What was heard, as LOGGED names its columns. received: UTC ns of market time."""
    match event:
        case Trade(ts, _symbol, price, qty, auction, side, volume):
            kind = "trade" if qty else "price"
            return f"{kind},{seq},{ts},{received},{price},{qty},{side},{volume},{auction:d}\n"
        case Quote(ts, _symbol, bid, bid_qty, ask, ask_qty, depth):
            return f"quote,{seq},{ts},{received},,,,,,{bid},{bid_qty},{ask},{ask_qty},{_joined(depth)}\n"
        case FeedLost(ts, reason):
            return mark(Kind.LOST, seq, ts, received, reason)
        case FeedRestored(ts, gap):
            return mark(Kind.RESTORED, seq, ts, received, str(gap))
        case SymbolHalted(ts, _symbol, reason, detail):
            return mark(Kind.HALTED, seq, ts, received, f"{reason}: {detail}")
        case SymbolResumed(ts, _symbol, reason):
            return mark(Kind.RESUMED, seq, ts, received, reason)


def _joined(depth: tuple[str, ...]) -> str:
    """Numbers apart by blanks; nothing where something else stands among them."""
    text = " ".join(depth)
    return text if "" not in depth and text.replace(" ", "").isdigit() else ""


def bar_line(seq: int, received: int, bar: Bar, kind: Kind) -> str:
    """A bar: its end, close and volume stand where a trade has time, price and quantity."""
    start = f"{kind},{seq},{bar.ts},{received},{bar.close},{bar.volume}"
    return f"{start},,,,,,,,,{bar.start},{bar.open},{bar.high},{bar.low}\n"


def mark(kind: Kind, seq: int, ts: int, received: int, note: str) -> str:
    """Something that befell the recording. note: words."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([kind.value, seq, ts, received, *[""] * 14, _in_one_line(note)])
    return text.getvalue()


def _in_one_line(note: str) -> str:
    return " ".join(note.split())


def seen(lines: bytes) -> Iterator[tuple[int, tuple[int, int, int] | None]]:
    """The number of each line of a block, and of a trade time, quantity and the day's volume with it."""
    for text in lines.decode("utf-8", "replace").splitlines():
        parts = text.split(",", 8)
        numbers = parts[1:6] + parts[7:8] if parts[0] == Kind.TRADE else parts[1:2]
        if not all(number.isdigit() for number in numbers):
            continue
        seq, *rest = map(int, numbers)
        yield seq, (rest[0], rest[3], rest[4]) if rest else None


def last_of(lines: bytes) -> tuple[int, int] | None:
    """Number and time of the last line of a block."""
    found = _NUMBERED.match(lines.decode("utf-8", "replace").splitlines()[-1])
    return (int(found[1]), int(found[2])) if found else None

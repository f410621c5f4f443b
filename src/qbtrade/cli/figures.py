"""Numbers and times as the screen shows them: whole won with thousands separators, KST, calm rounding."""

from datetime import datetime, timedelta, timezone
from typing import Final

from qbtrade.app.units import PERCENT
from qbtrade.cli.text import language

KST: Final = timezone(timedelta(hours=9))
_NS: Final = 10**9
_MINUTE: Final = 60
_HOUR: Final = 3600


def won(amount: int) -> str:
    """`1,234,567`."""
    return f"{amount:,}"


def signed(amount: int) -> str:
    """`+1,234`, `-1,234` or `0`."""
    return f"{amount:+,}" if amount else "0"


def percent(ppb: int, *, sign: bool = False) -> str:
    """`0.53%`, with `sign` also `+0.53%`."""
    shown = round(ppb / PERCENT, 2) + 0.0  # no minus before zero
    return f"{shown:{'+' if sign and shown else ''}.2f}%"


def share(used: int, limit: int) -> str:
    """`62%` of a limit; `-` where there is none."""
    return f"{100 * used // limit}%" if limit > 0 else "-"


def gauge(used: int, limit: int, width: int) -> str:
    """A bar of `width` cells, filled as far as the limit is used; a little use shows at least one cell."""
    filled = min(max(-(-width * used // limit), 0), width) if limit > 0 else 0
    return "▆" * filled + "▁" * (width - filled)


def clock(ts: int) -> str:
    """`09:31:30` in KST."""
    return f"{_kst(ts):%H:%M:%S}"


def stamp(ts: int) -> str:
    """`2026-03-02 09:31:30` in KST."""
    return f"{_kst(ts):%Y-%m-%d %H:%M:%S}"


def _kst(ts: int) -> datetime:
    return datetime.fromtimestamp(ts // _NS, KST)


def age(ns: int) -> str:
    """`0.4s`, `12s`, `3m 05s`, `2h 10m`."""
    seconds = max(ns, 0) / _NS
    if seconds < 10:  # noqa: PLR2004 (below ten seconds the tenths matter)
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"


def short(number: float) -> str:
    """`950`, `12.3`, `412K`, `2.15M`: three figures are enough for a rate."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def micros(ns: float) -> str:
    """`0.42 µs`, `1.3 ms`."""
    return f"{ns / 1e6:.3g} ms" if ns >= 1e6 else f"{ns / 1e3:.3g} µs"  # noqa: PLR2004 (from one millisecond on)


def memory(size: int) -> str:
    """`84 MB`; `-` where it is unknown."""
    return f"{size // 10**6} MB" if size else "-"


def arrow(amount: int) -> str:
    """▲ up, ▼ down, a blank for no change."""
    return "▲" if amount > 0 else "▼" if amount < 0 else " "


def colour(amount: int) -> str:
    """Style of a gain or a loss: red and blue in Korean, green and red elsewhere."""
    up, down = ("red", "blue") if language() == "ko" else ("green", "red")
    return up if amount > 0 else down if amount < 0 else ""

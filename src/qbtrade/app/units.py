"""Amounts, shares of a whole, durations and whole numbers as people write them, read exactly.

Each reader takes the name of the flag or key (`what`) so that its error can say where the text stood.
"""

import re
from fractions import Fraction
from typing import Final

from qbtrade.errors import UsageError

PERCENT: Final = 10_000_000
"""One percent in parts per billion."""
NS_OF: Final = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
"""Nanoseconds of each unit of time."""
LARGEST: Final = 10**15
"""Beyond this no amount, count or seed is meant seriously (KRW: a thousand trillion)."""

_WHOLE = re.compile(r"-?\d+|\d{1,3}(,\d{3})+|\d{1,3}(_\d{3})+", re.ASCII)
_RATE = re.compile(r"(\d{1,10}(?:\.\d{1,12})?)\s*(%|ppb|)", re.ASCII)
_PPB_OF: Final = {"%": PERCENT, "ppb": 1, "": 100 * PERCENT}
_FLAGS: Final = {"yes": True, "true": True, "no": False, "false": False}
_PER_SECOND = re.compile(r"(\d{1,4})(?:\.(\d{1,3}))?", re.ASCII)
_DURATION = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)


def whole(what: str, text: str, *, least: int = 0, most: int = LARGEST) -> int:
    """Read `100000`, `100_000` or `100,000`. Raises: UsageError."""
    plain = text.strip()
    if not _WHOLE.fullmatch(plain):
        raise UsageError(
            "{what}: {text!r} is not a whole number", hint="Write 100000, 100_000 or 100,000", what=what, text=text
        )
    number = int(plain.replace(",", "").replace("_", ""))
    if not least <= number <= most:
        raise UsageError(
            "{what}: {number:,} is outside {least:,} to {most:,}", what=what, number=number, least=least, most=most
        )
    return number


def rate(what: str, text: str, *, least: int = 0, most: int = 100 * PERCENT) -> int:
    """Read `3%`, `0.03` or `30000000ppb` as ppb, exactly; 1 and more without a unit is refused. Raises: UsageError."""
    found = _RATE.fullmatch(text.strip())
    if not found or (not found[2] and Fraction(found[1]) >= 1):
        raise UsageError("{what}: {text!r} is not a percentage", hint="Write 3% or 0.5%", what=what, text=text)
    ppb = Fraction(found[1]) * _PPB_OF[found[2]]
    if ppb.denominator != 1:
        raise UsageError(
            "{what}: {text!r} is finer than a billionth", hint="Write at most seven decimals", what=what, text=text
        )
    if ppb < least:
        raise UsageError("{what}: {text!r} is too little", hint="Write 1% or more", what=what, text=text)
    if ppb > most:
        raise UsageError("{what}: {text!r} is above {most}%", what=what, text=text, most=most // PERCENT)
    return int(ppb)


def flag(what: str, text: str) -> bool:
    """Read `yes` or `no`, or TOML's own true or false. Raises: UsageError."""
    name = text.strip().lower()
    if name not in _FLAGS:
        raise UsageError("{what}: {text!r} is neither yes nor no", hint="Write yes or no", what=what, text=text)
    return _FLAGS[name]


def write_flag(offered: bool) -> str:  # noqa: FBT001 (a value to write)
    """Write what `flag` reads."""
    return "yes" if offered else "no"


def write_rate(ppb: int) -> str:
    """Write ppb as a percentage that `rate` reads back exactly: `3%`, `0.0140527%`."""
    whole_part, rest = divmod(ppb, PERCENT)
    return f"{whole_part}.{rest:07}".rstrip("0").rstrip(".") + "%"


def duration(what: str, text: str, *, bare: str = "", least: int = 0, most: int = LARGEST * NS_OF["s"]) -> int:
    """Read `50ms`, `30s`, `1m`, `1h` or `1d` as ns; a number alone counts in the unit `bare`. Raises: UsageError."""
    plain = text.strip().lower()
    found = _DURATION.fullmatch(plain + bare if plain.isdigit() else plain)
    if not found:
        raise UsageError(
            "{what}: {text!r} is not a duration", hint="Write 50ms, 30s, 1m, 1h or 1d", what=what, text=text
        )
    ns = int(found[1]) * NS_OF[found[2]]
    if not least <= ns <= most:
        bounds = {"least": write_duration(least), "most": write_duration(most)}
        raise UsageError("{what}: {text!r} is outside {least} to {most}", what=what, text=text, **bounds)
    return ns


def write_duration(ns: int) -> str:
    """Write ns, a whole number of ms, in the largest unit that `duration` reads back exactly: `90s`, `1m`."""
    unit = next((unit for unit in ("d", "h", "m", "s") if ns and ns % NS_OF[unit] == 0), "ms")
    return f"{ns // NS_OF[unit]}{unit}"


def speed(what: str, text: str) -> int:
    """Read `max` as 0, else a positive whole number of market seconds per second. Raises: UsageError."""
    if text.strip().lower() == "max":
        return 0
    if not _WHOLE.fullmatch(text.strip()) or not text.strip("0 "):
        raise UsageError(
            "{what}: {text!r} is no speed", hint="Write max, or a whole number from 1 on", what=what, text=text
        )
    return whole(what, text, least=1, most=1_000_000)


def write_speed(speed: int) -> str:
    """Write what `speed` reads."""
    return str(speed) if speed else "max"


def per_second(what: str, text: str) -> int:
    """Read `18` or `0.9`, a number of calls per second, in thousandths. Raises: UsageError."""
    found = _PER_SECOND.fullmatch(text.strip())
    milli = int(found[1]) * 1000 + int((found[2] or "").ljust(3, "0")) if found else 0
    if not milli:
        raise UsageError("{what}: {text!r} is no number per second", hint="Write 18 or 0.9", what=what, text=text)
    return milli


def write_per_second(milli: int) -> str:
    """Write what `per_second` reads."""
    return f"{milli // 1000}.{milli % 1000:03}".rstrip("0").rstrip(".")

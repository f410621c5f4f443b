"""How the local KIS words an answer: envelope, padding, documented fields, refusals."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from email.utils import formatdate
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from qbtrade.adapters.emulator.wire import Answer
from qbtrade.domain.calendar import DAY, NS, kst_date

Row = dict[str, str]
Body = dict[str, Any]

_MSG_WIDTH: Final = 80
_SECONDS_OF_DAY: Final = 86_400
_AHEAD: Final = 9
"""Hours of KST before UTC."""
_TEXTS: Final = (
    "name", "isnm", "cd", "code", "dt", "date", "dtmd", "tmd", "hour", "no", "odno", "brno", "id", "addr", "empno",
    "name120", "iscd", "icld", "cls", "reas", "mmdd",
)  # fmt: skip
_JSON: Final = "application/json; charset=utf-8"
_HTML: Final = b"<html><head><title>500 Internal Server Error</title></head><body>Internal Server Error</body></html>"


class _Texts(msgspec.Struct, frozen=True):
    messages: dict[str, str]
    words: dict[str, str]
    answers: dict[str, dict[str, str]]


class Refusal(Exception):
    """A request that is refused. code: KIS's. status: of HTTP. rt_cd: of the envelope. note: goes behind the words."""

    def __init__(self, code: str, *, status: int = 200, rt_cd: str = "1", note: str = "") -> None:
        super().__init__(code)
        self.code, self.status, self.rt_cd, self.note = code, status, rt_cd, note

    def body(self) -> Body:
        """The envelope without output."""
        return {"rt_cd": self.rt_cd, "msg_cd": self.code, "msg1": message(self.code, self.note)}


class OAuthRefusal(Refusal):
    """A refusal of the token paths, which have keys of their own."""

    def __init__(self, code: str) -> None:
        super().__init__(code, status=403)

    def body(self) -> Body:
        """The two keys of the token paths."""
        return {"error_description": message(self.code).rstrip(), "error_code": self.code}


@cache
def _texts() -> _Texts:
    text = files("qbtrade.data").joinpath("kis_emulator.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Texts)


def message(code: str, note: str = "") -> str:
    """KIS's sentence for a code, padded as KIS pads it."""
    text = _texts().messages[code]
    return f"{text} [{note}]".ljust(_MSG_WIDTH) if note else text.ljust(_MSG_WIDTH)


def word(name: str) -> str:
    """A Korean word of an answer."""
    return _texts().words[name]


@cache
def _defaults(tr: str, block: str) -> Mapping[str, str]:
    return {name: _default(name) for name in _texts().answers[tr][block].split()}


def _default(name: str) -> str:
    last = name.lower().rpartition("_")[2]
    return "N" if last == "yn" else "" if last in _TEXTS else "0"


def row(tr: str, block: str, values: Mapping[str, object]) -> Row:
    """Every documented field of a block in its order, all strings; what is not given is 0, N or blank.

    Raises: KeyError for a name that the block does not have.
    """
    defaults = _defaults(tr, block)
    filled = {**defaults, **dict(zip(values, map(str, values.values()), strict=True))}
    if len(filled) > len(defaults):
        raise KeyError(*(values.keys() - defaults.keys()))
    return filled


def success(code: str, **blocks: Row | Sequence[Row]) -> Body:
    """An envelope that says yes."""
    return {**blocks, "rt_cd": "0", "msg_cd": code, "msg1": message(code)}


def json_answer(
    now: int, body: Body, *, status: int = 200, tr_id: str = "", tr_cont: str = "", uid: str = ""
) -> Answer:
    """A body on its way, with KIS's headers."""
    headers = {**_common(now), "content-type": _JSON, "tr_id": tr_id, "tr_cont": tr_cont, "gt_uid": uid}
    return Answer(status, headers, msgspec.json.encode(body))


def html_answer(now: int) -> Answer:
    """What a server in front of KIS says when it breaks."""
    return Answer(500, {**_common(now), "content-type": "text/html"}, _HTML)


def _common(now: int) -> dict[str, str]:
    return {"date": _date_header(now // NS), "server": "emulator"}


def _date_header(second: int) -> str:
    """As email.utils.formatdate writes it, which takes longer for each second than for each day."""
    day, second = divmod(second, _SECONDS_OF_DAY)
    minutes, second = divmod(second, 60)
    return f"{_day_header(day)} {minutes // 60:02d}:{minutes % 60:02d}:{second:02d} GMT"


@lru_cache
def _day_header(day: int) -> str:
    """The date of a day since 1970."""
    return formatdate(day * _SECONDS_OF_DAY, usegmt=True).removesuffix(" 00:00:00 GMT")


def day_text(ts: int) -> str:
    """YYYYMMDD in KST."""
    return date_text(kst_date(ts))


@lru_cache(maxsize=1024)
def date_text(day: date) -> str:
    """YYYYMMDD."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def hour_text(ts: int) -> str:
    """HHMMSS in KST."""
    return _second_text(ts % DAY // NS)


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    """The KST time of a second of the UTC day."""
    minutes, second = divmod(second, 60)
    hour, minute = divmod(minutes, 60)
    return f"{(hour + _AHEAD) % 24:02d}{minute:02d}{second:02d}"


def decimal(numerator: int, denominator: int, places: int = 2) -> str:
    """A quotient with so many decimals, one or more, cut, without binary fractions; 0 over 0 is 0."""
    scaled = abs(numerator) * 10**places // abs(denominator) if denominator else 0
    digits = str(scaled).zfill(places + 1)
    negative = scaled and (numerator < 0) != (denominator < 0)
    return f"{'-' if negative else ''}{digits[:-places]}.{digits[-places:]}"

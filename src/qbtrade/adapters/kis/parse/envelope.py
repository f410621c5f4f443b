"""What all answers have in common: success, code and text, rows of padded strings, pages.

Source: PROTOCOL 3.2.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, time
from typing import Any, Final, TypeVar

import msgspec

from qbtrade.adapters.kis.http import HttpReply
from qbtrade.adapters.kis_fields import MORE
from qbtrade.errors import WireError

T = TypeVar("T")
SUCCESS: Final = "0"
_NUMBER: Final = re.compile(r"([+-]?)(\d{1,18})(?:\.(\d{0,12}))?", re.ASCII)
_LONGEST: Final = 18  # digits of a number
_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_SHOWN: Final = 200
_GOOD: Final = 2  # hundreds of HTTP statuses that report success


class Row:
    """One object of an answer. Names are looked up whatever their case; values are stripped of their padding."""

    __slots__ = ("_is_lowered", "_values", "_what")

    def __init__(self, what: str, values: object, *, is_lowered: bool = False) -> None:
        if not isinstance(values, dict):
            raise WireError(what, "a row is not an object")
        self._what, self._values, self._is_lowered = what, values, is_lowered

    def texts(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Names and values as they came; None when some value is no text."""
        values = tuple(self._values.values())
        return (tuple(self._values), values) if {str}.issuperset(map(type, values)) else None

    def text(self, *names: str) -> str:
        """The first of these fields that is there, or ""."""
        for name in names:
            value = self._values.get(name)
            if value is None and not self._is_lowered:
                value = self._lowered().get(name)
            if value is not None:
                return plain(value) if isinstance(value, str) else self._digit(name, value)
        return ""

    def whole(self, *names: str) -> int:
        """A whole number. Raises: WireError when it is blank or has a fraction."""
        return self._whole(names, self.text(*names))

    def whole_or_zero(self, *names: str) -> int:
        """A whole number; blank is 0."""
        text = self.text(*names)
        return self._whole(names, text) if text else 0

    def count(self, *names: str) -> int:
        """A quantity, price or amount that cannot be negative. Raises: WireError."""
        return self._count(names, self.text(*names))

    def count_or_zero(self, *names: str) -> int:
        """A count; blank is 0."""
        text = self.text(*names)
        return self._count(names, text) if text else 0

    def flag(self, name: str) -> bool:
        """Y or N; anything else is N."""
        return self.text(name).upper() == "Y"

    def day(self, *names: str) -> date:
        """YYYYMMDD. Raises: WireError."""
        text = self.text(*names)
        try:
            return date(int(self._digits(names, text, 8)[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise self.wrong(names[0], "is not a date") from None

    def clock(self, *names: str) -> time:
        """HHMMSS of KST. Raises: WireError."""
        text = self.text(*names)
        try:
            return time(int(self._digits(names, text, 6)[:2]), int(text[2:4]), int(text[4:]))
        except ValueError:
            raise self.wrong(names[0], "is not a time of day") from None

    def wrong(self, name: str, problem: str) -> WireError:
        """The error that names a field; never its value, which may be an account."""
        return WireError(self._what, f"{name} {problem}")

    def _lowered(self) -> dict[str, Any]:
        """The fields by their names in lower case: KIS writes most of them so, and the rest is rarely asked for."""
        self._values = {str(name).lower(): value for name, value in self._values.items()}
        self._is_lowered = True
        return self._values

    def _digit(self, name: str, value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise self.wrong(name, "is not a text")

    def _whole(self, names: tuple[str, ...], text: str) -> int:
        if len(text) <= _LONGEST and text.isascii() and text.isdigit():
            return int(text)
        sign, digits, fraction = self._number(names, text)
        if fraction.strip("0"):
            raise self.wrong(names[0], "is not a whole number")
        return -int(digits) if sign == "-" else int(digits)

    def _count(self, names: tuple[str, ...], text: str) -> int:
        if len(text) <= _LONGEST and text.isascii() and text.isdigit():
            return int(text)  # as nearly all are
        number = self._whole(names, text)
        if number < 0:
            raise self.wrong(names[0], "is negative")
        return number

    def _number(self, names: tuple[str, ...], text: str) -> tuple[str, str, str]:
        found = _NUMBER.fullmatch(text)
        if found is None:
            raise self.wrong(names[0], "is not a number" if text else "is blank")
        return found[1], found[2], found[3] or ""

    def _digits(self, names: tuple[str, ...], text: str, length: int) -> str:
        if len(text) != length or not (text.isascii() and text.isdigit()):
            raise self.wrong(names[0], f"does not have {length} digits")
        return text


class Page(msgspec.Struct, frozen=True):
    """One answer, read as far as all answers are alike. code, text: KIS's message. more: another page follows.

    ctx: the values that ask for it, (context, next), padded as they came.
    """

    what: str
    ok: bool
    code: str
    text: str
    body: dict[str, Any]
    more: bool = False
    ctx: tuple[str, str] = ("", "")

    def row_of_body(self) -> Row:
        """The whole answer as one object, where it has no block."""
        return Row(self.what, self.body)

    def row(self, *names: str) -> Row:
        """The object of that name, or the one object of an array of that name. Raises: WireError."""
        found = self._block(names)
        if isinstance(found, list) and len(found) == 1:
            found = found[0]
        return Row(self.what, found)

    def rows(self, *names: str) -> Iterator[Row]:
        """The objects of the array of that name; one bare object counts as an array of one. Raises: WireError."""
        found = self._block(names)
        for each in found if isinstance(found, list) else [found]:
            yield Row(self.what, each)

    def _block(self, names: tuple[str, ...]) -> object:
        for name in names:
            if name in self.body:
                return self.body[name]
        raise WireError(self.what, f"{names[0]} is missing")


def plain(text: str) -> str:
    """A text without padding, control characters and marks that turn the writing round."""
    return text.strip() if text.isprintable() else _HIDDEN.sub(" ", text).strip()


def read(what: str, reply: HttpReply, ctx_names: Sequence[str] = (), *, bare: bool = False) -> Page:
    """The envelope of an answer, whatever its status. Raises: WireError when it has none.

    ctx_names: the paging keys that were asked with. bare: the key desk answers, which tells success by status alone.
    """
    body = _object(what, reply.body)
    texts = {name: value for name, value in body.items() if isinstance(value, str)}
    head = Row(what, texts, is_lowered=True)
    success, refusal = head.text("rt_cd"), head.text("error_code")
    good_key = bare and not success and reply.status // 100 == _GOOD
    if not (success or refusal or good_key):
        raise WireError(what, "rt_cd is missing")
    ok = not refusal and (success == SUCCESS or good_key)
    code = head.text("msg_cd", "error_code")
    said = head.text("msg1", "error_description")[:_SHOWN]
    ctx = [body.get(name.lower()) for name in ctx_names]
    context, following = (each if isinstance(each, str) else "" for each in ctx) if ctx else ("", "")
    more = reply.headers.get("tr_cont", "").strip() in MORE and bool(following.strip())
    return Page(what, ok, code, said, body, more, (context, following))


def _object(what: str, body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body.decode("utf-8", errors="replace"))
    except (msgspec.DecodeError, RecursionError):
        raise WireError(what, f"no JSON in {len(body)} bytes") from None
    if not isinstance(found, dict):
        raise WireError(what, "the answer is not an object")
    return {name.lower(): value for name, value in found.items()}


def only(pages: Sequence[Page]) -> Page:
    """The page of an answer that has one. Raises: WireError."""
    if len(pages) != 1:
        raise WireError(pages[0].what if pages else "answer", f"{len(pages)} pages")
    return pages[0]


def all_rows(pages: Sequence[Page], name: str, parse: Callable[[Row], T]) -> tuple[T, ...]:
    """The rows of every page, in order. Raises: WireError."""
    return tuple(parse(row) for page in pages for row in page.rows(name))

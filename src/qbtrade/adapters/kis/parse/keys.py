"""Answers of the key desk: access token and approval key.

Source: PROTOCOL 2.1, 2.3.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from qbtrade.adapters.kis.environment import Secret
from qbtrade.adapters.kis.parse.envelope import Page, only
from qbtrade.domain.calendar import NS, kst_ns
from qbtrade.errors import WireError

LONGEST: Final = 4096
"""Characters of a token; KIS's have about 350."""


class Grant(msgspec.Struct, frozen=True):
    """A token and the time until which it holds, UTC ns."""

    token: Secret
    expires: int


def grant(now: int, page: Page) -> Grant:
    """A newly issued token. now: when the answer came, UTC ns. Raises: WireError.

    It ends with the earlier of the two times that KIS tells, the KST date and the seconds from now.
    """
    row = page.row_of_body()
    lasts = row.count_or_zero("expires_in")
    text = row.text("access_token_token_expired")
    ends = [now + lasts * NS] if lasts else []
    if text:
        try:
            moment = datetime.fromisoformat(text)
            ends.append(kst_ns(moment.date(), moment.time().replace(tzinfo=None)))
        except ValueError:
            raise row.wrong("access_token_token_expired", "is not a date and time") from None
    if not ends:
        raise row.wrong("expires_in", "is blank")
    return Grant(_key(page, "access_token"), min(ends))


def approval(pages: Sequence[Page]) -> Secret:
    """The key of the stream. Raises: WireError."""
    return _key(only(pages), "approval_key")


def _key(page: Page, name: str) -> Secret:
    text = page.row_of_body().text(name)
    if not text or len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise WireError(page.what, f"{name} is missing or no key")
    return Secret(text)
